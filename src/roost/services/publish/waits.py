"""Lets posts wait: back-offs of an account or an app, uploads, a reconnect; and ends back-offs."""

from datetime import timedelta
from typing import Final

from roost import store, x
from roost.account_client import mark_needs_reconnect
from roost.errors import ReconnectNeeded
from roost.models import AlertKind, Reason, reason_detail
from roost.models.alerts import about_app
from roost.publishing.history import error_reason
from roost.services.publish.context import PublishContext
from roost.store.alerts import OF_APPS
from roost.store.database import Transaction
from roost.store.statements import json_of

#: Errors that concern every account of an X app. Their messages quote nothing from X.
AppWide = x.errors.OutOfCredits | x.errors.AppMisconfigured | x.errors.RateLimited

#: The back-off of an app: X adds bought credits within five minutes (Source: docs.x.com, pricing,
#: auto-recharge). Domain time.
APP_BACKOFF: Final = timedelta(minutes=5)
#: The first back-off of an account or a post after X did not respond, doubled each time, and the
#: longest. Domain time.
_FIRST_BACKOFF: Final = timedelta(seconds=20)
_LONGEST_BACKOFF: Final = timedelta(minutes=10)


def backoff_delay(refusals: int) -> timedelta:
    """The back-off after this many earlier consecutive refusals."""
    factor: int = 2 ** min(refusals, 10)
    return min(_FIRST_BACKOFF * factor, _LONGEST_BACKOFF)


async def end_backoffs(context: PublishContext) -> None:
    """X accepts posts again: end the back-offs of the account and the app, and their alerts."""
    account, now = context.account, context.runtime.clock.now()
    if account.consecutive_refusals:
        async with context.runtime.database.for_tenant(context.tenant_id) as transaction:
            await transaction.run("end_account_backoff", integration=account.id)
    if context.state.app_backoff is None:
        return

    async def work(transaction: Transaction) -> None:
        await transaction.run(
            "end_app_backoff", client_id=account.client_id, environment=account.environment
        )
        for kind in OF_APPS:
            subject = about_app(account.client_id)
            await store.alerts.resolve_alert(transaction, None, kind, subject, at=now)

    await context.write(work)


async def defer_post(
    context: PublishContext,
    delay: timedelta,
    reason: Reason,
    *,
    excused: bool = False,
    counts_as_late: bool = False,
) -> None:
    """Let the post wait; the dispatcher, or a reconnect of its account, resumes it."""
    now = context.runtime.clock.now()

    async def work(transaction: Transaction) -> None:
        await store.publishing.defer_post(
            transaction,
            context.post.id,
            now + delay,
            excused=excused,
            counts_as_late=counts_as_late,
            at=now,
            reason=reason,
            actor=context.scope.actor,
        )

    await context.write(work)


async def back_off_account(
    context: PublishContext, delay: timedelta, reason: Reason, *, counts_as_late: bool = False
) -> None:
    """X accepts no posts of the account for a while: the account's row defers all of them."""
    until = context.runtime.clock.now() + delay

    async def work(transaction: Transaction) -> None:
        await transaction.run(
            "back_off_account", integration=context.account.id, until=until,
            reason=json_of(reason),
            counts_as_late=counts_as_late,
        )  # fmt: skip

    await context.write(work)
    await defer_post(context, delay, reason, counts_as_late=counts_as_late)


async def back_off_app(
    context: PublishContext, delay: timedelta, kind: AlertKind, error: AppWide
) -> None:
    """X accepts nothing from the app: all its posts wait, none is missed, one alert opens.

    The alert names the current cause; alerts with an earlier cause are resolved. Every tenant can
    read the reason, because messages of these errors are Roost's own.
    """
    now, account, reason = context.runtime.clock.now(), context.account, error_reason(error)
    subject = about_app(account.client_id)

    async def work(transaction: Transaction) -> None:
        await transaction.run(
            "back_off_app",
            client_id=account.client_id,
            environment=account.environment,
            until=now + delay,
            reason=json_of(reason),
        )
        for other in set(OF_APPS) - {kind}:
            await store.alerts.resolve_alert(transaction, None, other, subject, at=now)
        await store.alerts.open_alert(
            transaction, None, kind, subject, at=now, detail=reason_detail(reason)
        )

    await context.write(work)
    await defer_post(context, delay, reason, excused=True)


async def await_reconnect(context: PublishContext, error: ReconnectNeeded) -> None:
    """X refused the refresh token: the account's posts wait until its owner reconnects it."""
    await mark_needs_reconnect(context.runtime, context.account, error)
    await defer_post(context, timedelta(0), error_reason(error))


async def request_upload(context: PublishContext, delay: timedelta, reason: Reason) -> None:
    """Have the post's files uploaded, and let the post wait meanwhile."""
    now = context.runtime.clock.now()

    async def work(transaction: Transaction) -> None:
        await transaction.run("request_upload", post=context.post.id, at=now)

    await context.write(work)
    await defer_post(context, delay, reason)
