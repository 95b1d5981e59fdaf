"""Approves a draft: schedules exactly what was read."""

from datetime import datetime
from pathlib import Path

from roost import store
from roost.agents.doubts import describe_doubt
from roost.formats import format_count
from roost.models import DraftId, DraftState, Post, PostState, Scope
from roost.next_actions import ActionCode, NextAction
from roost.publishing.part_input import MediaInput, PartInput
from roost.runtime import Runtime
from roost.services.drafts.errors import (
    DraftChanged,
    DraftHasDoubts,
    DraftNotEditable,
    PersonNeeded,
)
from roost.services.drafts.read import lock_draft, read_draft
from roost.services.drafts.records import Draft
from roost.services.schedule import OnFindings, schedule_post
from roost.store.database import Transaction


async def approve_draft(
    runtime: Runtime,
    scope: Scope,
    draft_id: DraftId,
    *,
    at: datetime,
    approval_hash: str,
    by_person: bool,
    on_findings: OnFindings | None = None,
) -> Post:
    """Schedule the draft's current revision at a time, and return the post.

    `approval_hash` is the `Draft.approval_hash(at)` of the draft that was read. `by_person` says
    whether a person at a terminal or a page has read the draft and approves it. A second approval
    with the same hash returns the post of the first one. If that post was cancelled, the draft is
    scheduled again.
    Raises: DraftNotFound; DraftChanged (the hash differs); DraftNotEditable (discarded, or
    scheduled for another time); PersonNeeded; DraftHasDoubts (a doubt, and no person approves); and
    the errors of `schedule_post`. If an error is raised, nothing is scheduled.
    """
    tenant = await store.tenants.get_by_id(runtime.database, scope.tenant_id)
    if not by_person and not tenant.drafts_without_person:
        raise PersonNeeded(
            f"Only a person may approve the drafts of tenant {tenant.name!r}.",
            did="Nothing was scheduled.",
        )
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        draft = await read_draft(transaction, draft_id)
        existing = await _find_post(transaction, draft, at, approval_hash)
    if existing is not None:
        return existing
    if not by_person and draft.doubts:
        raise DraftHasDoubts(
            f"Draft {draft_id} has {format_count(len(draft.doubts), 'doubt')}, which only a person"
            " can decide.",
            did="Nothing was scheduled.",
            next_action=NextAction(ActionCode.SHOW_DRAFT, {"draft_id": draft_id}),
            doubts=[describe_doubt(each) for each in draft.doubts],
        )

    async def record(transaction: Transaction, post: Post) -> None:
        # The draft is checked again under a lock, because it may have changed since it was read.
        # If it still has this hash, its parts are those of the post.
        now = await lock_draft(transaction, draft_id)
        if (other := await _find_post(transaction, now, at, approval_hash)) is not None:
            raise _ScheduledMeanwhileError(other)
        _require_same_files(draft, post)
        await store.drafts.update(
            transaction,
            draft_id,
            state=DraftState.APPROVED,
            revision=now.revision,
            post_id=post.id,
            approval_hash=approval_hash,
        )

    try:
        return await schedule_post(
            runtime, scope, draft.account, _list_parts(draft),
            due_at=at, on_findings=on_findings, on_stored=record,
        )  # fmt: skip
    except _ScheduledMeanwhileError as error:
        return error.post


class _ScheduledMeanwhileError(Exception):
    """Another approval has scheduled the draft, so this one's post is rolled back."""

    def __init__(self, post: Post) -> None:
        super().__init__(post.id)
        self.post = post


async def _find_post(
    transaction: Transaction, draft: Draft, at: datetime, approval_hash: str
) -> Post | None:
    """Return the post of an earlier approval with this hash; None if there is none.

    Raises: DraftChanged, DraftNotEditable.
    """
    if draft.approval_hash(at) != approval_hash:
        raise DraftChanged(
            f"Draft {draft.id}, its account or the time is not what was approved.",
            did="Nothing was scheduled.",
            next_action=NextAction(ActionCode.SHOW_DRAFT, {"draft_id": draft.id}),
            revision=draft.revision,
        )
    if draft.state is DraftState.DISCARDED:
        raise DraftNotEditable(
            f"Draft {draft.id} was discarded.",
            did="Nothing was scheduled.",
            next="Write a new draft.",
        )
    if draft.post_id is None:
        return None
    post = await store.posts.get(transaction, draft.post_id)
    if post.state is PostState.CANCELLED:
        return None
    if draft.approved_hash == approval_hash:
        return post
    raise DraftNotEditable(
        f"Draft {draft.id} is already post {post.id}, which is planned for another time.",
        did="Nothing was scheduled.",
        next=f"Give post {post.id} another time, or cancel it first.",
    )


def _list_parts(draft: Draft) -> list[PartInput]:
    return [
        PartInput(
            text,
            tuple(
                MediaInput(Path(each.path), each.alt_text)
                for each in draft.media
                if each.part == index
            ),
        )
        for index, text in enumerate(draft.parts)
    ]


def _require_same_files(draft: Draft, post: Post) -> None:
    """Raise DraftChanged if the content of a file is no longer what the draft was made with."""
    stored = [file.sha256 for part in post.parts for file in part.media]
    by_part = sorted(draft.media, key=lambda each: each.part)
    for each, sha256 in zip(by_part, stored, strict=True):
        if each.sha256 != sha256:
            raise DraftChanged(
                f"The file {each.path} has changed since draft {draft.id} was made.",
                did="Nothing was scheduled.",
                next="Restore the file, or give the draft the file again.",
                revision=draft.revision,
            )
