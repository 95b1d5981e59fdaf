"""Applies a user's decision about a post that Roost cannot finish by itself."""

from typing import Any, Final

from roost import store, x
from roost.account_client import open_account
from roost.errors import Conflict, InvalidInput, PostRefused, RoostError
from roost.formats import format_time
from roost.models import (
    AlertKind,
    Detail,
    EventCode,
    PartState,
    Post,
    PostId,
    PostState,
    Reason,
    ReasonCode,
    Scope,
    TweetId,
    reason_detail,
)
from roost.models.alerts import about_post
from roost.next_actions import ActionCode, NextAction
from roost.outcome_alerts import FINAL_EVENTS
from roost.publishing import reconcile
from roost.publishing.changes import text_change
from roost.publishing.decisions import Choice, list_choices, list_deletable
from roost.publishing.history import describe_state
from roost.publishing.state import Outcome, PartProgress, PublishState
from roost.runtime import Runtime
from roost.snowflake import snowflake_time
from roost.store.database import Transaction
from roost.text import text_or_none
from roost.tweet_urls import find_tweet_id

#: The final states in which a user can acknowledge a post. An acknowledged post is no longer listed
#: among the posts that need attention.
_ACKNOWLEDGEABLE: Final = (PostState.FAILED, PostState.PARTLY_PUBLISHED, PostState.CANCELLED)


class DecisionNotOpen(Conflict):
    """The post's state does not allow this decision."""


class TweetUnlikely(InvalidInput):
    """The given post on X cannot be the part whose outcome is unknown."""

    default_next = "Copy the address of the post from the account's timeline on X."


async def confirm_sent(runtime: Runtime, scope: Scope, post_id: PostId, address: str) -> Post:
    """Record that the part with the unknown outcome is on X at this address or id.

    Roost then continues to publish the post.

    Raises: PostNotFound, DecisionNotOpen, TweetUnlikely. If one of them is raised, nothing has
    changed.
    """
    tweet_id, now = find_tweet_id(address), runtime.clock.now()
    if tweet_id is None:
        raise TweetUnlikely(f"{address!r} is not the address of a post on X.")
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        state, part = await _lock_undecided(transaction, post_id)
        reason = state.post.reason
        if reason is None or tweet_id not in reason.tweet_ids:
            # Roost itself did not find this post on X, so it checks whether the user's choice is
            # plausible.
            _require_likely(part, tweet_id)
        if await store.posts.list_claimed(transaction, [tweet_id]):
            raise TweetUnlikely(f"The post {tweet_id} on X is already recorded as another part.")
        facts = {"choice": Choice.FOUND, "tweet_id": tweet_id}
        await _continue(runtime, scope, transaction, state, facts)
        price = await store.ledger.price_part(transaction, state.account.id, part.part)
        await store.publishing.record_sent(
            transaction,
            scope.tenant_id,
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
            code=EventCode.PART_ADOPTED,
            detail={"tweet_id": tweet_id, "is_manual": True},
            actor=scope.actor,
        )
        return await _wake(runtime, transaction, state)


async def confirm_absent(runtime: Runtime, scope: Scope, post_id: PostId) -> Post:
    """Send a missed post, or send again a part that a user has found to be absent from X.

    Raises: PostNotFound, DecisionNotOpen.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        state = await _lock(transaction, post_id)
        if state.post.state is PostState.MISSED:
            await transaction.run("reset_lateness", post=post_id, at=runtime.clock.now())
            facts: dict[str, Any] = {"choice": Choice.RESEND}
        else:
            state, part = await _lock_undecided(transaction, post_id)
            await transaction.run("confirm_absent", attempt=part.last.id)
            facts = {"choice": Choice.RESEND, "part": part.part.position}
        await _continue(runtime, scope, transaction, state, facts)
        return await _wake(runtime, transaction, state)


async def discard(runtime: Runtime, scope: Scope, post_id: PostId) -> Post:
    """Give up a missed post, or a post with an unknown part; nothing more of it is sent.

    Raises: PostNotFound, DecisionNotOpen.
    """
    now, reason = runtime.clock.now(), Reason(ReasonCode.DISCARDED)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        state = await _lock(transaction, post_id)
        if state.post.state is PostState.MISSED:
            await _move(runtime, scope, transaction, state, PostState.CANCELLED, reason)
            return await _wake(runtime, transaction, state)
        state, part = await _lock_undecided(transaction, post_id)
        await store.publishing.move_part(
            transaction, part.part.id, PartState.UNKNOWN, PartState.FAILED,
            EventCode.PART_DISCARDED, at=now, detail=reason_detail(reason), actor=scope.actor,
        )  # fmt: skip
        sent = any(each.part.state is PartState.SENT for each in state.parts)
        after = PostState.PARTLY_PUBLISHED if sent else PostState.FAILED
        await _move(runtime, scope, transaction, state, after, reason)
        # The user who discards a post has seen it, so the post needs no more attention.
        await store.posts.acknowledge(
            transaction, post_id, states=_ACKNOWLEDGEABLE, kinds=store.alerts.OF_POST_STATE, at=now
        )
        return await _wake(runtime, transaction, state)


async def continue_thread(
    runtime: Runtime, scope: Scope, post_id: PostId, text: str | None
) -> Post:
    """Send a refused part again, with the new `text` if it is given, and continue the thread.

    The part keeps its files; if it has files, the text may be empty.
    Raises: PostNotFound, DecisionNotOpen, PostRefused if the text breaks X's rules.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
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
            EventCode.PART_RETRIED if text is None else EventCode.PART_EDITED,
            at=runtime.clock.now(), actor=scope.actor,
            detail={} if text is None else {"changes": [text_change(current.part, text)]},
        )  # fmt: skip
        if text is not None:
            await transaction.run("set_part_text", part=current.part.id, text=text)
        await _continue(runtime, scope, transaction, state, {"choice": Choice.CONTINUE})
        return await _wake(runtime, transaction, state)


async def delete_sent(runtime: Runtime, scope: Scope, post_id: PostId) -> Post:
    """Delete the published parts of a thread from X; X bills $0.010 per part.

    The post is cancelled before the first deletion, so that no other part is sent in the meantime.
    Each deletion is committed by itself. If a deletion fails, the post's alert stays open, and the
    remaining parts can be deleted later.
    Raises: PostNotFound, DecisionNotOpen, x.errors.XError; UnsafeHost, with nothing cancelled, if
    the account belongs to another environment.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        state = await _lock(transaction, post_id)
        if Choice.DELETE not in list_choices(state.post):
            raise _decision_not_open(state.post)
        client = open_account(runtime, state.account)
        if state.post.state is PostState.PARTLY_PUBLISHED:
            # The alert stays open until all parts are deleted.
            await _move(
                runtime,
                scope,
                transaction,
                state,
                PostState.CANCELLED,
                Reason(ReasonCode.DELETION_REQUESTED),
                ends_alerts=False,
            )
    for part in reversed(list_deletable(state.post)):
        assert part.sent_as is not None
        try:
            await x.posts.delete(client, part.sent_as)
        except RoostError as error:
            error.did = f"The post is cancelled; its part {part.position} is still on X."
            raise
        now = runtime.clock.now()
        async with runtime.database.for_tenant(scope.tenant_id) as transaction:
            if await transaction.run_one("mark_deleted", part=part.id, at=now) is None:
                continue  # another user has deleted the part in the meantime
            await store.posts.add_event(
                transaction, scope.tenant_id, post_id, now, EventCode.PART_DELETED,
                from_state=PartState.SENT, to_state=PartState.SENT, actor=scope.actor,
                position=part.position,
            )  # fmt: skip
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        state, now = await _lock(transaction, post_id), runtime.clock.now()
        await store.alerts.resolve_alert(
            transaction,
            scope.tenant_id,
            AlertKind.DECISION,
            about_post(post_id),
            at=now,
        )
        return await _wake(runtime, transaction, state)


async def acknowledge(runtime: Runtime, scope: Scope, post_id: PostId) -> Post:
    """Leave a partly published, failed or partly deleted post as it is.

    A post may need a decision although the outcomes of all its parts are known; for example, a part
    may be on X twice. Roost continues to publish such a post after the acknowledgement.
    Raises: PostNotFound, DecisionNotOpen.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
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
            await _continue(runtime, scope, transaction, state, {"choice": Choice.ACKNOWLEDGE})
            return await _wake(runtime, transaction, state)
        await store.posts.add_event(
            transaction, scope.tenant_id, post_id, now, EventCode.POST_ACKNOWLEDGED,
            from_state=before, to_state=before, actor=scope.actor,
        )  # fmt: skip
        return await _wake(runtime, transaction, state)


async def _lock(transaction: Transaction, post_id: PostId, *states: PostState) -> PublishState:
    """Lock and load a post. Raises: DecisionNotOpen if the post is in none of `states`."""
    await store.posts.lock_state(transaction, post_id)
    state = await store.publishing.get(transaction, post_id)
    if states and state.post.state not in states:
        raise _decision_not_open(state.post)
    return state


def _decision_not_open(post: Post) -> DecisionNotOpen:
    choices = ", ".join(f"`{choice}`" for choice in list_choices(post))
    return DecisionNotOpen(
        f"Post {post.id} {describe_state(post.state)}: "
        + (f"the possible decisions are {choices}." if choices else "there is nothing to decide."),
        next_action=NextAction(ActionCode.SHOW_POST, {"post_id": post.id}),
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


async def _continue(
    runtime: Runtime,
    scope: Scope,
    transaction: Transaction,
    state: PublishState,
    facts: Detail,
) -> None:
    """Move a locked post to `publishing`; `facts` describe the user's decision in the event."""
    post, now = state.post, runtime.clock.now()
    to_state = PostState.PUBLISHING
    moved = await store.posts.move(transaction, post.id, post.state, to_state, at=now)
    assert moved, "the row is locked"
    await store.posts.add_event(
        transaction, scope.tenant_id, post.id, now, EventCode.POST_RESOLVED,
        from_state=post.state, to_state=to_state, detail=facts, actor=scope.actor,
    )  # fmt: skip


async def _move(
    runtime: Runtime,
    scope: Scope,
    transaction: Transaction,
    state: PublishState,
    to_state: PostState,
    reason: Reason,
    *,
    ends_alerts: bool = True,
) -> None:
    """Set the final state of a locked post, and add the event."""
    post, now = state.post, runtime.clock.now()
    moved = await store.posts.move(
        transaction, post.id, post.state, to_state, reason, at=now, ends_alerts=ends_alerts
    )
    assert moved, "the row is locked"
    await store.posts.add_event(
        transaction, scope.tenant_id, post.id, now, FINAL_EVENTS[to_state],
        from_state=post.state, to_state=to_state, detail=reason_detail(reason), actor=scope.actor,
    )  # fmt: skip


async def _wake(runtime: Runtime, transaction: Transaction, state: PublishState) -> Post:
    """Make the dispatcher queue a post that is `publishing`. Return the stored post."""
    post, now = state.post, runtime.clock.now()
    await transaction.run("wake_post", post=post.id, at=now)
    await transaction.run("announce_due")
    return await store.posts.get(transaction, post.id)


def _validate_text(text: str, current: PartProgress, subscription_type: str | None) -> None:
    """Validate a part's new text; its files and options were validated earlier."""
    # The rules for texts take time to load, and the command that lists posts needs this module but
    # not the rules.
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
    """Raise TweetUnlikely if an id shows that X created the post before the first attempt.

    If X refused the part as a duplicate, the post may be older than the first attempt, by at most
    `DUPLICATE_WINDOW`: the time during which X refuses duplicates.
    """
    created_at = snowflake_time(tweet_id)
    margin = reconcile.DUPLICATE_WINDOW if part.was_refused_as_duplicate else reconcile.SKEW
    if created_at < part.attempts[0].started_at - margin:
        raise TweetUnlikely(
            f"{tweet_id} was posted on {format_time(created_at, 'UTC')}, and Roost first tried to"
            f" send this part later, on {format_time(part.attempts[0].started_at, 'UTC')}."
        )
