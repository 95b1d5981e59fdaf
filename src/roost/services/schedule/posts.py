"""Schedules, edits and cancels posts."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.errors import PostNotEditable
from roost.models import Integration, PartState, Post, PostFinding, PostId, PostState, Tenant
from roost.part_validation import FileAccess
from roost.post_files import OnFileProgress, require_copies
from roost.publishing.part_input import MediaInput, PartInput
from roost.runtime import Runtime
from roost.services.schedule.validate import (
    check_due,
    prevent_copy_removal,
    require_valid,
    validate_for_account,
    with_stored_texts,
)
from roost.store.database import Transaction

_EDITABLE: Final = {PostState.DRAFT, PostState.SCHEDULED}
#: Nothing of such a post is on X; with another due time it is tried again.
_RETRYABLE: Final = {PostState.FAILED, PostState.MISSED}
#: Such a post may have attempts, which created nothing; editing removes them.
_MAY_HAVE_ATTEMPTS: Final = _RETRYABLE | {PostState.PUBLISHING}

#: Called with the findings of a post that is stored all the same.
OnFindings = Callable[[Sequence[PostFinding]], None]


# More than seven parameters: keyword-only options of one use case, which have nothing in common.
async def schedule_post(
    runtime: Runtime,
    tenant: Tenant,
    integration: Integration,
    parts: Sequence[PartInput],
    *,
    due_at: datetime | None,
    why: str,
    tolerance: timedelta | None = None,
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
) -> Post:
    """Store a post with its due time and copies of its files; without a due time, a draft.

    `why` is the reason in the post's first event. `tolerance` is how late the post may be
    published; None means the value of the settings.
    Raises: PostRefused with every violation, TimePast, TimeTooFar (nothing is stored); what
    `validate_parts` raises.
    """
    check_due(due_at, runtime.clock.now())
    async with prevent_copy_removal(runtime, has_files=any(part.media for part in parts)):
        result = await validate_for_account(
            runtime, tenant, integration, parts, due_at=due_at,
            files=FileAccess(runtime.media, on_progress),
        )  # fmt: skip
        require_valid(result)
        if on_findings is not None:
            on_findings(result.findings)
        async with runtime.database.for_tenant(tenant.id) as transaction:
            post_id = await store.posts.add(
                transaction,
                tenant.id,
                integration.id,
                with_stored_texts(result),
                due_at=due_at,
                now=runtime.clock.now(),
                reason=why,
                actor=runtime.actor,
                upload_lead=runtime.settings.upload_lead,
                tolerance=tolerance,
            )
            assert post_id is not None, "only an import can find that its post is stored already"
            return await store.posts.get(transaction, post_id)


async def edit_post(
    runtime: Runtime,
    tenant: Tenant,
    post_id: PostId,
    *,
    parts: Sequence[PartInput] | None,
    due_at: datetime | None,
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
) -> Post:
    """Change the parts or the due time of a post of which X has nothing.

    A failed or missed post needs a new due time and the copies of its files. A post that is being
    published, and waits, is scheduled again; without a new due time it continues after the wait.
    Raises: PostNotFound, PostNotEditable, PostRefused, TimePast, TimeTooFar (nothing is changed);
    what `validate_parts` raises.
    """
    async with prevent_copy_removal(runtime, has_files=any(part.media for part in parts or ())):
        return await _edit(runtime, tenant, post_id, parts, due_at, on_findings, on_progress)


async def _edit(
    runtime: Runtime,
    tenant: Tenant,
    post_id: PostId,
    parts: Sequence[PartInput] | None,
    due_at: datetime | None,
    on_findings: OnFindings | None,
    on_progress: OnFileProgress | None,
) -> Post:
    check_due(due_at, runtime.clock.now())
    async with runtime.database.for_tenant(tenant.id) as transaction:
        post = await store.posts.get(transaction, post_id)
        integration = await store.integrations.get(transaction, post.integration_id)
    result = None
    if parts is not None:
        result = await validate_for_account(
            runtime, tenant, integration, parts, due_at=due_at or post.due_at, excluding=post_id,
            files=FileAccess(runtime.media, on_progress),
        )  # fmt: skip
        require_valid(result)
        if on_findings is not None:
            on_findings(result.findings)
    elif post.state in _RETRYABLE:
        files = [file for part in post.parts for file in part.media]
        await require_copies(runtime.media, files)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _lock_editable(transaction, post_id)
        # Read again: the post cannot change any more.
        post, now = await store.posts.get(transaction, post_id), runtime.clock.now()
        if state in _RETRYABLE and due_at is None:
            raise PostNotEditable(
                f"Post {post_id} is {state}.", next="Give it another time with --at."
            )
        if result is not None or state in _MAY_HAVE_ATTEMPTS:
            rows = _unchanged_parts(post) if result is None else with_stored_texts(result)
            await store.posts.replace_parts(transaction, tenant.id, integration.id, post_id, rows)
        new_due_at = due_at if due_at is not None or state is PostState.DRAFT else post.due_at
        if new_due_at is not None:
            await store.posts.reschedule(
                transaction, post_id, new_due_at, upload_lead=runtime.settings.upload_lead, at=now
            )
        changed = await store.posts.get(transaction, post_id)
        await store.posts.add_event(
            transaction, tenant.id, post_id, now, state, changed.state, "edited manually",
            actor=runtime.actor,
        )  # fmt: skip
    return changed


def _unchanged_parts(post: Post) -> list[PartInput]:
    """A post's parts as they are, to be stored again without their attempts."""
    return [
        PartInput(
            part.text,
            tuple(MediaInput(asset, asset.alt_text) for asset in part.media),
            part.options,
        )
        for part in post.parts
    ]


async def cancel_post(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Cancel a post of which X has nothing. Raises: PostNotFound, PostNotEditable."""
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _lock_editable(transaction, post_id)
        now = runtime.clock.now()
        await store.posts.move(transaction, post_id, state, PostState.CANCELLED, at=now)
        await store.posts.add_event(
            transaction, tenant.id, post_id, now, state, PostState.CANCELLED, "cancelled manually",
            actor=runtime.actor,
        )  # fmt: skip
        return await store.posts.get(transaction, post_id)


async def _lock_editable(transaction: Transaction, post_id: PostId) -> PostState:
    """Lock a post that may be edited, or is being published while X has nothing of it.

    An attempt locks the same row: either it sees what is changed here, or it is seen here.
    Raises: PostNotEditable.
    """
    state = await store.posts.lock_state(transaction, post_id)
    if state in _EDITABLE | _RETRYABLE:
        return state
    if state is PostState.PUBLISHING and await store.posts.is_untouched(transaction, post_id):
        return state
    post = await store.posts.get(transaction, post_id)
    raise PostNotEditable(
        f"Post {post_id} {_describe_progress(post)}; it can no longer be changed here.",
        next=f"`roost posts {post_id} --history` shows what became of it.",
    )


def _describe_progress(post: Post) -> str:
    states = {part.state for part in post.parts}
    if post.state is not PostState.PUBLISHING:
        return f"is {post.state}"
    if PartState.SENDING in states:
        return "is being sent at this moment"
    if PartState.SENT in states:
        return "is partly on X"
    return "was handed to X, and may be there"
