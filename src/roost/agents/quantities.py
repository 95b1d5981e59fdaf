"""Extracts numbers from a text, each with its currency or unit: `10 am` and `£10` differ.

Two quantities are equal only if they are written in the same way. Paraphrases are not recognized.
"""

import re
from typing import Final, NamedTuple

from roost.agents.words import fold

_CURRENCY: Final = r"(?:us\$|[$£€¥₹₩₺]|(?:usd|eur|gbp|jpy|chf|円|kr)(?![a-z]))"
_NUMBER = re.compile(
    r"(?<![a-zß-ɏ\d_])(?P<sign>(?<!\w)[-−])?(?P<digits>\d+(?: \d{3}(?!\d)|[.,:'’/]\d+)*)"
)
_before = re.compile(rf"(?P<sign>(?<!\w)[-−])?(?P<currency>{_CURRENCY})\s?[-−]?$").search
_after = re.compile(rf"\s?(?P<currency>{_CURRENCY})").match
_range = re.compile(rf"\s?[-–—~〜]\s?(?={_CURRENCY}?\s?\d)").match
#: Longer units come first, because the shorter `時` (10時, a time of day) would also match `時間`
#: (10時間, a duration).
_CJK_UNITS: Final = "時間|分間|日間|週間|[かヶカケ]月|年間|[\u3040-\u30ff\u3400-\u9fff]"
_unit = re.compile(rf"[\s-]?(?P<unit>%|‰|°\s?[cf]?|{_CJK_UNITS}|[^\W\d_]+(?:\.[^\W\d_]\.?)*)").match
_per = re.compile(r"\s?(?:/|per|an?|pro|por|par)\s?(?P<unit>[^\W\d_]+)").match
_magnitude = re.compile(
    r"[\s-]?(?P<unit>(?:k|m|bn|hundred|thousand|million|billion|mio|mrd|tausend|millionen|"
    r"milliarden|mil|millones|mille|millions|milliards|万|億)(?![^\W\d_]))"
).match
#: Words that may follow a number without being its unit.
_NOT_UNITS: Final = frozenset({
    "and", "or", "but", "to", "in", "on", "at", "of", "for", "with", "by", "from", "until",
    "till", "we", "you", "they", "it", "is", "are", "was", "has", "have", "the", "und",
    "oder", "bis", "im", "zu", "von", "für", "mit", "wir", "sie", "ist", "sind", "hat", "y",
    "o", "a", "en", "de", "por", "con", "hasta", "es", "son", "et", "ou", "à", "dans", "pour",
    "avec", "nous", "vous", "est", "sont",
})  # fmt: skip


class Quantity(NamedTuple):
    """A number as it is written, without spaces, with its currency and unit."""

    number: str
    currency: str
    """A currency sign or code; empty if the number has none."""
    unit: str
    """The word or sign after the number, without dots and without a plural s. For money, the unit
    is a magnitude (`million`) or a rate (`/hour`)."""

    def __str__(self) -> str:
        return " ".join(each for each in (self.currency, self.number, self.unit) if each)


def extract_quantities(text: str) -> set[Quantity]:
    """Return each number of a text with its currency or unit; skip digits inside a word."""
    text = fold(text)
    return {_parse_quantity(text, match) for match in _NUMBER.finditer(text)}


def _parse_quantity(text: str, match: re.Match[str]) -> Quantity:
    before = _before(text[max(0, match.start("digits") - 7) : match.start("digits")])
    currency = before["currency"] if before else ""
    negative = match["sign"] or (before and before["sign"])
    number = ("-" if negative else "") + match["digits"].replace(" ", "")
    end = match.end()
    if (to := _range(text, end)) and (last := _NUMBER.search(text, to.end())):
        # In a range such as 10–12 am, the first number has the unit of the last number.
        upper = _parse_quantity(text, last)
        return Quantity(number, currency or upper.currency, upper.unit)
    if not currency and (after := _after(text, end)):
        currency, end = after["currency"], after.end()
    if currency:
        return Quantity(number, currency, _money_unit(text, end))
    unit = _unit(text, end)
    return Quantity(number, "", _normalize_unit(unit["unit"]) if unit else "")


def _money_unit(text: str, end: int) -> str:
    magnitude = _magnitude(text, end)
    rate = _per(text, magnitude.end() if magnitude else end)
    return (magnitude["unit"] if magnitude else "") + (f"/{rate['unit']}" if rate else "")


def _normalize_unit(unit: str) -> str:
    unit = unit.replace(".", "").replace(" ", "")
    if unit in _NOT_UNITS:
        return ""
    return unit.removesuffix("s") if len(unit) > 2 else unit
