"""Defers posts, starts back-offs of accounts and X apps, and ends back-offs."""

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

#: Errors that concern every account of an X app. Every tenant may read their messages, because the
#: messages quote nothing from X.
AppWide = x.errors.OutOfCredits | x.errors.AppMisconfigured | x.errors.RateLimited

#: The back-off of an X app, in domain time. X adds credits within five minutes after they were
#: bought (Source: docs.x.com, pricing, auto-recharge).
APP_BACKOFF: Final = timedelta(minutes=5)
#: The first and the longest back-off of an account or a post, in domain time. The back-off doubles
#: after each further refusal.
_FIRST_BACKOFF: Final = timedelta(seconds=20)
_LONGEST_BACKOFF: Final = timedelta(minutes=10)


def backoff_delay(refusals: int) -> timedelta:
    """Return the length of a back-off, given the number of earlier consecutive refusals."""
    factor: int = 2 ** min(refusals, 10)
    return min(_FIRST_BACKOFF * factor, _LONGEST_BACKOFF)


async def end_backoffs(context: PublishContext) -> None:
    """End the back-offs of the account and the app, because X accepts posts again.

    The app's alerts are resolved.
    """
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
    """Defer the post by `delay`; then the dispatcher queues it if its account is connected."""
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
    """Start a back-off of the account: for `delay`, none of its posts is sent."""
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
    """Start a back-off of the X app: the posts of its accounts wait, and an alert is opened.

    The wait does not count as lateness, so no post is missed because of the back-off. The alert
    names the current cause, and alerts with an earlier cause are resolved. Every tenant can read
    the alert.
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
    """Make the account's posts wait until the account's owner has reconnected the account.

    The account needs a reconnect, because X no longer accepts the account's tokens.
    """
    await mark_needs_reconnect(context.runtime, context.account, error)
    await defer_post(context, timedelta(0), error_reason(error))


async def request_upload(context: PublishContext, delay: timedelta, reason: Reason) -> None:
    """Request the upload of the post's files, and defer the post."""
    now = context.runtime.clock.now()

    async def work(transaction: Transaction) -> None:
        await transaction.run("request_upload", post=context.post.id, at=now)

    await context.write(work)
    await defer_post(context, delay, reason)
