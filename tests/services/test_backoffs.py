"""Back-offs after each kind of refusal: what waits, how long, and which alert opens."""

from datetime import timedelta

from fix_publishing import Desk, reason_of
from roost import store
from roost.models import Alert, PostState
from roost.models.alerts import about_account, about_post


async def _alerts(desk: Desk) -> list[Alert]:
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        return await store.alerts.list_open(transaction)


async def test_rate_limit_backs_off_every_post_of_the_account(desk: Desk) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    posts = [await desk.plan(text, after_s=n) for n, text in enumerate(("One", "Two", "Three"))]
    await desk.emulator.jump(seconds=5)
    await desk.work()
    assert await desk.requests("create_post") == [429]
    account = await desk.integration()
    assert account.backoff_until is not None
    assert account.backoff_until > desk.runtime.clock.now()
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two", "Three"]
    assert [(await desk.see(post_id)).state for post_id in posts] == [PostState.PUBLISHED] * 3
    assert (await desk.integration()).backoff_until is None


async def test_missing_credits_back_off_the_app_with_one_alert(desk: Desk) -> None:
    app = desk.emulator.app.client_id
    await desk.emulator.control(f"apps/{app}", credits=0)
    posts = [await desk.plan(text, after_s=n) for n, text in enumerate(("One", "Two"))]
    await desk.emulator.jump(seconds=5)
    await desk.work()
    assert await desk.requests("create_post") == [402]
    (alert,) = await _alerts(desk)
    assert (alert.kind, alert.subject_type, alert.subject_id) == ("credits", "x_app", app)
    # Longer than the tolerance: no post is missed for lack of credits.
    for _ in range(20):
        await desk.emulator.jump(seconds=301)
        await desk.work()
    assert len(await _alerts(desk)) == 1
    await desk.emulator.control(f"apps/{app}", credits=None)
    await desk.work_through()
    assert await desk.on_x() == ["One", "Two"]
    assert [(await desk.see(post_id)).state for post_id in posts] == [PostState.PUBLISHED] * 2
    assert await _alerts(desk) == []


async def test_unreachable_x_is_asked_with_growing_delays(desk: Desk) -> None:
    away = desk.with_settings(roost_x_base_url="http://127.0.0.1:9")
    await desk.plan("Low tide at six")
    pauses = []
    for _ in range(4):
        await away.work()
        account = await desk.integration()
        assert account.backoff_until is not None
        pauses.append(account.backoff_until - desk.runtime.clock.now())
        await desk.move_to(account.backoff_until)
    assert pauses == [timedelta(seconds=s) for s in (20, 40, 80, 160)]
    await desk.work_through()
    assert await desk.on_x() == ["Low tide at six"]


async def test_duplicate_fails_and_names_the_post_on_x(desk: Desk) -> None:
    first = await desk.plan("Good morning")
    again = await desk.plan("Good morning", after_s=60)
    await desk.work_through()
    (on_x,) = (await desk.emulator.ground_truth())["posts"]
    post = await desk.see(again)
    assert post.state is PostState.FAILED
    assert f"It is {on_x['id']} on the emulator (post {first})" in reason_of(post)
    assert await desk.requests("read_timeline") == [200]


async def test_duplicate_without_a_claimed_post_needs_a_decision(desk: Desk) -> None:
    made = await desk.post_by_hand("Good morning")
    post_id = await desk.plan("Good morning")
    await desk.work_through()
    post = await desk.see(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert f"{made} on the emulator, which no post of Roost claims" in reason_of(post)
    assert await desk.requests("read_timeline") == [200]


async def test_late_post_is_missed_with_an_alert(desk: Desk) -> None:
    post_id = await desk.plan("Low tide at six")
    await desk.emulator.jump(hours=1, seconds=1)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.MISSED
    (alert,) = await _alerts(desk)
    assert (alert.kind, alert.subject) == ("missed", about_post(post_id))
    assert await desk.requests("create_post") == []


async def test_late_post_is_published__publish_late(desk: Desk) -> None:
    eager = desk.with_settings(roost_late_posts="publish")
    await desk.plan("Low tide at six")
    await desk.emulator.jump(hours=2)
    await eager.work_through()
    assert await desk.on_x() == ["Low tide at six"]


async def test_revoked_access_opens_an_alert_and_posts_wait(desk: Desk) -> None:
    post_id = await desk.plan("Low tide at six", after_s=7200)
    await desk.kill_grant()
    await desk.emulator.jump(hours=2)
    await desk.work()
    assert (await desk.see(post_id)).state is PostState.PUBLISHING
    (alert,) = await _alerts(desk)
    assert (alert.kind, alert.subject) == ("reconnect", about_account(desk.account.id))
    assert (await desk.integration()).status == "needs_reconnect"
