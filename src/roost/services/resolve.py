"""A person settles what Roost cannot or must not; the choice is in the history."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from roost import store, x
from roost.account_client import open_account
from roost.errors import Conflict, InvalidInput, PostRefused, RoostError
from roost.models import (
    AlertKind,
    Part,
    PartState,
    Post,
    PostId,
    PostState,
    Tenant,
    TweetId,
)
from roost.part_price import price_part
from roost.prices import Operation, Price, price_of, sum_prices
from roost.publishing import reconcile, validation
from roost.publishing.state import Outcome, PartProgress, PublishState
from roost.runtime import Runtime
from roost.snowflake import snowflake_time
from roost.store.database import Transaction
from roost.text import text_or_none
from roost.tweet_urls import find_tweet_id

#: Ids in the reason for which a person is asked: Roost has seen these posts on X itself.
_NAMED: Final = re.compile(r"\b[0-9]{15,19}\b")
_DELETING: Final = "cancelled by hand: what is out is being deleted from X"


class Choice(StrEnum):
    """What a person can decide about a post that did not end as it was meant to."""

    SENT = "sent"
    """The undecided part is on X."""
    SEND = "send"
    """The undecided part is not on X, or the missed post is still wanted: send it."""
    DROP = "drop"
    """Give up the undecided part, or the missed post."""
    CONTINUE = "continue"
    """Go on with a thread at the part that was refused."""
    DELETE = "delete"
    """Take off X what is out of a thread."""
    LEAVE = "leave"
    """Leave it as it is: seen, and nothing to do."""


_CHOICES: Final = {
    PostState.NEEDS_DECISION: (Choice.SENT, Choice.SEND, Choice.DROP),
    PostState.MISSED: (Choice.SEND, Choice.DROP),
    PostState.PARTLY_PUBLISHED: (Choice.CONTINUE, Choice.DELETE, Choice.LEAVE),
    PostState.FAILED: (Choice.LEAVE,),
}
#: States that a person can leave as they are: the post is no longer listed as one to look at.
_LEAVABLE: Final = (PostState.FAILED, PostState.PARTLY_PUBLISHED, PostState.CANCELLED)
#: States of a post that a person has to look at.
_TO_LOOK_AT: Final = (
    PostState.NEEDS_DECISION, PostState.PARTLY_PUBLISHED, PostState.MISSED, PostState.FAILED,
)  # fmt: skip


def list_choices(post: Post) -> tuple[Choice, ...]:
    """What a person can decide about this post now. Pure."""
    if post.state is PostState.NEEDS_DECISION:
        return _CHOICES[post.state] if _is_unknown(post) else (Choice.LEAVE,)
    choices = _CHOICES.get(post.state, ())
    if post.state is PostState.CANCELLED and list_deletable(post):
        choices = (Choice.DELETE, Choice.LEAVE)
    if post.acknowledged_at is not None:
        choices = tuple(choice for choice in choices if choice is not Choice.LEAVE)
    if post.possible_duplicate and Choice.LEAVE not in choices:
        choices = (*choices, Choice.LEAVE)
    return choices


def needs_attention(post: Post) -> bool:
    """Whether a person has to look at this post, and has not left it as it is. Pure."""
    if post.possible_duplicate:
        return True
    is_left = post.acknowledged_at is not None
    is_half_deleted = post.state is PostState.CANCELLED and bool(list_deletable(post))
    return not is_left and (post.state in _TO_LOOK_AT or is_half_deleted)


def _is_unknown(post: Post) -> bool:
    """Whether nobody knows if its next part is on X; else something odd was seen on the way."""
    current = next((part for part in post.parts if part.state is not PartState.SENT), None)
    return current is not None and current.state is PartState.UNKNOWN


def list_deletable(post: Post) -> list[Part]:
    """The parts that are on X still, as far as Roost knows. Pure."""
    return [part for part in post.parts if part.sent_as is not None and part.deleted_at is None]


def price_deletion(parts: Sequence[Part]) -> Price:
    """What X bills for taking these parts off. Pure."""
    return sum_prices([price_of(Operation.DELETE_POST) for _ in parts])


class DecisionNotOpen(Conflict):
    """The post is not in a state in which this could be decided."""


class TweetUnlikely(InvalidInput):
    """What was named as the post on X cannot be it."""

    default_next = "Copy the address of the post from the account's timeline on X."


async def say_sent(runtime: Runtime, tenant: Tenant, post_id: PostId, address: str) -> Post:
    """The undecided part is on X, under this address or id; the post goes on from there.

    Raises: PostNotFound, DecisionNotOpen, TweetUnlikely (nothing is changed).
    """
    tweet_id, now = find_tweet_id(address), runtime.clock.now()
    if tweet_id is None:
        raise TweetUnlikely(f"{address!r} is no address of a post on X.")
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal, part = await _undecided(transaction, post_id)
        if tweet_id not in _NAMED.findall(journal.post.reason or ""):
            _require_likely(part, tweet_id)
        if await store.posts.list_claimed(transaction, [tweet_id]):
            raise TweetUnlikely(f"{tweet_id} is known already as another part's post.")
        why = f"decided by hand: it is on X as {tweet_id}"
        await _move(runtime, transaction, journal, PostState.PUBLISHING, why)
        price = await price_part(transaction, journal.account.id, part.part)
        await store.publishing.record_sent(
            transaction,
            tenant.id,
            journal.account.id,
            part.part,
            part.last,
            tweet_id,
            outcome=Outcome.ADOPTED,
            sent_at=snowflake_time(tweet_id),
            usd=price.low,
            price_reason=price.reason,
            windows=(),
            at=now,
            from_state=PartState.UNKNOWN,
            reason=f"found by hand as {tweet_id}",
            actor=runtime.actor,
        )
        return await _done(runtime, transaction, journal)


async def say_send(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """The undecided part is not on X, or the missed post is still wanted: send it now.

    Raises: PostNotFound, DecisionNotOpen.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal = await _locked(transaction, post_id)
        if journal.post.state is PostState.MISSED:
            await transaction.run("reset_lateness", post=post_id, at=runtime.clock.now())
            why = "decided by hand: it is sent all the same"
        else:
            journal, part = await _undecided(transaction, post_id)
            await transaction.run("confirm_absent", attempt=part.last.id)
            why = f"decided by hand: part {part.part.position} is not on X, so it is sent"
        await _move(runtime, transaction, journal, PostState.PUBLISHING, why)
        return await _done(runtime, transaction, journal)


async def drop(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Give up the undecided part (whatever X has), or the missed post.

    Raises: PostNotFound, DecisionNotOpen.
    """
    now, actor = runtime.clock.now(), runtime.actor
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal = await _locked(transaction, post_id)
        if journal.post.state is PostState.MISSED:
            await _move(runtime, transaction, journal, PostState.CANCELLED, "dropped by hand")
            return await _done(runtime, transaction, journal)
        journal, part = await _undecided(transaction, post_id)
        await store.publishing.move_part(
            transaction, part.part.id, PartState.UNKNOWN, PartState.FAILED,
            at=now, reason="dropped by hand", actor=actor,
        )  # fmt: skip
        sent = any(each.part.state is PartState.SENT for each in journal.parts)
        after = PostState.PARTLY_PUBLISHED if sent else PostState.FAILED
        await _move(runtime, transaction, journal, after, "dropped by hand")
        # Whoever drops it has seen it.
        await store.posts.acknowledge(
            transaction, post_id, states=_LEAVABLE, kinds=store.alerts.OF_POST_STATE, at=now
        )
        return await _done(runtime, transaction, journal)


async def go_on(runtime: Runtime, tenant: Tenant, post_id: PostId, text: str | None) -> Post:
    """Go on with a partly published thread at the part that X refused, with another text if given.

    The part keeps its files; beside them the text may be empty.

    Raises: PostNotFound, DecisionNotOpen, PostRefused (X's rules forbid the text).
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal = await _locked(transaction, post_id, PostState.PARTLY_PUBLISHED)
        current = journal.current()
        assert current is not None, "a partly published post has a part that is not on X"
        if text is not None:
            text = text_or_none(text) or ""
        if text == current.part.text:
            text = None
        if text is not None:
            _validate_text(text, current, journal.account.subscription_type)
        await store.publishing.move_part(
            transaction, current.part.id, PartState.FAILED, PartState.PENDING,
            at=runtime.clock.now(),
            reason="tried again, by hand" if text is None else "edited by hand",
            actor=runtime.actor,
        )  # fmt: skip
        if text is not None:
            await transaction.run("set_part_text", part=current.part.id, text=text)
        why = "decided by hand: the thread goes on from there"
        await _move(runtime, transaction, journal, PostState.PUBLISHING, why)
        return await _done(runtime, transaction, journal)


async def delete_sent(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Take off X what is out of a partly published thread; $0.010 a part.

    The post is cancelled before X is asked, so that nothing more of it goes out meanwhile. Each
    deletion is committed by itself: where X fails half way, the post's alert stays open, and the
    rest may be deleted later.
    Raises: PostNotFound, DecisionNotOpen, UnsafeHost (the account belongs to another X; nothing is
    cancelled), x.errors.XError.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal = await _locked(transaction, post_id)
        if Choice.DELETE not in list_choices(journal.post):
            raise _not_open(journal.post)
        client = open_account(runtime, journal.account)
        if journal.post.state is PostState.PARTLY_PUBLISHED:
            # The alert ends when everything is deleted, not before.
            await _move(
                runtime, transaction, journal, PostState.CANCELLED, _DELETING, ends_alerts=False
            )
    for part in reversed(list_deletable(journal.post)):
        assert part.sent_as is not None
        try:
            await x.posts.delete(client, part.sent_as)
        except RoostError as error:
            error.did = f"The post is cancelled; part {part.position} of it is on X still."
            raise
        now = runtime.clock.now()
        async with runtime.database.for_tenant(tenant.id) as transaction:
            if await transaction.run_one("mark_deleted", part=part.id, at=now) is None:
                continue  # another person has deleted it meanwhile
            await store.posts.add_event(
                transaction, tenant.id, post_id, now, PartState.SENT, PartState.SENT,
                "deleted from X by hand", actor=runtime.actor, position=part.position,
            )  # fmt: skip
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal, now = await _locked(transaction, post_id), runtime.clock.now()
        await store.alerts.resolve_alert(
            transaction, tenant.id, AlertKind.DECISION, store.alerts.about_post(post_id), at=now
        )
        return await _done(runtime, transaction, journal)


async def leave(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Leave a partly published, failed or half deleted post as it is: seen, and nothing to do.

    A post of which no part is unknown, but which a person was to look at, goes on by its rows.
    Where X may have the post twice, that has been seen.
    Raises: PostNotFound, DecisionNotOpen.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        journal = await _locked(transaction, post_id)
        if Choice.LEAVE not in list_choices(journal.post):
            raise _not_open(journal.post)
        state, now = journal.post.state, runtime.clock.now()
        await store.posts.acknowledge(
            transaction, post_id, states=_LEAVABLE, kinds=store.alerts.ACKNOWLEDGED, at=now
        )
        if state is PostState.NEEDS_DECISION:
            why = "decided by hand: seen, it goes on"
            await _move(runtime, transaction, journal, PostState.PUBLISHING, why)
            return await _done(runtime, transaction, journal)
        await store.posts.add_event(
            transaction, tenant.id, post_id, now, state, state,
            "left as it is, by hand", actor=runtime.actor,
        )  # fmt: skip
        return await _done(runtime, transaction, journal)


async def _locked(transaction: Transaction, post_id: PostId, *states: PostState) -> PublishState:
    """The post, kept from changing, in one of these states (if any are named)."""
    await store.posts.lock_state(transaction, post_id)
    journal = await store.publishing.get(transaction, post_id)
    if states and journal.post.state not in states:
        raise _not_open(journal.post)
    return journal


def _not_open(post: Post) -> DecisionNotOpen:
    choices = ", ".join(f"`{choice}`" for choice in list_choices(post))
    return DecisionNotOpen(
        f"Post {post.id} is {post.state}: "
        + (f"what can be decided is {choices}." if choices else "there is nothing to decide."),
        next=f"`roost posts {post.id} --history` tells where it stands.",
    )


async def _undecided(
    transaction: Transaction, post_id: PostId
) -> tuple[PublishState, PartProgress]:
    journal = await _locked(transaction, post_id, PostState.NEEDS_DECISION)
    part = journal.current()
    if part is None or part.part.state is not PartState.UNKNOWN:
        raise _not_open(journal.post)
    return journal, part


async def _move(
    runtime: Runtime,
    transaction: Transaction,
    journal: PublishState,
    after: PostState,
    why: str,
    *,
    ends_alerts: bool = True,
) -> None:
    post, now = journal.post, runtime.clock.now()
    reason = None if after in {PostState.PUBLISHING, PostState.PUBLISHED} else why
    moved = await store.posts.move(
        transaction, post.id, post.state, after, reason, at=now, ends_alerts=ends_alerts
    )
    assert moved, "the row is locked"
    await store.posts.add_event(
        transaction, post.tenant_id, post.id, now, post.state, after, why,
        actor=runtime.actor,
    )  # fmt: skip


async def _done(runtime: Runtime, transaction: Transaction, journal: PublishState) -> Post:
    post, now = journal.post, runtime.clock.now()
    # What goes on has no job: the dispatcher is to look, and the sweep finds it at the latest.
    await transaction.run("wake_post", post=post.id, at=now)
    await transaction.run("announce_due")
    return await store.posts.get(transaction, post.id)


def _validate_text(text: str, current: PartProgress, subscription_type: str | None) -> None:
    """Judge another text of a part whose files and options stay, and were judged before."""
    violations = list(
        validation.validate_text(
            text, has_files=bool(current.part.media), subscription_type=subscription_type
        )
    )
    if violations:
        raise PostRefused(
            violations[0].message,
            violations=[
                {"code": one.code, "message": one.message, "next": one.next} for one in violations
            ],
        )


def _require_likely(part: PartProgress, tweet_id: TweetId) -> None:
    """X's ids hold the time at which they were given out: before the attempt, it was another.

    Unless X refused it as a duplicate: then the post may be as old as that rule looks back.
    """
    born = snowflake_time(tweet_id)
    back = reconcile.DUPLICATE_WINDOW if part.said_duplicate else reconcile.SKEW
    if born < part.attempts[0].started_at - back:
        raise TweetUnlikely(
            f"{tweet_id} was posted at {_told(born)}, before Roost first tried to send this part"
            f" ({_told(part.attempts[0].started_at)})."
        )


def _told(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
