"""Functions that cause each kind of alert, and functions that end each cause."""

import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

from fix_publishing import Publisher
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

#: The result of a clock check: this machine's clock is five minutes behind X's clock.
BEHIND = Skew(-300, "x")

Opening = Callable[[Publisher], Awaitable[PostId]]
Ending = Callable[[Publisher, PostId], Awaitable[object]]


async def kinds(publisher: Publisher) -> list[AlertKind]:
    """Return the kinds of all open alerts, with and without a tenant."""
    return sorted(alert.kind for _, alert in await monitor.list_alerts(publisher.runtime))


# --- functions that cause an alert


async def needs_decision(publisher: Publisher) -> PostId:
    """Publish a post whose create request is lost, and wait until Roost may not resend it."""
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule("Low tide at six")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=0.25)
    await publisher.run_to_completion()
    return post_id


async def thread_needs_decision(publisher: Publisher) -> PostId:
    """Publish a thread, lose its second request, and wait until Roost may not resend it."""
    script = ["ok", "drop"]
    await publisher.emulator.control(
        "faults", operation="create_post", when="before", script=script
    )
    post_id = await publisher.schedule("High tide", "Low tide at six")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(hours=0.25)
    await publisher.run_to_completion()
    return post_id


async def partly_published(publisher: Publisher) -> PostId:
    """Publish a thread whose second part X refuses."""
    await publisher.schedule("Said before")
    post_id = await publisher.schedule("New", "Said before", after_s=1)
    await publisher.run_to_completion()
    return post_id


async def missed(publisher: Publisher) -> PostId:
    """Schedule a post that no worker publishes in time."""
    post_id = await publisher.schedule("Good morning")
    await publisher.emulator.jump(hours=2)
    await publisher.run_to_completion()
    return post_id


async def failed(publisher: Publisher) -> PostId:
    """Publish a post that X refuses as a duplicate."""
    await publisher.schedule("Good morning")
    post_id = await publisher.schedule("Good morning", after_s=60)
    await publisher.run_to_completion()
    return post_id


async def possible_duplicate(publisher: Publisher) -> PostId:
    """Publish a post; then record a late response that gives the post a second id on X."""
    post_id = await publisher.schedule("One")
    await publisher.run_due_jobs()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        state = await store.publishing.get(transaction, post_id)
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
    return post_id


async def needs_reconnect(publisher: Publisher) -> PostId:
    """Publish a post after the account's owner has revoked Roost's access."""
    post_id = await publisher.schedule("Low tide at six", after_s=7200)
    await publisher.revoke_tokens()
    await publisher.emulator.jump(hours=2)
    await publisher.run_due_jobs()
    return post_id


def app_refused(fault: str) -> Opening:
    """Return a function that schedules a post while X refuses all posts of the app."""

    async def opening(publisher: Publisher) -> PostId:
        app = publisher.emulator.app.client_id
        if fault == "credits":
            await publisher.emulator.control(f"apps/{app}", credits=0)
        else:
            await back_off(publisher, AlertKind(fault))
        post_id = await publisher.schedule("Low tide at six")
        await publisher.run_due_jobs()
        return post_id

    return opening


async def back_off(publisher: Publisher, kind: AlertKind) -> None:
    """Start a back-off of the X app as a worker does, with an alert of this kind."""
    probe = await publisher.schedule("Probe")
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        state = await store.publishing.get(transaction, probe)
    context = PublishContext(
        publisher.runtime,
        publisher.scope,
        publisher.locks,
        StoredTokenSource(publisher.runtime, publisher.account),
        state,
        (),
    )
    error = AppMisconfigured("X accepts nothing from the app.")
    await waits.back_off_app(context, timedelta(minutes=5), kind, error)
    await schedule.cancel_post(publisher.runtime, publisher.scope, probe)


async def late(publisher: Publisher) -> PostId:
    """Schedule a post, and let it become late because no worker runs."""
    post_id = await publisher.schedule("Late")
    await publisher.emulator.jump(seconds=121)
    await monitor.check_lateness(publisher.runtime)
    return post_id


async def restored(publisher: Publisher) -> PostId:
    """Pause everything, as Roost does after a user has reported a restore of the database."""
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, publisher.runtime.clock.now())
    return PostId(0)


async def copied(publisher: Publisher) -> PostId:
    """Pause everything, as a worker does after it has found that the database is a copy."""
    await restore_check.pause_after_restore(
        publisher.runtime, ACTOR, publisher.runtime.clock.now(), reason=Reason(ReasonCode.IS_COPY)
    )
    return PostId(0)


async def wrong_clock(publisher: Publisher) -> PostId:
    """Open the alert that a worker opens if its machine's clock is wrong."""
    await publisher.locks.heartbeat(f"worker {socket.gethostname()}:1")
    await check_clock(publisher, BEHIND)
    return PostId(0)


async def check_clock(publisher: Publisher, skew: Skew | None) -> None:
    """Open or resolve the clock alert, as a worker's clock check does with this result."""
    await ClockCheck(publisher.runtime)._update_alert(skew)


# --- functions that end a cause


async def find_on_x(publisher: Publisher, post_id: PostId) -> None:
    """Resolve the post as found on X."""
    tweet_id = await publisher.post_manually("Low tide at six")
    await resolve.confirm_sent(publisher.runtime, publisher.scope, post_id, tweet_id)


async def edit(publisher: Publisher, post_id: PostId) -> None:
    """Edit the post's text and due time. This must resolve its alerts before it is due."""
    parts = [PartInput("Another text")]
    due_at = publisher.runtime.clock.now() + timedelta(minutes=1)
    await schedule.edit_post(
        publisher.runtime, publisher.scope, post_id, parts=parts, due_at=due_at
    )


async def retime(publisher: Publisher, post_id: PostId) -> None:
    due_at = publisher.runtime.clock.now() + timedelta(minutes=1)
    await schedule.edit_post(publisher.runtime, publisher.scope, post_id, parts=None, due_at=due_at)


async def cancel(publisher: Publisher, post_id: PostId) -> None:
    await schedule.cancel_post(publisher.runtime, publisher.scope, post_id)


async def resend(publisher: Publisher, post_id: PostId) -> None:
    await resolve.confirm_absent(publisher.runtime, publisher.scope, post_id)


async def discard(publisher: Publisher, post_id: PostId) -> None:
    await resolve.discard(publisher.runtime, publisher.scope, post_id)


async def acknowledge(publisher: Publisher, post_id: PostId) -> None:
    await resolve.acknowledge(publisher.runtime, publisher.scope, post_id)


async def continue_thread(publisher: Publisher, post_id: PostId) -> None:
    await resolve.continue_thread(publisher.runtime, publisher.scope, post_id, "Said anew")


async def delete(publisher: Publisher, post_id: PostId) -> None:
    await resolve.delete_sent(publisher.runtime, publisher.scope, post_id)


async def reconnect(publisher: Publisher, _: PostId) -> None:
    await connect_account(publisher.runtime, publisher.tenant, publisher.emulator, "larkbooks")


async def reconnect_renamed(publisher: Publisher, _: PostId) -> None:
    """Reconnect the account after its user name on X has changed."""
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            'UPDATE integrations SET metadata = metadata || \'{"username": "old_name"}\''
        )
    await reconnect(publisher, PostId(0))


async def accept_again(publisher: Publisher, _: PostId) -> None:
    """Let X accept the app's posts again, and publish the waiting posts."""
    await publisher.emulator.control(f"apps/{publisher.emulator.app.client_id}", credits=None)
    await publisher.run_to_completion()


async def refuse_again(publisher: Publisher, post_id: PostId) -> None:
    """Let X refuse only this post, as a duplicate.

    This refusal shows that X accepts requests of the app again, and so ends the back-off.
    """
    await publisher.emulator.control(f"apps/{publisher.emulator.app.client_id}", credits=None)
    await publisher.emulator.switch(refuse_duplicates=False)
    for _ in range(2):  # If two posts match, Roost adopts neither.
        await publisher.post_manually("Low tide at six")
    await publisher.emulator.switch(refuse_duplicates=True)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.NEEDS_DECISION


async def wait_for_nothing(publisher: Publisher, post_id: PostId) -> None:
    """Cancel the post that waits for the app, and let the back-off end."""
    await schedule.cancel_post(publisher.runtime, publisher.scope, post_id)
    await publisher.emulator.jump(seconds=360)
    await monitor.check_lateness(publisher.runtime)


def another(kind: AlertKind) -> Ending:
    """Return a function that replaces the app's alert by a new one, and resolves the new one."""

    async def ending(publisher: Publisher, _: PostId) -> None:
        await back_off(publisher, kind)
        assert await kinds(publisher) == [kind]
        async with publisher.runtime.database.unscoped() as transaction:
            await store.alerts.resolve_alert(
                transaction,
                None,
                kind,
                about_app(publisher.account.client_id),
                at=publisher.runtime.clock.now(),
            )

    return ending


def then_check(act: Callable[[Publisher, PostId], Awaitable[object]]) -> Ending:
    """Return a function that runs `act` and then `check_lateness`.

    The web server, `roost alerts` and `roost doctor` also run `check_lateness`.
    """

    async def ending(publisher: Publisher, post_id: PostId) -> None:
        await act(publisher, post_id)
        await monitor.check_lateness(publisher.runtime)

    return ending


async def publish(publisher: Publisher, _: PostId) -> None:
    await publisher.run_due_jobs()


async def pause_post(publisher: Publisher, post_id: PostId) -> None:
    await pause.pause_post(publisher.runtime, publisher.scope, post_id)


async def pause_everything(publisher: Publisher, _: PostId) -> None:
    await pause.pause_everything(publisher.runtime, ACTOR)


async def lose_access(publisher: Publisher, _: PostId) -> None:
    await mark_needs_reconnect(
        publisher.runtime, publisher.account, ReauthorizationRequired("No longer.")
    )
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.alerts.resolve_alert(
            transaction, publisher.tenant.id, AlertKind.RECONNECT,
            about_account(publisher.account.id), at=publisher.runtime.clock.now(),
        )  # fmt: skip


async def become_missed(publisher: Publisher, post_id: PostId) -> None:
    await publisher.emulator.jump(hours=2)
    await publisher.run_due_jobs()
    assert (await publisher.get_post(post_id)).state is PostState.MISSED
    await discard(publisher, post_id)


async def become_limited(publisher: Publisher, post_id: PostId) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    await publisher.run_due_jobs()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHING


async def resume_all(publisher: Publisher, _: PostId) -> None:
    await resume.resume_everything(publisher.runtime, ACTOR)


async def accept_copy(publisher: Publisher, _: PostId) -> None:
    await resume.resume_everything(publisher.runtime, ACTOR, accept_copy=True)


async def set_clock(publisher: Publisher, _: PostId) -> None:
    await check_clock(publisher, None)


async def restart_worker(publisher: Publisher, _: PostId) -> None:
    """Find a wrong clock in one worker, then a right clock in its restarted successor.

    The successor itself has opened no alert, but must resolve that of the first worker.
    """
    await check_clock(publisher, BEHIND)
    await check_clock(publisher, None)


async def end_worker(publisher: Publisher, _: PostId) -> None:
    """Let the machine's worker end, and run the check that resolves its clock alert."""
    await publisher.locks.heartbeat("another process")
    await monitor.check_lateness(publisher.runtime)
