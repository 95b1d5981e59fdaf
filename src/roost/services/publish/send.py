"""Sends a part: commits an attempt, creates the post on X, and commits the outcome."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from roost import rate_limits, x
from roost.errors import PostRefused, RoostError
from roost.failpoints import Failpoint, failpoint
from roost.models import AlertKind, PartState, Reason, ReasonCode
from roost.publishing.history import error_reason
from roost.publishing.reconcile import TimelinePost
from roost.publishing.state import Attempt, Outcome, PartProgress, Upload
from roost.services.publish import search
from roost.services.publish.context import PublishContext, StepResult
from roost.services.publish.outcomes import (
    begin_attempt,
    record_not_created,
    record_refused,
    record_sent,
    record_unknown,
    request_decision,
)
from roost.services.publish.waits import (
    APP_BACKOFF,
    back_off_account,
    back_off_app,
    backoff_delay,
    defer_post,
    end_backoffs,
)
from roost.snowflake import snowflake_time
from roost.text import text_or_none

#: The delay before a reply is sent again after X refused it because its parent is not visible.
_PARENT_DELAY: Final = timedelta(seconds=5)
#: A new parent becomes visible within seconds. After `_CHECK_PARENT_AFTER` refusals, the parent is
#: read from X to see whether it exists; after `_PARENT_TRIES` refusals, the parent counts as gone.
_CHECK_PARENT_AFTER: Final = 3
_PARENT_TRIES: Final = 12
#: If a parent that is older than this is not visible, it will never become visible.
_PARENT_LAG: Final = timedelta(minutes=1)


async def commit_attempt(
    context: PublishContext, part: PartProgress, *, again: bool
) -> Attempt | None:
    """Commit an attempt before its request is sent.

    Return None if another worker has changed the part in the meantime, or if the post was paused.
    Raises: DatabaseLostEvents.
    """
    uploads = [part.upload_of(asset.id) for asset in part.part.media]
    detail: dict[str, Any] = {"attempt": len(part.attempts) + 1}
    if again:
        is_confirmed = part.confirmed_absent
        code = ReasonCode.CONFIRMED_ABSENT if is_confirmed else ReasonCode.ABSENT_ON_TIMELINE
        detail["reason"] = Reason(code).to_json()
    return await begin_attempt(
        context,
        part,
        _require_uploads(part, uploads, again=again),
        started_at=context.runtime.x_now(),
        timeout=context.runtime.settings.create_timeout,
        detail=detail,
    )


def _require_uploads(
    part: PartProgress, uploads: Sequence[Upload | None], *, again: bool
) -> list[Upload]:
    """Return `uploads`, after checking that every file of the part has an upload.

    A resend (`again`) must use the same media ids as the attempt that it repeats.
    """
    present = [upload for upload in uploads if upload is not None]
    assert len(present) == len(part.part.media), "a part is sent after its files are uploaded"
    if again and part.last.media_ids and not part.confirmed_absent:
        assert tuple(each.media_id for each in present) == part.last.media_ids, (
            "a resend repeats the same request"
        )
    return present


async def send_part(
    context: PublishContext,
    part: PartProgress,
    attempt: Attempt,
    deadline_at: float,
    *,
    again: bool,
) -> StepResult:
    """Send the request of a committed attempt.

    `again` means that the request repeats, byte by byte, an earlier request without a response.
    `deadline_at` is the deadline of the commit and the request together, as a value of
    `roost.clock.boot_seconds`.
    """
    key = (context.tenant_id, context.post.id)
    context.locks.sending.add(key)
    try:
        return await _create(context, part, attempt, deadline_at, again=again)
    finally:
        context.locks.sending.discard(key)


async def _create(
    context: PublishContext,
    part: PartProgress,
    attempt: Attempt,
    deadline_at: float,
    *,
    again: bool,
) -> StepResult:
    failpoint(Failpoint.CREATE_BEFORE_SEND)
    if not await context.locks.is_held(context.account.x_user_id):
        # The lock is lost, so no request is sent. The next holder of the lock continues the post.
        await record_not_created(context, part, attempt, Reason(ReasonCode.LOCK_LOST))
        return StepResult.SKIP_POST
    options = part.part.options
    try:
        created = await x.posts.create(
            context.client,
            text=text_or_none(part.part.text),
            media_ids=list(attempt.media_ids),
            reply_to=context.state.parent_of(part.part),
            subscription_type=context.account.subscription_type,
            quote_tweet_id=options.quote_of,
            poll=options.poll,
            reply_settings=options.reply_settings,
            deadline=deadline_at,
        )
    except RoostError as error:
        result = await _record_failure(context, part, attempt, error, again=again)
        if isinstance(error, x.errors.Rejected | x.errors.ParentNotVisible):
            # X refused only this post, so X accepts other posts of the account and the app.
            await end_backoffs(context)
        return result
    failpoint(Failpoint.CREATE_AFTER_SEND)
    result = await record_sent(context, part, attempt, created.tweet_id, rate=created.rate)
    failpoint(Failpoint.CREATE_AFTER_COMMIT)
    return result


async def _record_failure(
    context: PublishContext,
    part: PartProgress,
    attempt: Attempt,
    error: RoostError,
    *,
    again: bool,
) -> StepResult:
    """Commit the outcome of an attempt for which X did not return a post."""
    match error:
        case x.errors.OutcomeUnknown():
            await record_unknown(context, part, attempt, error_reason(error))
            return StepResult.CONTINUE
        case x.errors.DuplicatePost() | x.errors.MediaIdsInvalid() if again:
            # A media id can be used once. If X refuses the id, an earlier attempt may have used it.
            await record_not_created(
                context, part, attempt, Reason(ReasonCode.ALREADY_ON_X), outcome=Outcome.DUPLICATE
            )
            return StepResult.CONTINUE
        case x.errors.DuplicatePost() | x.errors.MediaIdsInvalid():
            return await _resolve_duplicate(context, part, attempt, error)
        case x.errors.ParentNotVisible():
            return await _wait_for_parent(context, part, attempt, error, again=again)
        case x.errors.RateLimited():
            await record_not_created(context, part, attempt, error_reason(error), rate=error.rate)
            await _back_off_rate_limit(context, error)
            return StepResult.SKIP_POST
        case x.errors.OutOfCredits():
            await record_not_created(context, part, attempt, error_reason(error))
            await back_off_app(context, APP_BACKOFF, AlertKind.CREDITS, error)
            return StepResult.SKIP_POST
        case x.errors.AppMisconfigured():
            await record_not_created(context, part, attempt, error_reason(error))
            await back_off_app(context, APP_BACKOFF, AlertKind.APP, error)
            return StepResult.SKIP_POST
        case x.errors.Rejected() | PostRefused() if not again:
            await record_refused(context, part, attempt, error_reason(error))
            return StepResult.CONTINUE
        case x.errors.Rejected() | PostRefused():
            # The refusal of the resend does not prove that the earlier attempt created nothing.
            reason = _resend_refused(error_reason(error))
            await record_not_created(context, part, attempt, reason)
            await request_decision(context, part, reason)
            return StepResult.SKIP_POST
        case x.errors.XUnavailable():
            await record_not_created(context, part, attempt, error_reason(error))
            delay = backoff_delay(context.account.consecutive_refusals)
            await back_off_account(context, delay, error_reason(error))
            return StepResult.SKIP_POST
        case _:
            # X refused the account's token, or no token could be obtained.
            await record_not_created(context, part, attempt, error_reason(error))
            raise error


def _resend_refused(cause: Reason) -> Reason:
    return Reason(ReasonCode.RESEND_REFUSED, {"reason": cause.to_json()})


async def _back_off_rate_limit(context: PublishContext, error: x.errors.RateLimited) -> None:
    """Back off the account, or the whole app if the app's daily limit is reached."""
    now = context.runtime.clock.now()
    refusals = context.account.consecutive_refusals + 1
    wait = rate_limits.wait_after_429(error.rate, now=now, refusals=refusals)
    if wait.family is rate_limits.Family.APP_DAY:
        await back_off_app(context, wait.until - now, AlertKind.LIMIT, error)
    else:
        await back_off_account(context, wait.until - now, error_reason(error))


async def _resolve_duplicate(
    context: PublishContext, part: PartProgress, attempt: Attempt, error: x.errors.Rejected
) -> StepResult:
    """Find out why X refused a part as a duplicate, and commit the outcome.

    If the duplicate on X is recorded as another part, the refusal is final. Otherwise, the
    duplicate may be this part, whose attempt the database has lost. In that case, the duplicate is
    adopted, or a user decides.
    """
    earlier = await search.find_earlier_post(context, part) if part.attempts else None
    if earlier is not None:
        # An earlier attempt created the post, although X's response said that it created nothing.
        return await record_sent(
            context, part, attempt, earlier.tweet_id, created_at=earlier.created_at
        )
    match await search.find_duplicate(context, part):
        case search.Duplicate(facts, claimed=True):
            reason = error_reason(error, duplicate=facts)
            await record_refused(context, part, attempt, reason)
            return StepResult.CONTINUE
        case search.Duplicate(_, timeline_post=TimelinePost() as post, is_ours=True):
            return await record_sent(
                context, part, attempt, post.tweet_id, created_at=post.created_at
            )
        case search.Duplicate(facts):
            reason = Reason(ReasonCode.UNCLAIMED_DUPLICATE, facts)
            await record_unknown(context, part, attempt, reason)
            await request_decision(context, part, reason)
            return StepResult.SKIP_POST
        case None:
            await record_unknown(context, part, attempt, error_reason(error))
            return StepResult.CONTINUE


async def _wait_for_parent(
    context: PublishContext,
    part: PartProgress,
    attempt: Attempt,
    error: x.errors.ParentNotVisible,
    *,
    again: bool,
) -> StepResult:
    """Retry a reply whose parent X does not show; refuse it if the parent is gone."""
    tries = part.parent_refusals + 1
    parent = context.state.parent_of(part.part)
    is_own = part.part.options.reply_to is None
    facts = {"tweet_id": parent, "is_own": is_own}
    check_after = _CHECK_PARENT_AFTER
    if not is_own:
        x_now = context.runtime.x_now()
        is_old = parent is not None and x_now - snowflake_time(parent) > _PARENT_LAG
        check_after = 1 if is_old else check_after
    is_gone = tries >= check_after and await search.is_gone(context, parent)
    if not is_gone and tries < _PARENT_TRIES:
        await record_not_created(
            context, part, attempt, error_reason(error), outcome=Outcome.NO_PARENT
        )
        await defer_post(context, _PARENT_DELAY, Reason(ReasonCode.PARENT_NOT_VISIBLE, facts))
        return StepResult.SKIP_POST
    reason = Reason(ReasonCode.PARENT_GONE, facts)
    if not again:
        await record_refused(context, part, attempt, reason)
        return StepResult.CONTINUE
    await record_not_created(context, part, attempt, reason, outcome=Outcome.NO_PARENT)
    await request_decision(context, part, _resend_refused(reason))
    return StepResult.SKIP_POST


async def expire_attempt(context: PublishContext, part: PartProgress) -> None:
    """Mark a part unknown: the attempt's deadline has passed, and its worker has ended."""
    assert part.part.state is PartState.SENDING
    await record_unknown(context, part, part.last, Reason(ReasonCode.WORKER_ENDED))
