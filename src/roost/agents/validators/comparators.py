"""Whether a number is a limit: `up to £60` differs from `£60`."""

from collections.abc import Iterator, Sequence
from typing import Final

from roost.agents.lexicons import Lexicon
from roost.agents.quantities import Quantity
from roost.agents.terms import fold_quotes
from roost.agents.words import contains_phrase

#: `from 10` and `until 6` are ordinary beside a time of day.
_TIMES: Final = frozenset({"time", "heure"})


def find_added_limits(
    quantity: Quantity, matching: Sequence[Quantity], sources: Sequence[str], lexicon: Lexicon
) -> Iterator[str]:
    """Yield each phrase that makes a number a limit, if no source has a phrase of this kind."""
    if quantity.unit in _TIMES or any(each.unit in _TIMES for each in matching):
        return
    for phrases in (lexicon.at_least, lexicon.at_most):
        phrase = _find_phrase(quantity, phrases, lexicon)
        if phrase and not any(_contains(text, each) for text in sources for each in phrases):
            yield phrase


def _find_phrase(quantity: Quantity, phrases: tuple[str, ...], lexicon: Lexicon) -> str | None:
    if not lexicon.spaced:
        after = "".join(quantity.nouns[:1])
        return next((phrase for phrase in phrases if after.startswith(phrase)), None)
    before = f" {' '.join(quantity.words_before)}"
    return next((phrase for phrase in phrases if before.endswith(f" {phrase}")), None)


def _contains(text: str, phrase: str) -> bool:
    return contains_phrase(fold_quotes(text).replace("'", " "), phrase)
