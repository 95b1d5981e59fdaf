"""Names of weekdays and months are those of the cited facts."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from roost.agents.lexicons import Lexicon
from roost.agents.terms import Term, Vocabulary, fold_quotes, list_terms
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.written import Doubt, DoubtCode

#: A joke has at least this many words besides its date.
_WORDS_OF_JOKE: Final = 2
_WEEK: Final = frozenset(range(1, 8))


def check_dates(candidate: Candidate, context: Context) -> Iterator[str | Doubt]:
    """Find names of weekdays and months that no fact has; those of another fact are a doubt."""
    lexicon = context.require_lexicon()
    everywhere = _list_known(context.all_texts, context)
    for index, sentence in enumerate(candidate.sentences):
        cited = context.cited(sentence)
        sources = (*cited, *context.brief_texts)
        known = _list_known(sources, context)
        for piece in _split_pieces(context.claim_text(sentence.text)):
            if claims_nothing(piece, context.fact_vocabulary(sources), context):
                continue
            said = fold_quotes(piece)
            allowed = known | _list_complements(said, sources, context)
            for word, date in _list_dates(piece, context, is_fact=False).items():
                if date in allowed:
                    continue
                if date not in everywhere:
                    yield f"E-DATE: {word}"
                elif cited:
                    name = word.partition(" ")[2] if lexicon.spaced else word
                    yield Doubt(DoubtCode.OTHER_FACT_USED, index, name)


def _list_known(texts: Sequence[str], context: Context) -> set[tuple[str, int]]:
    """Return the weekdays and months of texts, with the days inside their ranges."""
    joined = " . ".join(texts)
    folded = fold_quotes(joined)
    known = set(_list_dates(joined, context, is_fact=True).values())
    if _names_weekdays(folded):
        known |= {("weekday", 1), ("weekday", 5)}
    ranges = list_weekday_ranges(folded, context.require_lexicon())
    return known | {("weekday", day) for days in ranges for day in days}


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


def list_weekday_ranges(folded: str, lexicon: Lexicon) -> list[frozenset[int]]:
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


def _list_complements(said: str, sources: Sequence[str], context: Context) -> set[tuple[str, int]]:
    """Return the weekdays that a draft may say because a fact has all the others.

    `Monday to Saturday` allows `any day but Sunday`, and `daily except Mondays` allows `Tuesday to
    Sunday`.
    """
    lexicon = context.require_lexicon()
    own_ranges = list_weekday_ranges(said, lexicon)
    excepts = _except(said) or any(
        term.word in lexicon.negations or term.word.endswith("n't")
        for term in list_terms(said, lexicon)
    )
    found: set[int] = set()
    for source in sources:
        known = _list_known([source], context)
        rest = _WEEK - {day for kind, day in known if kind == "weekday"}
        ranges = list_weekday_ranges(fold_quotes(source), lexicon)
        if rest in own_ranges or (ranges and excepts):
            found |= rest
    return {("weekday", day) for day in found}


def avoids_days(said: str, clause: str, context: Context) -> bool:
    """Whether a folded text has only other weekdays than a clause, or has an exception too."""
    known = _list_dates(clause, context, is_fact=True).values()
    excluded = {day for kind, day in known if kind == "weekday"}
    ranges = list_weekday_ranges(said, context.require_lexicon())
    return bool(excluded) and (bool(_except(said)) or any(not days & excluded for days in ranges))


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
        named = {name: ("weekday", number) for name, number in days if name in text}
        short = {name[0]: ("weekday", number) for name, number in days}
        return named | {f"({each})": short[each] for each in _short_weekday(fold_quotes(text))}
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


#: The day of the week after a date: `2月1日(月)`.
_short_weekday = re.compile(r"日 ?\(([月火水木金土日])\)").findall
_names_weekdays = re.compile(
    r"\bweekdays?\b|\bwerktags?\b|\bunter der woche\b|\bentre semana\b|\ben semaine\b|平日"
).search


def _is_beside_number(folded: str, term: Term) -> bool:
    before = _number_before(folded[: term.start])
    return before is not None or folded[term.start + len(term.word) :].lstrip(" .")[:1].isdecimal()


_number_before = re.compile(r"\d(?:st|nd|rd|th|er|º)?\.?(?: de| of)? $").search
#: Names that are also ordinary words.
_AMBIGUOUS: Final = frozenset({"may", "march", "mar", "mars", "sat", "sun", "mon", "wed", "dec"})
