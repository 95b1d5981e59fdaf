"""Rewrites times of day in words as digits: `half past eight` becomes `8:30 o'clock`.

If the text does not say whether a time is before or after noon, `o'clock` follows the digits.
"""

import functools
import re
from typing import Final

from roost.agents.lexicons.numerals import NUMERALS

#: By language, the words for the hour 1. The words for the other hours are in `NUMERALS`.
_ONE: Final = {"en": ("one",), "de": ("eins", "ein"), "es": ("una",), "fr": ("une",)}
_AFTER_ARTICLE: Final = r"(?:(?<=\bla )|(?<=\blas ))"
#: By language, patterns of times of day, each with the minutes to add to the hour `{n}`.
_PATTERNS: Final = {
    "en": ((r"half past {n}", 30), (r"quarter past {n}", 15), (r"quarter to {n}", -15)),
    "de": ((r"halb {n}", -30), (r"viertel nach {n}", 15), (r"viertel vor {n}", -15)),
    "es": (
        (rf"{_AFTER_ARTICLE}{{n}} y media", 30),
        (rf"{_AFTER_ARTICLE}{{n}} y cuarto", 15),
        (rf"{_AFTER_ARTICLE}{{n}} menos cuarto", -15),
    ),
    "fr": (
        (r"{n} ?h(?:eures?)? et demie", 30),
        (r"{n} ?h(?:eures?)? et quart", 15),
        (r"{n} ?h(?:eures?)? moins le quart", -15),
    ),
}
_EVENING: Final = (
    r"abends|am abend|nachmittags|am nachmittag|in the (?:evening|afternoon)|de la (?:tarde|noche)"
    r"|du soir|de l'après-midi"
)
_MORNING: Final = r"morgens|vormittags|in the morning|de la mañana|du matin"
_day_part = re.compile(
    r"(?<![\d.,:])(?P<hour>\d{1,2})(?::(?P<minutes>[0-5]\d))?"
    r"(?: ?(?:uhr|h|heures?|horas)| o'clock)?"
    rf" (?:(?P<evening>{_EVENING})|{_MORNING})(?!\w)"
)


def write_times_as_digits(text: str, code: str) -> str:
    """Return a folded text with its times of day in digits; `code` is the text's language."""
    if code not in _PATTERNS:
        return text
    for pattern, minutes in _compile(code):
        text = pattern.sub(functools.partial(_write_time, minutes=minutes, code=code), text)
    if code == "fr":
        text = _french_minutes().sub(_write_french_minutes, text)
    text = _hour_before_day_part(code).sub(lambda match: str(_value(match["n"], code)), text)
    return _day_part.sub(_write_day_part, text)


@functools.cache
def _compile(code: str) -> tuple[tuple[re.Pattern[str], int], ...]:
    hour = rf"(?P<n>{_hours(code)}|\d{{1,2}})"
    after = r"(?P<half> ?(?:[ap]\.? ?m\b|uhr\b))?(?!\w)"
    return tuple(
        (re.compile(rf"(?<![\w-]){pattern.format(n=hour)}{after}"), minutes)
        for pattern, minutes in _PATTERNS[code]
    )


@functools.cache
def _hour_before_day_part(code: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\w-])(?P<n>{_hours(code)})"
        rf"(?=(?: uhr| heures?| horas| o'clock)? (?:{_EVENING}|{_MORNING})(?!\w))"
    )


@functools.cache
def _french_minutes() -> re.Pattern[str]:
    numerals = "|".join(sorted(NUMERALS["fr"], key=len, reverse=True))
    return re.compile(
        rf"(?<![\w-])(?P<n>{_hours('fr')}|\d{{1,2}}) ?heures? "
        rf"(?P<minutes>{numerals}|[0-5]\d)(?![\w-])"
    )


def _write_french_minutes(match: re.Match[str]) -> str:
    hour, minutes = _value(match["n"], "fr"), _value(match["minutes"], "fr")
    # `Trois heures deux fois par semaine` does not mean 3:02. So a number of minutes is read only
    # if it is a multiple of five.
    return match[0] if minutes % 5 or minutes > 59 else f"{hour}:{minutes:02}"


def _hours(code: str) -> str:
    names = [name for name, value in NUMERALS[code].items() if value <= 24]
    return "|".join(sorted((*names, *_ONE[code]), key=len, reverse=True))


def _value(word: str, code: str) -> int:
    if word.isdecimal():
        return int(word)
    return 1 if word in _ONE[code] else NUMERALS[code][word]


def _write_time(match: re.Match[str], minutes: int, code: str) -> str:
    hour = _value(match["n"], code)
    if minutes < 0:
        hour, minutes = (hour - 1 or 12), minutes + 60
    half = match["half"]
    return f"{hour}:{minutes:02}{half or _unknown_half(hour)}"


def _unknown_half(hour: int) -> str:
    return " o'clock" if hour <= 12 else ""


def _write_day_part(match: re.Match[str]) -> str:
    hour = int(match["hour"])
    if match["evening"] and hour < 12:
        hour += 12
    return f"{hour}:{match['minutes'] or '00'}"
