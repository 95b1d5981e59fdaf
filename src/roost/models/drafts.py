"""Drafts of posts: their states and where their texts come from."""

from dataclasses import dataclass
from enum import StrEnum


class DraftState(StrEnum):
    """Whether a draft waits for a person, is scheduled as a post, or is discarded."""

    DRAFT = "draft"
    """The draft waits for a person."""
    APPROVED = "approved"
    """The draft's current revision was scheduled as a post."""
    DISCARDED = "discarded"
    """A person does not want the draft."""


class DraftOrigin(StrEnum):
    """Who wrote the text of a revision."""

    MODEL = "model"
    COMPOSER = "composer"
    """Code, from the facts of the brief or from the sentences of the revision before."""
    PERSON = "person"
    """A person, by an edit."""


@dataclass(frozen=True, slots=True)
class DraftMedia:
    """A media file of a draft, the part to which it belongs, and its hash."""

    part: int
    """The index of the part, from 0."""
    path: str
    sha256: str
    """The hash of the file's content. A file that has changed since is not scheduled."""
    alt_text: str | None = None
