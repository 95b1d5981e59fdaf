"""Searches X for parts: after an attempt without a response, and before a first attempt.

X bills each post that is read, once per app and UTC day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never

from roost import store, timelines, x
from roost.errors import RoostError
from roost.failpoints import Failpoint, failpoint
from roost.models import (
    AlertKind,
    Detail,
    Environment,
    EventCode,
    PartState,
    Reason,
    ReasonCode,
    TweetId,
    reason_detail,
)
from roost.publishing.history import error_reason
from roost.publishing.reconcile import (
    DUPLICATE_WINDOW,
    Ambiguous,
    ExpectedPost,
    Found,
    NotFound,
    TimelinePost,
    list_sources,
    match_forgotten_part,
    match_part,
)
from roost.publishing.state import Attempt, PartProgress
from roost.services.publish.context import PublishContext, StepResult
from roost.services.publish.outcomes import (
    begin_attempt,
    record_sent,
    record_unknown,
    request_decision,
)
from roost.services.publish.waits import (
    APP_BACKOFF,
    back_off_app,
    backoff_delay,
    defer_post,
)
from roost.tweet_urls import tweet_url


async def reconcile(context: PublishContext, part: PartProgress, *, counts: bool) -> StepResult:
    """Search the timeline for the post of an attempt without a response, and adopt the post.

    If the timeline does not show the post, `counts` says whether this is evidence that the post is
    not on X.
    """
    failpoint(Failpoint.READ_BEFORE_SEND)
    since = part.unresolved_since
    timeline = await _read_or_defer(context, part, since)
    if timeline is None:
        return StepResult.SKIP_POST
    failpoint(Failpoint.READ_AFTER_SEND)
    verdict = match_part(
        _expect(context, part),
        since=since,
        until=_latest_creation(context, part),
        timeline=timeline,
        claimed=await _list_claimed(context, timeline),
    )
    result = StepResult.CONTINUE
    match verdict:
        case Found(post):
            result = await record_sent(
                context, part, part.last, post.tweet_id, created_at=post.created_at
            )
        case NotFound():
            await context.write(
                lambda transaction: store.publishing.record_empty_read(
                    transaction, part.last, context.runtime.x_now(), counts=counts
                )
            )
        case Ambiguous():
            await request_decision(context, part, verdict.reason)
            return StepResult.SKIP_POST
        case _:
            assert_never(verdict)
    failpoint(Failpoint.READ_AFTER_COMMIT)
    return result


async def search_before_send(
    context: PublishContext, part: PartProgress, since: datetime
) -> StepResult:
    """Search the timeline for a part, because the database may lack an attempt of the part.

    If exactly one post matches the part, the post is adopted. If the match is ambiguous, a user is
    asked to decide.
    """
    timeline = await _read_or_defer(context, part, since)
    if timeline is None:
        return StepResult.SKIP_POST
    verdict = match_forgotten_part(
        _expect(context, part),
        since=since,
        timeline=timeline,
        claimed=await _list_claimed(context, timeline),
    )
    if isinstance(verdict, NotFound):
        assert context.state.recheck is not None, "only a recheck causes this search"
        until = context.state.recheck.until
        # No later part of the post can be on X without this one.
        later = (
            each.part for each in context.state.parts if each.part.position >= part.part.position
        )
        context.locks.searched |= {(until, each.id) for each in later}
        return StepResult.CONTINUE
    if part.part.state is PartState.UNKNOWN:
        attempt: Attempt | None = part.last
    else:
        attempt = await begin_attempt(
            context, part, [], started_at=since, timeout=timedelta(0),
            code=EventCode.PART_ATTEMPT_ASSUMED, detail=reason_detail(Reason(ReasonCode.RECHECK)),
        )  # fmt: skip
    if attempt is None:
        return StepResult.SKIP_POST
    if isinstance(verdict, Found):
        post = verdict.post
        return await record_sent(context, part, attempt, post.tweet_id, created_at=post.created_at)
    if part.part.state is not PartState.UNKNOWN:
        await record_unknown(context, part, attempt, verdict.reason)
    await request_decision(context, part, verdict.reason)
    return StepResult.SKIP_POST


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The post on X because of which X refused a part as a duplicate."""

    facts: Detail
    """The post's `tweet_id`, its `url` (None on an emulator), and Roost's `post_id` if known."""
    claimed: bool
    """Whether the post is recorded as a part of a post of Roost."""
    timeline_post: TimelinePost | None = None
    is_ours: bool = False
    """Whether the post is this part: Roost's app created it, and no other part can match."""


async def find_duplicate(context: PublishContext, part: PartProgress) -> Duplicate | None:
    """Find the post on X because of which X refused a part as a duplicate.

    A post whose id no part has is preferred, because an earlier attempt of this part may have
    created it. Return None if no such post is found, or if X does not return the timeline now.
    """
    expected = _expect(context, part)
    try:
        timeline = await _read_timeline(context, context.runtime.x_now() - DUPLICATE_WINDOW)
    except RoostError:
        return None
    claimed = await _list_claimed(context, timeline)
    alike = [post for post in timeline if expected.has_text_of(post)]
    unclaimed = [post for post in alike if post.tweet_id not in claimed]
    if unclaimed:
        (post, *others) = unclaimed
        is_ours = (
            not others
            and expected.matches(post)
            and post.source in list_sources(timeline, claimed)
            and not await _has_unresolved_duplicate(context, part)
        )
        return Duplicate(
            _facts(context, post.tweet_id), claimed=False, timeline_post=post, is_ours=is_ours
        )
    known = await context.write(
        lambda transaction: transaction.run_one(
            "find_duplicate", integration=context.account.id, text=part.part.text, part=part.part.id
        )
    )
    if known is None:
        return Duplicate(_facts(context, alike[0].tweet_id), claimed=True) if alike else None
    facts = _facts(context, TweetId(known["sent_as"]))
    return Duplicate(facts | {"post_id": known["post_id"]}, claimed=True)


async def _has_unresolved_duplicate(context: PublishContext, part: PartProgress) -> bool:
    """Whether another part with the same text may be on X although its outcome is unknown.

    In that case, a post with this text on the timeline may be the other part.
    """
    row = await context.write(
        lambda transaction: transaction.run_one("has_unresolved_duplicate", part=part.part.id)
    )
    return bool(row and row["found"])


async def find_earlier_post(context: PublishContext, part: PartProgress) -> TimelinePost | None:
    """Find a post that an earlier attempt created although X's response denied this.

    Return None if no post, or more than one, matches, or if X does not return the timeline.
    """
    since = part.attempts[0].started_at
    try:
        timeline = await _read_timeline(context, since)
    except RoostError:
        return None
    verdict = match_part(
        _expect(context, part),
        since=since,
        until=_latest_creation(context, part),
        timeline=timeline,
        claimed=await _list_claimed(context, timeline),
    )
    return verdict.post if isinstance(verdict, Found) else None


async def is_gone(context: PublishContext, tweet_id: TweetId | None) -> bool:
    """Whether X does not return the post `tweet_id` to the account; False if the read fails."""
    if tweet_id is None:
        return False
    try:
        found = await x.posts.read_posts(context.client, [tweet_id])
    except RoostError:
        return False
    return tweet_id not in found


def _facts(context: PublishContext, tweet_id: TweetId) -> dict[str, Any]:
    """Return a post's id and address. A post on an emulator has no address on the real X."""
    is_live = context.account.environment is Environment.LIVE
    return {"tweet_id": tweet_id, "url": tweet_url(tweet_id) if is_live else None}


def _expect(context: PublishContext, part: PartProgress) -> ExpectedPost:
    return timelines.describe_part(part, context.state.parent_of(part.part))


def _latest_creation(context: PublishContext, part: PartProgress) -> datetime:
    """Return the latest time at which the last attempt can have created a post on X."""
    if not context.runtime.clock.is_wall_time:
        return context.runtime.x_now()
    return part.unresolved[-1].started_at + context.runtime.settings.create_timeout


async def _list_claimed(context: PublishContext, timeline: Sequence[TimelinePost]) -> set[TweetId]:
    return await context.write(
        lambda transaction: store.posts.list_claimed(
            transaction, [post.tweet_id for post in timeline]
        )
    )


async def _read_or_defer(
    context: PublishContext, part: PartProgress, since: datetime
) -> list[TimelinePost] | None:
    """Read the timeline since an instant. Return None if X does not return the timeline.

    In that case the post is deferred, or a user is asked to decide.
    """
    try:
        return await _read_timeline(context, since)
    except x.errors.RateLimited as error:
        await defer_post(context, error.wait, error_reason(error))
    except x.errors.OutOfCredits as error:
        await back_off_app(context, APP_BACKOFF, AlertKind.CREDITS, error)
    except x.errors.XUnavailable as error:
        await defer_post(context, backoff_delay(0), error_reason(error))
    except x.errors.Rejected as error:
        reason = Reason(ReasonCode.TIMELINE_HIDDEN, reason_detail(error_reason(error)))
        if part.attempts:
            await request_decision(context, part, reason)
        else:
            await defer_post(context, backoff_delay(0), reason)
    return None


async def _read_timeline(context: PublishContext, since: datetime) -> list[TimelinePost]:
    return await timelines.read_since(context.client, context.account.x_user_id, since)
