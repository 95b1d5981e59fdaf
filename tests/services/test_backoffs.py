"""Back-offs after each kind of refusal: which posts wait, how long, and which alert opens."""

from datetime import timedelta

from fix_publishing import Publisher, reason_of
from roost import store
from roost.models import Alert, PostState
from roost.models.alerts import about_account, about_post


async def _alerts(publisher: Publisher) -> list[Alert]:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        return await store.alerts.list_open(transaction)


async def test_rate_limit_backs_off_every_post_of_the_account(publisher: Publisher) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    posts = [
        await publisher.schedule(text, after_s=n) for n, text in enumerate(("One", "Two", "Three"))
    ]
    await publisher.emulator.jump(seconds=5)
    await publisher.run_due_jobs()
    assert await publisher.list_statuses("create_post") == [429]
    account = await publisher.get_integration()
    assert account.backoff_until is not None
    assert account.backoff_until > publisher.runtime.clock.now()
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One", "Two", "Three"]
    assert [(await publisher.get_post(post_id)).state for post_id in posts] == [
        PostState.PUBLISHED
    ] * 3
    assert (await publisher.get_integration()).backoff_until is None


async def test_missing_credits_back_off_the_app_with_one_alert(publisher: Publisher) -> None:
    app = publisher.emulator.app.client_id
    await publisher.emulator.control(f"apps/{app}", credits=0)
    posts = [await publisher.schedule(text, after_s=n) for n, text in enumerate(("One", "Two"))]
    await publisher.emulator.jump(seconds=5)
    await publisher.run_due_jobs()
    assert await publisher.list_statuses("create_post") == [402]
    (alert,) = await _alerts(publisher)
    assert (alert.kind, alert.subject_type, alert.subject_id) == ("credits", "x_app", app)
    # The posts wait longer than a post may be late. A lack of credits must not make them missed.
    for _ in range(20):
        await publisher.emulator.jump(seconds=301)
        await publisher.run_due_jobs()
    assert len(await _alerts(publisher)) == 1
    await publisher.emulator.control(f"apps/{app}", credits=None)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["One", "Two"]
    assert [(await publisher.get_post(post_id)).state for post_id in posts] == [
        PostState.PUBLISHED
    ] * 2
    assert await _alerts(publisher) == []


async def test_unreachable_x_is_asked_with_growing_delays(publisher: Publisher) -> None:
    away = publisher.with_settings(x_base_url="http://127.0.0.1:9")
    await publisher.schedule("Low tide at six")
    pauses = []
    for _ in range(4):
        await away.run_due_jobs()
        account = await publisher.get_integration()
        assert account.backoff_until is not None
        pauses.append(account.backoff_until - publisher.runtime.clock.now())
        await publisher.move_clock_to(account.backoff_until)
    assert pauses == [timedelta(seconds=s) for s in (20, 40, 80, 160)]
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Low tide at six"]


async def test_duplicate_fails_and_names_the_post_on_x(publisher: Publisher) -> None:
    first = await publisher.schedule("Good morning")
    again = await publisher.schedule("Good morning", after_s=60)
    await publisher.run_to_completion()
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    post = await publisher.get_post(again)
    assert post.state is PostState.FAILED
    assert f"The other post is {on_x['id']} on the emulator (post {first})" in reason_of(post)
    assert await publisher.list_statuses("read_timeline") == [200]


async def test_duplicate_without_a_claimed_post_needs_a_decision(publisher: Publisher) -> None:
    made = await publisher.post_manually("Good morning")
    post_id = await publisher.schedule("Good morning")
    await publisher.run_to_completion()
    post = await publisher.get_post(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert f"{made} on the emulator, which Roost has not recorded" in reason_of(post)
    assert await publisher.list_statuses("read_timeline") == [200]


async def test_late_post_is_missed_with_an_alert(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six")
    await publisher.emulator.jump(hours=1, seconds=1)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.MISSED
    (alert,) = await _alerts(publisher)
    assert (alert.kind, alert.subject) == ("missed", about_post(post_id))
    assert await publisher.list_statuses("create_post") == []


async def test_late_post_is_published__publish_late(publisher: Publisher) -> None:
    eager = publisher.with_settings(late_posts="publish")
    await publisher.schedule("Low tide at six")
    await publisher.emulator.jump(hours=2)
    await eager.run_to_completion()
    assert await publisher.published_texts() == ["Low tide at six"]


async def test_revoked_access_opens_an_alert_and_posts_wait(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Low tide at six", after_s=7200)
    await publisher.revoke_tokens()
    await publisher.emulator.jump(hours=2)
    await publisher.run_due_jobs()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHING
    (alert,) = await _alerts(publisher)
    assert (alert.kind, alert.subject) == ("reconnect", about_account(publisher.account.id))
    assert (await publisher.get_integration()).status == "needs_reconnect"
