"""Commits the outcomes of attempts, parts and posts.

Every state change is a compare-and-set: if another worker has changed the state, nothing is
written, and the post's state is read again. While the database is away, a response of X is kept in
memory, and Roost tries again to write it.
"""

import contextlib
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from roost import prices, store
from roost.errors import PostNotFound
from roost.failpoints import Failpoint, failpoint
from roost.models import (
    AlertKind,
    Detail,
    EventCode,
    Part,
    PartState,
    PostState,
    Reason,
    ReasonCode,
    TweetId,
    reason_detail,
)
from roost.models.alerts import about_post
from roost.outcome_alerts import FINAL_EVENTS, alert_outcome
from roost.prices import Price
from roost.publishing.state import Attempt, Outcome, PartProgress, Upload
from roost.rate_limits import Window
from roost.services.publish.context import PublishContext, StepResult
from roost.services.publish.waits import end_backoffs
from roost.store.database import Transaction

log = logging.getLogger(__name__)


async def begin_attempt(
    context: PublishContext,
    part: PartProgress,
    uploads: Sequence[Upload],
    *,
    started_at: datetime,
    timeout: timedelta,
    code: EventCode = EventCode.PART_ATTEMPTED,
    detail: Detail,
) -> Attempt | None:
    """Commit an attempt. Return None if the part or its post has changed or was paused.

    Raises: DatabaseLostEvents.
    """
    runtime, locks = context.runtime, context.locks
    begun = await store.publishing.begin_attempt(
        runtime.database.autocommit,
        context.tenant_id,
        part,
        uploads,
        started_at=started_at,
        deadline=timeout,
        at=runtime.clock.now(),
        code=code,
        detail=detail,
        actor=context.scope.actor,
        fence=locks.fence,
        is_wall_time=runtime.clock.is_wall_time,
    )
    if begun is None:
        return None
    attempt, locks.fence = begun
    return attempt


async def record_sent(
    context: PublishContext,
    part: PartProgress,
    attempt: Attempt,
    tweet_id: TweetId,
    *,
    rate: Collection[Window] = (),
    created_at: datetime | None = None,
) -> StepResult:
    """Record in one statement that a part is on X: X's id, the price and the event.

    `rate` has the rate-limit windows of X's response. If the post was found on the timeline,
    `created_at` is the time at which X created the post. If X's response to the attempt contained
    the id, `created_at` is None.
    """
    runtime = context.runtime
    now, adopted = runtime.clock.now(), created_at is not None
    unknown = PartState.UNKNOWN

    async def write() -> store.publishing.RecordedSent:
        price = await _price_part(context, part.part)
        return await store.publishing.record_sent(
            runtime.database.autocommit,
            context.tenant_id,
            context.account.id,
            part.part,
            attempt,
            tweet_id,
            outcome=Outcome.ADOPTED if adopted else Outcome.SENT,
            sent_at=created_at or now,
            usd=price.low,
            price_reason=price.reason,
            windows=rate,
            at=now,
            from_state=unknown if adopted and part.part.state is unknown else PartState.SENDING,
            code=EventCode.PART_ADOPTED if adopted else EventCode.PART_SENT,
            detail={"tweet_id": tweet_id},
            actor=context.scope.actor,
            excluding=context.deferred,
        )

    sent = await context.retry_until_written(write)
    if sent.forgotten:
        await _record_forgotten_attempt(context, part, tweet_id)
        return StepResult.DONE
    if not sent.moved and not sent.known:
        # Another worker has begun a later attempt, so X's id is kept in an alert and an event.
        _log_response(
            context, part, "an earlier attempt late, so the part may be on X twice", tweet_id
        )
        await _record_possible_duplicate(context, part, tweet_id)
        reason = Reason(ReasonCode.LATE_RESPONSE, {"tweet_id": tweet_id})
        await request_decision(context, part, reason)
    elif sent.moved:
        await end_backoffs(context)
    return StepResult.DONE if sent.is_last else StepResult.CONTINUE


async def _price_part(context: PublishContext, part: Part) -> Price:
    if part.options.reply_to is None:
        return prices.price_of_part(part.text, part.options, has_media=bool(part.media))
    return await context.write(
        lambda transaction: store.ledger.price_part(transaction, context.account.id, part)
    )


async def _record_forgotten_attempt(
    context: PublishContext, part: PartProgress, tweet_id: TweetId
) -> None:
    """Begin no more attempts, because the database has lost one that created a post on X.

    After a user has resumed everything, a search of X finds the post. Until then, an event in the
    post's history contains X's id of the part.
    """
    _log_response(context, part, "an attempt that the database lacks", tweet_id)
    context.locks.close_gate("the database lacks an attempt of this worker")

    async def write() -> None:
        await context.write(
            lambda transaction: _add_event(
                context, transaction, part, EventCode.PART_FORGOTTEN, tweet_id
            )
        )

    with contextlib.suppress(PostNotFound):
        await context.retry_until_written(write)


def _log_response(
    context: PublishContext, part: PartProgress, attempt: str, tweet_id: TweetId
) -> None:
    log.error(
        "post %s, part %s: X responded to %s; the part is on X as %s",
        context.post.id, part.part.position, attempt, tweet_id,
    )  # fmt: skip


async def _record_possible_duplicate(
    context: PublishContext, part: PartProgress, tweet_id: TweetId
) -> None:
    post_id, now = context.post.id, context.runtime.clock.now()

    async def work(transaction: Transaction) -> None:
        await _add_event(context, transaction, part, EventCode.PART_ANSWERED_LATE, tweet_id)
        reason = Reason(ReasonCode.LATE_RESPONSE, {"tweet_id": tweet_id})
        await store.alerts.open_alert(
            transaction, context.tenant_id, AlertKind.POSSIBLE_DUPLICATE, about_post(post_id),
            at=now,
            detail={"username": context.account.username, "reason": reason.to_json()},
        )  # fmt: skip

    await context.retry_until_written(lambda: context.write(work))


async def _add_event(
    context: PublishContext,
    transaction: Transaction,
    part: PartProgress,
    code: EventCode,
    tweet_id: TweetId,
) -> None:
    """Add an event without a change of state to the post's history."""
    post_id, runtime = context.post.id, context.runtime
    state = await store.posts.lock_state(transaction, post_id)
    await store.posts.add_event(
        transaction, context.tenant_id, post_id, runtime.clock.now(), code,
        from_state=state, to_state=state, detail={"tweet_id": tweet_id},
        actor=context.scope.actor, position=part.part.position,
    )  # fmt: skip


async def record_not_created(
    context: PublishContext,
    part: PartProgress,
    attempt: Attempt,
    reason: Reason,
    *,
    outcome: Outcome = Outcome.NOT_CREATED,
    rate: Collection[Window] = (),
) -> None:
    """Record that an attempt created no post on X; the part returns to its earlier state."""
    code = EventCode.PART_NOT_CREATED
    await _end_attempt(context, part, attempt, part.part.state, outcome, code, reason, rate)


async def record_unknown(
    context: PublishContext, part: PartProgress, attempt: Attempt, reason: Reason
) -> None:
    """Record that an attempt's outcome is unknown, so that the timeline is read next."""
    await _end_attempt(
        context, part, attempt, PartState.UNKNOWN, Outcome.UNKNOWN, EventCode.PART_UNKNOWN, reason
    )


async def record_refused(
    context: PublishContext, part: PartProgress, attempt: Attempt, reason: Reason
) -> None:
    """Record that X refused the part and would refuse it again."""
    await _end_attempt(
        context, part, attempt, PartState.FAILED, Outcome.REFUSED, EventCode.PART_REFUSED, reason
    )


# The function has more than seven parameters, because it writes an outcome, an event and `rate`.
async def _end_attempt(
    context: PublishContext,
    part: PartProgress,
    attempt: Attempt,
    after: PartState,
    outcome: Outcome,
    code: EventCode,
    reason: Reason,
    rate: Collection[Window] = (),
) -> None:
    now = context.runtime.clock.now()

    async def work(transaction: Transaction) -> None:
        if rate:
            await store.publishing.save_rate_windows(transaction, context.account.id, rate)
        await store.publishing.end_attempt(
            transaction, part.part, attempt, after, outcome,
            at=now, code=code, detail=reason_detail(reason), actor=context.scope.actor,
        )  # fmt: skip

    await context.retry_until_written(lambda: context.write(work))


async def request_decision(context: PublishContext, part: PartProgress, reason: Reason) -> None:
    """Ask a user to decide about the post, because Roost cannot determine a part's outcome."""
    await finish_post(context, PostState.NEEDS_DECISION, reason, position=part.part.position)


async def finish_post(
    context: PublishContext, after: PostState, reason: Reason | None, *, position: int | None = None
) -> None:
    """Set the post's final state; if a part was refused, the refusal becomes the reason."""
    post, now = context.post, context.runtime.clock.now()
    failpoint(Failpoint.POST_BEFORE_SETTLED)

    async def work(transaction: Transaction) -> None:
        final_reason = reason
        if after in {PostState.FAILED, PostState.PARTLY_PUBLISHED}:
            events = await store.posts.list_events(transaction, post.id)
            refusals = (
                event.reason for event in reversed(events) if event.to_state == PartState.FAILED
            )
            final_reason = next(filter(None, refusals), reason)
        # If a user has changed the due time in the meantime, this final state no longer applies.
        if not await store.posts.move(
            transaction, post.id, PostState.PUBLISHING, after, final_reason,
            at=now, due_at=post.due_at,
        ):  # fmt: skip
            return
        await store.posts.add_event(
            transaction, context.tenant_id, post.id, now, FINAL_EVENTS[after],
            from_state=PostState.PUBLISHING, to_state=after, detail=reason_detail(final_reason),
            actor=context.scope.actor, position=position,
        )  # fmt: skip
        await alert_outcome(transaction, post, context.account, after, final_reason, at=now)

    await context.write(work)
    failpoint(Failpoint.POST_AFTER_SETTLED)
