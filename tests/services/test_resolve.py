"""A user's decisions have the right effect on the post, and nothing is published twice."""

from datetime import timedelta

import pytest

from fix_publishing import Publisher, reason_of
from fix_runtime import ACTOR
from roost import store
from roost.account_client import StoredTokenSource
from roost.errors import PostRefused
from roost.models import Alert, PartState, PostId, PostState, TweetId
from roost.prices import price_of_create
from roost.publishing import decisions
from roost.publishing.decisions import Choice
from roost.publishing.history import describe_event
from roost.publishing.state import PublishState
from roost.services import resolve, schedule
from roost.services.publish import outcomes
from roost.services.publish.context import PublishContext
from roost.services.resolve import DecisionNotOpen, TweetUnlikely
from roost.services.schedule import PartInput


async def publish_undecided(publisher: Publisher) -> PostId:
    """Publish a post whose create request is lost; Roost then leaves the decision to a user."""
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=0.25)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.NEEDS_DECISION
    return post_id


async def publish_partly(publisher: Publisher) -> PostId:
    """Publish a thread whose second part X refuses."""
    await publisher.schedule("Said before")
    post_id = await publisher.schedule("New", "Said before", "The end", after_s=1)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PARTLY_PUBLISHED
    return post_id


async def schedule_missed(publisher: Publisher) -> PostId:
    """Schedule a post that no worker publishes in time."""
    post_id = await publisher.schedule("Good morning")
    await publisher.emulator.jump(hours=2)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.MISSED
    return post_id


async def list_alerts(publisher: Publisher) -> list[Alert]:
    """Return the open alerts that the tenant sees."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return await store.alerts.list_open(transaction)


async def state_of(publisher: Publisher, post_id: PostId) -> PublishState:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return await store.publishing.get(transaction, post_id)


async def test_confirm_sent_adopts_the_part_and_continues_the_thread(publisher: Publisher) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    post_id = await publish_beside_manual_post(publisher, "Low tide at six", "High tide at noon")
    assert decisions.list_choices(await publisher.get_post(post_id)) == (
        Choice.FOUND, Choice.RESEND, Choice.DISCARD,
    )  # fmt: skip
    first, second = [post["id"] for post in (await publisher.emulator.ground_truth())["posts"]]
    address = f"https://x.com/larkbooks/status/{second}?s=20"
    post = await resolve.confirm_sent(publisher.runtime, publisher.scope, post_id, address)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHING, second)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    on_x = (await publisher.emulator.ground_truth())["posts"]
    assert [(each["text"], each["reply_to"]) for each in on_x][2:] == [
        ("High tide at noon", second)
    ]
    assert await list_alerts(publisher) == []
    assert first != second


async def publish_beside_manual_post(publisher: Publisher, *texts: str) -> PostId:
    """Publish a post, and lose X's response; the owner has already posted its text manually."""
    token = (await publisher.emulator.connect("larkbooks"))["access_token"]
    async with publisher.emulator.http.post(
        f"{publisher.emulator.url}/2/tweets",
        json={"text": texts[0]},
        headers={"authorization": f"Bearer {token}"},
    ) as answer:
        assert answer.status == 201
    await publisher.emulator.fail("create_post", "after", "drop")
    post_id = await publisher.schedule(*texts)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.NEEDS_DECISION
    return post_id


async def test_confirm_sent_bills_a_create(publisher: Publisher) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    post_id = await publish_beside_manual_post(publisher, "Low tide at six")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        before = (await store.ledger.get_total(transaction))[1]
    tweet_id = (await publisher.emulator.ground_truth())["posts"][1]["id"]
    await resolve.confirm_sent(publisher.runtime, publisher.scope, post_id, tweet_id)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        after = (await store.ledger.get_total(transaction))[1]
    assert after - before == price_of_create("Low tide at six").low


@pytest.mark.parametrize(
    "address",
    ["", "soon", "https://x.com/larkbooks", "1"],
    ids=["empty", "word", "profile", "older_than_the_attempt"],
)
async def test_confirm_sent_refuses_an_unlikely_post(publisher: Publisher, address: str) -> None:
    post_id = await publish_undecided(publisher)
    history = await publisher.list_history(post_id)
    with pytest.raises(TweetUnlikely):
        await resolve.confirm_sent(publisher.runtime, publisher.scope, post_id, address)
    assert await publisher.list_history(post_id) == history
    assert (await publisher.get_post(post_id)).state is PostState.NEEDS_DECISION


async def test_confirm_sent_refuses_a_claimed_post(publisher: Publisher) -> None:
    other = await publisher.schedule("Mine")
    await publisher.run_due_jobs()
    post_id = await publish_undecided(publisher)
    # `late` was sent after the undecided post, so X could have created it for the undecided post.
    # It is refused only because its id on X already belongs to another part.
    late = await publisher.schedule("Later")
    await publisher.run_due_jobs()
    for known in (other, late):
        (part,) = (await publisher.get_post(known)).parts
        assert part.sent_as is not None
        with pytest.raises(TweetUnlikely):
            await resolve.confirm_sent(publisher.runtime, publisher.scope, post_id, part.sent_as)


async def test_confirm_absent_sends_the_part_once(publisher: Publisher) -> None:
    post_id = await publish_undecided(publisher)
    post = await resolve.confirm_absent(publisher.runtime, publisher.scope, post_id)
    assert post.state is PostState.PUBLISHING
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == ["Low tide at six"]
    history = await publisher.list_history(post_id)
    assert (
        "part 1: unknown → sending: handed to X again, since a user confirmed that X does"
        " not have the post (attempt 2)" in history
    )
    assert (
        "post: needs_decision → publishing: resolved: part 1 is not on X, so it is sent" in history
    )


async def test_discard_fails_the_post(publisher: Publisher) -> None:
    post_id = await publish_undecided(publisher)
    post = await resolve.discard(publisher.runtime, publisher.scope, post_id)
    assert (post.state, post.parts[0].state) == (PostState.FAILED, PartState.FAILED)
    assert reason_of(post) == "it was discarded"
    await publisher.emulator.jump(hours=3)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == []
    assert await list_alerts(publisher) == []


async def test_confirm_absent_sends_a_missed_post(publisher: Publisher) -> None:
    post_id = await schedule_missed(publisher)
    assert [alert.kind for alert in await list_alerts(publisher)] == ["missed"]
    await resolve.confirm_absent(publisher.runtime, publisher.scope, post_id)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == ["Good morning"]
    assert await list_alerts(publisher) == []


async def test_discard_cancels_a_missed_post(publisher: Publisher) -> None:
    post_id = await schedule_missed(publisher)
    post = await resolve.discard(publisher.runtime, publisher.scope, post_id)
    assert post.state is PostState.CANCELLED
    assert await list_alerts(publisher) == []


async def test_continue_thread_with_a_new_text(publisher: Publisher) -> None:
    post_id = await publish_partly(publisher)
    post = await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, "Said anew")
    assert [part.text for part in post.parts] == ["New", "Said anew", "The end"]
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    on_x = (await publisher.emulator.ground_truth())["posts"][1:]
    assert [each["text"] for each in on_x] == ["New", "Said anew", "The end"]
    assert [each["reply_to"] for each in on_x] == [None, on_x[0]["id"], on_x[1]["id"]]


async def test_continue_thread_with_the_same_text_is_a_retry(publisher: Publisher) -> None:
    post_id = await publish_partly(publisher)
    await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, "Said before")
    assert "part 2: failed → pending: retried" in await publisher.list_history(post_id)


async def test_continue_thread_refuses_an_invalid_text(publisher: Publisher) -> None:
    post_id = await publish_partly(publisher)
    with pytest.raises(PostRefused) as refused:
        await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, "x" * 281)
    assert refused.value.code == "text_too_long"
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[1].text) == (PostState.PARTLY_PUBLISHED, "Said before")


async def test_delete_sent_deletes_and_bills_the_published_parts(publisher: Publisher) -> None:
    post_id = await publish_partly(publisher)
    parts = decisions.list_deletable(await publisher.get_post(post_id))
    assert str(decisions.price_deletion(parts).low) == "0.010"
    post = await resolve.delete_sent(publisher.runtime, publisher.scope, post_id)
    assert post.state is PostState.CANCELLED
    assert [part.deleted_at is not None for part in post.parts] == [True, False, False]
    assert decisions.list_deletable(post) == []
    assert await publisher.list_statuses("delete_post") == [200]
    gone = [
        each["deleted_at"] is not None
        for each in (await publisher.emulator.ground_truth())["posts"]
    ]
    assert gone == [False, True]


async def test_acknowledge_resolves_the_alert_of_a_failed_post(publisher: Publisher) -> None:
    await publisher.schedule("Good morning")
    again = await publisher.schedule("Good morning", after_s=60)
    await publisher.run_to_completion()
    assert [alert.kind for alert in await list_alerts(publisher)] == ["failed"]
    post = await resolve.acknowledge(publisher.runtime, publisher.scope, again)
    assert post.state is PostState.FAILED
    assert await list_alerts(publisher) == []


async def test_acknowledge_continues_a_post_without_an_unknown_part(
    publisher: Publisher,
) -> None:
    """A late response makes a decision necessary, although no part's outcome is unknown."""
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=["ok", "429"]
    )
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    state = await state_of(publisher, post_id)
    context = PublishContext(
        publisher.runtime,
        publisher.scope,
        publisher.locks,
        StoredTokenSource(publisher.runtime, publisher.account),
        state,
        (),
    )
    part = state.parts[0]
    await outcomes.record_sent(context, part, part.last, TweetId("1790000000000000000"))
    post = await publisher.get_post(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert decisions.list_choices(post) == (Choice.ACKNOWLEDGE,)
    with pytest.raises(DecisionNotOpen):
        await resolve.confirm_absent(publisher.runtime, publisher.scope, post_id)
    await resolve.acknowledge(publisher.runtime, publisher.scope, post_id)
    await publisher.emulator.jump(seconds=70)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == ["One", "Two"]


@pytest.mark.parametrize("choice", list(Choice), ids=str)
async def test_no_decision_is_open_for_a_published_post(
    publisher: Publisher, choice: Choice
) -> None:
    post_id = await publisher.schedule("Out")
    await publisher.run_due_jobs()
    history = await publisher.list_history(post_id)
    verbs = {
        Choice.FOUND: lambda: resolve.confirm_sent(
            publisher.runtime, publisher.scope, post_id, "1" * 19
        ),
        Choice.RESEND: lambda: resolve.confirm_absent(publisher.runtime, publisher.scope, post_id),
        Choice.DISCARD: lambda: resolve.discard(publisher.runtime, publisher.scope, post_id),
        Choice.CONTINUE: lambda: resolve.continue_thread(
            publisher.runtime, publisher.scope, post_id, None
        ),
        Choice.DELETE: lambda: resolve.delete_sent(publisher.runtime, publisher.scope, post_id),
        Choice.ACKNOWLEDGE: lambda: resolve.acknowledge(
            publisher.runtime, publisher.scope, post_id
        ),
    }
    with pytest.raises(DecisionNotOpen):
        await verbs[choice]()
    assert await publisher.list_history(post_id) == history
    assert await publisher.published_texts() == ["Out"]
    assert decisions.list_choices(await publisher.get_post(post_id)) == ()


async def test_decision_is_recorded_with_its_actor(publisher: Publisher) -> None:
    post_id = await schedule_missed(publisher)
    await resolve.discard(publisher.runtime, publisher.scope, post_id)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        events = await store.posts.list_events(transaction, post_id)
    assert (describe_event(events[-1]), events[-1].actor) == ("it was discarded", ACTOR)


async def test_post_with_its_own_tolerance_is_not_missed(publisher: Publisher) -> None:
    post = await schedule.schedule_post(
        publisher.runtime, publisher.scope, publisher.account, [PartInput("Any time today")],
        due_at=publisher.runtime.clock.now(), tolerance=timedelta(days=1),
    )  # fmt: skip
    await publisher.emulator.jump(hours=20)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post.id)).state is PostState.PUBLISHED
