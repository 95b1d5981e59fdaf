"""Writes drafts from a brief with a model; every validator must accept each draft.

Without a model, the composer writes all drafts. With a model, the composer writes the drafts that
are still missing, for example because the model's drafts were refused.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from roost.agents.assembly import LINK_SLOT, assemble
from roost.agents.brief import Brief
from roost.agents.brief_lint import lint_brief
from roost.agents.budget import Budget
from roost.agents.calls import call_model
from roost.agents.composer import compose_candidates
from roost.agents.model import Model, Prompt
from roost.agents.prompts import (
    REPAIR_INSTRUCTIONS,
    draft_prompt,
    list_codes,
    repair_prompt,
)
from roost.agents.ranking import rank_drafts
from roost.agents.replies import ParsedDraft, parse_reply
from roost.agents.safe_facts import withhold
from roost.agents.validators import validate
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.written import (
    ModelCall,
    Origin,
    Provenance,
    RefusedDraft,
    Verdict,
    Writing,
    WrittenDraft,
)
from roost.errors import BriefInvalid

#: The verdict on a reply, or a draft in a reply, that does not have the form in the prompt.
_UNREADABLE: Final = Verdict("reply", ok=False, judged=True, findings=("E-JSON: not the form",))
#: The verdict on an improved draft that is the same as the old draft.
_UNCHANGED: Final = Verdict("change", ok=False, judged=True, findings=("E-DUPLICATE: unchanged",))

#: A function that builds the prompt for repairs. It gets the refused drafts, each a text with its
#: verdicts, and the number of drafts to ask for.
MakeRepair = Callable[[list[tuple[str, tuple[Verdict, ...]]], int], Prompt]


async def write_drafts(
    brief: Brief,
    model: Model | None,
    *,
    recent_posts: Sequence[str] = (),
    patterns: Sequence[str] = (),
    budget: Budget | None = None,
    now: datetime,
    seed: int = 0,
    on_draft: Callable[[WrittenDraft], None] | None = None,
) -> Writing:
    """Write at most as many drafts as the field `n` of the brief says.

    The model gets one prompt for all drafts, and one more to replace the drafts that a validator
    refused.
    `patterns` are sentences about what the account's posts earned. The model sees them as data.
    Patterns are no facts, so a draft that states a number of a pattern is refused.
    `on_draft` gets each draft as soon as it is accepted, before the drafts are ranked.
    If the model fails or the budget is used up, nothing is raised: `Writing.calls` has the error
    codes, and the composer writes the drafts.

    Raises: BriefInvalid (the brief has an error that `lint_brief` reports).
    """
    # `lint_brief` runs in a thread, because it composes a draft, which takes computation.
    findings = await asyncio.to_thread(lint_brief, brief, today=now.date())
    errors = [each for each in findings if each.is_error]
    safe = withhold(brief, today=now.date())
    if errors or safe.brief is None:
        raise BriefInvalid(
            " ".join(each.message for each in errors),
            next="Correct what the message names.",
            fields=[each.code for each in errors],
        )
    context = Context(
        safe.brief,
        recent_posts=recent_posts,
        instructions=(REPAIR_INSTRUCTIONS,),
        withheld=safe.withheld_texts,
    )
    batch = Batch(brief, context, on_draft)
    if model is not None:
        usable = safe.brief
        await ask_model(
            batch,
            model,
            budget,
            draft_prompt(usable, count=usable.n, patterns=patterns),
            lambda refused, count: repair_prompt(usable, refused, count=count, patterns=patterns),
        )
    if batch.missing:
        await batch.examine_all(compose_candidates(context, seed=seed))
    return Writing(
        tuple(rank_drafts(batch.drafts, safe.brief)), tuple(batch.refused), tuple(batch.calls)
    )


class Batch:
    """Collects the accepted and refused drafts of a call of `write_drafts` or `improve_draft`."""

    def __init__(
        self,
        brief: Brief,
        context: Context,
        on_draft: Callable[[WrittenDraft], None] | None = None,
        *,
        old_parts: tuple[str, ...] = (),
    ) -> None:
        """Start without drafts; `old_parts` are the texts of the draft to improve, if any."""
        self.context = context
        self.drafts: list[WrittenDraft] = []
        self.refused: list[RefusedDraft] = []
        self.calls: list[ModelCall] = []
        self._brief_hash = brief_hash(brief)
        self._on_draft = on_draft
        self._old_parts = old_parts

    @property
    def missing(self) -> int:
        """The number of drafts that are still to be written."""
        return self.context.brief.n - len(self.drafts)

    async def examine_all(self, candidates: Iterator[Candidate]) -> None:
        """Examine the composer's drafts until enough are accepted, or there are no more.

        Each draft is composed in a thread, because this takes milliseconds of computation.
        """
        while self.missing:
            candidate = await asyncio.to_thread(next, candidates, None)
            if candidate is None:
                return
            await self.examine(candidate, "composer", self.provenance())

    async def examine(self, candidate: Candidate, origin: Origin, provenance: Provenance) -> None:
        """Add a draft to `drafts` if every validator accepts it, and to `refused` otherwise.

        The validators run in a thread, so that the event loop serves other requests meanwhile.
        """
        verdicts = await asyncio.to_thread(validate, candidate, self.context)
        if candidate.parts == self._old_parts:
            verdicts = (*verdicts, _UNCHANGED)
        if not all(verdict.ok for verdict in verdicts):
            self.refused.append(RefusedDraft(candidate.parts, verdicts, provenance))
            return
        draft = WrittenDraft(candidate.parts, candidate.sentences, origin, verdicts, provenance)
        self.drafts.append(draft)
        self.context.accepted.append(candidate)
        if self._on_draft is not None:
            self._on_draft(draft)

    def provenance(
        self,
        model: Model | None = None,
        call: ModelCall | None = None,
        repairs: int = 0,
    ) -> Provenance:
        """Return the provenance of a draft from a call to the model, or from the composer.

        For a draft of the composer, the caller omits all arguments.
        """
        return Provenance(
            brief_hash=self._brief_hash,
            brief_version=self.context.brief.version,
            model=model.name if model is not None else "",
            prompt_hash=call.prompt_hash if call else "",
            repairs=repairs,
            input_tokens=call.input_tokens if call else 0,
            output_tokens=call.output_tokens if call else 0,
            usd=call.usd if call else Decimal(0),
        )


async def ask_model(
    batch: Batch,
    model: Model,
    budget: Budget | None,
    prompt: Prompt,
    make_repair: MakeRepair,
) -> None:
    """Ask the model for all drafts, and once more for the drafts that are still missing."""
    replied = await _ask_once(batch, model, budget, prompt)
    if not replied or not batch.missing:
        return
    # The link is replaced by a slot. A model that knew the link could write a similar address.
    link = batch.context.brief.link or LINK_SLOT
    refused = [
        ("\n\n".join(each.parts).replace(link, LINK_SLOT), each.verdicts) for each in batch.refused
    ]
    batch.context.feedback = tuple(code for _, verdicts in refused for code in list_codes(verdicts))
    await _ask_once(batch, model, budget, make_repair(refused, batch.missing), repairs=1)


async def _ask_once(
    batch: Batch, model: Model, budget: Budget | None, prompt: Prompt, *, repairs: int = 0
) -> bool:
    """Ask the model, and examine the drafts of its reply.

    Returns whether the server replied, even with an invalid reply. Without a reply, there is
    nothing to repair.
    """
    result = await call_model(model, prompt, budget, "repair" if repairs else "draft")
    batch.calls += result.calls
    last = result.calls[-1]
    if result.reply is None and last.error != "model_reply_invalid":
        return False
    provenance = batch.provenance(model, last, repairs)
    drafts = parse_reply(result.reply.text) if result.reply is not None else []
    for draft in drafts or [ParsedDraft(())]:
        if not batch.missing:
            break
        if draft.parts:
            await batch.examine(assemble(draft, batch.context.brief), "model", provenance)
        else:
            batch.refused.append(RefusedDraft((), (_UNREADABLE,), provenance))
    return True


def brief_hash(brief: Brief) -> str:
    """Return the SHA-256 of the brief's fields as JSON."""
    return hashlib.sha256(brief.model_dump_json().encode()).hexdigest()
