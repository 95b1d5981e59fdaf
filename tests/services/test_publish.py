"""Publishing: threads, order, twins, what a person has to decide, and the story that is told."""

from datetime import datetime, timedelta
from decimal import Decimal

from fix_publishing import Desk
from roost import store
from roost.account_client import StoredTokenSource
from roost.models import PartState, PostState
from roost.services.publish import outcomes, publish_post
from roost.services.publish.context import PublishContext


async def test_a_thread_waits_while_its_first_part_is_unknown(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    post_id = await desk.plan("One", "Two")
    await desk.work()
    states = [part.state for part in (await desk.see(post_id)).parts]
    assert states == [PartState.UNKNOWN, PartState.PENDING]
    assert await desk.requests("create_post") == [None]
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two"]


async def test_each_part_of_a_thread_answers_the_one_before(desk: Desk) -> None:
    post_id = await desk.plan("One", "Two", "Three")
    await desk.work_through()
    on_x = (await desk.emulator.truth())["posts"]
    one, two, three = on_x
    assert [part.sent_as for part in (await desk.see(post_id)).parts] == [p["id"] for p in on_x]
    assert [p["reply_to"] for p in on_x] == [None, one["id"], two["id"]]
    assert three["text"] == "Three"


async def test_a_thread_refused_at_its_second_part_is_partly_published(desk: Desk) -> None:
    await desk.plan("Said before")
    thread = await desk.plan("New", "Said before", "Never sent", after_s=1)
    await desk.work_through()
    post = await desk.see(thread)
    assert post.state is PostState.PARTLY_PUBLISHED
    assert [part.state for part in post.parts] == ["sent", "failed", "pending"]
    assert (post.reason or "").startswith("duplicate_post: ")
    assert await desk.on_x() == ["Said before", "New"]


async def test_a_duplicate_of_another_post_of_ours_fails_at_first_try(desk: Desk) -> None:
    await desk.plan("Good morning")
    again = await desk.plan("Good morning", after_s=60)
    await desk.work_through()
    post = await desk.see(again)
    assert post.state is PostState.FAILED
    assert (post.reason or "").startswith("duplicate_post: ")
    assert await desk.requests("create_post") == [201, 403]
    assert await desk.requests("read_timeline") == [200]


async def test_posts_of_an_account_go_out_in_due_order(desk: Desk) -> None:
    await desk.plan("Third", after_s=30)
    await desk.plan("First", after_s=10)
    await desk.plan("Second", after_s=20)
    await desk.emulator.jump(hours=1)
    await desk.work()
    assert await desk.on_x() == ["First", "Second", "Third"]


async def test_a_post_that_waits_does_not_hold_up_later_ones(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    early, late = await desk.plan("Early"), await desk.plan("Late", after_s=1)
    await desk.emulator.jump(seconds=2)
    await desk.work()
    assert (await desk.see(early)).state is PostState.PUBLISHING
    assert (await desk.see(late)).state is PostState.PUBLISHED
    await desk.work_through()
    assert await desk.on_x() == ["Late", "Early"]


async def test_what_is_too_late_to_send_again_goes_to_a_person(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    post_id = await desk.plan("Low tide at six")
    await desk.work()
    await desk.emulator.jump(hours=0.25)
    await desk.work_through()
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].state) == (PostState.NEEDS_DECISION, PartState.UNKNOWN)
    assert "too late to send it again safely" in (post.reason or "")
    assert await desk.requests("create_post") == [None]


async def test_twins_on_the_timeline_go_to_a_person(desk: Desk) -> None:
    await desk.emulator.switch(duplicates=False)
    by_hand = await desk.post_by_hand("Low tide at six")
    await desk.emulator.fail("create_post", "after", "drop")
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    post = await desk.see(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert by_hand in (post.reason or "")
    assert await desk.on_x() == ["Low tide at six", "Low tide at six"]


async def test_two_parts_are_never_adopted_as_the_same_post(desk: Desk) -> None:
    await desk.emulator.switch(duplicates=False)
    await desk.emulator.fail("create_post", "after", "drop", times=2)
    posts = [await desk.plan("Low tide at six"), await desk.plan("Low tide at six", after_s=1)]
    await desk.work_through()
    adopted = [(await desk.see(post_id)).parts[0].sent_as for post_id in posts]
    on_x = [post["id"] for post in (await desk.emulator.truth())["posts"]]
    assert adopted == on_x
    assert len(set(on_x)) == 2


async def test_a_post_overtaken_by_its_twin_is_not_sent_on_and_on(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "drop")
    early = await desk.plan("Low tide at six")
    twin = await desk.plan("Low tide at six", after_s=1)
    await desk.emulator.jump(seconds=2)
    await desk.work_through()
    assert (await desk.see(twin)).state is PostState.PUBLISHED
    assert (await desk.see(early)).state is PostState.NEEDS_DECISION
    assert await desk.on_x() == ["Low tide at six"]
    assert await desk.requests("create_post") == [None, 201, 403]


async def test_an_adopted_part_was_sent_when_x_made_it(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "after", "drop")
    await desk.emulator.fail("read_timeline", "before", "503", times=6)
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    (part,) = (await desk.see(post_id)).parts
    (on_x,) = (await desk.emulator.truth())["posts"]
    made_at = datetime.fromisoformat(on_x["created_at"])
    assert part.sent_at is not None
    assert abs(part.sent_at - made_at) < timedelta(seconds=5)


async def test_a_thread_whose_first_part_was_deleted_comes_to_rest(desk: Desk) -> None:
    await desk.emulator.door("faults", operation="create_post", when="before", script=["ok", "429"])
    thread = await desk.plan("One", "Two")
    await desk.work()
    (first,) = (await desk.emulator.truth())["posts"]
    await desk.on_behalf("DELETE", f"/2/tweets/{first['id']}")
    await desk.work()
    await desk.emulator.jump(hours=1)
    await desk.work_through()
    ends = {PostState.NEEDS_DECISION, PostState.PARTLY_PUBLISHED}
    assert (await desk.see(thread)).state in ends


async def test_one_account_is_never_sent_for_by_two_at_once(desk: Desk) -> None:
    post_id = await desk.plan("Low tide at six")
    assert await desk.locks.take(desk.account.x_user_id)
    await publish_post(desk.runtime, desk.locks, desk.tenant.id, desk.account.id, post_id)
    await desk.work()
    assert await desk.on_x() == []
    assert await desk.locks.give_back(desk.account.x_user_id, desk.account.id, [])
    await publish_post(desk.runtime, desk.locks, desk.tenant.id, desk.account.id, post_id)
    assert await desk.on_x() == ["Low tide at six"]


async def test_the_history_tells_a_thread_with_a_lost_answer_as_it_happened(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "after", "drop")
    post_id = await desk.plan("One", "Two")
    await desk.work_through()
    one, two = (part.sent_as for part in (await desk.see(post_id)).parts)
    assert await desk.story(post_id) == [
        "post: None → scheduled: by the test",
        "post: scheduled → publishing: its time has come",
        "part 1: pending → sending: handed to X (attempt 1)",
        "part 1: sending → unknown: X's answer to create_post is not known:"
        " the connection failed (ServerDisconnectedError).",
        f"part 1: unknown → sent: found on X's timeline as {one}",
        "part 2: pending → sending: handed to X (attempt 1)",
        f"part 2: sending → sent: X has it as {two}",
        "post: publishing → published: every part is on X",
    ]


async def test_the_history_is_in_the_order_of_domain_time(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "503")
    post_id = await desk.plan("Low tide at six", after_s=120)
    await desk.work_through()
    async with desk.runtime.database.tenant(desk.tenant.id) as transaction:
        rows = await transaction.raw.execute(
            "SELECT at FROM events WHERE post_id = %s ORDER BY id", [post_id]
        )
        instants = [row[0] for row in await rows.fetchall()]
    assert instants == sorted(instants)
    assert instants[-1] - instants[1] == timedelta(seconds=120)


async def test_history_and_reason_hold_no_text_of_the_post(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "500")
    post_id = await desk.plan("A very private draft")
    await desk.work_through()
    told = "\n".join(await desk.story(post_id))
    assert "private" not in told


async def test_an_answer_that_comes_after_its_adoption_is_not_counted_again(desk: Desk) -> None:
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    async with desk.runtime.database.statements(desk.tenant.id) as transaction:
        journal = await store.journal.get(transaction, post_id)
    (part,) = journal.parts
    sent_as = part.part.sent_as
    assert sent_as is not None
    before = await _billed(desk)
    context = PublishContext(
        desk.runtime, desk.locks, StoredTokenSource(desk.runtime, desk.account), journal, ()
    )
    await outcomes.record_sent(context, part, part.last, sent_as)
    assert await _billed(desk) == before
    assert (await desk.see(post_id)).state is PostState.PUBLISHED


async def _billed(desk: Desk) -> Decimal:
    async with desk.runtime.database.tenant(desk.tenant.id) as transaction:
        return (await store.ledger.sum_up(transaction))[1]
