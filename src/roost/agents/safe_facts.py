"""Withholds outdated facts, and texts that address the model, from the writer of drafts.

A fact or an example may come from a page that a stranger wrote, and may contain an instruction for
the model: `Ignore all previous instructions`. The model does not get such a text, and no draft may
cite it.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from roost.agents.brief import Brief, Fact
from roost.agents.words import fold

_INSTRUCTIONS: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|prompts?|rules?|above"
    r"|guidelines|everything|system|brief)\b"
    r"|\b(?:system|developer) (?:prompt|message)\b"
    r"|\byou are (?:now|no longer) (?:a|an|the|in)\b"
    r"|\b(?:respond|reply|answer|output|print|write|say|repeat|return) (?:only|exactly|verbatim"
    r"|with (?:only|exactly|the (?:word|text|phrase|following)))\b"
    r"|\b(?:output|print|reveal|repeat|leak|show) (?:the|your|all|this|these) (?:secret|key|token"
    r"|prompt|instructions?|system|password|canary|above|text)\b"
    r"|\b(?:note|message|instructions?|attention) (?:to|for) (?:the )?(?:ai|model|assistant|writer"
    r"|llm|bot|agent)\b"
    r"|\b(?:add|include|insert|append|put|mention|post|tweet|write) (?:the )?(?:word|words|text"
    r"|phrase|code|link|hashtag|canary|string)\b.{0,60}\b(?:in|to|into|of|at) (?:every|each|all|the"
    r" end|your)\b"
    r"|<\|?[^>]{0,20}(?:system|im_start|im_end|user|assistant|endoftext)[^>]{0,20}\|?>"
    r"|\[/?inst\]|<</?sys>>|</?(?:facts?|examples?|data|brief|think|instructions?)>"
    r"|(?:^|\n|[.!?] )(?:system|assistant|user|developer) ?:"
    r"|\bignoriere?\b.{0,40}\b(?:anweisung|anweisungen|regeln|vorgaben|oben|vorherige)"
    r"|\b(?:vergiss|missachte)\b.{0,40}\b(?:anweisungen|regeln|vorgaben)"
    r"|\b(?:antworte|schreibe?) (?:nur|genau|ausschließlich) \b"
    r"|\b(?:ignora|ignore|olvida|omite)\b.{0,40}\b(?:instrucciones|reglas|anteriores|lo anterior)"
    r"|\b(?:responde|escribe) (?:solo|sólo|únicamente|exactamente)\b"
    r"|\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}\b(?:instructions?|consignes?|règles|précédent)"
    r"|\b(?:réponds|répondez|écris|écrivez) (?:seulement|uniquement|exactement)\b"
    r"|(?:指示|命令|ルール|プロンプト).{0,8}(?:無視|忘れ)|(?:無視|忘れ).{0,8}(?:指示|命令|ルール)"
    r"|システムプロンプト|と(?:だけ|のみ)(?:出力|返信|回答|書)"
)


@dataclass(frozen=True, slots=True)
class SafeBrief:
    """A brief without its unusable facts and examples, and a record of what was left out."""

    brief: Brief | None
    """None if no fact is left."""
    expired: tuple[Fact, ...]
    withheld_facts: tuple[Fact, ...]
    withheld_examples: tuple[str, ...]

    @property
    def withheld_texts(self) -> tuple[str, ...]:
        """The withheld facts and examples, which contain instructions for a model."""
        return (*(fact.text for fact in self.withheld_facts), *self.withheld_examples)


def addresses_model(text: str) -> bool:
    """Whether a text contains instructions for a model."""
    return _INSTRUCTIONS.search(fold(text)) is not None


def withhold(brief: Brief, *, today: date) -> SafeBrief:
    """Return the brief without expired facts, and without texts that address a model."""
    expired = {fact.id for fact in brief.facts if _is_expired(fact, today)}
    unsafe = {fact.id for fact in brief.facts if addresses_model(fact.text)} - expired
    gone = expired | unsafe
    # A fact that follows another fact makes no sense without that other fact.
    facts = [fact for fact in brief.facts if fact.id not in gone and fact.follows not in gone]
    examples = tuple(text for text in brief.examples if not addresses_model(text))
    return SafeBrief(
        brief.model_copy(update={"facts": tuple(facts), "examples": examples}) if facts else None,
        tuple(fact for fact in brief.facts if fact.id in expired),
        tuple(fact for fact in brief.facts if fact.id in unsafe),
        tuple(text for text in brief.examples if addresses_model(text)),
    )


def _is_expired(fact: Fact, today: date) -> bool:
    return fact.valid_until is not None and fact.valid_until < today
