"""What the cited facts also say, and a draft leaves out: exceptions, conditions, limits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from roost.agents.brief import Fact
from roost.agents.lexicons import any_of
from roost.agents.lexicons.qualifiers import QUALIFIERS
from roost.agents.quantities import MONEY
from roost.agents.terms import fold_quotes
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.comparators import find_limit
from roost.agents.validators.dates import avoids_days
from roost.agents.written import CitedSentence, Doubt, DoubtCode

#: A draft states a clause of a fact if it has this share of the clause's other words.
_STATED_SHARE: Final = 0.33
_split_clauses = re.compile(
    r"(?<=[.;:!?])\s+|(?<=[。；：])|\s+[–—]\s+|,\s+(?=(?:but|aber|pero|mais)\b)"
).split
_KINDS: Final = (
    "exceptions", "indifference", "restrictions", "negations", "inclusions", "exclusions",
)  # fmt: skip
#: A qualifier ends at a punctuation mark.
_to_mark = re.compile(r"(?:[^.,;:!?。、；：()–—\n]|[.,:](?=\d))*").match
#: The words of content by which a qualifier is recognized in a draft.
_TELLING: Final = 2
_split_parts = re.compile(r"[,;]\s+|、").split


@dataclass(frozen=True, slots=True)
class _Qualifier:
    kind: str
    """The name of the field of `Qualifiers` with its words."""
    text: str
    """The words of the qualifier."""
    telling: frozenset[str]
    """The first stems of the qualifier."""
    clause: str


def find_omissions(candidate: Candidate, context: Context) -> Iterator[Doubt]:
    """Find the qualifiers of the cited facts that a draft does not mention."""
    for index, sentence in enumerate(candidate.sentences):
        if context.repeats_facts(sentence):
            continue
        for fact in context.brief.facts:
            if fact.id in sentence.fact_ids:
                yield from _find_left_out(index, sentence, fact, candidate, context)
        yield from _find_lost_limits(index, sentence, context)


def _find_left_out(
    index: int, sentence: CitedSentence, fact: Fact, candidate: Candidate, context: Context
) -> Iterator[Doubt]:
    texts = [context.claim_text(each.text) for each in candidate.sentences]
    draft = fold_quotes(" ".join(texts))
    said = context.claim_text(sentence.text)
    for qualifier in _list_qualifiers(fact.text, context):
        if _states(said, qualifier, context) and not _mentions(draft, qualifier, context):
            yield Doubt(DoubtCode.QUALIFIER_LEFT_OUT, index, qualifier.text.strip(" .。"), fact.id)


def _list_qualifiers(fact: str, context: Context) -> list[_Qualifier]:
    """Return the qualifiers of a fact: at most one in a clause, and what a price includes."""
    lexicon = context.require_lexicon()
    found = []
    for clause in _split_clauses(fact.replace("’", "'")):
        for kind in _KINDS[:4]:
            match = _marker(lexicon.code, kind).search(clause)
            if match is not None:
                end = _to_mark(clause, match.end())
                after = clause[match.end() : end.end() if end else None]
                text = match[0] + after if lexicon.spaced else clause
                found.append(_Qualifier(kind, text, _first_stems(after, context), clause))
                break
        found += [
            _Qualifier("inclusions", part, _stems(part, context), part)
            for part in _split_parts(clause)
            if _marker(lexicon.code, "inclusions").search(part)
            and not _marker(lexicon.code, "negations").search(part)
        ]
    return found


def _first_stems(text: str, context: Context) -> frozenset[str]:
    return frozenset([term.stem for term in context.content(text)][:_TELLING])


@cache
def _marker(code: str, kind: str) -> re.Pattern[str]:
    marker = any_of(getattr(QUALIFIERS[code], kind)).pattern
    pattern = marker if code == "ja" else rf"(?<![\w'])(?:{marker})(?!\w)"
    return re.compile(pattern, re.IGNORECASE)


def _states(said: str, qualifier: _Qualifier, context: Context) -> bool:
    """Whether a sentence states the clause that is qualified."""
    if qualifier.kind == "inclusions":
        return bool(qualifier.telling & _stems(said, context))
    rest = qualifier.clause
    numbers = {reading for each in context.quantities(rest) for reading in each.readings}
    if any(each.readings & numbers for each in context.quantities(said)):
        return True
    stems = (_stems(rest, context) - qualifier.telling) or _stems(rest, context)
    shared = stems & _stems(said, context)
    return bool(shared) and len(shared) >= _STATED_SHARE * len(stems)


def _mentions(draft: str, qualifier: _Qualifier, context: Context) -> bool:
    """Whether a folded draft has the qualifier: its words, or another marker of its kind."""
    lexicon = context.require_lexicon()
    has_marker = {kind: _marker(lexicon.code, kind).search(draft) is not None for kind in _KINDS}
    if qualifier.kind == "inclusions":
        costs_extra = has_marker["exclusions"] and not has_marker["negations"]
        return not costs_extra or has_marker["inclusions"]
    if qualifier.kind == "indifference":
        return has_marker["indifference"]
    if any(has_marker[kind] for kind in ("exceptions", "restrictions", "negations")):
        return True
    if avoids_days(draft, qualifier.clause, context):
        return True
    if qualifier.kind == "negations":
        return lexicon.says_free(fold_quotes(qualifier.clause)) and lexicon.says_free(draft)
    if qualifier.kind == "exceptions":
        return False
    numbers = context.quantities(qualifier.text)
    own_numbers = {reading for each in context.quantities(draft) for reading in each.readings}
    if numbers and all(each.readings & own_numbers for each in numbers):
        return True
    telling = qualifier.telling - _stems(context.brief.topic, context)
    return bool(telling) and 2 * len(telling & _stems(draft, context)) >= len(telling)


def _stems(text: str, context: Context) -> frozenset[str]:
    return frozenset(term.stem for term in context.content(text))


def _find_lost_limits(index: int, sentence: CitedSentence, context: Context) -> Iterator[Doubt]:
    """Find prices and shares without the limit that a fact gives them: `up to 20 %`."""
    lexicon = context.require_lexicon()
    own = context.quantities(context.claim_text(sentence.text))
    for fact in context.brief.facts:
        if fact.id not in sentence.fact_ids:
            continue
        for known in context.quantities(fact.text):
            phrase = find_limit(known, lexicon)
            if phrase is None or known.unit.split(" ")[0] not in MONEY | {"percent"}:
                continue
            same = [each for each in own if each.is_supported_by(known)]
            if same and not any(find_limit(each, lexicon) for each in same):
                value = (
                    f"{phrase} {known.written}" if lexicon.spaced else f"{known.written}{phrase}"
                )
                yield Doubt(DoubtCode.QUALIFIER_LEFT_OUT, index, value, fact.id)
