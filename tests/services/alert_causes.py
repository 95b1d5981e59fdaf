"""Causes of each kind of alert, and how users, workers and X end them."""

import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

from fix_publishing import Desk
from fix_runtime import ACTOR, connect_account
from roost import store
from roost.account_client import StoredTokenSource, mark_needs_reconnect
from roost.models import AlertKind, PostId, PostState, Reason, ReasonCode, TweetId
from roost.models.alerts import about_account, about_app
from roost.services import monitor, pause, resolve, restore_check, resume, schedule
from roost.services.clock_check import ClockCheck, Skew
from roost.services.publish import outcomes, waits
from roost.services.publish.context import PublishContext
from roost.services.schedule import PartInput
from roost.x.errors import AppMisconfigured, ReauthorizationRequired

#: A clock that is five minutes behind.
BEHIND = Skew(-300, "x")

Opening = Callable[[Desk], Awaitable[PostId]]
Ending = Callable[[Desk, PostId], Awaitable[object]]


async def kinds(desk: Desk) -> list[AlertKind]:
    """The kinds of the open alerts, of no tenant and of the tenant."""
    return sorted(alert.kind for _, alert in await monitor.list_alerts(desk.runtime))


# --- how each alert comes to be


async def needs_decision(desk: Desk) -> PostId:
    """X's response is lost, and it is too late to send the post again."""
    await desk.emulator.fail("create_post", "before", "drop")
    post_id = await desk.plan("Low tide at six")
    await desk.work()
    await desk.emulator.jump(hours=0.25)
    await desk.work_through()
    return post_id


async def thread_needs_decision(desk: Desk) -> PostId:
    """X's response about a thread's second part is lost, and it is too late to send it again."""
    script = ["ok", "drop"]
    await desk.emulator.control("faults", operation="create_post", when="before", script=script)
    post_id = await desk.plan("High tide", "Low tide at six")
    await desk.work()
    await desk.emulator.jump(hours=0.25)
    await desk.work_through()
    return post_id


async def partly_published(desk: Desk) -> PostId:
    """X refuses a thread's second part."""
    await desk.plan("Said before")
    post_id = await desk.plan("New", "Said before", after_s=1)
    await desk.work_through()
    return post_id


async def missed(desk: Desk) -> PostId:
    """No worker published the post in time."""
    post_id = await desk.plan("Good morning")
    await desk.emulator.jump(hours=2)
    await desk.work_through()
    return post_id


async def failed(desk: Desk) -> PostId:
    """X refuses the post."""
    await desk.plan("Good morning")
    post_id = await desk.plan("Good morning", after_s=60)
    await desk.work_through()
    return post_id


async def possible_duplicate(desk: Desk) -> PostId:
    """The response to an older attempt comes late, after the post was published."""
    post_id = await desk.plan("One")
    await desk.work()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        state = await store.publishing.get(transaction, post_id)
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
    return post_id


async def needs_reconnect(desk: Desk) -> PostId:
    """The account's owner revokes the access."""
    post_id = await desk.plan("Low tide at six", after_s=7200)
    await desk.kill_grant()
    await desk.emulator.jump(hours=2)
    await desk.work()
    return post_id


def app_refused(fault: str) -> Opening:
    """X refuses the whole app: the post waits."""

    async def opening(desk: Desk) -> PostId:
        app = desk.emulator.app.client_id
        if fault == "credits":
            await desk.emulator.control(f"apps/{app}", credits=0)
        else:
            await back_off(desk, AlertKind(fault))
        post_id = await desk.plan("Low tide at six")
        await desk.work()
        return post_id

    return opening


async def back_off(desk: Desk, kind: AlertKind) -> None:
    """What the worker writes if X refuses the app in this way."""
    probe = await desk.plan("Probe")
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        state = await store.publishing.get(transaction, probe)
    context = PublishContext(
        desk.runtime,
        desk.scope,
        desk.locks,
        StoredTokenSource(desk.runtime, desk.account),
        state,
        (),
    )
    error = AppMisconfigured("X accepts nothing from the app.")
    await waits.back_off_app(context, timedelta(minutes=5), kind, error)
    await schedule.cancel_post(desk.runtime, desk.scope, probe)


async def late(desk: Desk) -> PostId:
    """No worker runs."""
    post_id = await desk.plan("Late")
    await desk.emulator.jump(seconds=121)
    await monitor.check_lateness(desk.runtime)
    return post_id


async def restored(desk: Desk) -> PostId:
    """A user reports that the database was restored."""
    await restore_check.pause_after_restore(desk.runtime, ACTOR, desk.runtime.clock.now())
    return PostId(0)


async def copied(desk: Desk) -> PostId:
    """A worker finds that the database is a copy."""
    await restore_check.pause_after_restore(
        desk.runtime, ACTOR, desk.runtime.clock.now(), reason=Reason(ReasonCode.IS_COPY)
    )
    return PostId(0)


async def wrong_clock(desk: Desk) -> PostId:
    """A worker finds that this machine's clock is wrong."""
    await desk.locks.heartbeat(f"worker {socket.gethostname()}:1")
    await check_clock(desk, BEHIND)
    return PostId(0)


async def check_clock(desk: Desk, skew: Skew | None) -> None:
    """Run the clock check of a worker with this result."""
    await ClockCheck(desk.runtime)._update_alert(skew)


# --- what ends each cause


async def find_on_x(desk: Desk, post_id: PostId) -> None:
    """A user finds the post on X."""
    tweet_id = await desk.post_by_hand("Low tide at six")
    await resolve.confirm_sent(desk.runtime, desk.scope, post_id, tweet_id)


async def edit(desk: Desk, post_id: PostId) -> None:
    """A new due time and text; alerts are resolved at once, not when it is published."""
    parts = [PartInput("Another text")]
    due_at = desk.runtime.clock.now() + timedelta(minutes=1)
    await schedule.edit_post(desk.runtime, desk.scope, post_id, parts=parts, due_at=due_at)


async def retime(desk: Desk, post_id: PostId) -> None:
    due_at = desk.runtime.clock.now() + timedelta(minutes=1)
    await schedule.edit_post(desk.runtime, desk.scope, post_id, parts=None, due_at=due_at)


async def cancel(desk: Desk, post_id: PostId) -> None:
    await schedule.cancel_post(desk.runtime, desk.scope, post_id)


async def resend(desk: Desk, post_id: PostId) -> None:
    await resolve.confirm_absent(desk.runtime, desk.scope, post_id)


async def discard(desk: Desk, post_id: PostId) -> None:
    await resolve.discard(desk.runtime, desk.scope, post_id)


async def acknowledge(desk: Desk, post_id: PostId) -> None:
    await resolve.acknowledge(desk.runtime, desk.scope, post_id)


async def continue_thread(desk: Desk, post_id: PostId) -> None:
    await resolve.continue_thread(desk.runtime, desk.scope, post_id, "Said anew")


async def delete(desk: Desk, post_id: PostId) -> None:
    await resolve.delete_sent(desk.runtime, desk.scope, post_id)


async def reconnect(desk: Desk, _: PostId) -> None:
    await connect_account(desk.runtime, desk.tenant, desk.emulator, "larkbooks")


async def reconnect_renamed(desk: Desk, _: PostId) -> None:
    """The account has another name on X meanwhile."""
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await transaction.raw.execute(
            'UPDATE integrations SET metadata = metadata || \'{"username": "old_name"}\''
        )
    await reconnect(desk, PostId(0))


async def accept_again(desk: Desk, _: PostId) -> None:
    """X accepts the app's posts again."""
    await desk.emulator.control(f"apps/{desk.emulator.app.client_id}", credits=None)
    await desk.work_through()


async def refuse_again(desk: Desk, post_id: PostId) -> None:
    """X refuses one post of the app, so it accepts requests of the app again."""
    await desk.emulator.control(f"apps/{desk.emulator.app.client_id}", credits=None)
    await desk.emulator.switch(refuse_duplicates=False)
    for _ in range(2):  # two that may be it: neither is taken for ours
        await desk.post_by_hand("Low tide at six")
    await desk.emulator.switch(refuse_duplicates=True)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.NEEDS_DECISION


async def wait_for_nothing(desk: Desk, post_id: PostId) -> None:
    """The post that waited for the app is cancelled, and the back-off is over."""
    await schedule.cancel_post(desk.runtime, desk.scope, post_id)
    await desk.emulator.jump(seconds=360)
    await monitor.check_lateness(desk.runtime)


def another(kind: AlertKind) -> Ending:
    """X names another cause, whose alert is open then."""

    async def ending(desk: Desk, _: PostId) -> None:
        await back_off(desk, kind)
        assert await kinds(desk) == [kind]
        async with desk.runtime.database.unscoped() as transaction:
            await store.alerts.resolve_alert(
                transaction,
                None,
                kind,
                about_app(desk.account.client_id),
                at=desk.runtime.clock.now(),
            )

    return ending


def then_check(act: Callable[[Desk, PostId], Awaitable[object]]) -> Ending:
    """The web server, `roost alerts` and `roost doctor` check lateness."""

    async def ending(desk: Desk, post_id: PostId) -> None:
        await act(desk, post_id)
        await monitor.check_lateness(desk.runtime)

    return ending


async def publish(desk: Desk, _: PostId) -> None:
    await desk.work()


async def pause_post(desk: Desk, post_id: PostId) -> None:
    await pause.pause_post(desk.runtime, desk.scope, post_id)


async def pause_everything(desk: Desk, _: PostId) -> None:
    await pause.pause_everything(desk.runtime, ACTOR)


async def lose_access(desk: Desk, _: PostId) -> None:
    await mark_needs_reconnect(desk.runtime, desk.account, ReauthorizationRequired("No longer."))
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.alerts.resolve_alert(
            transaction, desk.tenant.id, AlertKind.RECONNECT,
            about_account(desk.account.id), at=desk.runtime.clock.now(),
        )  # fmt: skip


async def become_missed(desk: Desk, post_id: PostId) -> None:
    await desk.emulator.jump(hours=2)
    await desk.work()
    assert (await desk.see(post_id)).state is PostState.MISSED
    await discard(desk, post_id)


async def become_limited(desk: Desk, post_id: PostId) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    await desk.work()
    assert (await desk.see(post_id)).state is PostState.PUBLISHING


async def resume_all(desk: Desk, _: PostId) -> None:
    await resume.resume_everything(desk.runtime, ACTOR)


async def accept_copy(desk: Desk, _: PostId) -> None:
    await resume.resume_everything(desk.runtime, ACTOR, accept_copy=True)


async def set_clock(desk: Desk, _: PostId) -> None:
    await check_clock(desk, None)


async def restart_worker(desk: Desk, _: PostId) -> None:
    """Another process, which knows of no alert, finds that the clock is right."""
    await check_clock(desk, BEHIND)
    await check_clock(desk, None)


async def end_worker(desk: Desk, _: PostId) -> None:
    """The machine's worker has ended."""
    await desk.locks.heartbeat("another process")
    await monitor.check_lateness(desk.runtime)
