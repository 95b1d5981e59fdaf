"""Extracts numbers with their currency or unit from a text: `10 am` and `£10` differ.

`10 am` and `10:00` are equal, `five pounds` and `£5`, `1,200` and `1200`. Numbers are compared by
their possible readings, because `1.200` is a thousand in one country and one in another.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from roost.agents.clock_words import write_times_as_digits
from roost.agents.lexicons import Lexicon
from roost.agents.words import fold

_CURRENCY: Final = r"(?:us\$|[$£€¥₹₩₺]|(?:usd|eur|gbp|jpy|chf|kr)(?![a-z]))"
_CURRENCIES: Final = {
    "us$": "usd", "$": "usd", "£": "gbp", "€": "eur", "¥": "jpy", "₹": "inr", "₩": "krw",
    "₺": "try",
}  # fmt: skip
_NUMBER: Final = re.compile(
    r"(?<![a-zß-ɏ\d_])(?P<sign>(?<!\w)[-−])?"
    r"(?P<digits>\d+(?:[ ]\d{3}(?!\d)|[.,:'’/]\d+)*)"
)
_before = re.compile(rf"(?P<sign>(?<!\w)[-−])?(?P<currency>{_CURRENCY})\s?[-−]?$").search
_after = re.compile(rf"\s?(?P<currency>{_CURRENCY})").match
_range = re.compile(rf"\s?(?:[-–—~〜]|to|bis|a|à|から|and|und|y|et)\s?(?={_CURRENCY}?\s?\d)").match
_per = re.compile(
    r"\s?(?:/|per|an?|each|every|pro|je|por|al|à l'|par|la)\s?(?P<unit>[^\W\d_]+)"
).match
MONEY: Final = frozenset(
    [
        "usd",
        "gbp",
        "eur",
        "jpy",
        "inr",
        "krw",
        "try",
        "chf",
        "kr",
        "peso",
        "franc",
        "livre",
        "pfund",
    ]
)
_RATES: Final = frozenset(
    {"second", "minute", "hour", "heure", "day", "night", "week", "month", "year"}
)
#: Units in Japanese that count nothing.
_NO_COUNTERS: Final = MONEY | _RATES | {"time", "percent", "日", "月", "年", "歳", "度", "割", "名"}
_MAGNITUDES: Final = frozenset({"hundred", "thousand", "million", "billion"})
#: Symbols of units that languages do not translate.
_SYMBOLS: Final = (
    r"[kmgt]b(?:it)?|[kmg]?hz|[kmg]?wh?|kwp|mah|[kcmµ]?m|[km]g|[mcd]l|k?cal|kj"
    r"|bar|psi|px|mp|fps|mbps"
)
#: In `10-12-14 kg`, the first number has the unit of the last; a longer chain is no range.
_MOST_RANGES: Final = 3
_SHORT_MAGNITUDES: Final = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion"}
_short_magnitude = re.compile(r"(?:k|mn?|bn)(?![^\W_])").match
_cjk_unit = re.compile(
    r"\s?(?P<unit>時間|分間|日間|週間|[かヶカケ]月|年間|つ|[\u30a1-\u30faー]{2,}|[\u3400-\u9fff])"
).match
_sign_unit = re.compile(r"\s?(?P<unit>%|‰|°\s?[cf]?)").match
_word_unit = re.compile(r"[\s-]?(?P<unit>[^\W\d_]+(?:\.[^\W\d_])*(?:'clock)?\.?)").match
#: Letters beside a number are a unit in every language: `85GB` of a Japanese text, `5G`.
_latin_unit = re.compile(
    rf"(?P<unit>[a-z]{{1,6}}|\s(?:{_SYMBOLS}))(?![^\W\d_\u3040-\u9fff]|[.'][^\W\d_])"
).match
_ordinal = re.compile(r"(?:st|nd|rd|th|er|ère|e|º|ª|\.(?=\s\w))(?![a-z])").match
_words = re.compile(r"[^\W\d_]+").finditer
#: Removes what follows a punctuation mark.
_drop_clause = functools.partial(re.compile(r"[^\w\s'’\-].*").sub, "")
#: Before a bare number, these words show that the number is a time of day.
_time_word = re.compile(
    r"(?:at|from|to|until|till|by|before|after|between|and|um|ab|bis|von|vor|nach|las|la|a|de|hasta"
    r"|desde|à|de|dès|vers|jusqu'à|[-–—])\s?$"
).search
#: Words between a bare number and another one that show two times of day: `six till nine`.
_until = re.compile(
    r" ?(?:to|till|until|bis|a|hasta|à|[-–—]) ?(?:\d|[^\W\d_]+ *(?:$|[^\w\s]))"
).match
#: Spellings of a time of day that are rewritten as `7:30` before numbers are read.
_SPELLINGS: Final = (
    (re.compile(r"(?<!\d)(\d{1,2}) ?h ?(\d{2})(?!\d)"), r"\1:\2"),
    (re.compile(r"(\d{1,2})時(\d{1,2})分"), r"\1:\2"),
    (re.compile(r"(\d{1,2})時半"), r"\1:30"),
    (re.compile(r"[\ufe0f\u20e3]"), ""),
    (re.compile(r"(?:午前|朝)の? ?(\d{1,2})(?=時|:)"), r"\1"),
    (re.compile(r"正午"), "12時"),
    (re.compile(r"a\. ?m\.?(?!\w)"), "am"),
    (re.compile(r"p\. ?m\.?(?!\w)"), "pm"),
    # Plurals of ages and decades: `under-18s`, `the over 65s`, `the 1990s`.
    (re.compile(r"(?<=[^\W\d_]-)(\d{1,3})'?s(?!\w)"), r"\1"),
    (re.compile(r"\b(under|over|the) (\d{1,3})'?s(?!\w)"), r"\1 \2"),
    (re.compile(r"(?<!\d)(\d{3}0)'?s(?!\w)"), r"\1"),
)
#: Words that mean `am` or `pm`: `7 in the morning`, `7 Uhr abends`.
_half_of_day = re.compile(
    r"(?: ?o['’]clock| ?uhr| ?heures?| ?horas?| ?h)? (?:"
    r"(?P<am>in the morning|morgens|vormittags|du matin|de la mañana|de la madrugada)"
    r"|in the (?:afternoon|evening)|nachmittags|abends|de l['’]après-midi|du soir|de la tarde"
    r")(?!\w)"
).match
_twelve_hours = re.compile(r"0?[1-9]|1[0-2]").fullmatch
_afternoon = re.compile(r"(?:午後|夜|夕方|(?:お)?昼)の? ?(1[0-2]|0?\d)(?=時|:)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of a text, with its currency or unit and the words after it."""

    written: str
    """The number and its unit as in the folded text, for messages."""
    readings: frozenset[str]
    """What the digits can mean: `1.200` reads 1200 and 1.2. A time of day reads `18:00`."""
    unit: str
    """The canonical unit or currency; empty if no known unit is next to the number."""
    nouns: tuple[str, ...]
    """The next words after the number and its unit, up to a punctuation mark: `rooms` of
    `40 rooms, all new`."""
    words_before: tuple[str, ...]
    """The words before the number: `rooms` of `rooms: 40`."""
    may_be_time: bool
    """Whether the words around a bare number fit a time of day."""

    def is_supported_by(self, fact: "Quantity") -> bool:
        """Whether a fact with this other quantity supports the quantity."""
        if self.unit == fact.unit:
            same = bool(self.readings & fact.readings)
            return same or (not self.unit and self._is_same_time(fact))
        is_priced = fact.unit.split(" ")[0] in MONEY or fact.unit == "percent"
        if not (self.unit or self.nouns or is_priced) and self.readings & fact.readings:
            # A number at the end of a phrase counts what the fact counts: `Aylin was 27`.
            return True
        units = {self.unit, fact.unit}
        if self.unit == "degree" and fact.unit.startswith("°"):
            return bool(self.readings & fact.readings)
        if "つ" in units and units.isdisjoint(_NO_COUNTERS):
            # This counter is of any thing: `9つ` for `9種類`.
            return bool(self.readings & fact.readings)
        if units == {"time", "heure"}:
            return bool(self._clocks() & fact._clocks())
        if fact.unit in ("time", "heure") and not self.unit and self.may_be_time:
            clocks = fact._clocks()
            return bool(self._clocks() & (clocks | {_halve(clock) for clock in clocks}))
        if self.unit in ("time", "heure") and not fact.unit and fact.may_be_time:
            return bool(self._clocks() & fact._clocks())
        return False

    def clocks(self) -> list[int]:
        """Return the times of day that the quantity can mean, in minutes; none if it is no time."""
        if self.unit not in ("time", "heure") and not self.may_be_time:
            return []
        found = [_clock(each) for each in self._clocks()]
        return [int(each[1]) * 60 + int(each[2] or 0) for each in found if each]

    def _is_same_time(self, fact: "Quantity") -> bool:
        """Whether two bare numbers are one time of day by one of their readings: 7 and 19."""
        if not (self.may_be_time and fact.may_be_time):
            return False
        clocks = self._clocks()
        return bool(clocks & {half for each in fact._clocks() for half in (each, _halve(each))})

    def _clocks(self) -> set[str]:
        return {_as_clock(reading) for reading in self.readings}


def extract_quantities(text: str, lexicon: Lexicon | None) -> list[Quantity]:
    """Return each number of a text with its currency or unit; digits in a word do not count.

    Numerals and units that are words are recognized in the languages that have a lexicon.
    """
    text = fold(text)
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    text = _afternoon.sub(lambda match: str(int(match[1]) % 12 + 12), text)
    if lexicon is None:
        return [_parse(text, match, {}) for match in _NUMBER.finditer(text)]
    text, units = write_times_as_digits(text, lexicon.code), lexicon.units
    found = [_parse(text, match, units) for match in _NUMBER.finditer(text)]
    for match in _compile_words(tuple(lexicon.numbers)).finditer(text) if lexicon.numbers else ():
        value = str(lexicon.numbers[match[0]])
        unit, end = _find_half(text, match.end(), value) or _find_unit(text, match.end(), units)
        unit, end = _add_rate(text, end, unit, units)
        found.append(_make(text, (match.start(), match.end(), end), {value}, unit))
    return found


@functools.cache
def _compile_words(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern for whole words, the longest first: `dix-huit` before `dix`."""
    longest_first = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])(?:{longest_first})(?![^\W_])")


def _parse(
    text: str, match: re.Match[str], units: Mapping[str, str], ranges: int = _MOST_RANGES
) -> Quantity:
    """Return the quantity of a number; `ranges` is how many numbers after it may give its unit."""
    start, end = match.start(), match.end()
    readings = _read(match["digits"])
    before = _before(text[max(0, match.start("digits") - 7) : match.start("digits")])
    if match["sign"] or (before and before["sign"]):
        readings = {f"-{each}" for each in readings}
    unit_end = end
    if before:
        unit = _CURRENCIES.get(before["currency"], before["currency"])
        start -= len(before["currency"])
    elif after := _after(text, end):
        unit, unit_end = _CURRENCIES.get(after["currency"], after["currency"]), after.end()
    else:
        hour = match["digits"].partition(":")[0]
        unit, unit_end = _find_half(text, end, hour) or _find_unit(text, end, units)
    unit, unit_end = _add_rate(text, unit_end, unit, units)
    found = _make(text, (start, end, unit_end), readings, unit)
    if not unit and ranges and (to := _range(text, end)) and (last := _next_number(text, to)):
        # In a range such as 10–12 kg, the first number has the unit of the last number.
        upper = _parse(text, last, units, ranges - 1)
        if upper.unit in ("time", "heure"):
            return replace(found, may_be_time=True)
        if _is_ascending(found, upper):
            return replace(found, unit=upper.unit)
    return found


def _next_number(text: str, to: re.Match[str]) -> re.Match[str] | None:
    return _NUMBER.search(text, to.end() - 1)


def _is_ascending(first: Quantity, last: Quantity) -> bool:
    """Whether two numbers can be a range; `18 to 65 and 50 kilos` has no range of kilos."""
    values = [[float(each) for each in one.readings if _is_plain(each)] for one in (first, last)]
    return not all(values) or min(values[0]) < max(values[1])


_is_plain = re.compile(r"-?\d+(?:\.\d+)?").fullmatch


def _make(text: str, span: tuple[int, int, int], readings: set[str], unit: str) -> Quantity:
    start, end, unit_end = span
    if unit in ("am", "pm"):
        readings = {_to_24_hours(each, unit) for each in readings}
        unit = "time"
    elif unit in ("", "time") and any(":" in each for each in readings):
        readings, unit = {each for each in readings if ":" in each} | readings, "time"
    if unit == "o'clock":
        clocks = {_as_clock(each) for each in readings}
        readings = {
            reading for each in clocks for reading in (each, _halve(each), *_list_halves(each))
        }
        unit = "time"
    if unit == "time":
        readings = {_as_clock(each) for each in readings}
    elif unit.split(" ")[0] in MONEY:
        readings = readings | {_without_zeros(each) for each in readings}
    return Quantity(
        text[start : max(end, unit_end)].strip(),
        frozenset(readings),
        unit,
        tuple(match[0] for match in _words(_drop_clause(text[unit_end : unit_end + 60])))[:3],
        tuple(match[0] for match in _words(text[max(0, start - 40) : start]))[-3:],
        _time_word(text[max(0, start - 10) : start]) is not None
        or _until(text[max(end, unit_end) : unit_end + 30]) is not None,
    )


def _read(digits: str) -> set[str]:
    """Return the numbers that digits with separators can mean."""
    if re.fullmatch(r"\d{1,3}(?:[ '’]\d{3})+", digits):
        return {re.sub(r"\D", "", digits)}
    if re.fullmatch(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*", digits):
        plain = re.sub(r"\D", "", digits)
        return {plain} if len(plain) > 6 else {plain, digits.replace(",", ".")}
    if match := re.fullmatch(r"(\d{1,3}(?:[.,' ]\d{3})+)[.,](\d{1,2})", digits):
        return {f"{re.sub(r'[^0-9]', '', match[1])}.{match[2]}"}
    if re.fullmatch(r"[012]?\d:[0-5]\d", digits):
        return {_as_clock(digits)}
    if re.fullmatch(r"\d+[.,]\d+", digits):
        return {digits.replace(",", ".")}
    return {digits.lstrip("0") or "0"} if digits.isdecimal() else {digits}


_clock = re.compile(r"(\d{1,2})(?:[.:]([0-5]\d))?").fullmatch


def _as_clock(reading: str) -> str:
    """Return a reading as a time of day: `7` as `7:00`, `7.30` as `7:30`."""
    found = _clock(reading)
    return f"{int(found[1])}:{found[2] or '00'}" if found else reading


def _without_zeros(reading: str) -> str:
    """Return an amount of money without zeros at its end: `5` for `5.00`."""
    return re.sub(r"\.?0+$", "", reading) if "." in reading else reading


def _to_24_hours(reading: str, half: str) -> str:
    hours, _, minutes = _as_clock(reading).partition(":")
    if not hours.isdecimal():
        return reading
    return f"{int(hours) % 12 + (12 if half == 'pm' else 0)}:{minutes}"


def _halve(clock: str) -> str:
    """Return the time that a speaker may say for another: `6:00` for `18:00`."""
    hours, _, minutes = clock.partition(":")
    return f"{int(hours) % 12 or 12}:{minutes}" if hours.isdecimal() else clock


def _list_halves(clock: str) -> tuple[str, ...]:
    """Return a time in both halves of the day: `0:30` and `12:30` for `12:30`."""
    hours, _, minutes = clock.partition(":")
    if not hours.isdecimal():
        return (clock,)
    return (f"{int(hours) % 12}:{minutes}", f"{int(hours) % 12 + 12}:{minutes}")


def _find_half(text: str, end: int, hour: str) -> tuple[str, int] | None:
    """Return `am` or `pm` for the words after an hour, and the position after the words."""
    half = _half_of_day(text, end) if _twelve_hours(hour) else None
    return ("am" if half["am"] else "pm", half.end()) if half else None


def _find_unit(text: str, end: int, units: Mapping[str, str]) -> tuple[str, int]:
    """Return the canonical unit after a number, and the position after the unit."""
    if ordinal := _ordinal(text, end):
        end = ordinal.end()
    if sign := _sign_unit(text, end):
        unit = sign["unit"].replace(" ", "")
        return {"%": "percent"}.get(unit, unit), sign.end()
    if cjk := _cjk_unit(text, end):
        return units.get(cjk["unit"], cjk["unit"]), cjk.end()
    if letters := _latin_unit(text, end):
        name = letters["unit"].strip()
        if name == "s":
            return "second", letters.end()
        return units.get(name, name), letters.end()
    if word := _word_unit(text, end):
        name = word["unit"].rstrip(".")
        if name == "o'clock":
            return name, word.end()
        unit = units.get(name) or units.get(name.removesuffix("s")) or _compound(name, units)
        if unit:
            return unit, word.end() - word["unit"].endswith(".")
    return "", end


def _compound(word: str, units: Mapping[str, str]) -> str:
    """Return the unit at the end of a German compound: `Drehtage` are days."""
    if units.get("uhr") and not _is_weekday(word):
        for unit, canonical in units.items():
            if len(unit) >= 3 and len(word) > len(unit) + 2 and word.endswith(unit):
                return canonical if canonical in _RATES else ""
    return ""


_is_weekday = re.compile(r"(?:mon|diens|donners|frei|sams|sonn)tage?n?").fullmatch


def _add_rate(text: str, end: int, unit: str, units: Mapping[str, str]) -> tuple[str, int]:
    """Add the magnitude and the rate after an amount of money: `usd million`, `gbp /hour`."""
    if unit in MONEY:
        word = _word_unit(text, end)
        if short := _short_magnitude(text, end):
            unit, end = f"{unit} {_SHORT_MAGNITUDES[short[0]]}", short.end()
        elif word and (magnitude := units.get(word["unit"].rstrip("."))) in _MAGNITUDES:
            unit, end = f"{unit} {magnitude}", word.end()
        rate = _per(text, end)
        if rate and (name := units.get(rate["unit"])) in _RATES:
            return f"{unit} /{name}", rate.end()
    return unit, end
