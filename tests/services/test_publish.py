"""Publishing of posts and threads: order, duplicates, decisions and histories."""

from datetime import datetime, timedelta
from decimal import Decimal

from fix_publishing import Publisher, code_of, reason_of
from roost import store
from roost.account_client import StoredTokenSource
from roost.models import PartState, PostState
from roost.services.publish import outcomes, publish_post
from roost.services.publish.context import PublishContext


async def test_thread_waits_while_its_first_part_is_unknown(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    states = [part.state for part in (await publisher.get_post(post_id)).parts]
    assert states == [PartState.UNKNOWN, PartState.PENDING]
    assert await publisher.list_statuses("create_post") == [None]
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One", "Two"]


async def test_thread_part_replies_to_the_part_before(publisher: Publisher) -> None:
    post_id = await publisher.schedule("One", "Two", "Three")
    await publisher.run_to_completion()
    on_x = (await publisher.emulator.ground_truth())["posts"]
    one, two, three = on_x
    assert [part.sent_as for part in (await publisher.get_post(post_id)).parts] == [
        p["id"] for p in on_x
    ]
    assert [p["reply_to"] for p in on_x] == [None, one["id"], two["id"]]
    assert three["text"] == "Three"


async def test_thread_is_partly_published__second_part_refused(publisher: Publisher) -> None:
    await publisher.schedule("Said before")
    thread = await publisher.schedule("New", "Said before", "Never sent", after_s=1)
    await publisher.run_to_completion()
    post = await publisher.get_post(thread)
    assert post.state is PostState.PARTLY_PUBLISHED
    assert [part.state for part in post.parts] == ["sent", "failed", "pending"]
    assert code_of(post) == "duplicate_post"
    assert await publisher.published_texts() == ["Said before", "New"]


async def test_duplicate_of_another_post_fails_at_the_first_attempt(publisher: Publisher) -> None:
    await publisher.schedule("Good morning")
    again = await publisher.schedule("Good morning", after_s=60)
    await publisher.run_to_completion()
    post = await publisher.get_post(again)
    assert post.state is PostState.FAILED
    assert code_of(post) == "duplicate_post"
    assert await publisher.list_statuses("create_post") == [201, 403]
    assert await publisher.list_statuses("read_timeline") == [200]


async def test_account_publishes_in_due_order(publisher: Publisher) -> None:
    await publisher.schedule("Third", after_s=30)
    await publisher.schedule("First", after_s=10)
    await publisher.schedule("Second", after_s=20)
    await publisher.emulator.jump(hours=1)
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["First", "Second", "Third"]


async def test_waiting_post_does_not_delay_later_posts(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "drop")
    early, late = await publisher.schedule("Early"), await publisher.schedule("Late", after_s=1)
    await publisher.emulator.jump(seconds=2)
    await publisher.run_due_jobs()
    assert (await publisher.get_post(early)).state is PostState.PUBLISHING
    assert (await publisher.get_post(late)).state is PostState.PUBLISHED
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Late", "Early"]


async def test_post_needs_a_decision__too_late_to_resend(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=0.25)
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].state) == (PostState.NEEDS_DECISION, PartState.UNKNOWN)
    assert "too late to send the post again safely" in reason_of(post)
    assert await publisher.list_statuses("create_post") == [None]


async def test_post_needs_a_decision__two_matches_on_the_timeline(publisher: Publisher) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    by_hand = await publisher.post_manually("Low tide at six")
    await publisher.emulator.fail("create_post", "after", "drop")
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert by_hand in reason_of(post)
    assert await publisher.published_texts() == ["Low tide at six", "Low tide at six"]


async def test_two_parts_do_not_adopt_one_post(publisher: Publisher) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    await publisher.emulator.fail("create_post", "after", "drop", times=2)
    posts = [
        await publisher.schedule("Low tide at six"),
        await publisher.schedule("Low tide at six", after_s=1),
    ]
    await publisher.run_to_completion()
    adopted = [(await publisher.get_post(post_id)).parts[0].sent_as for post_id in posts]
    on_x = [post["id"] for post in (await publisher.emulator.ground_truth())["posts"]]
    assert adopted == on_x
    assert len(set(on_x)) == 2


async def test_post_overtaken_by_a_duplicate_is_not_resent(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "drop")
    early = await publisher.schedule("Low tide at six")
    twin = await publisher.schedule("Low tide at six", after_s=1)
    await publisher.emulator.jump(seconds=2)
    await publisher.run_to_completion()
    assert (await publisher.get_post(twin)).state is PostState.PUBLISHED
    assert (await publisher.get_post(early)).state is PostState.NEEDS_DECISION
    assert await publisher.published_texts() == ["Low tide at six"]
    assert await publisher.list_statuses("create_post") == [None, 201, 403]


async def test_adopted_part_has_the_time_of_x(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "after", "drop")
    await publisher.emulator.fail("read_timeline", "before", "503", times=6)
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    (part,) = (await publisher.get_post(post_id)).parts
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    made_at = datetime.fromisoformat(on_x["created_at"])
    assert part.sent_at is not None
    assert abs(part.sent_at - made_at) < timedelta(seconds=5)


async def test_thread_is_partly_published__first_part_deleted(publisher: Publisher) -> None:
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=["ok", "429"]
    )
    thread = await publisher.schedule("One", "Two")
    await publisher.run_due_jobs()
    (first,) = (await publisher.emulator.ground_truth())["posts"]
    await publisher.request_as_owner("DELETE", f"/2/tweets/{first['id']}")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=1)
    await publisher.run_to_completion()
    ends = {PostState.NEEDS_DECISION, PostState.PARTLY_PUBLISHED}
    assert (await publisher.get_post(thread)).state in ends


async def test_account_is_never_published_by_two_workers(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six")
    assert await publisher.locks.acquire(publisher.account.x_user_id)
    await publish_post(
        publisher.runtime, publisher.scope, publisher.locks, publisher.account.id, post_id
    )
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == []
    assert await publisher.locks.release(publisher.account.x_user_id, publisher.account.id, [])
    await publish_post(
        publisher.runtime, publisher.scope, publisher.locks, publisher.account.id, post_id
    )
    assert await publisher.published_texts() == ["Low tide at six"]


async def test_history_of_a_thread__response_lost(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "after", "drop")
    post_id = await publisher.schedule("One", "Two")
    await publisher.run_to_completion()
    one, two = (part.sent_as for part in (await publisher.get_post(post_id)).parts)
    assert await publisher.list_history(post_id) == [
        "post: None → scheduled: scheduled",
        "post: scheduled → publishing: the post became due",
        "part 1: pending → sending: handed to X (attempt 1)",
        "part 1: sending → unknown: X's response to the post is not known:"
        " the connection failed (ServerDisconnectedError) (outcome_unknown)",
        f"part 1: unknown → sent: found on X's timeline as {one}",
        "part 2: pending → sending: handed to X (attempt 1)",
        f"part 2: sending → sent: X has the post as {two}",
        "post: publishing → published: published: every part is on X",
    ]


async def test_history_is_in_the_order_of_domain_time(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "503")
    post_id = await publisher.schedule("Low tide at six", after_s=120)
    await publisher.run_to_completion()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT at FROM events WHERE post_id = %s ORDER BY id", [post_id]
        )
        instants = [row[0] for row in await rows.fetchall()]
    assert instants == sorted(instants)
    assert instants[-1] - instants[1] == timedelta(seconds=120)


async def test_history_and_reason_do_not_quote_the_post(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "500")
    post_id = await publisher.schedule("A very private draft")
    await publisher.run_to_completion()
    history = "\n".join(await publisher.list_history(post_id))
    assert "private" not in history


async def test_record_sent_after_adoption_is_not_billed_again(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_to_completion()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        state = await store.publishing.get(transaction, post_id)
    (part,) = state.parts
    sent_as = part.part.sent_as
    assert sent_as is not None
    before = await _billed(publisher)
    context = PublishContext(
        publisher.runtime,
        publisher.scope,
        publisher.locks,
        StoredTokenSource(publisher.runtime, publisher.account),
        state,
        (),
    )
    await outcomes.record_sent(context, part, part.last, sent_as)
    assert await _billed(publisher) == before
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


async def _billed(publisher: Publisher) -> Decimal:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return (await store.ledger.get_total(transaction))[1]
