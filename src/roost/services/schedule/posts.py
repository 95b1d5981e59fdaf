"""Puts posts on the calendar, changes them and takes them back."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from roost import store
from roost.errors import PostNotEditable
from roost.models import Integration, PartState, Post, PostFinding, PostId, PostState, Tenant
from roost.post_files import OnFileProgress, require_copies
from roost.runtime import Runtime
from roost.services.schedule.judging import (
    PlainPart,
    accepting,
    check_due,
    judge_for,
    new_parts,
    refuse,
)
from roost.store.database import Transaction
from roost.store.posts import NewMedia, NewPart

_EDITABLE = {PostState.DRAFT, PostState.SCHEDULED}
#: Came to nothing: nothing of it is on X, and with another time it may be tried again.
_OVER = {PostState.FAILED, PostState.MISSED}
#: May have attempts, which created nothing: an edited post begins anew, without them.
_BEGUN = _OVER | {PostState.PUBLISHING}

#: Called with what is probably not meant in a post that is taken all the same.
OnFindings = Callable[[Sequence[PostFinding]], None]


async def schedule_post(
    runtime: Runtime,
    tenant: Tenant,
    integration: Integration,
    parts: Sequence[PlainPart],
    *,
    due_at: datetime | None,
    why: str,
    tolerance: timedelta | None = None,
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
) -> Post:
    """Store a post due at an instant, with copies of its files; without an instant, as a draft.

    `tolerance` is how late it may go out; None: as the settings say.

    Raises: PostRefused with every violation, TimePast, TimeTooFar (nothing is stored); what
    `judge` raises.
    """
    check_due(due_at, runtime.clock.now())
    async with accepting(runtime, has_files=any(part.media for part in parts)):
        judged = await judge_for(
            runtime, tenant, integration, parts, due_at=due_at,
            store_in=runtime.media, on_progress=on_progress,
        )  # fmt: skip
        refuse(judged)
        if on_findings is not None:
            on_findings(judged.findings)
        async with runtime.database.for_tenant(tenant.id) as transaction:
            post_id = await store.posts.add(
                transaction,
                tenant.id,
                integration.id,
                new_parts(judged),
                due_at=due_at,
                now=runtime.clock.now(),
                reason=why,
                actor=runtime.actor,
                upload_lead=runtime.settings.upload_lead,
                tolerance=tolerance,
            )
            assert post_id is not None, "only an import can meet a post that is there already"
            return await store.posts.get(transaction, post_id)


async def edit_post(
    runtime: Runtime,
    tenant: Tenant,
    post_id: PostId,
    *,
    parts: Sequence[PlainPart] | None,
    due_at: datetime | None,
    on_findings: OnFindings | None = None,
    on_progress: OnFileProgress | None = None,
) -> Post:
    """Another text, other files or another time for a post of which X has nothing.

    A post that failed or was missed needs a new time, and the copies of its files. A post that is
    on its way, and waits, is scheduled again; without a new time it continues when the wait ends.

    Raises: PostNotFound, PostNotEditable, PostRefused, TimePast, TimeTooFar (nothing is changed);
    what `judge` raises.
    """
    async with accepting(runtime, has_files=any(part.media for part in parts or ())):
        return await _edit(runtime, tenant, post_id, parts, due_at, on_findings, on_progress)


async def _edit(
    runtime: Runtime,
    tenant: Tenant,
    post_id: PostId,
    parts: Sequence[PlainPart] | None,
    due_at: datetime | None,
    on_findings: OnFindings | None,
    on_progress: OnFileProgress | None,
) -> Post:
    check_due(due_at, runtime.clock.now())
    async with runtime.database.for_tenant(tenant.id) as transaction:
        post = await store.posts.get(transaction, post_id)
        integration = await store.integrations.get(transaction, post.integration_id)
    judged = None
    if parts is not None:
        judged = await judge_for(
            runtime, tenant, integration, parts, due_at=due_at or post.due_at, excluding=post_id,
            store_in=runtime.media, on_progress=on_progress,
        )  # fmt: skip
        refuse(judged)
        if on_findings is not None:
            on_findings(judged.findings)
    elif post.state in _OVER:
        files = [file for part in post.parts for file in part.media]
        await require_copies(runtime.media, files)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _take_editable(transaction, post_id, _EDITABLE | _OVER)
        # As it is now that nobody else can change it.
        post, now = await store.posts.get(transaction, post_id), runtime.clock.now()
        if state in _OVER and due_at is None:
            raise PostNotEditable(
                f"Post {post_id} is {state}.", next="Give it another time with --at."
            )
        if judged is not None or state in _BEGUN:
            rows = new_parts(judged) if judged is not None else _same(post)
            await store.posts.replace_parts(transaction, tenant.id, integration.id, post_id, rows)
        when = due_at if due_at is not None or state is PostState.DRAFT else post.due_at
        if when is not None:
            await store.posts.reschedule(
                transaction, post_id, when, upload_lead=runtime.settings.upload_lead, at=now
            )
        changed = await store.posts.get(transaction, post_id)
        await store.posts.add_event(
            transaction,
            tenant.id,
            post_id,
            now,
            state,
            changed.state,
            "edited by hand",
            actor=runtime.actor,
        )
    return changed


def _same(post: Post) -> list[NewPart]:
    """A post's parts as they are, to be stored anew without what became of them."""
    return [
        NewPart(
            part.text,
            tuple(
                NewMedia(
                    each.path, each.sha256, each.kind, each.mime_type, each.size_bytes,
                    each.alt_text,
                )
                for each in part.media
            ),
            part.options,
        )
        for part in post.parts
    ]  # fmt: skip


async def cancel_post(runtime: Runtime, tenant: Tenant, post_id: PostId) -> Post:
    """Take a post back while X has nothing of it. Raises: PostNotFound, PostNotEditable."""
    async with runtime.database.for_tenant(tenant.id) as transaction:
        state = await _take_editable(transaction, post_id, _EDITABLE | _OVER)
        now = runtime.clock.now()
        await store.posts.move(transaction, post_id, state, PostState.CANCELLED, at=now)
        await store.posts.add_event(
            transaction, tenant.id, post_id, now, state, PostState.CANCELLED, "cancelled by hand",
            actor=runtime.actor,
        )  # fmt: skip
        return await store.posts.get(transaction, post_id)


async def _take_editable(
    transaction: Transaction, post_id: PostId, states: Collection[PostState]
) -> PostState:
    """The state of a post, locked, in one of these states; or on its way and X has nothing of it.

    An attempt locks the same row: either it sees what is changed here, or it is seen here.
    """
    state = await store.posts.lock_state(transaction, post_id)
    if state in states:
        return state
    if state is PostState.PUBLISHING and await store.posts.is_untouched(transaction, post_id):
        return state
    post = await store.posts.get(transaction, post_id)
    raise PostNotEditable(
        f"Post {post_id} {_why_fixed(post)}; it can no longer be changed here.",
        next=f"`roost posts {post_id} --history` tells what became of it.",
    )


def _why_fixed(post: Post) -> str:
    states = {part.state for part in post.parts}
    if post.state is not PostState.PUBLISHING:
        return f"is {post.state}"
    if PartState.SENDING in states:
        return "is being sent at this moment"
    if PartState.SENT in states:
        return "is on X in part"
    return "was handed to X, and may be there"
