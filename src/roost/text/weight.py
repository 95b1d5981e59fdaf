"""Weighs a text as X counts characters, and finds the part of the text within the limit."""

import re
import unicodedata
from dataclasses import dataclass

from roost.text.characters import FORBIDDEN_CHARACTERS
from roost.text.emoji import emoji_spans
from roost.text.urls import url_spans

LIMIT = 280
#: The limit of Premium's long posts. X does not document whether weight or code points count, so
#: both must be within the limit.
LONG_LIMIT = 25_000
#: The values of `subscription_type` whose accounts may write long posts.
LONG_SUBSCRIPTIONS = frozenset({"Premium", "PremiumPlus"})
URL_WEIGHT = 23
EMOJI_WEIGHT = 2

# The characters that weigh 2. The scripts from Latin to Georgian, and some general punctuation,
# weigh 1.
_HEAVY = re.compile("[^\x00-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]+")
_forbidden = re.compile(f"[{FORBIDDEN_CHARACTERS}]").search


@dataclass(frozen=True, slots=True)
class Weight:
    """The weight of a text, compared with a limit."""

    weighted_length: int
    limit: int
    valid: bool  #: Whether the text is within the limit, not empty, and has no refused character.
    permille: int  #: The used part of the limit, in thousandths, rounded down.
    fits_until: int  #: The number of code points of `text` that fit; never inside a URL or emoji.
    text: str  #: The text in NFC, the form that X counts.


def weigh(text: str, limit: int = LIMIT) -> Weight:
    """Weigh a text as X does: a URL counts 23, an emoji 2, a CJK character 2, most others 1.

    With `LONG_LIMIT` (25,000, Premium) the number of code points must also be within the limit.
    Source: twitter-text's configuration v3; X's documentation on counting characters.
    """
    text = unicodedata.normalize("NFC", text)
    units = _units(text)
    weighted = _total_weight(text, units)
    fits = weighted <= limit and (limit < LONG_LIMIT or len(text) <= limit)
    forbidden = _forbidden(text)
    return Weight(
        weighted_length=weighted,
        limit=limit,
        valid=fits and forbidden is None and weighted > 0,
        permille=weighted * 1000 // limit,
        fits_until=len(text) if fits and forbidden is None else _fits_until(text, limit, units),
        text=text,
    )


def text_limit(subscription_type: str | None) -> int:
    """Return the maximum weight of a post of an account with this X `subscription_type`.

    If the type is missing or unknown, the ordinary limit applies. A blue check mark does not change
    the limit.
    """
    return LONG_LIMIT if subscription_type in LONG_SUBSCRIPTIONS else LIMIT


def counted_length(text: str, limit: int) -> int:
    """Return the length of a text that must not exceed `limit`.

    For a long post, this is its weight or its number of code points, whichever is larger.
    """
    text = unicodedata.normalize("NFC", text)
    weighted = _total_weight(text, _units(text))
    # X does not document whether weight or code points count in a long post, so both must fit.
    return max(weighted, len(text)) if limit == LONG_LIMIT else weighted


def weight_of_characters(text: str) -> int:
    """Return the weight of a text that has neither URLs nor emoji of several code points."""
    if text.isascii():
        return len(text)
    return len(text) + sum(map(len, _HEAVY.findall(text)))


def running_weights(text: str) -> list[int]:
    """Return the weight of each prefix of an NFC text, indexed by the prefix's length.

    A URL or emoji counts in full from its first code point. If a slice splits no URL and no emoji,
    the weight of the slice is therefore the difference of two entries.
    """
    weights = [0]
    at = total = 0
    for start, end, weight in [*_units(text), (len(text), len(text), 0)]:
        for char in text[at:start]:
            total += 2 if _HEAVY.match(char) else 1
            weights.append(total)
        total += weight
        weights += [total] * (end - start)
        at = end
    return weights


def _total_weight(text: str, units: list[tuple[int, int, int]]) -> int:
    if not units:
        return weight_of_characters(text)
    between = []
    at = weighted = 0
    for start, end, weight in units:
        between.append(text[at:start])
        weighted += weight
        at = end
    between.append(text[at:])
    return weighted + weight_of_characters("".join(between))


def _units(text: str) -> list[tuple[int, int, int]]:
    """Return start, end and weight of each URL and emoji, left to right.

    An emoji that begins inside a URL counts as ordinary characters.
    """
    units = [(start, end, URL_WEIGHT) for start, end in url_spans(text)]
    if text.isascii():
        return units
    spans = emoji_spans(text)
    if not units:
        return [(start, end, EMOJI_WEIGHT) for start, end in spans]
    urls = iter(units[:])
    first, last, _ = next(urls)
    for start, end in spans:
        while last <= start:
            first, last, _ = next(urls, (len(text), len(text) + 1, 0))
        if start < first:
            units.append((start, end, EMOJI_WEIGHT))
    units.sort()
    return units


def _fits_until(text: str, limit: int, units: list[tuple[int, int, int]]) -> int:
    forbidden = _forbidden(text)
    last = forbidden.start() if forbidden else len(text)
    if limit >= LONG_LIMIT:
        last = min(last, limit)
    at = weighted = 0
    for start, end, weight in [*units, (len(text), len(text), 0)]:
        characters = text[at : min(start, last)]
        fitting = _count_fitting(characters, limit - weighted)
        at += fitting
        weighted += weight_of_characters(characters[:fitting]) + weight
        if fitting < len(characters) or end > last or weighted > limit:
            return at
        at = end
    return at


def _count_fitting(characters: str, budget: int) -> int:
    """Return the number of characters, from the first, that together weigh at most `budget`."""
    count, unknown = 0, len(characters)
    while unknown:
        half = (unknown + 1) // 2
        weight = weight_of_characters(characters[count : count + half])
        if weight <= budget:
            budget -= weight
            count += half
            unknown -= half
        else:
            unknown = half - 1
    return count
