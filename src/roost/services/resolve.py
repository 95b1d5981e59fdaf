"""Applies a user's decision about a post that Roost cannot or must not finish by itself."""

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
from roost.prices import Operation, Price, price_of, sum_prices
from roost.publishing import reconcile
from roost.publishing.state import Outcome, PartProgress, PublishState
from roost.runtime import Runtime
from roost.snowflake import snowflake_time
from roost.store.database import Transaction
from roost.text import text_or_none
from roost.tweet_urls import find_tweet_id

#: Post ids in the reason of a decision: Roost has seen these posts on X itself.
_POST_IDS: Final = re.compile(r"\b[0-9]{15,19}\b")
_DELETING: Final = "cancelled manually: its published parts are being deleted from X"


class Choice(StrEnum):
    """What a user can decide about a post that did not end as planned."""

    FOUND = "found"
    """The undecided part is on X."""
    RESEND = "resend"
    """The undecided part is not on X, or the missed post is still wanted: send it."""
    DISCARD = "discard"
    """Give up the undecided part, or the missed post."""
    CONTINUE = "continue"
    """Continue a thread from the part that X refused."""
    DELETE = "delete"
    """Delete the published parts of a thread from X."""
    ACKNOWLEDGE = "acknowledge"
    """Leave the post as it is; it no longer needs attention."""


_CHOICES: Final = {
    PostState.NEEDS_DECISION: (Choice.FOUND, Choice.RESEND, Choice.DISCARD),
    PostState.MISSED: (Choice.RESEND, Choice.DISCARD),
    PostState.PARTLY_PUBLISHED: (Choice.CONTINUE, Choice.DELETE, Choice.ACKNOWLEDGE),
    PostState.FAILED: (Choice.ACKNOWLEDGE,),
}
#: States in which an acknowledged post is marked, so that it no longer needs attention.
_ACKNOWLEDGEABLE: Final = (PostState.FAILED, PostState.PARTLY_PUBLISHED, PostState.CANCELLED)
#: States of a post that needs a user's attention.
_NEEDING_ATTENTION: Final = (
    PostState.NEEDS_DECISION, PostState.PARTLY_PUBLISHED, PostState.MISSED, PostState.FAILED,
)  # fmt: skip


def list_choices(post: Post) -> tuple[Choice, ...]:
    """List what a user can decide about this post now. Pure."""
    if post.state is PostState.NEEDS_DECISION:
        return _CHOICES[post.state] if _is_unknown(post) else (Choice.ACKNOWLEDGE,)
    choices = _CHOICES.get(post.state, ())
    if post.state is PostState.CANCELLED and list_deletable(post):
        choices = (Choice.DELETE, Choice.ACKNOWLEDGE)
    if post.acknowledged_at is not None:
        choices = tuple(choice for choice in choices if choice is not Choice.ACKNOWLEDGE)
    if post.possible_duplicate and Choice.ACKNOWLEDGE not in choices:
        choices = (*choices, Choice.ACKNOWLEDGE)
    return choices


def needs_attention(post: Post) -> bool:
    """Whether a post needs a user's attention and was not acknowledged. Pure."""
    if post.possible_duplicate:
        return True
    is_acknowledged = post.acknowledged_at is not None
    is_half_deleted = post.state is PostState.CANCELLED and bool(list_deletable(post))
    return not is_acknowledged and (post.state in _NEEDING_ATTENTION or is_half_deleted)


def _is_unknown(post: Post) -> bool:
    """Whether its next part may be on X; if not, a decision was requested for another reason."""
    current = next((part for part in post.parts if part.state is not PartState.SENT), None)
    return current is not None and current.state is PartState.UNKNOWN


def list_deletable(post: Post) -> list[Part]:
    """List the parts that are still on X, as far as Roost knows. Pure."""
    return [part for part in post.parts if part.sent_as is not None and part.deleted_at is None]


def price_deletion(parts: Sequence[Part]) -> Price:
    """Return the price of deleting these parts from X. Pure."""
    return sum_prices([price_of(Operation.DELETE_POST) for _ in parts])


class DecisionNotOpen(Conflict):
    """The post is not in a state in which this can be decided."""


class TweetUnlikely(InvalidInput):
    """The named post on X cannot be the undecided part."""

    default_next = "Copy the address of the post from the account's timeline on X."


async def confirm_sent(runtime: Runtime, tenant: Tenant, post_id: PostId, address: str) -> Post:
    """Record that the undecided part is on X, at this address or id; the post continues.

    Raises: PostNotFound, DecisionNotOpen, TweetUnlikely (nothing is changed).
    """
    tweet_id, now = find_tweet_id(address), runtime.clock.now()
    if tweet_id is None:
        raise TweetUnlikely(f"{address!r} is no address of a post on X.")
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state, part = await _lock_undecided(transaction, post_id)
        if tweet_id not in _POST_IDS.findall(state.post.reason or ""):
            _require_likely(part, tweet_id)
        if await store.posts.list_claimed(transaction, [tweet_id]):
            raise TweetUnlikely(f"{tweet_id} is already known to be another part.")
        reason = f"resolved manually: it is on X as {tweet_id}"
        await _move(runtime, transaction, state, PostState.PUBLISHING, reason)
        price = await store.ledger.price_part(transaction, state.account.id, part.part)
        await store.publishing.record_sent(
            transaction,
            tenant.id,
            state.account.id,
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
            reason=f"found manually as {tweet_id}",
            actor=runtime.actor,
        )
        return await _wake(runtime, transaction, state)


async def confirm_absent(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Send the undecided part, which is not on X, or the missed post.

    Raises: PostNotFound, DecisionNotOpen.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _lock(transaction, post_id)
        if state.post.state is PostState.MISSED:
            await transaction.run("reset_lateness", post=post_id, at=runtime.clock.now())
            reason = "resolved manually: it is sent all the same"
        else:
            state, part = await _lock_undecided(transaction, post_id)
            await transaction.run("confirm_absent", attempt=part.last.id)
            reason = f"resolved manually: part {part.part.position} is not on X, so it is sent"
        await _move(runtime, transaction, state, PostState.PUBLISHING, reason)
        return await _wake(runtime, transaction, state)


async def discard(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Give up the undecided part, whether or not X has it, or the missed post.

    Raises: PostNotFound, DecisionNotOpen.
    """
    now, reason = runtime.clock.now(), "discarded manually"
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _lock(transaction, post_id)
        if state.post.state is PostState.MISSED:
            await _move(runtime, transaction, state, PostState.CANCELLED, reason)
            return await _wake(runtime, transaction, state)
        state, part = await _lock_undecided(transaction, post_id)
        await store.publishing.move_part(
            transaction, part.part.id, PartState.UNKNOWN, PartState.FAILED,
            at=now, reason=reason, actor=runtime.actor,
        )  # fmt: skip
        sent = any(each.part.state is PartState.SENT for each in state.parts)
        after = PostState.PARTLY_PUBLISHED if sent else PostState.FAILED
        await _move(runtime, transaction, state, after, reason)
        # The user who discards it has seen it.
        await store.posts.acknowledge(
            transaction, post_id, states=_ACKNOWLEDGEABLE, kinds=store.alerts.OF_POST_STATE, at=now
        )
        return await _wake(runtime, transaction, state)


async def continue_thread(
    runtime: Runtime, tenant: Tenant, post_id: PostId, text: str | None
) -> Post:
    """Continue a thread from the part that X refused, with a new text if given.

    The part keeps its files; with files, the text may be empty.
    Raises: PostNotFound, DecisionNotOpen, PostRefused (X's rules forbid the text).
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _lock(transaction, post_id, PostState.PARTLY_PUBLISHED)
        current = state.current()
        assert current is not None, "a partly published post has a part that is not on X"
        if text is not None:
            text = text_or_none(text) or ""
        if text == current.part.text:
            text = None
        if text is not None:
            _validate_text(text, current, state.account.subscription_type)
        await store.publishing.move_part(
            transaction, current.part.id, PartState.FAILED, PartState.PENDING,
            at=runtime.clock.now(),
            reason="retried manually" if text is None else "edited manually",
            actor=runtime.actor,
        )  # fmt: skip
        if text is not None:
            await transaction.run("set_part_text", part=current.part.id, text=text)
        reason = "resolved manually: the thread continues from there"
        await _move(runtime, transaction, state, PostState.PUBLISHING, reason)
        return await _wake(runtime, transaction, state)


async def delete_sent(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Delete the published parts of a thread from X; $0.010 a part.

    The post is cancelled before X is asked, so that no more of it is sent meanwhile. Each deletion
    is committed by itself: if X fails half-way, the post's alert stays open, and the other parts
    can be deleted later.
    Raises: PostNotFound, DecisionNotOpen, UnsafeHost (the account belongs to another environment;
    nothing is cancelled), x.errors.XError.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _lock(transaction, post_id)
        if Choice.DELETE not in list_choices(state.post):
            raise _decision_not_open(state.post)
        client = open_account(runtime, state.account)
        if state.post.state is PostState.PARTLY_PUBLISHED:
            # The alert is resolved once everything is deleted, not before.
            await _move(
                runtime, transaction, state, PostState.CANCELLED, _DELETING, ends_alerts=False
            )
    for part in reversed(list_deletable(state.post)):
        assert part.sent_as is not None
        try:
            await x.posts.delete(client, part.sent_as)
        except RoostError as error:
            error.did = f"The post is cancelled; its part {part.position} is still on X."
            raise
        now = runtime.clock.now()
        async with runtime.database.for_tenant(tenant.id) as transaction:
            if await transaction.run_one("mark_deleted", part=part.id, at=now) is None:
                continue  # another user has deleted it meanwhile
            await store.posts.add_event(
                transaction, tenant.id, post_id, now, PartState.SENT, PartState.SENT,
                "deleted from X manually", actor=runtime.actor, position=part.position,
            )  # fmt: skip
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state, now = await _lock(transaction, post_id), runtime.clock.now()
        await store.alerts.resolve_alert(
            transaction, tenant.id, AlertKind.DECISION, store.alerts.about_post(post_id), at=now
        )
        return await _wake(runtime, transaction, state)


async def acknowledge(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Leave a partly published, failed or partly deleted post as it is.

    A post that needs a decision although none of its parts is unknown continues from its rows. A
    possible duplicate counts as checked.
    Raises: PostNotFound, DecisionNotOpen.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _lock(transaction, post_id)
        if Choice.ACKNOWLEDGE not in list_choices(state.post):
            raise _decision_not_open(state.post)
        before, now = state.post.state, runtime.clock.now()
        await store.posts.acknowledge(
            transaction,
            post_id,
            states=_ACKNOWLEDGEABLE,
            kinds=store.alerts.ACKNOWLEDGED,
            at=now,
        )
        if before is PostState.NEEDS_DECISION:
            reason = "resolved manually: acknowledged, it continues"
            await _move(runtime, transaction, state, PostState.PUBLISHING, reason)
            return await _wake(runtime, transaction, state)
        await store.posts.add_event(
            transaction, tenant.id, post_id, now, before, before,
            "acknowledged manually: it stays as it is", actor=runtime.actor,
        )  # fmt: skip
        return await _wake(runtime, transaction, state)


async def _lock(transaction: Transaction, post_id: PostId, *states: PostState) -> PublishState:
    """Lock the post and load it. Raises: DecisionNotOpen if it has none of these states."""
    await store.posts.lock_state(transaction, post_id)
    state = await store.publishing.get(transaction, post_id)
    if states and state.post.state not in states:
        raise _decision_not_open(state.post)
    return state


def _decision_not_open(post: Post) -> DecisionNotOpen:
    choices = ", ".join(f"`{choice}`" for choice in list_choices(post))
    return DecisionNotOpen(
        f"Post {post.id} is {post.state}: "
        + (f"the possible decisions are {choices}." if choices else "there is nothing to decide."),
        next=f"`roost posts {post.id} --history` shows its state.",
    )


async def _lock_undecided(
    transaction: Transaction, post_id: PostId
) -> tuple[PublishState, PartProgress]:
    """Lock a post that needs a decision, and return its unknown part. Raises: DecisionNotOpen."""
    state = await _lock(transaction, post_id, PostState.NEEDS_DECISION)
    part = state.current()
    if part is None or part.part.state is not PartState.UNKNOWN:
        raise _decision_not_open(state.post)
    return state, part


async def _move(
    runtime: Runtime,
    transaction: Transaction,
    state: PublishState,
    after: PostState,
    reason: str,
    *,
    ends_alerts: bool = True,
) -> None:
    """Change the state of a locked post, and add the event."""
    post, now = state.post, runtime.clock.now()
    stored_reason = None if after in {PostState.PUBLISHING, PostState.PUBLISHED} else reason
    moved = await store.posts.move(
        transaction, post.id, post.state, after, stored_reason, at=now, ends_alerts=ends_alerts
    )
    assert moved, "the row is locked"
    await store.posts.add_event(
        transaction, post.tenant_id, post.id, now, post.state, after, reason,
        actor=runtime.actor,
    )  # fmt: skip


async def _wake(runtime: Runtime, transaction: Transaction, state: PublishState) -> Post:
    """Have the dispatcher queue the post, which has no job, and return it."""
    post, now = state.post, runtime.clock.now()
    await transaction.run("wake_post", post=post.id, at=now)
    await transaction.run("announce_due")
    return await store.posts.get(transaction, post.id)


def _validate_text(text: str, current: PartProgress, subscription_type: str | None) -> None:
    """Validate a new text of a part whose files and options stay and are valid."""
    # Its rules for texts take time to load, and listing posts imports this module.
    from roost.publishing import validation

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
    """Refuse a post that X created before the first attempt, by the time in its id.

    If X refused the part as a duplicate, the post may be as old as X's duplicate window.
    """
    created_at = snowflake_time(tweet_id)
    margin = reconcile.DUPLICATE_WINDOW if part.was_refused_as_duplicate else reconcile.SKEW
    if created_at < part.attempts[0].started_at - margin:
        raise TweetUnlikely(
            f"{tweet_id} was posted at {_format_instant(created_at)}, before Roost first tried to"
            f" send this part ({_format_instant(part.attempts[0].started_at)})."
        )


def _format_instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
