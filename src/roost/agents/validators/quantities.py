"""Numbers, dates, currencies and units are those of the cited facts."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from roost.agents.quantities import Quantity
from roost.agents.terms import Term, fold_quotes, list_terms
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.comparators import find_added_limits
from roost.agents.validators.counted import counts_something_else, is_generic
from roost.agents.words import fold
from roost.agents.written import CitedSentence


def check_numbers(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find numbers that no cited fact has with the same unit or currency."""
    for sentence in candidate.sentences:
        sources = (*context.cited(sentence), *context.brief_texts)
        supported = [each for text in sources for each in context.quantities(text)]
        for quantity in context.quantities(context.claim_text(sentence.text)):
            if _is_part_number(quantity, sentence, candidate):
                continue
            if is_generic(quantity):
                continue
            spans = _list_spans(sentence.text, context, _any_word)
            matching = [
                each
                for each in supported
                if quantity.is_supported_by(each) or _has_rate_apart(quantity, each, spans)
            ]
            if not matching:
                yield f"E-NUMBER: {quantity.written}"
                continue
            if context.lexicon is not None:
                for phrase in find_added_limits(quantity, matching, sources, context.lexicon):
                    yield f"E-NUMBER: {phrase} {quantity.written}"
            if counts_something_else(quantity, matching, context, sentence.text):
                yield f"E-NUMBER: {quantity.written} {quantity.nouns[0]}"
        yield from _find_other_spans(sentence, sources, context)
        yield from _find_codes(sentence, sources, context)


def _find_codes(
    sentence: CitedSentence, sources: tuple[str, ...], context: Context
) -> Iterator[str]:
    """Find words with digits that no cited fact has: `SAVE20`."""
    known = {code for text in sources for code in _codes(fold(text))}
    for code in dict.fromkeys(_codes(fold(context.claim_text(sentence.text)))):
        if code not in known:
            yield f"E-NUMBER: {code}"


#: A time such as `18h30` is a number.
_codes = re.compile(
    r"(?<![a-z0-9])(?!\d+h\d+(?![a-z0-9]))(?:[a-z]+\d[a-z0-9]*|\d+[a-z]+\d[a-z0-9]*)"
).findall


def check_dates(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find names of weekdays and months that no cited fact has."""
    for sentence in candidate.sentences:
        sources = " . ".join((*context.cited(sentence), *context.brief_texts))
        known = set(_list_dates(sources, context, is_fact=True).values())
        if _names_weekdays(fold_quotes(sources)):
            known |= {("weekday", 1), ("weekday", 5)}
        text = context.claim_text(sentence.text)
        for word, date in _list_dates(text, context, is_fact=False).items():
            if date not in known:
                yield f"E-DATE: {word}"


#: One of each of these spans is as long as the number of smaller ones.
_LENGTHS: Final = {
    "minute": ("60", "second"),
    "hour": ("60", "minute"),
    "day": ("24", "hour"),
    "week": ("7", "day"),
    "year": ("12", "month"),
}


def _has_rate_apart(quantity: Quantity, fact: Quantity, spans: set[str]) -> bool:
    """Whether the draft says the rate of a price elsewhere: `A year costs £90`."""
    currency, _, rate = fact.unit.partition(" /")
    return (
        bool(rate)
        and quantity.unit == currency
        and ("hour" if rate == "heure" else rate) in spans
        and bool(quantity.readings & fact.readings)
    )


def _find_other_spans(
    sentence: CitedSentence, sources: tuple[str, ...], context: Context
) -> Iterator[str]:
    """Find spans of time without a number, if the facts have only others: `an hour`, `a day`."""
    if context.lexicon is None or not context.lexicon.spaced:
        return
    known = {unit for text in sources for unit in _list_spans(text, context, _any_word)}
    quantities = [each for text in sources for each in context.quantities(text)]
    known |= {
        unit
        for unit, (count, smaller) in _LENGTHS.items()
        if any(each.unit == smaller and count in each.readings for each in quantities)
    }
    if not known:
        return
    said = _list_spans(context.claim_text(sentence.text), context, _counting_word)
    for unit in sorted(said - known):
        yield f"E-NUMBER: {unit}"


def _list_spans(text: str, context: Context, may_precede: Callable[[str], object]) -> set[str]:
    """Return the canonical units of time in a text, each after a word that may precede it."""
    units = context.lexicon.units if context.lexicon else {}
    found = _words(fold_quotes(text))
    return {
        "hour" if units[word] == "heure" else units[word]
        for before, word in zip(["", *found], found, strict=False)
        if units.get(word) in _TIME_UNITS and may_precede(before)
    }


_words = re.compile(r"[^\W\d_]+").findall
_any_word = re.compile("").match
#: Before a unit, these words count as a number.
_counting_word = re.compile(
    r"(?:an?|one|the|few|several|half|under|ein|eine|einen|einem|einer|wenigen?|einigen?|halbe|halben"
    r"|un|une|una|unas|unos|pocas|pocos|media|medio|quelques|demi)$"
).match
_TIME_UNITS: Final = frozenset(
    {"second", "minute", "hour", "heure", "day", "night", "week", "month", "year"}
)


def _is_part_number(quantity: Quantity, sentence: CitedSentence, candidate: Candidate) -> bool:
    """Whether the number is the position of a part in a thread, as in `2/3`."""
    return (
        len(candidate.parts) > 1
        and quantity.written == f"{sentence.part + 1}/{len(candidate.parts)}"
    )


def _list_dates(text: str, context: Context, *, is_fact: bool) -> dict[str, tuple[str, int]]:
    """Return each name of a weekday or month with its meaning.

    A name that is also an ordinary word counts in a fact always, and in a draft only if it
    certainly is a name.
    """
    lexicon = context.require_lexicon()
    if not lexicon.spaced:
        days = lexicon.weekdays.items()
        return {name: ("weekday", number) for name, number in days if name in text}
    found: dict[str, tuple[str, int]] = {}
    folded = fold_quotes(text)
    for term in list_terms(folded, lexicon):
        for word in term.word.split("-"):
            for kind, names in (("weekday", lexicon.weekdays), ("month", lexicon.months)):
                if (number := names.get(word)) and (
                    is_fact
                    or word not in _AMBIGUOUS
                    or _is_beside_number(folded, term)
                    or re.search(rf"[^.!?:\s]\s+{word.capitalize()}\b", text)
                ):
                    found[f"{kind} {word}"] = (kind, number)
    return found


_names_weekdays = re.compile(
    r"\bweekdays?\b|\bwerktags?\b|\bunter der woche\b|\bentre semana\b|\ben semaine\b|平日"
).search


def _is_beside_number(folded: str, term: Term) -> bool:
    before = _number_before(folded[: term.start])
    return before is not None or folded[term.start + len(term.word) :].lstrip(" .")[:1].isdecimal()


_number_before = re.compile(r"\d(?:st|nd|rd|th|er|º)?\.?(?: de| of)? $").search
#: Names that are also ordinary words.
_AMBIGUOUS: Final = frozenset({"may", "march", "mar", "mars", "sat", "sun", "mon", "wed", "dec"})
