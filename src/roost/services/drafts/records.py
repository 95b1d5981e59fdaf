"""Stored drafts as the services return them, and the hash that binds an approval to a draft."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from roost.agents.brief import Brief
from roost.agents.written import (
    CitedSentence,
    Doubt,
    ModelCall,
    Provenance,
    RefusedDraft,
    Verdict,
    WrittenDraft,
    are_replies_useless,
    list_doubts,
)
from roost.models import (
    NO_OPTIONS,
    Actor,
    DraftId,
    DraftMedia,
    DraftOrigin,
    DraftState,
    Integration,
    PostId,
)
from roost.prices import Price, price_of_part, sum_prices
from roost.store.drafts import NewRevision, StoredDraft


@dataclass(frozen=True, slots=True)
class Draft:
    """A stored draft, with the content of one revision: by default, of its current revision.

    The id stays the same when a draft is improved: each improvement adds a revision.
    """

    id: DraftId
    account: Integration
    state: DraftState
    post_id: PostId | None
    """The post that an approval has scheduled; None if the draft was not approved."""
    approved_hash: str | None
    """The hash with which the draft was approved."""
    revision: int
    """The number of the revision, from 1."""
    previous: int | None
    """The revision that this one improves, to which `undo_improvement` returns; or None."""
    instruction: str
    """The instruction that led to this revision; empty for the first revision and for edits."""
    brief: Brief
    """The brief of this revision: an instruction such as `in French` changes the brief."""
    parts: tuple[str, ...]
    """The texts of the parts as they would be published; one for a post."""
    media: tuple[DraftMedia, ...]
    sentences: tuple[CitedSentence, ...]
    """The evidence rail: the sentences of the parts with the facts on which they are based."""
    verdicts: tuple[Verdict, ...]
    origin: DraftOrigin
    provenance: Provenance
    content_hash: str
    """SHA-256 of the account, the parts and the media."""
    created_at: datetime
    """When the revision was made."""
    created_by: Actor

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What the validators could not decide, in the order of the sentences."""
        return list_doubts(self.verdicts)

    @property
    def price(self) -> Price:
        """What X charges for the post."""
        return sum_prices(
            price_of_part(
                part, NO_OPTIONS, has_media=any(each.part == index for each in self.media)
            )
            for index, part in enumerate(self.parts)
        )

    def approval_hash(self, at: datetime) -> str:
        """Return the hash of the account, the parts, the media and a due time.

        A face shows the hash beside the draft and gives it back to `approve_draft`, which refuses
        another hash, because then the draft is no longer what the person has read.
        """
        return hash_approval(self.content_hash, at)


def to_draft(row: StoredDraft, account: Integration) -> Draft:
    """Decode a stored draft."""
    return Draft(
        id=row.id,
        account=account,
        state=row.state,
        post_id=row.post_id,
        approved_hash=row.approval_hash,
        revision=row.number,
        previous=row.previous,
        instruction=row.instruction,
        brief=Brief.model_validate(row.brief),
        parts=row.parts,
        media=row.media,
        sentences=msgspec.convert(row.evidence, tuple[CitedSentence, ...]),
        verdicts=msgspec.convert(row.verdicts, tuple[Verdict, ...]),
        origin=row.origin,
        provenance=msgspec.convert(row.provenance, Provenance),
        content_hash=row.content_hash,
        created_at=row.created_at,
        created_by=Actor.parse(row.created_by),
    )


@dataclass(frozen=True, slots=True)
class DraftsWritten:
    """The result of `write_drafts`: stored drafts, refused drafts, and calls to the model."""

    drafts: tuple[Draft, ...]
    """The best draft first. There can be fewer than the brief's `n`."""
    refused: tuple[RefusedDraft, ...]
    calls: tuple[ModelCall, ...]

    @property
    def has_useless_replies(self) -> bool:
        """Whether the model answered, and none of its drafts was valid."""
        return are_replies_useless(self.calls, (draft.origin for draft in self.drafts))


@dataclass(frozen=True, slots=True)
class DraftImproved:
    """The result of `improve_draft`: the draft with its new revision."""

    draft: Draft
    calls: tuple[ModelCall, ...]
    cancelled: PostId | None
    """The scheduled post of the earlier approval, which the improvement has cancelled."""


def new_revision(
    account: Integration,
    brief: Brief,
    written: WrittenDraft,
    *,
    origin: DraftOrigin | None = None,
    media: tuple[DraftMedia, ...] = (),
    previous: int | None = None,
    instruction: str = "",
) -> NewRevision:
    """Return a draft of the writer as a revision; `origin` is who wrote it instead."""
    return NewRevision(
        previous=previous,
        instruction=instruction,
        brief=brief.model_dump(mode="json"),
        brief_hash=written.provenance.brief_hash,
        brief_version=brief.version,
        parts=written.parts,
        media=media,
        evidence=written.sentences,
        verdicts=written.verdicts,
        provenance=written.provenance,
        origin=origin or DraftOrigin(written.origin),
        content_hash=hash_content(account, written.parts, media),
    )


def hash_content(account: Integration, parts: Sequence[str], media: Sequence[DraftMedia]) -> str:
    """Return the SHA-256 of what an approval covers, apart from the time."""
    return _hash(
        {
            "account": [account.id, account.environment, account.x_user_id],
            "parts": list(parts),
            "media": [[each.part, each.sha256, each.alt_text] for each in media],
        }
    )


def hash_approval(content_hash: str, at: datetime) -> str:
    """Return the SHA-256 of a content and a due time."""
    return _hash({"content": content_hash, "at": at.astimezone(UTC).isoformat()})


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()
