"""Adds revisions to drafts: improvements, edits and their undo; and discards drafts."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from roost import store
from roost.agents import improve
from roost.agents.model import Model
from roost.agents.validators import validate
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.writer import brief_hash
from roost.agents.written import CitedSentence, Provenance, Writing, WrittenDraft
from roost.errors import InvalidInput, PostNotEditable
from roost.models import (
    NO_OPTIONS,
    DraftId,
    DraftMedia,
    DraftOrigin,
    DraftState,
    PostId,
    PostState,
    Scope,
)
from roost.next_actions import ActionCode, NextAction
from roost.publishing.part_input import MediaInput, PartInput
from roost.runtime import Runtime
from roost.services.drafts.errors import (
    DraftChanged,
    DraftNotEditable,
    ImprovementFailed,
    NothingToUndo,
)
from roost.services.drafts.read import get_draft, lock_draft, read_draft
from roost.services.drafts.records import Draft, DraftImproved, new_revision
from roost.services.drafts.write import list_recent_texts, open_budget
from roost.services.schedule import cancel_in, validate_for_account
from roost.services.schedule.validate import require_valid
from roost.store.database import Transaction
from roost.store.drafts import NewRevision

#: A draft can no longer change if its post is in one of these states, because a part of the post is
#: or may be on X.
_FINAL: Final = {
    PostState.PUBLISHED,
    PostState.PARTLY_PUBLISHED,
    PostState.NEEDS_DECISION,
}
_DID_NOTHING: Final = "The draft did not change."


async def improve_draft(
    runtime: Runtime,
    scope: Scope,
    draft_id: DraftId,
    instruction: str,
    *,
    model: Model | None = None,
) -> DraftImproved:
    """Improve a draft by an instruction: `shorter`, `warmer`, `as a thread`, `in French` …

    The new text passes the same validators as a new draft, and becomes a new revision; the old
    revision is kept. The approval of an earlier revision ends: if its post is scheduled and no part
    is on X, the post is cancelled.
    Without a model, only `shorter` and `without the link` work.
    Raises: DraftNotFound; DraftNotEditable (discarded, or a part is on X); ModelNeeded;
    BriefInvalid (no fact is valid any more); DraftChanged (another change came first);
    ImprovementFailed. If an error is raised, the draft and its post do not change.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        draft = await read_draft(transaction, draft_id)
        await _require_changeable(transaction, draft)
        first = await read_draft(transaction, draft_id, 1)
        recent = await list_recent_texts(runtime, transaction, excluding=draft.post_id)
    wish = improve.read_wish(instruction, draft.brief, draft.parts)
    writing = await improve.improve_draft(
        Candidate(draft.parts, draft.sentences),
        wish,
        model,
        facts_language=first.brief.language,
        recent_posts=recent,
        budget=open_budget(runtime, scope, model),
        now=runtime.clock.now(),
    )
    if not writing.drafts:
        raise _failed(draft, wish.text, writing)
    revision = new_revision(
        draft.account,
        wish.brief,
        writing.drafts[0],
        media=_keep_media(draft, len(writing.drafts[0].parts)),
        previous=draft.revision,
        instruction=wish.text,
    )
    improved, cancelled = await _add_revision(runtime, scope, draft, revision)
    return DraftImproved(improved, writing.calls, cancelled)


def _failed(draft: Draft, instruction: str, writing: Writing) -> ImprovementFailed:
    findings = [
        f"{verdict.validator}: {finding}"
        for refused in writing.refused
        for verdict in refused.verdicts
        for finding in verdict.findings
    ]
    calls = [call.error for call in writing.calls if call.error]
    reason = (
        f"The model gave no text ({', '.join(dict.fromkeys(calls))})."
        if calls and not writing.refused
        else "Every new text broke a rule or was the old text."
        if writing.refused
        else "Nothing can be left out."
    )
    return ImprovementFailed(
        f"Draft {draft.id} could not be improved by {instruction!r}. {reason}",
        did=_DID_NOTHING,
        findings=list(dict.fromkeys(findings)),
        calls=calls,
    )


def _keep_media(draft: Draft, parts: int) -> tuple[DraftMedia, ...]:
    """Return the draft's files for a new text that has `parts` parts.

    The files of a part that no longer exists move to the last part.
    """
    return tuple(replace(each, part=min(each.part, parts - 1)) for each in draft.media)


async def edit_draft(
    runtime: Runtime, scope: Scope, draft_id: DraftId, parts: Sequence[PartInput]
) -> DraftImproved:
    """Add a revision with the texts and files that a person has entered in `parts`.

    The validators' verdicts are stored with the revision, but even a bad verdict does not prevent
    the edit. The approval of an earlier revision ends, as described at `improve_draft`.
    Raises: DraftNotFound, DraftNotEditable, InvalidInput (a part has a poll or other options),
    PostRefused, and the errors of `validate_parts`.
    """
    if any(part.options != NO_OPTIONS for part in parts):
        raise InvalidInput(
            "A draft has texts and files only.", did=_DID_NOTHING, next="Leave out the options."
        )
    draft = await get_draft(runtime, scope, draft_id)
    result = await validate_for_account(runtime, scope, draft.account, parts)
    require_valid(result)
    media = tuple(
        DraftMedia(index, str(file.content.path), file.content.sha256, file.alt_text)
        for index, part in enumerate(result.parts)
        for file in part.media
    )
    texts = tuple(part.text for part in parts)
    sentences = _keep_sentences(draft, texts)
    verdicts = validate(Candidate(texts, sentences), Context(draft.brief))
    provenance = Provenance(
        brief_hash(draft.brief), draft.brief.version, "", "", 0, 0, 0, Decimal(0)
    )
    revision = new_revision(
        draft.account,
        draft.brief,
        WrittenDraft(texts, sentences, "composer", verdicts, provenance),
        origin=DraftOrigin.PERSON,
        media=media,
        previous=draft.revision,
    )
    edited, cancelled = await _add_revision(runtime, scope, draft, revision)
    return DraftImproved(edited, (), cancelled)


async def edit_texts(
    runtime: Runtime, scope: Scope, draft_id: DraftId, texts: Sequence[str]
) -> DraftImproved:
    """Add a revision with new texts, one for each part, and with the draft's present files.

    The files of a part that no longer exists move to the last part. `edit_draft` makes the
    edit.
    """
    draft = await get_draft(runtime, scope, draft_id)
    media = _keep_media(draft, len(texts))
    parts = [
        PartInput(
            text,
            tuple(
                MediaInput(Path(each.path), each.alt_text) for each in media if each.part == index
            ),
        )
        for index, text in enumerate(texts)
    ]
    return await edit_draft(runtime, scope, draft_id, parts)


def _keep_sentences(draft: Draft, texts: Sequence[str]) -> tuple[CitedSentence, ...]:
    """Return the draft's cited sentences that its new texts still contain, part by part.

    A text that contains none of them becomes one sentence without a citation.
    """
    found = []
    for index, text in enumerate(texts):
        kept = [each for each in draft.sentences if each.part == index and each.text in text]
        found += kept or [CitedSentence(index, text, ())]
    return tuple(found)


async def undo_improvement(runtime: Runtime, scope: Scope, draft_id: DraftId) -> DraftImproved:
    """Undo a draft's last improvement or edit: make the previous revision the current one.

    No revision is deleted. The approval of the undone revision ends, as described at
    `improve_draft`.
    Raises: DraftNotFound, DraftNotEditable, NothingToUndo.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        draft = await lock_draft(transaction, draft_id)
        if draft.previous is None:
            raise NothingToUndo(
                f"Draft {draft_id} has no improvement or edit to undo.", did=_DID_NOTHING
            )
        cancelled = await _end_approval(transaction, runtime, scope, draft)
        await store.drafts.update(
            transaction, draft_id, state=DraftState.DRAFT, revision=draft.previous
        )
        return DraftImproved(await read_draft(transaction, draft_id), (), cancelled)


async def discard_draft(runtime: Runtime, scope: Scope, draft_id: DraftId) -> Draft:
    """Discard a draft that is not scheduled. Raises: DraftNotFound, DraftNotEditable."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        draft = await lock_draft(transaction, draft_id)
        if draft.state is DraftState.DISCARDED:
            return draft
        if (post_id := await _require_changeable(transaction, draft)) is not None:
            raise DraftNotEditable(
                f"Draft {draft_id} cannot be discarded: post {post_id} was made from it.",
                did=_DID_NOTHING,
                next=f"Cancel post {post_id} first.",
            )
        await store.drafts.update(
            transaction, draft_id, state=DraftState.DISCARDED, revision=draft.revision
        )
        return await read_draft(transaction, draft_id)


async def _add_revision(
    runtime: Runtime, scope: Scope, draft: Draft, revision: NewRevision
) -> tuple[Draft, PostId | None]:
    """Add `revision` to a draft as its current revision, and end the draft's approval.

    Returns the draft, and the id of the post that was cancelled for this; None if there was none.
    Raises: DraftChanged, DraftNotEditable.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        now = await lock_draft(transaction, draft.id)
        if now.revision != draft.revision:
            raise DraftChanged(
                f"Draft {draft.id} was changed at the same time.",
                did="The other change was kept.",
                next_action=NextAction(ActionCode.SHOW_DRAFT, {"draft_id": draft.id}),
                revision=now.revision,
            )
        cancelled = await _end_approval(transaction, runtime, scope, now)
        number = await store.drafts.add_revision(
            transaction,
            scope.tenant_id,
            draft.id,
            revision,
            now=runtime.clock.now(),
            actor=scope.actor,
        )
        await store.drafts.update(transaction, draft.id, state=DraftState.DRAFT, revision=number)
        return await read_draft(transaction, draft.id), cancelled


async def _require_changeable(transaction: Transaction, draft: Draft) -> PostId | None:
    """Return the id of the post that a change of the draft would cancel, or None.

    Raises: DraftNotEditable if the draft was discarded, or if a part of its post may be on X.
    """
    if draft.state is DraftState.DISCARDED:
        raise DraftNotEditable(
            f"Draft {draft.id} was discarded.", did=_DID_NOTHING, next="Write a new draft."
        )
    if draft.post_id is None:
        return None
    post = await store.posts.get(transaction, draft.post_id)
    if post.state in _FINAL:
        raise DraftNotEditable(
            f"Draft {draft.id} cannot change: a part of its post {post.id} is or may be on X.",
            did=_DID_NOTHING,
            next="Write a new draft.",
        )
    return None if post.state is PostState.CANCELLED else post.id


async def _end_approval(
    transaction: Transaction, runtime: Runtime, scope: Scope, draft: Draft
) -> PostId | None:
    """Cancel the post that was made from the draft, if any, and return the post's id.

    Raises: DraftNotEditable.
    """
    post_id = await _require_changeable(transaction, draft)
    if post_id is None:
        return None
    try:
        await cancel_in(transaction, runtime, scope, post_id)
    except PostNotEditable as error:
        raise DraftNotEditable(
            f"Draft {draft.id} can no longer change: {error.message}",
            did=_DID_NOTHING,
            next="Write a new draft.",
        ) from None
    return post_id
