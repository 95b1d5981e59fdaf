"""Writes the narrative of a report's subject, with or without a language model."""

from dataclasses import dataclass

from roost.agents.budget import Budget
from roost.agents.model import Model
from roost.agents.narrator import Narration, NarratorFact, narrate_facts
from roost.insights.reports.document import Text
from roost.insights.reports.model import SubjectReport
from roost.insights.reports.narrative import choose_facts, describe_slots, narrate, tell_facts
from roost.insights.reports.words import Words


@dataclass(frozen=True, slots=True)
class Narrative:
    """The paragraphs about a subject, and the model's narration if a model was asked."""

    paragraphs: tuple[Text, ...]
    narration: Narration | None
    """The model's narration with its provenance; None if no model was asked. If the narration has
    no paragraphs, the paragraphs are those of the language file."""


async def write_narrative(
    subject: SubjectReport, words: Words, model: Model | None = None, budget: Budget | None = None
) -> Narrative:
    """Return the narrative of a subject: the model words the facts, code inserts the numbers.

    Without a model, or if the model gives no narration that the checker accepts, the sentences are
    those of the language file.
    """
    if model is None:
        return Narrative(narrate(subject, words), None)
    facts = choose_facts(subject, words)
    offered = [
        NarratorFact(fact.name, fact.text, describe_slots(fact, words))
        for fact in facts
        if not fact.is_fixed
    ]
    narration = await narrate_facts(offered, words.language, model, budget)
    if not narration.paragraphs:
        return Narrative(narrate(subject, words), narration)
    return Narrative(tell_facts(subject, facts, narration.paragraphs), narration)
