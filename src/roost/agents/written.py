"""What the writer returns: drafts with their evidence, refused drafts, and calls to the model."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
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


class DoubtCode(StrEnum):
    """What code cannot decide about a sentence."""

    WORDS_IN_NO_FACT = "words_in_no_fact"
    """The sentence has words that no fact has: a claim, or harmless colour."""
    NO_FACT_CITED = "no_fact_cited"
    """The sentence cites no fact, and may claim something."""
    QUALIFIER_LEFT_OUT = "qualifier_left_out"
    """A cited fact has an exception, a condition or a limit that the draft does not mention."""
    ROLE_IN_NO_FACT = "role_in_no_fact"
    """The sentence says of a person what no cited fact calls the person."""
    NUMBER_MOVED = "number_moved"
    """The facts have the number, but beside other words."""
    NUMBER_COMPUTED = "number_computed"
    """No fact has the number, but it is a sum or a difference of numbers of a fact."""
    OTHER_FACT_USED = "other_fact_used"
    """The sentence has a number or a date of a fact that it does not cite."""
    NEGATION_UNCLEAR = "negation_unclear"
    """The sentence and the facts deny different things, perhaps only in other words."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What code cannot decide about a sentence; a person decides before the draft is scheduled."""

    code: DoubtCode
    sentence: int
    """The index of the sentence in the draft."""
    value: str = ""
    """The words of the draft that cause the doubt, or the words of the fact that are left out."""
    fact_id: str = ""
    """The fact that the draft leaves out in part, or does not cite; empty if no fact is meant."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one validator found in a draft."""

    validator: str
    ok: bool
    judged: bool
    """False if the rule cannot be judged in the brief's language. Then `ok` is True."""
    findings: tuple[str, ...] = ()
    """A code for each violation. A draft with a violation is refused."""
    doubts: tuple[Doubt, ...] = ()
    """What the validator cannot decide. A draft with doubts is released for a person to decide."""


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
    """A draft that no validator refuses, for a person to read."""

    parts: tuple[str, ...]
    """The texts of the post's parts, as they would be published; one for a post."""
    sentences: tuple[CitedSentence, ...]
    origin: Origin
    verdicts: tuple[Verdict, ...]
    """One for each validator."""
    provenance: Provenance

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What the validators cannot decide, in the order of the sentences."""
        return list_doubts(self.verdicts)


@dataclass(frozen=True, slots=True)
class RefusedDraft:
    """A draft that a validator refused, or a piece of a model's reply that is no draft."""

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


def list_doubts(verdicts: Iterable[Verdict]) -> tuple[Doubt, ...]:
    """Return the doubts of all verdicts, in the order of the sentences."""
    found = (doubt for verdict in verdicts for doubt in verdict.doubts)
    return tuple(sorted(found, key=lambda doubt: doubt.sentence))
