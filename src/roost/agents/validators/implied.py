"""Numbers that follow from the facts, or claim nothing, although no fact has them as written."""

import re
from collections.abc import Sequence
from typing import Final

from roost.agents.lexicons import Lexicon, words
from roost.agents.quantities import MONEY, Quantity
from roost.agents.terms import fold_quotes
from roost.agents.validators.candidate import Context
from roost.agents.validators.counted import is_derived
from roost.agents.validators.dates import list_weekday_ranges
from roost.agents.written import CitedSentence

#: Words before the age of a person: `under 18`, `mayores de 65`.
_AGE_WORDS: Final = words(
    """under over aged age below above unter über ab bis menores mayores moins plus"""
)
_FEWEST_ITEMS: Final = 2
_MOST_ITEMS: Final = 5
_is_numeral = re.compile(r"[^\W\d]+(?:[ -][^\W\d]+)*").fullmatch
_sentences = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+").split
_is_question = re.compile(r"[?？][\s\"'”»’)]*$").search
#: A question that asserts what it asks about.
tells_by_asking = re.compile(
    r"\b(?:did|do) you know|\bwusste(?:st|t|n)|\bschon gewusst|\bsab(?:ías|íais|ían|es|éis)\b"
    r"|\bsaviez|\bsavais|ご存じ|知って"
).search
_list_after_colon = re.compile(r":\s*([^.!?。！？]+)").search
_item_ends = re.compile(r",| (?:and|und|y|e|et|&) |、|と").split
_name = re.compile(
    r"(?<!^)(?<![.!?:] )\b[^\W\d_a-zß-ÿ][\w'’-]+(?: [^\W\d_a-zß-ÿ][\w'’-]+)*"
).findall


def is_no_number(quantity: Quantity, lexicon: Lexicon) -> bool:
    """Whether a word means something else than a number here: `rien de neuf`, `gib acht`."""
    after = quantity.nouns[:1]
    counts_nothing = not after or after[0] in lexicon.stopwords
    return quantity.written in _HOMONYMS and not quantity.unit and counts_nothing


#: Numerals that are also other words, and are numbers only before a noun.
_HOMONYMS: Final = words("neuf acht sieben")


def leaves_unit_out(
    quantity: Quantity, fact: Quantity, others: Sequence[Quantity], lexicon: Lexicon
) -> bool:
    """Whether a bare number has the unit of another number of the draft: `4 seconds, not 11`.

    The ages of people need no unit: `under 6` for `under 6 years`.
    """
    if quantity.unit or not fact.unit or not quantity.readings & fact.readings:
        return False
    if quantity.nouns and quantity.nouns[0] not in lexicon.stopwords:
        return False  # the next word may be another unit
    if any(each.unit == fact.unit for each in others):
        return True
    return fact.unit == "year" and _tells_age(quantity)


def adds_years(quantity: Quantity, fact: Quantity) -> bool:
    """Whether a number of years is the age of a fact without a unit: `mayores de 65`."""
    same_number = bool(quantity.readings & fact.readings)
    return same_number and quantity.unit == "year" and not fact.unit and _tells_age(fact)


def _tells_age(quantity: Quantity) -> bool:
    return bool(_AGE_WORDS & set(quantity.words_before[-2:]))


def counts_times(quantity: Quantity, fact: Quantity, context: Context, source: str) -> bool:
    """Whether `52 times` repeats what a fact counts, or `two renewals` is `renewed two times`."""
    if not quantity.readings & fact.readings:
        return False
    if quantity.unit == "times" and not fact.unit:
        return not quantity.nouns
    return (
        fact.unit == "times"
        and not quantity.unit
        and any(is_derived(noun, source, context) for noun in quantity.nouns[:1])
    )


def counts_own_items(quantity: Quantity, text: str, context: Context) -> bool:
    """Whether a small number counts what its own text lists: `two dates: 28 February and 15 April`.

    In digits, a number counts only a list after a colon.
    """
    count = _small_count(quantity, context)
    if count is None:
        return False
    listed = _list_after_colon(text)
    is_before = listed is not None and quantity.written not in fold_quotes(listed[1])
    if listed and is_before and len(_item_ends(listed[1])) == count:
        return True
    if not _is_numeral(quantity.written):
        return False
    if not quantity.nouns or quantity.nouns[0] in context.require_lexicon().stopwords:
        return _follows_article(quantity)
    sentence = next(
        (each for each in _sentences(text) if quantity.written in fold_quotes(each)), ""
    )
    dates = [
        each
        for each in context.quantities(sentence)
        if set(each.nouns[:2]) & set(context.require_lexicon().months)
    ]
    names = [] if context.require_lexicon().capitalizes_nouns else _name(sentence)
    return count in (len(dates), len(names))


def _small_count(quantity: Quantity, context: Context) -> int | None:
    lexicon = context.lexicon
    if quantity.unit or lexicon is None or not lexicon.spaced:
        return None
    values = [int(each) for each in quantity.readings if each.isdecimal()]
    value = values[0] if len(values) == 1 else 0
    return value if _FEWEST_ITEMS <= value <= _MOST_ITEMS else None


def _follows_article(quantity: Quantity) -> bool:
    """Whether the number is a pronoun: `les deux`, `the two of them`."""
    return bool(set(quantity.words_before[-1:]) & _ARTICLES)


_ARTICLES: Final = words("the these those all die alle los las les ces")


def is_asked(quantity: Quantity, text: str, context: Context) -> bool:
    """Whether a number in words is only in a question, which claims nothing: `Seven in a row?`"""
    if quantity.unit in MONEY:
        return False
    asked: list[str] = []
    stated: list[str] = []
    for piece in _sentences(text):
        is_question = _is_question(piece) and not tells_by_asking(fold_quotes(piece))
        (asked if is_question else stated).append(piece)
    in_words = [piece for piece in asked if not any(sign.isdecimal() for sign in piece)]
    return _has(quantity, in_words, context) and not _has(quantity, stated, context)


def _has(quantity: Quantity, pieces: Sequence[str], context: Context) -> bool:
    return any(
        each.written == quantity.written for piece in pieces for each in context.quantities(piece)
    )


def find_computed(quantity: Quantity, sentence: CitedSentence, context: Context) -> str | None:
    """Return the id of the cited fact of which the number is a sum or difference; None if of none.

    The hours between two times of day count too. Small sums are frequent by chance, and so they
    do not count.
    """
    value = _value(quantity)
    if value is None:
        return None
    for fact in context.brief.facts:
        if fact.id not in sentence.fact_ids:
            continue
        known = context.quantities(fact.text)
        if quantity.unit in _HOURS:
            clocks = [clock for each in known for clock in each.clocks()]
            times = {abs(one - other) for one in clocks for other in clocks}
            if value * 60 in times and not quantity.may_be_time:
                return fact.id
        numbers = [(each, _value(each)) for each in known]
        pairs = [
            (first, second)
            for index, (one, first) in enumerate(numbers)
            for other, second in numbers[index + 1 :]
            if first and second and one.unit == other.unit and one.unit not in _TIMES
        ]
        results = {result for one, other in pairs for result in (one + other, abs(one - other))}
        if value >= _SMALLEST_RESULT and not quantity.unit and value in results:
            return fact.id
    return None


def counts_weekdays(quantity: Quantity, sources: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether a number of days is that of a range of weekdays: `Wednesday to Saturday`."""
    value = _value(quantity)
    return quantity.unit in ("day", "日") and any(
        len(days) == value
        for source in sources
        for days in list_weekday_ranges(fold_quotes(source), lexicon)
    )


def counts_occasions(quantity: Quantity, facts: Sequence[Quantity], lexicon: Lexicon) -> bool:
    """Whether a number of evenings or Tuesdays is one that a fact has: `ten weeks`."""
    noun = "".join(quantity.nouns[:1])
    is_occasion = (
        noun in _OCCASIONS or lexicon.weekdays.get(noun) or lexicon.weekdays.get(noun[:-1])
    )
    return bool(is_occasion) and any(quantity.readings & each.readings for each in facts)


_OCCASIONS: Final = words(
    """evenings mornings afternoons nights sessions dates abende vormittage nachmittage nächte
    termine tardes mañanas noches sesiones soirs soirées matins matinées séances"""
)


def _value(quantity: Quantity) -> int | None:
    values = [int(each) for each in quantity.readings if each.isdecimal()]
    return values[0] if len(values) == 1 else None


_HOURS: Final = frozenset({"hour", "heure"})
_TIMES: Final = frozenset({"time", "heure"})
_SMALLEST_RESULT: Final = 20


def is_free(quantity: Quantity, sources: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether the number is a price of zero and a fact says that something costs nothing."""
    return (
        quantity.readings == {"0"}
        and quantity.unit in MONEY
        and any(lexicon.says_free(fold_quotes(source)) for source in sources)
    )


def is_one_span(quantity: Quantity, sources: Sequence[str], spans: set[str]) -> bool:
    """Whether the number is the one of a rate: `1 month` for `a month`, `1か月` for `月額`."""
    if quantity.readings != {"1"}:
        return False
    return quantity.unit in spans or any(
        sign in source for sign in _JAPANESE_RATES.get(quantity.unit, ()) for source in sources
    )


_JAPANESE_RATES: Final = {
    "month": ("月額", "毎月", "月々"),
    "year": ("年額", "毎年", "年会費", "年間"),
    "week": ("毎週", "週に"),
    "day": ("毎日", "1日", "一日"),
}
