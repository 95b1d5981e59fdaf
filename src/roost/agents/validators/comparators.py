"""Whether a number is a limit: `up to £60` differs from `£60`."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from roost.agents.lexicons import Lexicon
from roost.agents.quantities import Quantity
from roost.agents.terms import fold_quotes
from roost.agents.words import fold

#: `from 10` and `until 6` are ordinary beside a time of day.
_TIMES: Final = frozenset({"time", "heure"})


def find_added_limits(
    quantity: Quantity, matching: Sequence[Quantity], sources: Sequence[str], lexicon: Lexicon
) -> Iterator[str]:
    """Yield the phrase that makes a number a limit, if no source has a phrase of this kind."""
    if quantity.unit in _TIMES or any(each.unit in _TIMES for each in matching):
        return
    phrase = find_limit(quantity, lexicon)
    if phrase is None:
        return
    kinds = _kinds(phrase, lexicon)
    if not any(_kinds(each, lexicon) & kinds for text in sources for each in _find(text, lexicon)):
        yield phrase


def contradicts_limits(phrase: str, sources: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether the sources have limits, and only contrary ones: `at least` for `up to`."""
    kinds = _kinds(phrase, lexicon)
    known = [_kinds(each, lexicon) for text in sources for each in _find(text, lexicon)]
    return bool(known) and not any(each & kinds for each in known)


def find_limit(quantity: Quantity, lexicon: Lexicon) -> str | None:
    """Return the longest phrase beside a number: `no más de`, which is not `más de`."""
    longest_first = sorted((*lexicon.at_least, *lexicon.at_most), key=len, reverse=True)
    if not lexicon.spaced:
        after = "".join(quantity.nouns[:1])
        return next((phrase for phrase in longest_first if after.startswith(phrase)), None)
    before = f" {' '.join(quantity.words_before)}"
    return next((phrase for phrase in longest_first if before.endswith(f" {phrase}")), None)


def _kinds(phrase: str, lexicon: Lexicon) -> set[str]:
    kinds = (("least", lexicon.at_least), ("most", lexicon.at_most))
    return {kind for kind, phrases in kinds if phrase in phrases}


def _find(text: str, lexicon: Lexicon) -> list[str]:
    """Return the phrases of a text, of which none is a part of another."""
    phrases = sorted((*lexicon.at_least, *lexicon.at_most), key=len, reverse=True)
    pattern = "|".join(re.escape(fold(phrase)) for phrase in phrases)
    edges = (r"(?<!\w)", r"(?!\w)") if lexicon.spaced else ("", "")
    return re.findall(f"{edges[0]}(?:{pattern}){edges[1]}", fold_quotes(text).replace("'", " "))
