"""The words, numbers and dates of a report in each language."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from roost.insights.reports.definitions import DEFINITIONS
from roost.insights.reports.document import Moment
from roost.insights.reports.figures import Figure, Number, Quality, Unit
from roost.insights.reports.words import (
    LanguageUnknown,
    Words,
    find_slots,
    join_texts,
    list_languages,
    load_words,
    plain_text,
)

PLURALS = ("zero", "one", "two", "few", "many", "other")


def figure(value: Number | None, unit: Unit = Unit.COUNT, key: str = "tenant/x@current") -> Figure:
    return Figure(key, "x", unit, value, Quality.MEASURED)


def printed(words: Words, value: Number | None, unit: Unit = Unit.COUNT) -> str:
    return words.figure(figure(value, unit)).text


@pytest.fixture
def english() -> Words:
    return load_words("en")


@pytest.fixture
def german() -> Words:
    return load_words("de")


@pytest.mark.parametrize(
    ("value", "unit", "in_english", "in_german"),
    [
        (1234567, Unit.COUNT, "1,234,567", "1.234.567"),
        (-3, Unit.COUNT, "−3", "−3"),
        (0, Unit.COUNT, "0", "0"),
        (12.24, Unit.COUNT, "12.2", "12,2"),
        (1234.6, Unit.COUNT, "1,235", "1.235"),
        (None, Unit.COUNT, "–", "–"),
        (0.06, Unit.SHARE, "6.0%", "6,0\N{NO-BREAK SPACE}%"),
        (0.0004, Unit.SHARE, "0.04%", "0,04\N{NO-BREAK SPACE}%"),
        (12.3, Unit.SHARE, "1,230%", "1.230\N{NO-BREAK SPACE}%"),
        (-0.0000001, Unit.SHARE, "0.0%", "0,0\N{NO-BREAK SPACE}%"),
        (Decimal("1234.5"), Unit.DOLLARS, "$1,234.50", "1.234,50\N{NO-BREAK SPACE}$"),
        (Decimal("0.0123"), Unit.DOLLARS, "$0.012", "0,012\N{NO-BREAK SPACE}$"),
        (Decimal("0.00214"), Unit.DOLLARS, "$0.00214", "0,00214\N{NO-BREAK SPACE}$"),
        (Decimal(0), Unit.DOLLARS, "$0.00", "0,00\N{NO-BREAK SPACE}$"),
        (3.24, Unit.FACTOR, "3.2 times", "3,2-mal"),
        (0.344, Unit.FACTOR, "0.34 times", "0,34-mal"),
        (27.06, Unit.PER_WEEK, "27.1", "27,1"),
    ],
)
def test_figure_is_written_as_a_language_writes_numbers(
    english: Words,
    german: Words,
    value: Number | None,
    unit: Unit,
    in_english: str,
    in_german: str,
) -> None:
    assert (printed(english, value, unit), printed(german, value, unit)) == (in_english, in_german)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1200, Unit.COUNT, "+1,200"),
        (-0.031, Unit.SHARE, "−3.1%"),
        (0, Unit.COUNT, "0"),
        (0.0000001, Unit.SHARE, "0.0%"),
        (Decimal("2.5"), Unit.DOLLARS, "+$2.50"),
        (None, Unit.COUNT, "–"),
    ],
)
def test_signed_figure_has_a_plus_sign_if_it_is_positive(
    english: Words, value: Number | None, unit: Unit, text: str
) -> None:
    assert english.figure(figure(value, unit), signed=True).text == text


def test_difference_of_rates_is_in_percentage_points(english: Words) -> None:
    difference = figure(-0.012, Unit.SHARE, "tenant/gained.rate@previous.difference")
    assert english.figure(difference).text == "−1.2 percentage points"


def test_printed_figure_keeps_key_and_full_value(english: Words) -> None:
    number = english.figure(Figure("a/x@current", "x", Unit.SHARE, 0.0612345, Quality.PARTIAL))
    assert (number.key, number.name, number.unit) == ("a/x@current", "x", Unit.SHARE)
    assert (number.value, number.quality) == (0.0612345, Quality.PARTIAL)


@pytest.mark.parametrize(
    ("value", "in_english", "in_german"),
    [
        (0, "0 posts", "0 Beiträge"),
        (1, "1 post", "1 Beitrag"),
        (1234, "1,234 posts", "1.234 Beiträge"),
    ],
)
def test_plural_follows_the_number(
    english: Words, german: Words, value: int, in_english: str, in_german: str
) -> None:
    number, noun = english.plural("count.posts", figure(value))
    assert f"{english.figure(figure(value)).text}{noun}" == in_english
    assert number == english.figure(figure(value))
    assert plain_text(german.plural("count.posts", value)) == in_german


def test_days_and_times_are_written_as_a_language_writes_dates(
    english: Words, german: Words
) -> None:
    day, later = date(2026, 11, 3), date(2027, 1, 5)
    assert english.day(day) == Moment("3 November 2026", day)
    assert german.day(day).text == "3. November 2026"
    assert plain_text(english.days(day, date(2026, 11, 5))) == "3 to 5 November 2026"
    assert plain_text(german.days(day, date(2026, 12, 5))) == "3. November bis 5. Dezember 2026"
    assert plain_text(english.days(day, later)) == "3 November 2026 to 5 January 2027"
    assert plain_text(german.days(day, day)) == "3. November 2026"
    at = datetime(2026, 11, 3, 8, 5, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    assert english.moment(at).text == "3 Nov 2026, 09:05 (Europe/Berlin)"
    assert german.moment(at, zone=False) == Moment("3. Nov. 2026, 09:05", at)
    assert (english.hour(8).text, german.weekday(0)) == ("08:00", "Montag")


def test_text_keeps_figures_and_links_in_its_slots(english: Words) -> None:
    measured, closed = english.figure(figure(28)), english.figure(figure(30))
    text = english.text("coverage.measured", measured=measured, closed=closed)
    assert text[1:4] == (measured, " of ", closed)
    assert join_texts("a", ("b", measured), "", "c") == ("ab", measured, "c")


def test_phrase_refuses_values_that_are_not_its_slots(english: Words) -> None:
    with pytest.raises(ValueError, match=r"coverage\.measured has the slots"):
        english.text("coverage.measured", measured="1")
    with pytest.raises(KeyError):
        english.say("no.such.phrase")


def test_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LanguageUnknown, match=r"`xx`.*de, en"):
        load_words("xx")


def shape(words: Words) -> dict[str, set[str]]:
    """Return the slots of each phrase; the plural categories of a phrase are one phrase."""
    slots: dict[str, set[str]] = {}
    for key, phrase in words.phrases.items():
        stem, _, last = key.rpartition(".")
        is_plural = last in PLURALS and f"{stem}.other" in words.phrases
        slots.setdefault(stem if is_plural else key, set()).update(find_slots(phrase))
    return slots


@pytest.mark.parametrize("language", list_languages())
def test_every_language_has_the_same_phrases_with_the_same_slots(
    language: str, english: Words
) -> None:
    assert shape(load_words(language)) == shape(english)


@pytest.mark.parametrize("language", list_languages())
def test_every_language_has_its_own_plural_categories(language: str) -> None:
    words = load_words(language)
    stems = {key.removesuffix(".other") for key in words.phrases if key.endswith(".other")}
    categories = {*words.locale.plural_form.tags, "other"}
    for stem in stems:
        present = {each for each in PLURALS if f"{stem}.{each}" in words.phrases}
        assert present == categories, stem


@pytest.mark.parametrize("language", list_languages())
def test_every_figure_has_a_title_of_its_own_and_a_definition(language: str) -> None:
    words = load_words(language)
    titles = [words.title(name) for name in DEFINITIONS]
    assert sorted(set(titles)) == sorted(titles)
    assert all(words.say(f"definition.{name}.sentence").endswith(".") for name in DEFINITIONS)


@pytest.mark.parametrize("language", list_languages())
def test_no_phrase_has_a_digit(language: str) -> None:
    # A number is a figure in a slot, so that a reader can find out where it comes from.
    with_digits = [
        key
        for key, phrase in load_words(language).phrases.items()
        if any(each.isdigit() for each in phrase)
    ]
    assert with_digits == []


@pytest.mark.parametrize("language", list_languages())
def test_no_phrase_has_words_that_only_programmers_of_roost_know(language: str) -> None:
    private = ("snapshot", "subject", "ledger", "tenant", "closing", "worker")
    found = [
        (key, word)
        for key, phrase in load_words(language).phrases.items()
        for word in private
        if word in re.sub(r"\{\w+\}", "", phrase).lower()
    ]
    assert found == []
