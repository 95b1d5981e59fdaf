"""The JSON of `draft` and of `draft --lint`, which need only the base installation."""

from pydantic import Field

from roost.cli.schemas.fields import Dollars, Output


class CitedSentenceOutput(Output):
    """A sentence of a draft, with the facts on which the sentence is based."""

    part: int = Field(description="The part, counted from 0.")
    text: str
    fact_ids: tuple[str, ...]


class VerdictOutput(Output):
    """What one validator found in a draft."""

    validator: str
    ok: bool
    judged: bool = Field(
        description="False if the rule cannot be judged in the brief's language; `ok` is then true."
    )
    findings: tuple[str, ...] = Field(description="One code for each violation.")


class ProvenanceOutput(Output):
    """How a draft was written."""

    brief_hash: str = Field(description="SHA-256 of the brief.")
    brief_version: int
    model: str = Field(description="Empty for a draft of the composer.")
    prompt_hash: str = Field(description="SHA-256 of the prompt; empty for the composer.")
    repairs: int = Field(description="The number of repair calls before the draft.")
    input_tokens: int = Field(description="The tokens of the call that all its drafts share.")
    output_tokens: int
    usd: Dollars | None = Field(description="The price of the call; null if it is not known.")


class DraftOutput(Output):
    """A draft that every validator accepts."""

    text: str = Field(description="The parts, with an empty line between two parts.")
    parts: tuple[str, ...]
    weighted_length: int = Field(description="The weighted length of the longest part.")
    fact_ids: tuple[str, ...] = Field(description="The facts of the brief that the text states.")
    sentences: tuple[CitedSentenceOutput, ...]
    origin: str = Field(description="`model` or `composer`.")
    verdicts: tuple[VerdictOutput, ...]
    provenance: ProvenanceOutput


class RefusedDraftOutput(Output):
    """A draft that a validator refused."""

    parts: tuple[str, ...] = Field(description="Empty if the reply contained no readable draft.")
    verdicts: tuple[VerdictOutput, ...]
    provenance: ProvenanceOutput


class ModelCallOutput(Output):
    """A call to the model, without its texts."""

    kind: str = Field(description="`draft` or `repair`.")
    prompt_hash: str
    input_tokens: int
    output_tokens: int
    usd: Dollars | None = Field(description="Null if the price of the model is not known.")
    error: str = Field(description="The code of the error that ended the call; empty if none did.")
    reason: str = Field(description="What happened, in a sentence; empty if there was no error.")


class DraftListOutput(Output):
    """The drafts of a brief."""

    drafts: tuple[DraftOutput, ...] = Field(description="The best draft first.")
    refused: tuple[RefusedDraftOutput, ...]
    calls: tuple[ModelCallOutput, ...]


class BriefFindingOutput(Output):
    """A problem of a brief."""

    code: str
    message: str
    is_error: bool = Field(
        description="Whether no draft can be written; otherwise the finding is a warning."
    )


class BriefLintOutput(Output):
    """What is wrong with a brief."""

    valid: bool = Field(description="Whether drafts can be written.")
    findings: tuple[BriefFindingOutput, ...] = Field(description="Errors come first.")
