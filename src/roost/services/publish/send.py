"""The two steps that ask X about a part: send it, and look for it on the account's timeline."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never

from roost import limits, promise, store, x
from roost.errors import RoostError
from roost.journal import Attempt, Outcome, PartJournal, Upload
from roost.models import Environment, Part, PartState, TweetId
from roost.points import Point
from roost.services.publish.rows import Turn, Way
from roost.telemetry import reached

#: Pauses in domain time. Of an X that does not answer: the first, doubled each time, and the
#: longest.
_PAUSE_UNREACHABLE: Final = timedelta(seconds=20)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
_PAUSE_PARENT: Final = timedelta(seconds=5)
#: A fresh parent is visible within seconds; one that is not after so many tries is gone.
_PARENT_TRIES: Final = 12
#: X adds bought credits within five minutes (Source: docs.x.com, pricing, auto-recharge).
PAUSE_APP: Final = timedelta(minutes=5)
#: Before a duplicate's twin is looked for on the timeline; nobody outside X knows its window.
_TWINS_WITHIN: Final = timedelta(hours=24)


def growing(rests: int) -> timedelta:
    """The pause after so many refusals in a row before this one."""
    doubled: int = 2 ** min(rests, 10)
    return min(_PAUSE_UNREACHABLE * doubled, _LONGEST_PAUSE)


async def begin(way: Way, part: PartJournal, *, again: bool) -> Attempt | None:
    """Write and commit an attempt, before it is sent.

    None where another worker has changed the part meanwhile.
    """
    uploads = [part.upload_of(asset.id) for asset in part.part.media]
    tried = f"attempt {len(part.attempts) + 1}"
    why = "handed to X"
    if again:
        looked = "X's timeline does not show it"
        if part.last.decided_absent:
            looked = "a person says that X does not have it"
        why = f"handed to X again, since {looked}"
    return await store.journal.begin_attempt(
        way.house.database.alone,
        way.tenant_id,
        part,
        _carried(part, uploads, again=again),
        at=way.house.clock.now(),
        deadline=way.house.settings.create_deadline,
        why=f"{why} ({tried})",
        who=way.house.who,
    )


def _carried(part: PartJournal, uploads: Sequence[Upload | None], *, again: bool) -> list[Upload]:
    """What the request carries, in the order of the part's files."""
    carried = [upload for upload in uploads if upload is not None]
    assert len(carried) == len(part.part.media), "a part is sent once X has its files"
    if again and part.last.media_ids and not part.last.decided_absent:
        assert tuple(each.media_id for each in carried) == part.last.media_ids, (
            "a repetition is the same request"
        )
    return carried


async def send_part(
    way: Way, part: PartJournal, attempt: Attempt, deadline_at: float, *, again: bool
) -> Turn:
    """Send what is committed.

    `again`: it repeats, byte by byte, one that X did not answer. `deadline_at` was read before the
    commit, from a clock that counts suspended time, and holds for commit and request together.
    """
    reached(Point.CREATE_BEFORE_SEND)
    if not await way.locks.still_hold(way.account.id):
        # Nothing left the machine; whoever holds the account now decides from the rows.
        await way.take_back(part, attempt, "the account's lock was lost before it was sent")
        return Turn.BEHIND
    try:
        created = await x.posts.create(
            way.client,
            text=part.part.text or None,
            media_ids=list(attempt.media_ids),
            reply_to=way.journal.parent_of(part.part),
            deadline=deadline_at,
        )
    except RoostError as error:
        return await _refused(way, part, attempt, error, again=again)
    reached(Point.CREATE_AFTER_SEND)
    turn = await way.sent(part, attempt, created.tweet_id, rate=created.rate)
    reached(Point.CREATE_AFTER_COMMIT)
    return turn


async def _refused(
    way: Way, part: PartJournal, attempt: Attempt, error: RoostError, *, again: bool
) -> Turn:
    """What becomes of an attempt that did not end with a post."""
    rests = way.account.rests
    match error:
        case x.errors.OutcomeUnknown():
            await way.unknown(part, attempt, str(error))
            return Turn.ON
        case x.errors.DuplicatePost() if again:
            await way.take_back(
                part, attempt, "X says it has this post already", outcome=Outcome.DUPLICATE
            )
            return Turn.ON
        case x.errors.DuplicatePost():
            if part.attempts and (own := await _find_own(way, part)) is not None:
                # An earlier attempt, of which X said that it had created nothing, did.
                return await way.sent(part, attempt, own.tweet_id, found_of=own.created_at)
            where = await _find_twin(way, part.part)
            await way.refused(part, attempt, f"{error.code}: {error.message}{where}")
            return Turn.ON
        case x.errors.ParentNotVisible() if again or part.without_parent + 1 < _PARENT_TRIES:
            await way.take_back(part, attempt, str(error), outcome=Outcome.NO_PARENT)
            await way.rest(_PAUSE_PARENT, "the part before it is not visible to X yet")
            return Turn.BEHIND
        case x.errors.RateLimited():
            await way.take_back(part, attempt, str(error), rate=error.rate)
            await _rest_limited(way, error)
            return Turn.BEHIND
        case x.errors.OutOfCredits():
            await way.take_back(part, attempt, str(error))
            await way.rest_app(PAUSE_APP, "credits", error)
            return Turn.BEHIND
        case x.errors.AppMisconfigured():
            await way.take_back(part, attempt, str(error))
            await way.rest_app(PAUSE_APP, "app", error)
            return Turn.BEHIND
        case x.errors.Rejected() | x.errors.ParentNotVisible() if not again:
            await way.refused(part, attempt, f"{error.code}: {error.message}")
            return Turn.ON
        case x.errors.Rejected():
            # It tells nothing about the attempt that this one repeated.
            why = f"X did not answer the first attempt, and refuses another: {error.message}"
            await way.take_back(part, attempt, why)
            await way.ask_person(part, why)
            return Turn.BEHIND
        case x.errors.XUnavailable():
            await way.take_back(part, attempt, str(error))
            await way.rest_account(growing(rests), error.message)
            return Turn.BEHIND
        case _:
            # X does not let the account in, or there was no token to ask with.
            await way.take_back(part, attempt, str(error))
            raise error


async def _rest_limited(way: Way, error: x.errors.RateLimited) -> None:
    """The window that is empty rests the account, or the whole app where it is the app's."""
    now = way.house.clock.now()
    wait = limits.wait_after_429(error.rate, now=now, refusals=way.account.rests + 1)
    if wait.family is limits.Family.APP_DAY:
        await way.rest_app(wait.until - now, "limit", error)
    else:
        await way.rest_account(wait.until - now, error.message)


async def _find_twin(way: Way, part: Part) -> str:
    """Where the post is that X has already: among ours for nothing, else on the timeline.

    A sentence for the reason; empty where it is not found, or X does not show the timeline now.
    """
    known = await way.write(
        lambda transaction: transaction.run_one(
            "find_twin", integration=way.account.id, text=part.text, part=part.id
        )
    )
    if known is not None:
        return f" It is {_address(way, known['sent_as'])} (post {known['post_id']})."
    wanted = x.posts.as_returned(part.text)
    since = promise.since_tweet(way.house.clock.now() - _TWINS_WITHIN)
    try:
        async for seen in x.posts.read_timeline(way.client, way.account.x_user_id, since_id=since):
            if seen.expanded_text == wanted:
                return f" It is {_address(way, seen.tweet_id)}."
    except RoostError:
        return ""
    return ""


def _address(way: Way, tweet_id: TweetId) -> str:
    """Where a person finds it; what was made in play has no page on the real X."""
    if way.account.environment is Environment.LIVE:
        return f"https://x.com/i/web/status/{tweet_id}"
    return f"{tweet_id} on the emulator"


async def _find_own(way: Way, part: PartJournal) -> promise.Seen | None:
    """The one post since the part's first attempt that is this part; None where X shows none."""
    since = part.attempts[0].started_at
    try:
        verdict = await _judge(way, part, since, await _read_seen(way, since))
    except RoostError:
        return None
    return verdict.seen if isinstance(verdict, promise.Found) else None


async def _read_seen(way: Way, since: datetime) -> list[promise.Seen]:
    """What the account's timeline shows of the time since an attempt; each post is billed."""
    return [
        promise.Seen(
            tweet_id=seen.tweet_id,
            text=seen.expanded_text,
            created_at=seen.created_at,
            reply_to=seen.reply_to,
            media_keys=frozenset(seen.media_keys),
        )
        async for seen in x.posts.read_timeline(
            way.client, way.account.x_user_id, since_id=promise.since_tweet(since)
        )
    ]


async def _judge(
    way: Way, part: PartJournal, since: datetime, timeline: Sequence[promise.Seen]
) -> promise.Found | promise.NotFound | promise.Ambiguous:
    adopted = await way.write(
        lambda transaction: store.posts.list_adopted(
            transaction, way.account.id, [seen.tweet_id for seen in timeline]
        )
    )
    return promise.judge_timeline(
        text=x.posts.as_returned(part.part.text),
        files=len(part.part.media),
        media_keys=part.media_keys,
        reply_to=way.journal.parent_of(part.part),
        since=since,
        timeline=timeline,
        adopted=adopted,
    )


async def ask_timeline(way: Way, part: PartJournal, *, counts: bool) -> Turn:
    """Look whether an attempt without an answer became a post."""
    reached(Point.READ_BEFORE_SEND)
    since = part.unsettled_since
    try:
        timeline = await _read_seen(way, since)
    except x.errors.RateLimited as error:
        await way.rest(error.wait, error.message)
        return Turn.BEHIND
    except x.errors.OutOfCredits as error:
        await way.rest_app(PAUSE_APP, "credits", error)
        return Turn.BEHIND
    except x.errors.XUnavailable as error:
        await way.rest(growing(0), error.message)
        return Turn.BEHIND
    except x.errors.Rejected as error:
        await way.ask_person(part, f"X does not show its timeline: {error.message}")
        return Turn.BEHIND
    reached(Point.READ_AFTER_SEND)
    verdict = await _judge(way, part, since, timeline)
    turn = Turn.ON
    match verdict:
        case promise.Found(seen):
            turn = await way.sent(part, part.last, seen.tweet_id, found_of=seen.created_at)
        case promise.NotFound():
            now = way.house.clock.now()
            await way.write(
                lambda transaction: store.journal.count_empty_read(
                    transaction, part.last, now, counts=counts
                )
            )
        case promise.Ambiguous(several):
            ids = ", ".join(seen.tweet_id for seen in several)
            await way.ask_person(part, f"several posts on X look like it: {ids}")
            return Turn.BEHIND
        case _:
            assert_never(verdict)
    reached(Point.READ_AFTER_COMMIT)
    return turn


async def give_up_waiting(way: Way, part: PartJournal) -> None:
    """The last attempt's time is over: nobody will write its answer any more."""
    assert part.part.state is PartState.SENDING
    await way.unknown(part, part.last, "its worker ended before X's answer was known")
