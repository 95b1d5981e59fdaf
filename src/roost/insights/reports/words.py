"""The words of a language, and the formats of its numbers and dates.

Each language is a file of `languages/`. A phrase has slots in braces, such as `{number} posts`. A
number goes into a slot as a `Printed`, so that every printed number keeps the key of its figure.
"""

import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from importlib import resources
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, format_percent

from roost.errors import InvalidInput
from roost.insights.reports.document import Inline, Moment, Printed, Text
from roost.insights.reports.figures import Figure, Number, Unit

_MINUS: Final = "−"
#: What stands for a number that is not known.
_UNKNOWN: Final = "–"
_FORMATTER: Final = string.Formatter()


class LanguageUnknown(InvalidInput):
    """Reports cannot be written in this language, because Roost has no phrases in it."""

    did = "No report was made."
    default_next = "Choose one of the languages that the message names."


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of one language, and the formats of its numbers and dates."""

    language: str
    """A language tag, such as `de`."""
    locale: Locale
    phrases: Mapping[str, str]
    """The phrases by their keys, such as `summary.title`."""

    def say(self, key: str, **values: str) -> str:
        """Return a phrase whose slots are filled with plain text."""
        return "".join(str(each) for each in self.text(key, **values))

    def text(self, key: str, **values: Inline | Text) -> Text:
        """Return a phrase whose slots are filled with figures, dates, links and plain text.

        Raises: KeyError if the language has no such phrase; ValueError if `values` are not exactly
        the slots of the phrase.
        """
        phrase = self.phrases[key]
        if set(values) != find_slots(phrase):
            raise ValueError(f"The phrase {key} has the slots {sorted(find_slots(phrase))}.")
        return join_texts(*_fill(phrase, values))

    def title(self, name: str) -> str:
        """Return the title of a figure, by the name of its definition."""
        return self.phrases[f"definition.{name}.title"]

    def plural(self, key: str, number: Figure | int, **values: Inline | Text) -> Text:
        """Return the phrase `<key>.<plural category>` of a number, which fills the slot `number`.

        A figure becomes a `Printed`. An integer becomes plain text, without the key of a figure.
        """
        value = number.value if isinstance(number, Figure) else number
        category = self.locale.plural_form(abs(float(value or 0)))
        printed = self.figure(number) if isinstance(number, Figure) else self._decimal(number, 0)
        return self.text(f"{key}.{category}", number=printed, **values)

    def figure(self, figure: Figure, *, signed: bool = False) -> Printed:
        """Return a figure as a reader sees it; a dash if it has no value.

        A positive number begins with a plus sign if `signed` is true. The difference of two rates
        is written in percentage points.
        """
        text = _UNKNOWN
        if figure.value is not None:
            text = self._format(figure, figure.value)
            if signed and figure.value > 0 and _is_not_zero(text):
                text = f"+{text}"
        return Printed(figure.key, text, figure.value, figure.unit, figure.quality, figure.name)

    def day(self, day: date, *, year: bool = True) -> Moment:
        """Return a date such as `3 November 2026`; without the year, `3 Nov`."""
        if year:
            return Moment(self._date(day, "long"), day)
        return Moment(self._date(day, "day"), day)

    def days(self, first: date, last: date) -> Text:
        """Return the dates from `first` to `last`, such as `1 to 30 November 2026`.

        The first date leaves out the year and the month that are those of the last.
        """
        if first == last:
            return (self.day(first),)
        if first.year != last.year:
            length = "long"
        else:
            length = "month" if first.month != last.month else "number"
        begin = Moment(self._date(first, length), first)
        return self.text("format.days", first=begin, last=self.day(last))

    def moment(self, at: datetime, *, zone: bool = True) -> Moment:
        """Return a time of a day in the time zone of `at`, which is named unless `zone` is false.

        Convert the time to the tenant's time zone first.
        """
        text = format_datetime(at, self.phrases["format.datetime"], at.tzinfo, self.locale)
        return Moment(f"{text} ({at.tzinfo})" if zone else text, at)

    def hour(self, hour: int) -> Moment:
        """Return the beginning of an hour of the day, such as `08:00`."""
        at = time(hour)
        return Moment(format_time(at, self.phrases["format.time"], locale=self.locale), at)

    def join(self, texts: Iterable[Text], key: str = "format.comma") -> Text:
        """Return texts as an enumeration; the phrase `key` separates them."""
        parts = [part for text in texts for part in (self.phrases[key], text)]
        return join_texts(*parts[1:])

    def weekday(self, weekday: int) -> str:
        """Return the name of a day of the week; 0 is Monday."""
        return str(self.locale.days["stand-alone"]["wide"][weekday])

    def interval(self, low: float, high: float) -> str:
        """Return the ends of an interval of factors as plain text, such as `1.2 to 2.4`."""
        ends = (self._decimal(each, 2) for each in (low, high))
        return self.say("format.interval", **dict(zip(("low", "high"), ends, strict=True)))

    def _date(self, day: date, length: str) -> str:
        return format_date(day, self.phrases[f"format.date_{length}"], self.locale)

    def _format(self, figure: Figure, value: Number) -> str:
        match figure.unit:
            case Unit.SHARE if figure.key.endswith(".difference"):
                points = self._decimal(value * 100, _share_places(value))
                return self.say("format.points", number=points)
            case Unit.SHARE:
                return self._percent(value)
            case Unit.DOLLARS:
                return self._dollars(value)
            case Unit.FACTOR:
                places = 2 if abs(float(value)) < 2 else 1
                return self.say("format.factor", number=self._decimal(value, places))
            case Unit.PER_WEEK:
                return self._decimal(value, 1)
            case Unit.COUNT:
                # Means, medians and interpolated values have decimals, which are noise if large.
                return self._decimal(
                    value, 0 if value == int(value) or abs(float(value)) >= 100 else 1
                )

    def _decimal(self, value: Number, places: int) -> str:
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return _with_minus(format_decimal(value, pattern, self.locale))

    def _percent(self, value: Number) -> str:
        pattern = _set_places(str(self.locale.percent_formats[None].pattern), _share_places(value))
        return _with_minus(format_percent(value, pattern, self.locale))

    def _dollars(self, value: Number) -> str:
        size = abs(float(value))
        places = 2 if size >= 1 or not size else 3 if size >= 0.01 else 5
        standard = str(self.locale.currency_formats["standard"].pattern)
        pattern = _set_places(standard.replace("0.00", "0"), places)
        return _with_minus(
            format_currency(value, "USD", pattern, self.locale, currency_digits=False)
        )


def list_languages() -> list[str]:
    """Return the tags of all languages that have a file."""
    names = (each.name for each in _folder().iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def load_words(language: str) -> Words:
    """Return the words of a language.

    Raises: LanguageUnknown.
    """
    known = list_languages()
    if language not in known:
        raise LanguageUnknown(
            f"A report cannot be written in `{language}`. The languages are: {', '.join(known)}.",
        )
    content = tomllib.loads((_folder() / f"{language}.toml").read_text(encoding="utf-8"))
    locale = Locale.parse(content.pop("locale"))
    return Words(language, locale, dict(_flatten(content)))


def find_slots(phrase: str) -> set[str]:
    """Return the names of the slots of a phrase."""
    return {name for _, name, _, _ in _FORMATTER.parse(phrase) if name is not None}


def join_texts(*parts: Inline | Text) -> Text:
    """Return one text from several; adjacent strings become one string."""
    joined: list[Inline] = []
    for part in parts:
        for each in part if isinstance(part, tuple) else (part,):
            if isinstance(each, str) and joined and isinstance(joined[-1], str):
                joined[-1] += each
            elif each != "":
                joined.append(each)
    return tuple(joined)


def plain_text(text: Text) -> str:
    """Return a text as a string, for places that take no links and no figures."""
    return "".join(each if isinstance(each, str) else each.text for each in text)


def _folder() -> Any:
    return resources.files("roost.insights.reports") / "languages"


def _fill(phrase: str, values: Mapping[str, Inline | Text]) -> Iterator[Inline | Text]:
    for literal, name, _, _ in _FORMATTER.parse(phrase):
        yield literal
        if name is not None:
            yield values[name]


def _flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if isinstance(value, str):
            yield f"{prefix}{name}", value
        else:
            yield from _flatten(value, f"{prefix}{name}.")


def _share_places(value: Number) -> int:
    """Return the decimals of a percentage: more of them for small shares."""
    size = abs(float(value))
    return 0 if size >= 1 else 2 if 0.00005 <= size < 0.01 else 1


def _set_places(pattern: str, places: int) -> str:
    """Return a number pattern of the Unicode locale data with a fixed number of decimals."""
    return pattern.replace("0", "0." + "0" * places, 1) if places else pattern


def _with_minus(text: str) -> str:
    """Replace the hyphen of a negative number by a minus sign; rounded to zero, it has no sign."""
    return text.replace("-", _MINUS) if _is_not_zero(text) else text.replace("-", "")


def _is_not_zero(text: str) -> bool:
    return any(each.isdigit() and each != "0" for each in text)
