"""The charts of a report: labels in its language, gaps, anomalies and one drawing process."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from harness.report_sample import make_sample
from roost.insights.reports import charts
from roost.insights.reports.charts.specs import choose_ticks
from roost.insights.reports.document import Brand, Chart, Document, Section
from roost.insights.reports.figures import Figure
from roost.insights.reports.forms.png import render_pngs
from roost.insights.reports.model import SubjectReport
from roost.insights.reports.svg import draw_charts
from roost.insights.reports.words import load_words


@cache
def account() -> SubjectReport:
    return make_sample().subjects[-1]


def document(*drawn: Chart | None, accent: str = "") -> Document:
    blocks = tuple(each for each in drawn if each is not None)
    return Document("en", "T", "S", "M", "C", Brand(accent=accent), (Section("a", "A", blocks),))


def draw(chart: Chart | None, accent: str = "") -> str:
    (picture,) = draw_charts(document(chart, accent=accent)).values()
    return picture


def texts(picture: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", picture)


def labels(picture: str) -> list[str]:
    return re.findall(r'aria-label="([^"]*)"', picture)


@pytest.mark.parametrize(
    ("language", "days", "level"),
    [
        ("en", ["4 May", "11 May", "18 May", "25 May"], "50,485"),
        ("de", ["4. Mai", "11. Mai", "18. Mai", "25. Mai"], "50.485"),
    ],
)
def test_chart_of_a_month_labels_mondays_in_its_language(
    language: str, days: list[str], level: str
) -> None:
    found = texts(draw(charts.followers_chart(account(), load_words(language))))
    assert [text for text in found if "Ma" in text] == days
    assert level in found


def test_chart_of_days_does_not_depend_on_the_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    chart = charts.impressions_chart(account(), load_words("en"))
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    west = draw(chart)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert draw(chart) == west


def test_days_without_a_measurement_are_gaps() -> None:
    words = load_words("en")
    impressions = labels(draw(charts.impressions_chart(account(), words)))
    assert [label for label in impressions if "not measured" in label] == [
        "6 May 2026: not measured",
        "7 May 2026: not measured",
    ]
    followers = labels(draw(charts.followers_chart(account(), words)))
    assert not any(label.startswith(("6 May", "7 May")) for label in followers)


def test_day_that_is_not_over_is_marked() -> None:
    days = account().days
    last = replace(days[-1], is_open=True)
    chart = charts.impressions_chart(replace(account(), days=(*days[:-1], last)), load_words("en"))
    marked = [label for label in labels(draw(chart)) if "not over" in label]
    assert len(marked) == 1
    assert marked[0].startswith("29 May 2026: ")


def test_marks_have_the_values_of_the_figures() -> None:
    words = load_words("en")
    found = labels(draw(charts.impressions_chart(account(), words)))
    for day in account().days:
        if day.impressions.value is not None:
            assert f"{words.day(day.day).text}: {day.impressions.value:,}" in found


def test_anomaly_is_marked_outside_the_usual_range() -> None:
    chart = charts.anomalies_chart(account(), load_words("en"))
    assert chart is not None
    (band,) = chart.spec["layer"][0]["data"]["values"]
    # The change was -905 where 35 is usual, which is 31.5 standard deviations.
    assert band["low"] == pytest.approx(35 - 4 * 940 / 31.5)
    assert band["high"] == pytest.approx(35 + 4 * 940 / 31.5)
    picture = draw(chart)
    assert "−912" in texts(picture)
    assert "usual range" in texts(picture)


def test_posts_are_the_best_and_the_worst() -> None:
    found = texts(draw(charts.posts_chart(account(), load_words("en"))))
    assert [text for text in found if text.endswith("times")] == [
        "8.4 times", "6.5 times", "6.1 times", "5.8 times", "4.1 times",
        "0.26 times", "0.25 times", "0.24 times", "0.16 times", "0.11 times",
    ]  # fmt: skip


def test_effects_without_enough_posts_say_so() -> None:
    found = texts(draw(charts.effects_chart(account(), load_words("en"))))
    assert found.count("Not enough posts to say") == 5
    assert "Posts with a hashtag" in found


def test_hours_have_their_median_and_number_of_posts() -> None:
    words = load_words("en")
    found = labels(draw(charts.hours_chart(account(), words)))
    cell = account().hours[0]
    assert cell.posts.value == 1
    median = words.figure(cell.median_impressions).text
    assert f"{words.weekday(cell.weekday)} {cell.hour:02}:00: {median} (1 post)" in found
    assert len(found) == len(account().hours)


def test_charts_without_values_are_left_out() -> None:
    def without_value(content: Any) -> Any:
        if isinstance(content, Figure):
            return replace(content, value=None)
        if isinstance(content, dict):
            return {name: without_value(value) for name, value in content.items()}
        return replace(content, current=without_value(content.current))

    words = load_words("en")
    days = tuple(
        replace(
            day, followers=without_value(day.followers), impressions=without_value(day.impressions)
        )
        for day in account().days
    )
    empty = replace(
        account(), days=days, best=(), worst=(), hours=(), effects=(), anomalies=(),
        decay=replace(account().decay, points=()), figures=without_value(account().figures),
    )  # fmt: skip
    for name in charts.__all__:
        assert getattr(charts, name)(empty, words) is None


def test_brand_colours_replace_the_colours_of_marks() -> None:
    chart = charts.impressions_chart(account(), load_words("en"))
    picture = draw(chart, accent="#0f766e")
    assert 'fill="#0f766e"' in picture
    assert "#2667a8" not in picture


def test_pictures_have_the_names_of_their_charts() -> None:
    words = load_words("en")
    drawn = (charts.decay_chart(account(), words), charts.cost_chart(account(), words))
    pictures = render_pngs(document(*drawn))
    assert list(pictures) == ["account-1-decay", "account-1-costs"]
    assert all(picture.startswith(b"\x89PNG\r\n") for picture in pictures.values())


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 1]),
        (0, 97, [0, 50, 100]),
        (-950, 160, [-1000, -500, 0, 500]),
        (7, 7, [7, 8]),
        (49_900, 50_900, [49_500, 50_000, 50_500, 51_000]),
    ],
)
def test_ticks_are_round_numbers_around_the_values(low: int, high: int, ticks: list[int]) -> None:
    assert choose_ticks(low, high) == ticks
