"""Checks of a draft before its release, each with a name; a release needs every verdict `ok`.

A validator yields findings and doubts. A finding refuses the draft, because the draft breaks a rule
or contradicts a fact. A doubt is what code cannot decide, such as whether a word that no fact has
is a claim: the draft is released with the doubt, and a person decides.

The findings are short codes with values, not sentences: a model repairs a draft by them, and their
words must not get into a post.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from roost.agents.validators import (
    characters,
    claims,
    dates,
    entities,
    language,
    leaks,
    length,
    negations,
    privacy,
    quantities,
    similarity,
    threads,
    wording,
)
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.written import Doubt, Verdict


def _always(context: Context) -> bool:
    return True


def _with_lexicon(context: Context) -> bool:
    return context.lexicon is not None


def _with_facts_in_language(context: Context) -> bool:
    """Whether the words of a draft can be compared with those of the facts."""
    return context.lexicon is not None and not context.translates


@dataclass(frozen=True, slots=True)
class Validator:
    """One rule, and the languages in which the rule can be judged."""

    name: str
    check: Callable[[Candidate, Context], Iterator[str] | Iterator[str | Doubt]]
    can_judge: Callable[[Context], bool] = _always


VALIDATORS: Final = (
    Validator("length", length.check_length),
    Validator("characters", characters.check_characters),
    Validator("links", entities.check_links),
    Validator("hashtags", entities.check_tags),
    Validator("mentions", entities.check_mentions),
    Validator("cashtags", entities.check_cashtags),
    Validator("citations", claims.check_citations),
    Validator("numbers", quantities.check_numbers),
    Validator("dates", dates.check_dates, _with_facts_in_language),
    Validator("negations", negations.check_negations, _with_facts_in_language),
    Validator("claims", claims.check_claims, _with_facts_in_language),
    Validator("examples", leaks.check_examples),
    Validator("prompt", leaks.check_prompt),
    Validator("feedback", leaks.check_feedback),
    Validator("reasoning", leaks.check_reasoning),
    Validator("cliches", wording.check_cliches, _with_lexicon),
    Validator("avoided_words", wording.check_avoided),
    Validator("required_words", wording.check_required),
    Validator("disclaimer", wording.check_disclaimer),
    Validator("personal_data", privacy.check_personal_data),
    Validator("language", language.check_language, language.judges_language),
    Validator("recent_posts", similarity.check_recent),
    Validator("variants", similarity.check_variants),
    Validator("thread", threads.check_thread, _with_lexicon),
)


def validate(candidate: Candidate, context: Context) -> tuple[Verdict, ...]:
    """Return the verdict of every validator on a draft; only that of `length` if it is huge."""
    if length.is_far_too_long(candidate, context):
        return (_judge(VALIDATORS[0], candidate, context),)
    return tuple(_judge(validator, candidate, context) for validator in VALIDATORS)


def is_valid(candidate: Candidate, context: Context) -> bool:
    """Whether no validator has a finding or a doubt about a draft; stops at the first one."""
    return all(
        next(iter(validator.check(candidate, context)), None) is None
        for validator in VALIDATORS
        if validator.can_judge(context)
    )


def _judge(validator: Validator, candidate: Candidate, context: Context) -> Verdict:
    if not validator.can_judge(context):
        return Verdict(validator.name, ok=True, judged=False)
    found = tuple(dict.fromkeys(validator.check(candidate, context)))
    findings = tuple(each for each in found if isinstance(each, str))
    doubts = tuple(each for each in found if isinstance(each, Doubt))
    return Verdict(validator.name, not findings, judged=True, findings=findings, doubts=doubts)
