"""Schedules, edits and cancels posts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.errors import PostNotEditable
from roost.models import (
    EventCode,
    Integration,
    PartState,
    Post,
    PostFinding,
    PostId,
    PostState,
    Scope,
)
from roost.next_actions import ActionCode, NextAction
from roost.part_validation import FileAccess
from roost.post_files import OnFileProgress, require_copies
from roost.publishing.changes import list_changes
from roost.publishing.history import describe_state
from roost.publishing.part_input import MediaInput, PartInput
from roost.runtime import Runtime
from roost.services.schedule.validate import (
    prevent_copy_removal,
    require_possible_due,
    require_valid,
    validate_for_account,
    with_stored_texts,
)
from roost.store.database import Transaction

_EDITABLE: Final = {PostState.DRAFT, PostState.SCHEDULED}
#: The final states in which a post can be scheduled again, because no part of the post is on X.
_RETRYABLE: Final = {PostState.FAILED, PostState.MISSED}
#: The states in which a post may have attempts that created nothing on X; an edit deletes these
#: attempts.
_MAY_HAVE_ATTEMPTS: Final = _RETRYABLE | {PostState.PUBLISHING}

#: Called with the findings of a post. The post is stored nevertheless.
OnFindings = Callable[[Sequence[PostFinding]], None]
#: Called in the transaction that stores a post; an error of the call stores nothing.
OnStored = Callable[[Transaction, Post], Awaitable[None]]


# The function has more than seven parameters: independent options, all of them keyword-only.
async def schedule_post(
    runtime: Runtime,
    scope: Scope,
    integration: Integration,
    parts: Sequence[PartInput],
    *,
    due_at: datetime | None,
    tolerance: timedelta | None = None,
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
    on_stored: OnStored | None = None,
) -> Post:
    """Store a post with copies of its files; a post without a due time is a draft.

    `tolerance` is how late the post may be published; None means that the setting applies.
    `on_stored` is called in the same transaction.
    Raises: PostRefused with every violation, TimePast, TimeTooFar, and the errors of
    `validate_parts`. If an error is raised, nothing is stored.
    """
    await require_possible_due(runtime, scope, due_at)
    async with prevent_copy_removal(runtime, has_files=any(part.media for part in parts)):
        result = await validate_for_account(
            runtime, scope, integration, parts, due_at=due_at,
            files=FileAccess(runtime.media, on_progress),
        )  # fmt: skip
        require_valid(result)
        if on_findings is not None:
            on_findings(result.findings)
        async with runtime.database.for_tenant(scope.tenant_id) as transaction:
            post_id = await store.posts.add(
                transaction,
                scope.tenant_id,
                integration.id,
                with_stored_texts(result),
                due_at=due_at,
                now=runtime.clock.now(),
                detail={},
                actor=scope.actor,
                upload_lead=runtime.settings.upload_lead,
                tolerance=tolerance,
            )
            assert post_id is not None, "only an import can meet a post that is stored already"
            post = await store.posts.get(transaction, post_id)
            if on_stored is not None:
                await on_stored(transaction, post)
            return post


async def edit_post(
    runtime: Runtime,
    scope: Scope,
    post_id: PostId,
    *,
    parts: Sequence[PartInput] | None,
    due_at: datetime | None,
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
) -> Post:
    """Change the parts or the due time of a post of which no part is on X.

    A failed or missed post needs a new due time, and the copies of its files must exist. If a
    post in the state `publishing` waits, an edit makes it `scheduled` again: at the new due time if
    one is given, otherwise at the old one.
    Raises: PostNotFound, PostNotEditable, PostRefused, TimePast, TimeTooFar, and the errors of
    `validate_parts`. If an error is raised, nothing is changed.
    """
    async with prevent_copy_removal(runtime, has_files=any(part.media for part in parts or ())):
        return await _edit(runtime, scope, post_id, parts, due_at, on_findings, on_progress)


async def _edit(
    runtime: Runtime,
    scope: Scope,
    post_id: PostId,
    parts: Sequence[PartInput] | None,
    due_at: datetime | None,
    on_findings: OnFindings | None,
    on_progress: OnFileProgress | None,
) -> Post:
    await require_possible_due(runtime, scope, due_at)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        post = await store.posts.get(transaction, post_id)
        integration = await store.integrations.get(transaction, post.integration_id)
    result = None
    if parts is not None:
        result = await validate_for_account(
            runtime, scope, integration, parts, due_at=due_at or post.due_at, excluding=post_id,
            files=FileAccess(runtime.media, on_progress),
        )  # fmt: skip
        require_valid(result)
        if on_findings is not None:
            on_findings(result.findings)
    elif post.state in _RETRYABLE:
        files = [file for part in post.parts for file in part.media]
        await require_copies(runtime.media, files)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        state = await _lock_editable(transaction, post_id)
        # The post is read again, because it may have changed before it was locked.
        before = post = await store.posts.get(transaction, post_id)
        now = runtime.clock.now()
        if state in _RETRYABLE and due_at is None:
            raise PostNotEditable(
                f"Post {post_id} {describe_state(state)}.",
                next_action=NextAction(ActionCode.RESCHEDULE_POST, {"post_id": post_id}),
            )
        if result is not None or state in _MAY_HAVE_ATTEMPTS:
            rows = _unchanged_parts(post) if result is None else with_stored_texts(result)
            await store.posts.replace_parts(
                transaction, scope.tenant_id, integration.id, post_id, rows
            )
        new_due_at = due_at if due_at is not None or state is PostState.DRAFT else post.due_at
        if new_due_at is not None:
            await store.posts.reschedule(
                transaction, post_id, new_due_at, upload_lead=runtime.settings.upload_lead, at=now
            )
        changed = await store.posts.get(transaction, post_id)
        await store.posts.add_event(
            transaction, scope.tenant_id, post_id, now, EventCode.POST_EDITED, from_state=state,
            to_state=changed.state, actor=scope.actor,
            detail={"changes": list_changes(before, changed)},
        )  # fmt: skip
    return changed


def _unchanged_parts(post: Post) -> list[PartInput]:
    """Convert a post's parts to input, so that they can be stored again without attempts."""
    return [
        PartInput(
            part.text,
            tuple(MediaInput(asset, asset.alt_text) for asset in part.media),
            part.options,
        )
        for part in post.parts
    ]


async def cancel_post(runtime: Runtime, scope: Scope, post_id: PostId) -> Post:
    """Cancel a post of which no part is on X. Raises: PostNotFound, PostNotEditable."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        await cancel_in(transaction, runtime, scope, post_id)
        return await store.posts.get(transaction, post_id)


async def cancel_in(
    transaction: Transaction, runtime: Runtime, scope: Scope, post_id: PostId
) -> None:
    """Cancel a post in the caller's transaction. Raises: PostNotFound, PostNotEditable."""
    state = await _lock_editable(transaction, post_id)
    now = runtime.clock.now()
    await store.posts.move(transaction, post_id, state, PostState.CANCELLED, at=now)
    await store.posts.add_event(
        transaction, scope.tenant_id, post_id, now, EventCode.POST_CANCELLED, from_state=state,
        to_state=PostState.CANCELLED, actor=scope.actor,
    )  # fmt: skip


async def _lock_editable(transaction: Transaction, post_id: PostId) -> PostState:
    """Lock a post that may be edited. Raises: PostNotEditable.

    A post in the state `publishing` may be edited only if no part is on X and no attempt is in
    progress. An attempt locks the same row, so each attempt begins either before this lock or after
    this transaction.
    """
    state = await store.posts.lock_state(transaction, post_id)
    if state in _EDITABLE | _RETRYABLE:
        return state
    if state is PostState.PUBLISHING and await store.posts.is_untouched(transaction, post_id):
        return state
    post = await store.posts.get(transaction, post_id)
    raise PostNotEditable(
        f"Post {post_id} {_describe_progress(post)}, so Roost can no longer change it.",
        next_action=NextAction(ActionCode.SHOW_POST, {"post_id": post_id}),
    )


def _describe_progress(post: Post) -> str:
    states = {part.state for part in post.parts}
    if post.state is not PostState.PUBLISHING:
        return describe_state(post.state)
    if PartState.SENDING in states:
        return "is being sent at this moment"
    if PartState.SENT in states:
        return "is partly on X"
    return "was sent to X and may be on X"
