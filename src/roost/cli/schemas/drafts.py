"""The JSON of `draft`, `drafts` and `tenant`; `draft --brief` needs only the base installation."""

from pydantic import Field

from roost.agents.written import DoubtCode
from roost.cli.schemas.checks import PriceOutput
from roost.cli.schemas.fields import Dollars, Instant, Output
from roost.models import DraftState


class CitedSentenceOutput(Output):
    """A sentence of a draft, with the facts on which the sentence is based."""

    part: int = Field(description="The part, counted from 0.")
    text: str
    fact_ids: tuple[str, ...]


class DoubtOutput(Output):
    """What code cannot decide about a sentence of a draft; a person decides."""

    code: DoubtCode
    sentence: int = Field(description="The sentence in `sentences`, counted from 0.")
    value: str = Field(description="The words of the draft, or the words that it leaves out.")
    fact_id: str = Field(description="The fact that is meant; empty if the doubt is about none.")


class VerdictOutput(Output):
    """What one validator found in a draft."""

    validator: str
    ok: bool
    judged: bool = Field(
        description="False if the rule cannot be judged in the brief's language; `ok` is then true."
    )
    findings: tuple[str, ...] = Field(description="One code for each violation.")
    doubts: tuple[DoubtOutput, ...] = Field(
        description="What the validator cannot decide; `ok` is then true without a finding."
    )


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
    """A draft. No validator refuses it, unless a person has edited it."""

    id: int | None = Field(description="The number of the draft; null if it was not stored.")
    text: str = Field(description="The parts, with an empty line between two parts.")
    parts: tuple[str, ...]
    weighted_length: int = Field(description="The weighted length of the longest part.")
    fact_ids: tuple[str, ...] = Field(description="The facts of the brief that the text states.")
    sentences: tuple[CitedSentenceOutput, ...]
    origin: str = Field(description="`model`, `composer` or `person`.")
    verdicts: tuple[VerdictOutput, ...]
    doubts: tuple[DoubtOutput, ...] = Field(description="The doubts of all verdicts.")
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


class FactOutput(Output):
    """A fact that a draft states."""

    id: str
    text: str
    source: str = Field(description="How the fact is known; empty if the brief does not say.")


class DraftMediaOutput(Output):
    """A file of a draft."""

    part: int = Field(description="The part, counted from 0.")
    path: str
    sha256: str
    alt_text: str | None


class ApprovalOutput(Output):
    """What `roost approve` needs to schedule exactly this draft."""

    at: Instant = Field(description="The time for which the hash is valid.")
    hash: str = Field(description="SHA-256 of the account, the parts, the media and the time.")


class StoredDraftOutput(DraftOutput):
    """A stored draft with one of its revisions."""

    id: int
    account: str = Field(description="The username of the account on X, without `@`.")
    state: DraftState
    post_id: int | None = Field(description="The post that an approval has scheduled.")
    revision: int
    previous: int | None = Field(description="The revision that this one improves.")
    instruction: str = Field(description="The instruction that led to this revision.")
    language: str
    media: tuple[DraftMediaOutput, ...]
    facts: tuple[FactOutput, ...] = Field(description="The facts that `fact_ids` name.")
    price: PriceOutput = Field(description="What X charges for the post.")
    content_hash: str = Field(description="SHA-256 of the account, the parts and the media.")
    created_at: Instant
    created_by: str


class DraftDetailOutput(Output):
    """One draft, after it was shown, improved or undone."""

    draft: StoredDraftOutput
    approval: ApprovalOutput | None = Field(description="Null without `--at`.")
    calls: tuple[ModelCallOutput, ...] = Field(description="The calls of the improvement.")
    cancelled_post: int | None = Field(
        description="The scheduled post of the earlier approval, which the change has cancelled."
    )


class StoredDraftListOutput(Output):
    """The stored drafts, the newest first."""

    drafts: tuple[StoredDraftOutput, ...]


class ModelUsageOutput(Output):
    """The calls, tokens and dollars that a tenant's models have used in this UTC month."""

    calls: int
    tokens: int = Field(description="A call that is in progress, or was cut off, counts in full.")
    usd: Dollars
    unpriced: int = Field(description="Calls to models without a known price.")
    max_tokens: int | None = Field(description="ROOST_MODEL_TOKENS_PER_MONTH.")
    max_usd: Dollars | None = Field(description="ROOST_MODEL_USD_PER_MONTH.")


class ReportBrandOutput(Output):
    """How the reports of a tenant look."""

    title: str = Field(description="Empty: the title of the language.")
    cover_note: str
    accent: str = Field(description="Empty: the usual colour.")
    language: str
    logo_type: str | None = Field(description="The media type of the logo; null without a logo.")
    logo_bytes: int


class TenantOutput(Output):
    """A tenant with its settings."""

    tenant: str
    time_zone: str
    drafts_without_person: bool = Field(description="Whether programs may approve drafts.")
    report: ReportBrandOutput
    model_usage: ModelUsageOutput
