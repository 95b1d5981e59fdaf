"""Decisions of a user: what becomes of the post, and that nothing is published twice."""

from datetime import timedelta

import pytest

from fix_publishing import Desk, reason_of
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


async def undecided(desk: Desk) -> PostId:
    """A post with an unknown outcome: X's response is lost, and it is too late to resend."""
    await desk.emulator.fail("create_post", "before", "drop")
    post_id = await desk.plan("Low tide at six")
    await desk.work()
    await desk.emulator.jump(hours=0.25)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.NEEDS_DECISION
    return post_id


async def halved(desk: Desk) -> PostId:
    """A thread whose second part X refuses."""
    await desk.plan("Said before")
    post_id = await desk.plan("New", "Said before", "The end", after_s=1)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PARTLY_PUBLISHED
    return post_id


async def missed(desk: Desk) -> PostId:
    """A post that no worker published in time."""
    post_id = await desk.plan("Good morning")
    await desk.emulator.jump(hours=2)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.MISSED
    return post_id


async def alerts(desk: Desk) -> list[Alert]:
    """The open alerts of the tenant."""
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        return await store.alerts.list_open(transaction)


async def state_of(desk: Desk, post_id: PostId) -> PublishState:
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        return await store.publishing.get(transaction, post_id)


async def test_confirm_sent_adopts_the_part_and_continues_the_thread(desk: Desk) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    post_id = await twins(desk, "Low tide at six", "High tide at noon")
    assert decisions.list_choices(await desk.see(post_id)) == (
        Choice.FOUND, Choice.RESEND, Choice.DISCARD,
    )  # fmt: skip
    first, second = [post["id"] for post in (await desk.emulator.ground_truth())["posts"]]
    address = f"https://x.com/larkbooks/status/{second}?s=20"
    post = await resolve.confirm_sent(desk.runtime, desk.scope, post_id, address)
    assert (post.state, post.parts[0].sent_as) == (PostState.PUBLISHING, second)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    on_x = (await desk.emulator.ground_truth())["posts"]
    assert [(each["text"], each["reply_to"]) for each in on_x][2:] == [
        ("High tide at noon", second)
    ]
    assert await alerts(desk) == []
    assert first != second


async def twins(desk: Desk, *texts: str) -> PostId:
    """A post that the owner also publishes manually, while X's response is lost."""
    token = (await desk.emulator.connect("larkbooks"))["access_token"]
    async with desk.emulator.http.post(
        f"{desk.emulator.url}/2/tweets",
        json={"text": texts[0]},
        headers={"authorization": f"Bearer {token}"},
    ) as answer:
        assert answer.status == 201
    await desk.emulator.fail("create_post", "after", "drop")
    post_id = await desk.plan(*texts)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.NEEDS_DECISION
    return post_id


async def test_confirm_sent_bills_a_create(desk: Desk) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    post_id = await twins(desk, "Low tide at six")
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        before = (await store.ledger.get_total(transaction))[1]
    tweet_id = (await desk.emulator.ground_truth())["posts"][1]["id"]
    await resolve.confirm_sent(desk.runtime, desk.scope, post_id, tweet_id)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        after = (await store.ledger.get_total(transaction))[1]
    assert after - before == price_of_create("Low tide at six").low


@pytest.mark.parametrize(
    "address",
    ["", "soon", "https://x.com/larkbooks", "1"],
    ids=["empty", "word", "profile", "older_than_the_attempt"],
)
async def test_confirm_sent_refuses_an_unlikely_post(desk: Desk, address: str) -> None:
    post_id = await undecided(desk)
    history = await desk.story(post_id)
    with pytest.raises(TweetUnlikely):
        await resolve.confirm_sent(desk.runtime, desk.scope, post_id, address)
    assert await desk.story(post_id) == history
    assert (await desk.see(post_id)).state is PostState.NEEDS_DECISION


async def test_confirm_sent_refuses_a_claimed_post(desk: Desk) -> None:
    other = await desk.plan("Mine")
    await desk.work()
    post_id = await undecided(desk)
    # New enough to be the undecided part; only the claim excludes it.
    late = await desk.plan("Later")
    await desk.work()
    for known in (other, late):
        (part,) = (await desk.see(known)).parts
        assert part.sent_as is not None
        with pytest.raises(TweetUnlikely):
            await resolve.confirm_sent(desk.runtime, desk.scope, post_id, part.sent_as)


async def test_confirm_absent_sends_the_part_once(desk: Desk) -> None:
    post_id = await undecided(desk)
    post = await resolve.confirm_absent(desk.runtime, desk.scope, post_id)
    assert post.state is PostState.PUBLISHING
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["Low tide at six"]
    history = await desk.story(post_id)
    assert (
        "part 1: unknown → sending: handed to X again, since a user confirmed that X does"
        " not have it (attempt 2)" in history
    )
    assert (
        "post: needs_decision → publishing: resolved manually: part 1 is not on X, so it is sent"
        in history
    )


async def test_discard_fails_the_post(desk: Desk) -> None:
    post_id = await undecided(desk)
    post = await resolve.discard(desk.runtime, desk.scope, post_id)
    assert (post.state, post.parts[0].state) == (PostState.FAILED, PartState.FAILED)
    assert reason_of(post) == "discarded manually"
    await desk.emulator.jump(hours=3)
    await desk.work_through()
    assert await desk.on_x() == []
    assert await alerts(desk) == []


async def test_confirm_absent_sends_a_missed_post(desk: Desk) -> None:
    post_id = await missed(desk)
    assert [alert.kind for alert in await alerts(desk)] == ["missed"]
    await resolve.confirm_absent(desk.runtime, desk.scope, post_id)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["Good morning"]
    assert await alerts(desk) == []


async def test_discard_cancels_a_missed_post(desk: Desk) -> None:
    post_id = await missed(desk)
    post = await resolve.discard(desk.runtime, desk.scope, post_id)
    assert post.state is PostState.CANCELLED
    assert await alerts(desk) == []


async def test_continue_thread_with_a_new_text(desk: Desk) -> None:
    post_id = await halved(desk)
    post = await resolve.continue_thread(desk.runtime, desk.scope, post_id, "Said anew")
    assert [part.text for part in post.parts] == ["New", "Said anew", "The end"]
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    on_x = (await desk.emulator.ground_truth())["posts"][1:]
    assert [each["text"] for each in on_x] == ["New", "Said anew", "The end"]
    assert [each["reply_to"] for each in on_x] == [None, on_x[0]["id"], on_x[1]["id"]]


async def test_continue_thread_with_the_same_text_is_a_retry(desk: Desk) -> None:
    post_id = await halved(desk)
    await resolve.continue_thread(desk.runtime, desk.scope, post_id, "Said before")
    assert "part 2: failed → pending: retried manually" in await desk.story(post_id)


async def test_continue_thread_refuses_an_invalid_text(desk: Desk) -> None:
    post_id = await halved(desk)
    with pytest.raises(PostRefused) as refused:
        await resolve.continue_thread(desk.runtime, desk.scope, post_id, "x" * 281)
    assert refused.value.code == "text_too_long"
    post = await desk.see(post_id)
    assert (post.state, post.parts[1].text) == (PostState.PARTLY_PUBLISHED, "Said before")


async def test_delete_sent_deletes_and_bills_the_published_parts(desk: Desk) -> None:
    post_id = await halved(desk)
    parts = decisions.list_deletable(await desk.see(post_id))
    assert str(decisions.price_deletion(parts).low) == "0.010"
    post = await resolve.delete_sent(desk.runtime, desk.scope, post_id)
    assert post.state is PostState.CANCELLED
    assert [part.deleted_at is not None for part in post.parts] == [True, False, False]
    assert decisions.list_deletable(post) == []
    assert await desk.requests("delete_post") == [200]
    gone = [
        each["deleted_at"] is not None for each in (await desk.emulator.ground_truth())["posts"]
    ]
    assert gone == [False, True]


async def test_acknowledge_resolves_the_alert_of_a_failed_post(desk: Desk) -> None:
    await desk.plan("Good morning")
    again = await desk.plan("Good morning", after_s=60)
    await desk.work_through()
    assert [alert.kind for alert in await alerts(desk)] == ["failed"]
    post = await resolve.acknowledge(desk.runtime, desk.scope, again)
    assert post.state is PostState.FAILED
    assert await alerts(desk) == []


async def test_acknowledge_continues_a_post_without_an_unknown_part(
    desk: Desk,
) -> None:
    """The response to an older attempt came late, after another post was adopted."""
    await desk.emulator.control(
        "faults", operation="create_post", when="before", script=["ok", "429"]
    )
    post_id = await desk.plan("One", "Two")
    await desk.work()
    state = await state_of(desk, post_id)
    context = PublishContext(
        desk.runtime,
        desk.scope,
        desk.locks,
        StoredTokenSource(desk.runtime, desk.account),
        state,
        (),
    )
    part = state.parts[0]
    await outcomes.record_sent(context, part, part.last, TweetId("1790000000000000000"))
    post = await desk.see(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert decisions.list_choices(post) == (Choice.ACKNOWLEDGE,)
    with pytest.raises(DecisionNotOpen):
        await resolve.confirm_absent(desk.runtime, desk.scope, post_id)
    await resolve.acknowledge(desk.runtime, desk.scope, post_id)
    await desk.emulator.jump(seconds=70)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["One", "Two"]


@pytest.mark.parametrize("choice", list(Choice), ids=str)
async def test_no_decision_is_open_for_a_published_post(desk: Desk, choice: Choice) -> None:
    post_id = await desk.plan("Out")
    await desk.work()
    history = await desk.story(post_id)
    verbs = {
        Choice.FOUND: lambda: resolve.confirm_sent(desk.runtime, desk.scope, post_id, "1" * 19),
        Choice.RESEND: lambda: resolve.confirm_absent(desk.runtime, desk.scope, post_id),
        Choice.DISCARD: lambda: resolve.discard(desk.runtime, desk.scope, post_id),
        Choice.CONTINUE: lambda: resolve.continue_thread(desk.runtime, desk.scope, post_id, None),
        Choice.DELETE: lambda: resolve.delete_sent(desk.runtime, desk.scope, post_id),
        Choice.ACKNOWLEDGE: lambda: resolve.acknowledge(desk.runtime, desk.scope, post_id),
    }
    with pytest.raises(DecisionNotOpen):
        await verbs[choice]()
    assert await desk.story(post_id) == history
    assert await desk.on_x() == ["Out"]
    assert decisions.list_choices(await desk.see(post_id)) == ()


async def test_decision_is_recorded_with_its_actor(desk: Desk) -> None:
    post_id = await missed(desk)
    await resolve.discard(desk.runtime, desk.scope, post_id)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        events = await store.posts.list_events(transaction, post_id)
    assert (describe_event(events[-1]), events[-1].actor) == ("discarded manually", ACTOR)


async def test_post_with_its_own_tolerance_is_not_missed(desk: Desk) -> None:
    post = await schedule.schedule_post(
        desk.runtime, desk.scope, desk.account, [PartInput("Any time today")],
        due_at=desk.runtime.clock.now(), tolerance=timedelta(days=1),
    )  # fmt: skip
    await desk.emulator.jump(hours=20)
    await desk.work_through()
    assert (await desk.see(post.id)).state is PostState.PUBLISHED
