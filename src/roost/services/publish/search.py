"""Looks for parts on X: after an attempt without an answer, or before the first attempt.

Every read of a post is billed, once per app and day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from roost import store, timelines, x
from roost.errors import RoostError
from roost.failpoints import Failpoint
from roost.models import AlertKind, Environment, PartState, TweetId
from roost.publishing import reconcile
from roost.publishing.state import Attempt, PartProgress
from roost.services.publish.pauses import PAUSE_APP, growing
from roost.services.publish.rows import Turn, Way
from roost.telemetry import failpoint
from roost.tweet_urls import tweet_url


async def ask_timeline(way: Way, part: PartProgress, *, counts: bool) -> Turn:
    """Read whether an attempt without an answer became a post."""
    failpoint(Failpoint.READ_BEFORE_SEND)
    since = part.unsettled_since
    timeline = await _read_or_wait(way, part, since)
    if timeline is None:
        return Turn.BEHIND
    failpoint(Failpoint.READ_AFTER_SEND)
    verdict = reconcile.judge_timeline(
        _wanted(way, part),
        since=since,
        until=_latest_birth(way, part),
        timeline=timeline,
        claimed=await _list_claimed(way, timeline),
    )
    turn = Turn.ON
    match verdict:
        case reconcile.Found(seen):
            turn = await way.sent(part, part.last, seen.tweet_id, found_of=seen.created_at)
        case reconcile.NotFound():
            await way.write(
                lambda transaction: store.publishing.record_empty_read(
                    transaction, part.last, way.runtime.x_now(), counts=counts
                )
            )
        case reconcile.Ambiguous():
            await way.ask_person(part, describe(verdict))
            return Turn.BEHIND
        case _:
            assert_never(verdict)
    failpoint(Failpoint.READ_AFTER_COMMIT)
    return turn


async def search_first(way: Way, part: PartProgress, since: datetime) -> Turn:
    """Read once whether X has a part of which an attempt may be forgotten, and adopt it."""
    timeline = await _read_or_wait(way, part, since)
    if timeline is None:
        return Turn.BEHIND
    verdict = reconcile.judge_forgotten(
        _wanted(way, part),
        since=since,
        timeline=timeline,
        claimed=await _list_claimed(way, timeline),
    )
    if isinstance(verdict, reconcile.NotFound):
        assert way.journal.recheck is not None, "it asked for this search"
        until = way.journal.recheck.until
        # No later part of the post can be on X without this one.
        later = (
            each.part for each in way.journal.parts if each.part.position >= part.part.position
        )
        way.locks.searched |= {(until, each.id) for each in later}
        return Turn.ON
    if part.part.state is PartState.UNKNOWN:
        attempt: Attempt | None = part.last
    else:
        why = "looked for on X before an attempt: the database may have forgotten one"
        attempt = await way.begin_attempt(
            part, [], started_at=since, deadline=timedelta(0), why=why
        )
    if attempt is None:
        return Turn.BEHIND
    if isinstance(verdict, reconcile.Found):
        seen = verdict.seen
        return await way.sent(part, attempt, seen.tweet_id, found_of=seen.created_at)
    if part.part.state is not PartState.UNKNOWN:
        await way.unknown(part, attempt, describe(verdict))
    await way.ask_person(part, describe(verdict))
    return Turn.BEHIND


def describe(verdict: reconcile.Ambiguous) -> str:
    """Why a person is asked, with the ids to look at."""
    return f"{verdict.why}: {', '.join(seen.tweet_id for seen in verdict.seen)}"


@dataclass(frozen=True, slots=True)
class Twin:
    """The post that X has already, where a part was refused as a duplicate."""

    address: str
    claimed: bool
    """A part of ours is known as it."""
    seen: reconcile.TimelinePost | None = None
    is_ours: bool = False
    """An app of ours made it, as the other posts of the timeline show."""


async def find_twin(way: Way, part: PartProgress) -> Twin | None:
    """The post that X refuses a part for. What no part claims comes first: it may be this one.

    None where it is not found, or X does not show the timeline now.
    """
    wanted = _wanted(way, part)
    try:
        timeline = await _read_seen(way, way.runtime.x_now() - reconcile.DUPLICATE_WINDOW)
    except RoostError:
        return None
    claimed = await _list_claimed(way, timeline)
    alike = [seen for seen in timeline if wanted.says_same(seen)]
    unclaimed = [seen for seen in alike if seen.tweet_id not in claimed]
    if unclaimed:
        (seen, *others) = unclaimed
        is_ours = (
            not others
            and wanted.resembles(seen)
            and seen.source in reconcile.find_sources(timeline, claimed)
            and not await _is_another_unsettled(way, part)
        )
        return Twin(_address(way, seen.tweet_id), claimed=False, seen=seen, is_ours=is_ours)
    known = await way.write(
        lambda transaction: transaction.run_one(
            "find_duplicate", integration=way.account.id, text=part.part.text, part=part.part.id
        )
    )
    if known is None:
        return Twin(_address(way, alike[0].tweet_id), claimed=True) if alike else None
    where = _address(way, TweetId(known["sent_as"]))
    return Twin(f"{where} (post {known['post_id']})", claimed=True)


async def _is_another_unsettled(way: Way, part: PartProgress) -> bool:
    """Whether the answer to an identical part is not known yet: the post may be that one's."""
    row = await way.write(
        lambda transaction: transaction.run_one("has_unresolved_duplicate", part=part.part.id)
    )
    return bool(row and row["found"])


async def find_own(way: Way, part: PartProgress) -> reconcile.TimelinePost | None:
    """The post of an earlier attempt, of which X said that it had created nothing.

    None where X shows none, or several that may be it.
    """
    since = part.attempts[0].started_at
    try:
        timeline = await _read_seen(way, since)
    except RoostError:
        return None
    verdict = reconcile.judge_timeline(
        _wanted(way, part),
        since=since,
        until=_latest_birth(way, part),
        timeline=timeline,
        claimed=await _list_claimed(way, timeline),
    )
    return verdict.seen if isinstance(verdict, reconcile.Found) else None


async def is_gone(way: Way, tweet_id: TweetId | None) -> bool:
    """Whether X has a post no longer, or hides it from the account; False where it does not say."""
    if tweet_id is None:
        return False
    try:
        found = await x.posts.read_posts(way.client, [tweet_id])
    except RoostError:
        return False
    return tweet_id not in found


def _address(way: Way, tweet_id: TweetId) -> str:
    """Where a person finds it; what was made in play has no page on the real X."""
    if way.account.environment is Environment.LIVE:
        return tweet_url(tweet_id)
    return f"{tweet_id} on the emulator"


def _wanted(way: Way, part: PartProgress) -> reconcile.Wanted:
    return timelines.describe_part(part, way.journal.parent_of(part.part))


def _latest_birth(way: Way, part: PartProgress) -> datetime:
    """When a post of the attempts may have been made at the latest, but for a slow network."""
    if not way.runtime.clock.is_wall_time:
        return way.runtime.x_now()
    return part.unsettled[-1].started_at + way.runtime.settings.create_timeout


async def _list_claimed(way: Way, timeline: Sequence[reconcile.TimelinePost]) -> set[TweetId]:
    return await way.write(
        lambda transaction: store.posts.list_claimed(
            transaction, [seen.tweet_id for seen in timeline]
        )
    )


async def _read_or_wait(
    way: Way, part: PartProgress, since: datetime
) -> list[reconcile.TimelinePost] | None:
    """The timeline since an instant; None where X does not show it, and the post waits."""
    try:
        return await _read_seen(way, since)
    except x.errors.RateLimited as error:
        await way.rest(error.wait, error.message)
    except x.errors.OutOfCredits as error:
        await way.rest_app(PAUSE_APP, AlertKind.CREDITS, error)
    except x.errors.XUnavailable as error:
        await way.rest(growing(0), error.message)
    except x.errors.Rejected as error:
        why = f"X does not show its timeline: {error.message}"
        if part.attempts:
            await way.ask_person(part, why)
        else:
            await way.rest(growing(0), why)
    return None


async def _read_seen(way: Way, since: datetime) -> list[reconcile.TimelinePost]:
    return await timelines.read_since(way.client, way.account.x_user_id, since)
