"""How much of X's limit a text uses, and up to where it fits."""

import re
import unicodedata
from dataclasses import dataclass

from roost.text.emoji import emoji_spans
from roost.text.urls import url_spans

LIMIT = 280
#: of Premium's long posts; X's documents do not say weighted or raw, so both must be inside
LONG_LIMIT = 25_000
#: The subscriptions, by X's words, with which an account may write long posts.
LONG_SUBSCRIPTIONS = frozenset({"Premium", "PremiumPlus"})
URL_WEIGHT = 23
EMOJI_WEIGHT = 2

# All but these weigh 2 (Latin to Georgian, and some general punctuation, weigh 1).
_HEAVY = re.compile("[^\x00-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]+")
_forbidden = re.compile("[\ufffe\ufeff\uffff]").search


@dataclass(frozen=True, slots=True)
class Weight:
    """A text weighed against a limit."""

    weighted_length: int
    limit: int
    valid: bool  #: inside the limit, not empty, and free of characters X refuses
    permille: int  #: of the limit, rounded down
    fits_until: int  #: code points of `text` that fit, never inside a URL or an emoji
    text: str  #: in NFC, as X counts it


def weigh(text: str, limit: int = LIMIT) -> Weight:
    """Weigh a text as X does today: any URL 23, any emoji 2, most scripts 1, CJK 2.

    With `LONG_LIMIT` (25,000, Premium) the number of code points has to be inside, too.
    Source: twitter-text's configuration v3 and X's documents on counting characters.
    """
    text = unicodedata.normalize("NFC", text)
    wholes = _wholes(text)
    weighted = _weight_between(text, wholes)
    fits = weighted <= limit and (limit < LONG_LIMIT or len(text) <= limit)
    refused = _forbidden(text)
    return Weight(
        weighted_length=weighted,
        limit=limit,
        valid=fits and refused is None and weighted > 0,
        permille=weighted * 1000 // limit,
        fits_until=len(text) if fits and refused is None else _fits_until(text, limit, wholes),
        text=text,
    )


def text_limit(subscription_type: str | None) -> int:
    """The weighted characters that an account may use, by X's word for its subscription.

    A missing or unknown word means the ordinary limit; the blue tick decides nothing.
    """
    return LONG_LIMIT if subscription_type in LONG_SUBSCRIPTIONS else LIMIT


def counted_length(text: str, limit: int) -> int:
    """The characters of a text that have to be within `limit`: of a long post, both counts."""
    weight = weigh(text, limit)
    # X's documents do not say which count rules a long post, so both have to fit.
    raw = len(weight.text) if limit == LONG_LIMIT else 0
    return max(weight.weighted_length, raw)


def weight_of_characters(text: str) -> int:
    """The weight of a text that has neither URLs nor emoji of several code points."""
    if text.isascii():
        return len(text)
    return len(text) + sum(map(len, _HEAVY.findall(text)))


def running_weights(text: str) -> list[int]:
    """The weight of each beginning of an NFC text, by its length; a whole counts from inside on.

    So the weight of a piece that cuts through no URL or emoji is the difference of two of them.
    """
    weights = [0]
    at = total = 0
    for start, end, weight in [*_wholes(text), (len(text), len(text), 0)]:
        for char in text[at:start]:
            total += 2 if _HEAVY.match(char) else 1
            weights.append(total)
        total += weight
        weights += [total] * (end - start)
        at = end
    return weights


def _weight_between(text: str, wholes: list[tuple[int, int, int]]) -> int:
    if not wholes:
        return weight_of_characters(text)
    between = []
    at = weighted = 0
    for start, end, weight in wholes:
        between.append(text[at:start])
        weighted += weight
        at = end
    between.append(text[at:])
    return weighted + weight_of_characters("".join(between))


def _wholes(text: str) -> list[tuple[int, int, int]]:
    """Start, end and weight of each URL and emoji, left to right.

    An emoji that begins inside a URL is only characters.
    """
    wholes = [(start, end, URL_WEIGHT) for start, end in url_spans(text)]
    if text.isascii():
        return wholes
    spans = emoji_spans(text)
    if not wholes:
        return [(start, end, EMOJI_WEIGHT) for start, end in spans]
    urls = iter(wholes[:])
    first, last, _ = next(urls)
    for start, end in spans:
        while last <= start:
            first, last, _ = next(urls, (len(text), len(text) + 1, 0))
        if start < first:
            wholes.append((start, end, EMOJI_WEIGHT))
    wholes.sort()
    return wholes


def _fits_until(text: str, limit: int, wholes: list[tuple[int, int, int]]) -> int:
    refused = _forbidden(text)
    last = refused.start() if refused else len(text)
    if limit >= LONG_LIMIT:
        last = min(last, limit)
    at = weighted = 0
    for start, end, weight in [*wholes, (len(text), len(text), 0)]:
        stretch = text[at : min(start, last)]
        fitting = _how_many_fit(stretch, limit - weighted)
        at += fitting
        weighted += weight_of_characters(stretch[:fitting]) + weight
        if fitting < len(stretch) or end > last or weighted > limit:
            return at
        at = end
    return at


def _how_many_fit(characters: str, room: int) -> int:
    """How many characters from the first on weigh no more than `room`."""
    count, unknown = 0, len(characters)
    while unknown:
        half = (unknown + 1) // 2
        weight = weight_of_characters(characters[count : count + half])
        if weight <= room:
            room -= weight
            count += half
            unknown -= half
        else:
            unknown = half - 1
    return count
