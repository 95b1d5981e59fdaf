"""Checks that a draft has the required words, and neither words to avoid nor clichés."""

from collections.abc import Iterator

from roost.agents.validators.candidate import Candidate, Context
from roost.agents.words import contains_phrase


def check_avoided(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find words and phrases that the brief forbids in its field `avoid`."""
    for phrase in context.brief.avoid:
        if any(contains_phrase(part, phrase) for part in candidate.parts):
            yield f"E-AVOID: {phrase}"


def check_required(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find required words that no part contains."""
    for phrase in context.brief.require:
        if not any(contains_phrase(part, phrase) for part in candidate.parts):
            yield f"E-REQUIRE: {phrase}"


def check_disclaimer(candidate: Candidate, context: Context) -> Iterator[str]:
    """Report the brief's disclaimer if no part contains it."""
    disclaimer = context.brief.compliance.disclaimer
    if disclaimer and not any(disclaimer in part for part in candidate.parts):
        yield "E-DISCLAIMER: missing"


def check_cliches(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find clichés, unless the brief itself uses them."""
    for phrase in context.require_lexicon().cliches:
        if contains_phrase(context.folded_texts, phrase):
            continue
        if any(contains_phrase(part, phrase) for part in candidate.parts):
            yield f"E-CLICHE: {phrase}"
