"""Sends a part: the attempt is committed first, and X's answer says what became of it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from roost import rate_limits, x
from roost.errors import PostRefused, RoostError
from roost.failpoints import Failpoint
from roost.models import AlertKind, PartState
from roost.publishing import reconcile
from roost.publishing.state import Attempt, Outcome, PartProgress, Upload
from roost.services.publish import search
from roost.services.publish.pauses import PAUSE_APP, growing
from roost.services.publish.rows import Turn, Way
from roost.snowflake import snowflake_time
from roost.telemetry import failpoint
from roost.text import text_or_none

_PAUSE_PARENT: Final = timedelta(seconds=5)
#: A fresh parent is visible within seconds. After so many refusals X is asked whether it exists;
#: one that is not visible after the second number is taken for gone.
_LOOK_FOR_PARENT_AFTER: Final = 3
_PARENT_TRIES: Final = 12
#: A parent of the account's choice is visible when it is as old as this, or it never will be.
_PARENT_LAG: Final = timedelta(minutes=1)


async def begin(way: Way, part: PartProgress, *, again: bool) -> Attempt | None:
    """Write and commit an attempt, before it is sent.

    None where another worker has changed the part meanwhile, or something of it was paused.
    Raises: DatabaseForgot.
    """
    uploads = [part.upload_of(asset.id) for asset in part.part.media]
    tried = f"attempt {len(part.attempts) + 1}"
    why = "handed to X"
    if again:
        looked = "X's timeline does not show it"
        if part.confirmed_absent:
            looked = "a person says that X does not have it"
        why = f"handed to X again, since {looked}"
    return await way.begin_attempt(
        part,
        _carried(part, uploads, again=again),
        started_at=way.runtime.x_now(),
        deadline=way.runtime.settings.create_timeout,
        why=f"{why} ({tried})",
    )


def _carried(part: PartProgress, uploads: Sequence[Upload | None], *, again: bool) -> list[Upload]:
    """What the request carries, in the order of the part's files."""
    carried = [upload for upload in uploads if upload is not None]
    assert len(carried) == len(part.part.media), "a part is sent once X has its files"
    if again and part.last.media_ids and not part.confirmed_absent:
        assert tuple(each.media_id for each in carried) == part.last.media_ids, (
            "a repetition is the same request"
        )
    return carried


async def send_part(
    way: Way, part: PartProgress, attempt: Attempt, deadline_at: float, *, again: bool
) -> Turn:
    """Send what is committed.

    `again`: it repeats, byte by byte, one that X did not answer. `deadline_at` was read before the
    commit, from a clock that counts suspended time, and holds for commit and request together.
    """
    sending = (way.tenant_id, way.journal.post.id)
    way.locks.sending.add(sending)
    try:
        return await _send(way, part, attempt, deadline_at, again=again)
    finally:
        way.locks.sending.discard(sending)


async def _send(
    way: Way, part: PartProgress, attempt: Attempt, deadline_at: float, *, again: bool
) -> Turn:
    failpoint(Failpoint.CREATE_BEFORE_SEND)
    if not await way.locks.is_held(way.account.x_user_id):
        # Nothing left the machine; whoever holds the account now decides from the rows.
        await way.take_back(part, attempt, "the account's lock was lost before it was sent")
        return Turn.BEHIND
    options = part.part.options
    try:
        created = await x.posts.create(
            way.client,
            text=text_or_none(part.part.text),
            media_ids=list(attempt.media_ids),
            reply_to=way.journal.parent_of(part.part),
            subscription_type=way.journal.account.subscription_type,
            quote_tweet_id=options.quote_of,
            poll=options.poll,
            reply_settings=options.reply_settings,
            deadline=deadline_at,
        )
    except RoostError as error:
        turn = await _refused(way, part, attempt, error, again=again)
        if isinstance(error, x.errors.Rejected | x.errors.ParentNotVisible):
            # X judged this post: it takes requests of the account and of the app.
            await way.end_backoffs()
        return turn
    failpoint(Failpoint.CREATE_AFTER_SEND)
    turn = await way.sent(part, attempt, created.tweet_id, rate=created.rate)
    failpoint(Failpoint.CREATE_AFTER_COMMIT)
    return turn


async def _refused(
    way: Way, part: PartProgress, attempt: Attempt, error: RoostError, *, again: bool
) -> Turn:
    """What becomes of an attempt that did not end with a post."""
    rests = way.account.rests
    match error:
        case x.errors.OutcomeUnknown():
            await way.unknown(part, attempt, str(error))
            return Turn.ON
        case x.errors.DuplicatePost() | x.errors.MediaIdsInvalid() if again:
            # A media id works once: refused now, an earlier attempt may have used it.
            await way.take_back(
                part, attempt, "X says it has this post already", outcome=Outcome.DUPLICATE
            )
            return Turn.ON
        case x.errors.DuplicatePost() | x.errors.MediaIdsInvalid():
            return await _duplicate(way, part, attempt, error)
        case x.errors.ParentNotVisible():
            return await _without_parent(way, part, attempt, error, again=again)
        case x.errors.RateLimited():
            await way.take_back(part, attempt, str(error), rate=error.rate)
            await _rest_limited(way, error)
            return Turn.BEHIND
        case x.errors.OutOfCredits():
            await way.take_back(part, attempt, str(error))
            await way.rest_app(PAUSE_APP, AlertKind.CREDITS, error)
            return Turn.BEHIND
        case x.errors.AppMisconfigured():
            await way.take_back(part, attempt, str(error))
            await way.rest_app(PAUSE_APP, AlertKind.APP, error)
            return Turn.BEHIND
        case x.errors.Rejected() | PostRefused() if not again:
            await way.refused(part, attempt, f"{error.code}: {error.message}")
            return Turn.ON
        case x.errors.Rejected() | PostRefused():
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
    now = way.runtime.clock.now()
    wait = rate_limits.wait_after_429(error.rate, now=now, refusals=way.account.rests + 1)
    if wait.family is rate_limits.Family.APP_DAY:
        await way.rest_app(wait.until - now, AlertKind.LIMIT, error)
    else:
        await way.rest_account(wait.until - now, error.message)


async def _duplicate(
    way: Way, part: PartProgress, attempt: Attempt, error: x.errors.Rejected
) -> Turn:
    """X has such a post, or one with these media, and no attempt of ours is known to have made it.

    Another part of ours explains the refusal. What no part claims may be ours all the same, where
    the database has forgotten: it is adopted, or a person is asked.
    """
    if part.attempts and (own := await search.find_own(way, part)) is not None:
        # An earlier attempt, of which X said that it had created nothing, did.
        return await way.sent(part, attempt, own.tweet_id, found_of=own.created_at)
    match await search.find_twin(way, part):
        case search.Twin(known, claimed=True):
            await way.refused(part, attempt, f"{error.code}: {error.message} It is {known}.")
            return Turn.ON
        case search.Twin(_, seen=reconcile.TimelinePost() as seen, is_ours=True):
            return await way.sent(part, attempt, seen.tweet_id, found_of=seen.created_at)
        case search.Twin(known):
            why = f"X says that it has this post already: {known}, which no post of Roost claims."
            await way.unknown(part, attempt, why)
            await way.ask_person(part, why)
            return Turn.BEHIND
        case None:
            await way.unknown(part, attempt, f"{error.code}: {error.message}")
            return Turn.ON


async def _without_parent(
    way: Way,
    part: PartProgress,
    attempt: Attempt,
    error: x.errors.ParentNotVisible,
    *,
    again: bool,
) -> Turn:
    """X does not show what the part answers: it is too fresh, or gone."""
    tries = part.without_parent + 1
    parent = way.journal.parent_of(part.part)
    what = f"the part before it ({parent})"
    look_after = _LOOK_FOR_PARENT_AFTER
    if part.part.options.reply_to is not None:
        what = f"the post that it answers ({parent})"
        is_old = parent is not None and way.runtime.x_now() - snowflake_time(parent) > _PARENT_LAG
        look_after = 1 if is_old else look_after
    is_gone = tries >= look_after and await search.is_gone(way, parent)
    if not is_gone and tries < _PARENT_TRIES:
        await way.take_back(part, attempt, str(error), outcome=Outcome.NO_PARENT)
        await way.rest(_PAUSE_PARENT, f"{what} is not visible to X yet")
        return Turn.BEHIND
    why = f"parent_gone: {what} is no longer on X, or hidden from this account."
    if not again:
        await way.refused(part, attempt, why)
        return Turn.ON
    await way.take_back(part, attempt, why, outcome=Outcome.NO_PARENT)
    await way.ask_person(part, f"X did not answer an earlier attempt, and {why}")
    return Turn.BEHIND


async def give_up_waiting(way: Way, part: PartProgress) -> None:
    """The last attempt's time is over: nobody will write its answer any more."""
    assert part.part.state is PartState.SENDING
    await way.unknown(part, part.last, "its worker ended before X's answer was known")
