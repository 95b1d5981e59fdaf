"""Publishing: threads, order, duplicates, decisions and the history."""

from datetime import datetime, timedelta
from decimal import Decimal

from fix_publishing import Desk, code_of, reason_of
from roost import store
from roost.account_client import StoredTokenSource
from roost.models import PartState, PostState
from roost.services.publish import outcomes, publish_post
from roost.services.publish.context import PublishContext


async def test_thread_waits_while_its_first_part_is_unknown(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    post_id = await desk.plan("One", "Two")
    await desk.work()
    states = [part.state for part in (await desk.see(post_id)).parts]
    assert states == [PartState.UNKNOWN, PartState.PENDING]
    assert await desk.requests("create_post") == [None]
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two"]


async def test_thread_part_replies_to_the_part_before(desk: Desk) -> None:
    post_id = await desk.plan("One", "Two", "Three")
    await desk.work_through()
    on_x = (await desk.emulator.ground_truth())["posts"]
    one, two, three = on_x
    assert [part.sent_as for part in (await desk.see(post_id)).parts] == [p["id"] for p in on_x]
    assert [p["reply_to"] for p in on_x] == [None, one["id"], two["id"]]
    assert three["text"] == "Three"


async def test_thread_is_partly_published__second_part_refused(desk: Desk) -> None:
    await desk.plan("Said before")
    thread = await desk.plan("New", "Said before", "Never sent", after_s=1)
    await desk.work_through()
    post = await desk.see(thread)
    assert post.state is PostState.PARTLY_PUBLISHED
    assert [part.state for part in post.parts] == ["sent", "failed", "pending"]
    assert code_of(post) == "duplicate_post"
    assert await desk.on_x() == ["Said before", "New"]


async def test_duplicate_of_another_post_fails_at_the_first_attempt(desk: Desk) -> None:
    await desk.plan("Good morning")
    again = await desk.plan("Good morning", after_s=60)
    await desk.work_through()
    post = await desk.see(again)
    assert post.state is PostState.FAILED
    assert code_of(post) == "duplicate_post"
    assert await desk.requests("create_post") == [201, 403]
    assert await desk.requests("read_timeline") == [200]


async def test_account_publishes_in_due_order(desk: Desk) -> None:
    await desk.plan("Third", after_s=30)
    await desk.plan("First", after_s=10)
    await desk.plan("Second", after_s=20)
    await desk.emulator.jump(hours=1)
    await desk.work()
    assert await desk.on_x() == ["First", "Second", "Third"]


async def test_waiting_post_does_not_delay_later_posts(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    early, late = await desk.plan("Early"), await desk.plan("Late", after_s=1)
    await desk.emulator.jump(seconds=2)
    await desk.work()
    assert (await desk.see(early)).state is PostState.PUBLISHING
    assert (await desk.see(late)).state is PostState.PUBLISHED
    await desk.work_through()
    assert await desk.on_x() == ["Late", "Early"]


async def test_post_needs_a_decision__too_late_to_resend(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    post_id = await desk.plan("Low tide at six")
    await desk.work()
    await desk.emulator.jump(hours=0.25)
    await desk.work_through()
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].state) == (PostState.NEEDS_DECISION, PartState.UNKNOWN)
    assert "too late to send it again safely" in reason_of(post)
    assert await desk.requests("create_post") == [None]


async def test_post_needs_a_decision__two_matches_on_the_timeline(desk: Desk) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    by_hand = await desk.post_by_hand("Low tide at six")
    await desk.emulator.fail("create_post", "after", "drop")
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    post = await desk.see(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert by_hand in reason_of(post)
    assert await desk.on_x() == ["Low tide at six", "Low tide at six"]


async def test_two_parts_do_not_adopt_one_post(desk: Desk) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    await desk.emulator.fail("create_post", "after", "drop", times=2)
    posts = [await desk.plan("Low tide at six"), await desk.plan("Low tide at six", after_s=1)]
    await desk.work_through()
    adopted = [(await desk.see(post_id)).parts[0].sent_as for post_id in posts]
    on_x = [post["id"] for post in (await desk.emulator.ground_truth())["posts"]]
    assert adopted == on_x
    assert len(set(on_x)) == 2


async def test_post_overtaken_by_a_duplicate_is_not_resent(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    early = await desk.plan("Low tide at six")
    twin = await desk.plan("Low tide at six", after_s=1)
    await desk.emulator.jump(seconds=2)
    await desk.work_through()
    assert (await desk.see(twin)).state is PostState.PUBLISHED
    assert (await desk.see(early)).state is PostState.NEEDS_DECISION
    assert await desk.on_x() == ["Low tide at six"]
    assert await desk.requests("create_post") == [None, 201, 403]


async def test_adopted_part_has_the_time_of_x(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "after", "drop")
    await desk.emulator.fail("read_timeline", "before", "503", times=6)
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    (part,) = (await desk.see(post_id)).parts
    (on_x,) = (await desk.emulator.ground_truth())["posts"]
    made_at = datetime.fromisoformat(on_x["created_at"])
    assert part.sent_at is not None
    assert abs(part.sent_at - made_at) < timedelta(seconds=5)


async def test_thread_is_partly_published__first_part_deleted(desk: Desk) -> None:
    await desk.emulator.control(
        "faults", operation="create_post", when="before", script=["ok", "429"]
    )
    thread = await desk.plan("One", "Two")
    await desk.work()
    (first,) = (await desk.emulator.ground_truth())["posts"]
    await desk.on_behalf("DELETE", f"/2/tweets/{first['id']}")
    await desk.work()
    await desk.emulator.jump(hours=1)
    await desk.work_through()
    ends = {PostState.NEEDS_DECISION, PostState.PARTLY_PUBLISHED}
    assert (await desk.see(thread)).state in ends


async def test_account_is_never_published_by_two_workers(desk: Desk) -> None:
    post_id = await desk.plan("Low tide at six")
    assert await desk.locks.acquire(desk.account.x_user_id)
    await publish_post(desk.runtime, desk.scope, desk.locks, desk.account.id, post_id)
    await desk.work()
    assert await desk.on_x() == []
    assert await desk.locks.release(desk.account.x_user_id, desk.account.id, [])
    await publish_post(desk.runtime, desk.scope, desk.locks, desk.account.id, post_id)
    assert await desk.on_x() == ["Low tide at six"]


async def test_history_of_a_thread__response_lost(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "after", "drop")
    post_id = await desk.plan("One", "Two")
    await desk.work_through()
    one, two = (part.sent_as for part in (await desk.see(post_id)).parts)
    assert await desk.story(post_id) == [
        "post: None → scheduled: scheduled",
        "post: scheduled → publishing: its time has come",
        "part 1: pending → sending: handed to X (attempt 1)",
        "part 1: sending → unknown: X's answer to the post is not known:"
        " the connection failed (ServerDisconnectedError) (outcome_unknown)",
        f"part 1: unknown → sent: found on X's timeline as {one}",
        "part 2: pending → sending: handed to X (attempt 1)",
        f"part 2: sending → sent: X has it as {two}",
        "post: publishing → published: published: every part is on X",
    ]


async def test_history_is_in_the_order_of_domain_time(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "503")
    post_id = await desk.plan("Low tide at six", after_s=120)
    await desk.work_through()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT at FROM events WHERE post_id = %s ORDER BY id", [post_id]
        )
        instants = [row[0] for row in await rows.fetchall()]
    assert instants == sorted(instants)
    assert instants[-1] - instants[1] == timedelta(seconds=120)


async def test_history_and_reason_do_not_quote_the_post(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "500")
    post_id = await desk.plan("A very private draft")
    await desk.work_through()
    history = "\n".join(await desk.story(post_id))
    assert "private" not in history


async def test_record_sent_after_adoption_is_not_billed_again(desk: Desk) -> None:
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        state = await store.publishing.get(transaction, post_id)
    (part,) = state.parts
    sent_as = part.part.sent_as
    assert sent_as is not None
    before = await _billed(desk)
    context = PublishContext(
        desk.runtime,
        desk.scope,
        desk.locks,
        StoredTokenSource(desk.runtime, desk.account),
        state,
        (),
    )
    await outcomes.record_sent(context, part, part.last, sent_as)
    assert await _billed(desk) == before
    assert (await desk.see(post_id)).state is PostState.PUBLISHED


async def _billed(desk: Desk) -> Decimal:
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        return (await store.ledger.get_total(transaction))[1]
