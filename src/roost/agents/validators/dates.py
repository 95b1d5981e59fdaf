"""Names of weekdays and months are those of the cited facts."""

import re
from collections.abc import Iterator
from typing import Final

from roost.agents.lexicons import Lexicon
from roost.agents.terms import Term, Vocabulary, fold_quotes, list_terms
from roost.agents.validators.candidate import Candidate, Context

#: A joke has at least this many words besides its date.
_WORDS_OF_JOKE: Final = 2
_WEEK: Final = frozenset(range(1, 8))


def check_dates(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find names of weekdays and months that no cited fact has."""
    lexicon = context.require_lexicon()
    for sentence in candidate.sentences:
        sources = (*context.cited(sentence), *context.brief_texts)
        facts = " . ".join(sources)
        known = set(_list_dates(facts, context, is_fact=True).values())
        folded = fold_quotes(facts)
        if _names_weekdays(folded):
            known |= {("weekday", 1), ("weekday", 5)}
        ranges = _list_ranges(folded, lexicon)
        known |= {("weekday", day) for days in ranges for day in days}
        for piece in _split_pieces(context.claim_text(sentence.text)):
            if claims_nothing(piece, context.fact_vocabulary(sources), context):
                continue
            said = fold_quotes(piece)
            allowed = known | _list_complements(said, known, ranges, lexicon)
            for word, date in _list_dates(piece, context, is_fact=False).items():
                if date not in allowed:
                    yield f"E-DATE: {word}"


_split_pieces = re.compile(r"(?<=[.!?…])\s+(?=[^\W\da-z])|(?<=[。！？])|\n+").split


def claims_nothing(piece: str, facts: Vocabulary, context: Context) -> bool:
    """Whether a piece of a sentence is a joke: it has no number, and no word of the brief."""
    lexicon = context.require_lexicon()
    if not lexicon.spaced or any(character.isdecimal() for character in piece):
        return False
    terms = [
        term
        for term in context.content(piece)
        if term.word not in lexicon.months and term.word not in lexicon.weekdays
    ]
    return (
        len({term.stem for term in terms}) >= _WORDS_OF_JOKE
        and not any(facts.has(term) or term.word in lexicon.neutral for term in terms)
        and not any(term.word in lexicon.strict for term in terms)
    )


def _list_ranges(folded: str, lexicon: Lexicon) -> list[frozenset[int]]:
    """Return the weekdays of each range such as `Monday to Saturday`."""
    names = "|".join(sorted(map(re.escape, lexicon.weekdays), key=len, reverse=True))
    found = re.findall(
        rf"({names})(?:日)?{_TO}(?:le |los |el |au )?({names})(?!\w)"
        if lexicon.spaced
        else rf"({names})日?{_TO}({names})",
        folded,
    )
    return [
        frozenset((first + step - 1) % 7 + 1 for step in range((last - first) % 7 + 1))
        for first, last in ((lexicon.weekdays[one], lexicon.weekdays[two]) for one, two in found)
    ]


_TO: Final = r"(?:\s?[-–—〜~]\s?| (?:to|till|until|through|bis|a|al|au|à|hasta) |から)"


def _list_complements(
    said: str, known: set[tuple[str, int]], ranges: list[frozenset[int]], lexicon: Lexicon
) -> set[tuple[str, int]]:
    """Return the weekdays that a draft may say because the facts have all the others.

    `Monday to Saturday` allows `any day but Sunday`, and `closed on Sundays` allows the contrary.
    """
    days = {day for kind, day in known if kind == "weekday"}
    rest = _WEEK - days
    own_ranges = _list_ranges(said, lexicon)
    if any(each == rest for each in own_ranges):
        return {("weekday", day) for day in rest}
    excepts = _except(said) or any(
        term.word in lexicon.negations or term.word.endswith("n't")
        for term in list_terms(said, lexicon)
    )
    return {("weekday", day) for day in rest} if ranges and excepts else set()


_except = re.compile(
    r"\b(?:but|except|apart from|other than|außer|ausgenommen|excepto|salvo|menos|sauf|hormis)\b"
    r"|以外|を除|休"
).search


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
