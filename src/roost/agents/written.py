"""What the writer returns: drafts with their evidence, refused drafts, and calls to the model."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Origin = Literal["model", "composer"]


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence of a draft, and the facts on which the sentence is based."""

    part: int
    """The index of the part, from 0."""
    text: str
    """The sentence as it is in the part: a slot in the sentence is already replaced."""
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one validator found in a draft."""

    validator: str
    ok: bool
    judged: bool
    """False if the rule cannot be judged in the brief's language. Then `ok` is True."""
    findings: tuple[str, ...] = ()
    """A sentence for each violation."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a draft came to be."""

    brief_hash: str
    """SHA-256 of the brief's fields as JSON."""
    brief_version: int
    model: str
    """The model's name; empty for a draft of the composer."""
    prompt_hash: str
    """SHA-256 of the prompt that the draft answers; empty for a draft of the composer."""
    repairs: int
    """The number of repair calls before the draft."""
    input_tokens: int
    """The tokens of the call that gave the draft, shared with the other drafts of the call."""
    output_tokens: int
    usd: Decimal | None
    """The price of that call; None if the model has no known price."""


@dataclass(frozen=True, slots=True)
class WrittenDraft:
    """A draft that every validator accepts, for a person to read."""

    parts: tuple[str, ...]
    """The texts of the post's parts, as they would be published; one for a post."""
    sentences: tuple[CitedSentence, ...]
    origin: Origin
    verdicts: tuple[Verdict, ...]
    """One for each validator."""
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class RefusedDraft:
    """A draft that a validator refused, or a piece of a reply that is no draft."""

    parts: tuple[str, ...]
    """Empty if the reply had no draft that can be read."""
    verdicts: tuple[Verdict, ...]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call to the model, without its texts."""

    kind: Literal["draft", "repair"]
    prompt_hash: str
    input_tokens: int
    output_tokens: int
    usd: Decimal | None
    error: str = ""
    """The code of the error that ended the call; empty if the model answered."""
    reason: str = ""
    """What happened, in a sentence; empty if the model answered."""


@dataclass(frozen=True, slots=True)
class Writing:
    """The result of `write_drafts`."""

    drafts: tuple[WrittenDraft, ...]
    """The best draft first. There can be fewer than the brief's `n`."""
    refused: tuple[RefusedDraft, ...]
    calls: tuple[ModelCall, ...]

    @property
    def has_useless_replies(self) -> bool:
        """Whether the model answered, and none of its drafts was valid."""
        return are_replies_useless(self.calls, (draft.origin for draft in self.drafts))


def are_replies_useless(calls: Iterable[ModelCall], origins: Iterable[str]) -> bool:
    """Whether the model answered in one of the calls, and no draft has the model as its origin."""
    return any(not call.error for call in calls) and "model" not in origins
