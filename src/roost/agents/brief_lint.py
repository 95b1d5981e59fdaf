"""Finds what is wrong with a brief before a model is asked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from roost.agents.brief import Brief
from roost.agents.composer import compose_candidates
from roost.agents.language_names import language_code
from roost.agents.lexicons import LANGUAGES
from roost.agents.references import find_reference
from roost.agents.safe_facts import SafeBrief, addresses_model, withhold
from roost.agents.topics import suits_topic
from roost.agents.validators.candidate import Context
from roost.agents.validators.language import detect_language
from roost.agents.validators.similarity import is_near_duplicate
from roost.agents.words import contains_phrase
from roost.text import LIMIT, lint_text, weigh

_FEW_FACTS: Final = 2
#: X shows a post with more hashtags to fewer people.
_USUAL_TAGS: Final = 2


@dataclass(frozen=True, slots=True)
class BriefFinding:
    """One problem of a brief."""

    code: str
    message: str
    is_error: bool
    """Whether no draft can be written; otherwise the finding is a warning."""
    field: str = ""
    """The field of the brief that has the problem; empty if no single field has it."""


def lint_brief(brief: Brief, *, today: date) -> tuple[BriefFinding, ...]:
    """Return the problems of a brief, errors first.

    A brief without an error gives at least one draft, also without a model.
    """
    safe = withhold(brief, today=today)
    findings = [
        *_in_field("facts", _check_facts(brief, safe)),
        *_in_field("facts", _check_meaning(brief)),
        *_check_phrases(brief),
        *_in_field("tags", _check_tags(brief)),
        *_in_field("examples", _check_examples(brief, safe)),
        *_in_field("language", _check_language(brief)),
        *_check_drafts(brief, safe),
    ]
    return tuple(sorted(findings, key=lambda finding: not finding.is_error))


def _in_field(field: str, findings: Iterator[BriefFinding]) -> Iterator[BriefFinding]:
    return (replace(finding, field=field) for finding in findings)


def _error(code: str, message: str, field: str = "") -> BriefFinding:
    return BriefFinding(code, message, is_error=True, field=field)


def _warning(code: str, message: str, field: str = "") -> BriefFinding:
    return BriefFinding(code, message, is_error=False, field=field)


def _check_facts(brief: Brief, safe: SafeBrief) -> Iterator[BriefFinding]:
    for fact in safe.expired:
        yield _warning(
            "fact_expired",
            f"The fact {fact.id!r} was valid until {fact.valid_until}; no draft states it.",
        )
    for fact in safe.withheld_facts:
        yield _warning(
            "fact_addresses_model",
            f"The fact {fact.id!r} reads like an instruction to a model; no draft states it.",
        )
    if safe.brief is None:
        yield _error("no_fact_left", "Every fact is out of date or reads like an instruction.")
    for fact in brief.facts:
        if weigh(fact.text).weighted_length >= brief.limit:
            yield _warning(
                "fact_too_long",
                f"The fact {fact.id!r} alone reaches the limit of {brief.limit} characters.",
            )
        for finding in lint_text(fact.text):
            if finding.code in ("bidi_override", "control_character", "zero_width"):
                yield _warning(
                    "fact_has_invisible_characters",
                    f"The fact {fact.id!r} has an invisible character ({finding.code}).",
                )
        for phrase in brief.avoid:
            if contains_phrase(fact.text, phrase):
                yield _warning(
                    "fact_has_avoided_word",
                    f"The fact {fact.id!r} contains {phrase!r}, which `avoid` lists.",
                )
    for index, fact in enumerate(brief.facts):
        for other in brief.facts[:index]:
            if is_near_duplicate(fact.text, other.text):
                yield _warning(
                    "facts_alike", f"The facts {other.id!r} and {fact.id!r} are almost the same."
                )
    if brief.form == "post" and len(brief.facts) < min(brief.n, _FEW_FACTS):
        yield _warning(
            "few_facts", f"{len(brief.facts)} fact gives fewer than {brief.n} different drafts."
        )


def _check_meaning(brief: Brief) -> Iterator[BriefFinding]:
    """Find facts that would have no meaning, or a false one, in a draft of the composer."""
    for fact in brief.facts:
        if fact.follows is not None:
            continue
        reference = find_reference(fact.text, brief.language)
        if reference:
            yield _warning(
                "fact_needs_another",
                f"The fact {fact.id!r} does not stand alone, because of {reference!r}. Name what is"
                " meant, or set `follows`; otherwise only a model states the fact.",
            )
        elif fact is not brief.facts[0] and not suits_topic(fact.text, brief):
            yield _warning(
                "fact_not_in_change",
                f"The topic is a change, and the fact {fact.id!r} does not say what changes; only a"
                " model states the fact.",
            )


def _check_phrases(brief: Brief) -> Iterator[BriefFinding]:
    both = [each for each in brief.require if any(contains_phrase(each, a) for a in brief.avoid)]
    for phrase in both:
        yield _error(
            "required_word_avoided", f"{phrase!r} is in `require` and in `avoid`.", "require"
        )
    fixed = (brief.call_to_action, brief.compliance.disclaimer, *(f"#{tag}" for tag in brief.tags))
    sources = (*(fact.text for fact in brief.facts), *fixed, brief.topic)
    for phrase in brief.require:
        if not any(contains_phrase(text, phrase) for text in sources):
            yield _warning(
                "required_word_in_no_fact",
                f"No fact contains {phrase!r}, which `require` lists.",
                "require",
            )
    for name, text in (
        ("topic", brief.topic),
        ("call_to_action", brief.call_to_action),
        ("compliance.disclaimer", brief.compliance.disclaimer),
    ):
        for phrase in brief.avoid:
            if text and contains_phrase(text, phrase):
                is_error = name == "compliance.disclaimer"
                message = f"`{name}` contains {phrase!r}, which `avoid` lists."
                yield BriefFinding("text_has_avoided_word", message, is_error, name)
    for name, text in (
        ("topic", brief.topic),
        ("goal", brief.goal),
        ("voice", brief.voice),
        ("audience", brief.audience),
        ("call_to_action", brief.call_to_action),
    ):
        if addresses_model(text):
            message = f"`{name}` reads like an instruction to a model."
            yield _error("text_addresses_model", message, name)


def _check_tags(brief: Brief) -> Iterator[BriefFinding]:
    if len(brief.tags) > brief.tag_maximum:
        yield _error(
            "too_many_tags", f"`tags` has {len(brief.tags)} hashtags, `max_tags` {brief.max_tags}."
        )
    elif brief.tag_maximum > _USUAL_TAGS:
        yield _warning(
            "many_tags", f"A draft may have {brief.tag_maximum} hashtags; X advises two or fewer."
        )


def _check_examples(brief: Brief, safe: SafeBrief) -> Iterator[BriefFinding]:
    for index, example in enumerate(brief.examples, start=1):
        if example in safe.withheld_examples:
            yield _warning(
                "example_addresses_model",
                f"Example {index} reads like an instruction to a model; the model does not get it.",
            )
        elif weigh(example).weighted_length > LIMIT:
            yield _warning("example_too_long", f"Example {index} is longer than a post.")


def _check_language(brief: Brief) -> Iterator[BriefFinding]:
    if "language" not in brief.model_fields_set and (found := _find_other_language(brief)):
        yield _warning(
            "language_missing",
            f"The brief has no `language`, which means {brief.language!r}, but its facts are in"
            f" {found!r}. Set `language: {found}`.",
        )
    if language_code(brief.language) not in LANGUAGES:
        yield _warning(
            "language_not_judged",
            f"In {brief.language!r}, claims, negations, dates and clichés are not judged.",
        )


def _find_other_language(brief: Brief) -> str | None:
    """Return the language of the facts, if it is not the brief's."""
    found = detect_language([fact.text for fact in brief.facts])
    return None if found == language_code(brief.language) else found


def _check_drafts(brief: Brief, safe: SafeBrief) -> Iterator[BriefFinding]:
    if safe.brief is not None and next(compose_candidates(Context(safe.brief)), None) is None:
        noun = "two facts give a thread" if safe.brief.form == "thread" else "fact gives a draft"
        if found := _find_other_language(brief):
            yield _error(
                "no_draft_possible",
                f"No {noun}: the facts are in {found!r}, and the language of the brief is"
                f" {brief.language!r}.",
            )
            return
        yield _error(
            "no_draft_possible",
            f"No {noun}: each needs another fact, is too long with the topic, the link, the "
            "hashtags and the disclaimer, or breaks a rule of the brief.",
        )
