"""Numbers, currencies and units are those of the cited facts."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from roost.agents.quantities import Quantity
from roost.agents.terms import fold_quotes
from roost.agents.validators import implied
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.comparators import contradicts_limits, find_added_limits
from roost.agents.validators.counted import counts_something_else, is_generic, may_count
from roost.agents.words import fold
from roost.agents.written import CitedSentence, Doubt, DoubtCode


def check_numbers(candidate: Candidate, context: Context) -> Iterator[str | Doubt]:
    """Find numbers that no fact has with the same unit or currency.

    A number of a fact beside other words, or a number that follows from a fact, is a doubt.
    """
    for index, sentence in enumerate(candidate.sentences):
        sources = (*context.cited(sentence), *context.brief_texts)
        supported = [each for text in sources for each in context.quantities(text)]
        spans = _list_spans(sentence.text, context, _any_word)
        for quantity in context.quantities(context.claim_text(sentence.text)):
            if _is_part_number(quantity, sentence, candidate) or is_generic(quantity):
                continue
            matching = [
                each
                for each in supported
                if quantity.is_supported_by(each) or _has_rate_apart(quantity, each, spans)
            ]
            if not matching:
                yield from _judge_unknown(index, quantity, candidate, context)
                continue
            if context.lexicon is not None:
                yield from _judge_limit(index, quantity, matching, sources, context)
            if counts_something_else(quantity, matching, context, sentence.text, sources):
                phrase = f"{quantity.written} {quantity.nouns[0]}"
                if may_count(quantity, sources, context):
                    yield Doubt(DoubtCode.NUMBER_MOVED, index, phrase)
                else:
                    yield f"E-NUMBER: {phrase}"
        for unit in _find_other_spans(sentence, sources, context):
            yield Doubt(DoubtCode.WORDS_IN_NO_FACT, index, unit)
        yield from _find_codes(sentence, sources, context)


def _judge_unknown(
    index: int, quantity: Quantity, candidate: Candidate, context: Context
) -> Iterator[str | Doubt]:
    """Refuse a number that no cited fact has, unless the number follows from the brief."""
    sentence = candidate.sentences[index]
    if _is_implied(quantity, sentence, candidate, context):
        return
    fact = context.find_fact_with(quantity)
    if context.lexicon is not None and implied.counts_occasions(
        quantity,
        [each for text in context.all_texts for each in context.quantities(text)],
        context.lexicon,
    ):
        yield Doubt(DoubtCode.NUMBER_MOVED, index, f"{quantity.written} {quantity.nouns[0]}")
    elif fact is not None and not counts_something_else(
        quantity,
        [each for each in context.quantities(fact.text) if quantity.is_supported_by(each)],
        context,
        sentence.text,
        (fact.text,),
    ):
        yield Doubt(DoubtCode.OTHER_FACT_USED, index, quantity.written, fact.id)
    elif (source := implied.find_computed(quantity, sentence, context)) is not None:
        yield Doubt(DoubtCode.NUMBER_COMPUTED, index, quantity.written, source)
    else:
        yield f"E-NUMBER: {quantity.written}"


def _judge_limit(
    index: int,
    quantity: Quantity,
    matching: Sequence[Quantity],
    sources: Sequence[str],
    context: Context,
) -> Iterator[str | Doubt]:
    """Find a limit that the facts do not have; the contrary limit is refused."""
    lexicon = context.require_lexicon()
    for phrase in find_added_limits(quantity, matching, sources, lexicon):
        if contradicts_limits(phrase, sources, lexicon):
            yield f"E-NUMBER: {phrase} {quantity.written}"
        else:
            yield Doubt(DoubtCode.NUMBER_MOVED, index, f"{phrase} {quantity.written}")


def _is_implied(
    quantity: Quantity, sentence: CitedSentence, candidate: Candidate, context: Context
) -> bool:
    """Whether a number that no fact has as written follows from the facts, or claims nothing."""
    if context.lexicon is None:
        return False
    sources = (*context.cited(sentence), *context.brief_texts)
    text = context.claim_text(sentence.text)
    near = [
        each
        for other in candidate.sentences
        if other.part == sentence.part
        for each in context.quantities(context.claim_text(other.text))
    ]
    spans = {unit for source in sources for unit in _list_spans(source, context, _rate_word)}
    return (
        implied.is_no_number(quantity, context.lexicon)
        or implied.is_free(quantity, sources, context.lexicon)
        or implied.counts_weekdays(quantity, sources, context.lexicon)
        or implied.is_one_span(quantity, sources, spans)
        or implied.is_asked(quantity, text, context)
        or implied.counts_own_items(quantity, text, context)
        or any(
            implied.leaves_unit_out(quantity, fact, near, context.lexicon)
            or implied.adds_years(quantity, fact)
            or implied.counts_times(quantity, fact, context, source)
            for source in sources
            for fact in context.quantities(source)
        )
    )


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
) -> list[str]:
    """Return spans of time without a number, if the facts have only others: `an hour`, `a day`."""
    if context.lexicon is None or not context.lexicon.spaced:
        return []
    known = {unit for text in sources for unit in _list_spans(text, context, _any_word)}
    quantities = [each for text in sources for each in context.quantities(text)]
    known |= {
        unit
        for unit, (count, smaller) in _LENGTHS.items()
        if any(each.unit == smaller and count in each.readings for each in quantities)
    }
    text = context.claim_text(sentence.text)
    known |= {
        unit
        for unit in _list_upper_spans(text, context)
        if unit in _LENGTHS and any(_is_shorter(each, *_LENGTHS[unit]) for each in quantities)
    }
    if not known:
        return []
    said = _list_spans(text, context, lambda word: _counting_word(word) or _rate_word(word))
    return sorted(said - known)


def _is_shorter(fact: Quantity, count: str, smaller: str) -> bool:
    """Whether a quantity is less than so many of the smaller units: 45 minutes, and an hour."""
    return fact.unit == smaller and any(
        reading.isdecimal() and int(reading) < int(count) for reading in fact.readings
    )


def _list_upper_spans(text: str, context: Context) -> set[str]:
    """Return the units of time that a text calls a limit: `less than an hour`."""
    units = context.lexicon.units if context.lexicon else {}
    found = {units.get(word, "") for word in _upper_span(fold_quotes(text))}
    return {"hour" if unit == "heure" else unit for unit in found}


_upper_span = re.compile(
    r"\b(?:less than|under|within|weniger als|unter|keine|menos de|moins d'|moins de) ?"
    r"(?:(?:an?|one|eine[rm]?|una?|une) )?([^\W\d_]+)"
).findall


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
#: Before a unit, these words make a rate: `300 yen a month`.
_rate_word = re.compile(
    r"(?:an?|one|per|each|every|after|pro|je|im|für|jeden|jede|jedes|al|cada|por|par|chaque|le|la)$"
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
