"""The report's charts: axes, labels and shortened texts."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from roost.insights import labels
from roost.insights.reports import page_charts
from roost.insights.reports.report import build_report
from roost.insights.reports.svg import draw_svgs
from roost.models import AccountHistory
from unit.test_report import UNTIL, build, followers, integration, post


@pytest.mark.parametrize(
    ("text", "columns", "shortened"),
    [
        pytest.param("two\n words ", 12, "two words", id="short"),
        pytest.param("a word too many", 12, "a word too…", id="between words"),
        pytest.param("a word, too many", 8, "a word…", id="after a comma"),
        pytest.param("unbroken" * 3, 12, "unbrokenunbr…", id="one long word"),
        pytest.param("新しい豆が届きました", 12, "新しい豆が届…", id="wide characters"),
        pytest.param("one two 👩‍👩‍👧‍👦", 16, "one two 👩‍👩‍👧‍👦", id="emoji that fits"),
        pytest.param("one👩‍👩‍👧‍👦", 7, "one…", id="emoji that does not fit"),
    ],
)
def test_shorten_cuts_between_words_and_never_splits_emoji(
    text: str, columns: int, shortened: str
) -> None:
    assert labels.shorten(text, columns) == shortened


def test_chart_axis_shows_utc_days__west_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    report = build(AccountHistory(integration(), followers({day: day for day in range(11, 21)})))
    chart = page_charts.followers_chart(report.accounts[0], report)
    assert chart is not None
    (picture,) = draw_svgs([chart])
    labels = re.findall(r">(\d+ May)</text>", picture)
    assert labels == ["12 May", "14 May", "16 May", "18 May", "20 May"]


def test_chart_axis_shows_mondays__month() -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    report = build_report(
        [AccountHistory(integration(), followers({day: day for day in range(1, 31)}))],
        since=since, until=since + timedelta(days=30), tenant_name="Lark", made_at=UNTIL,
    )  # fmt: skip
    chart = page_charts.followers_chart(report.accounts[0], report)
    assert chart is not None
    (picture,) = draw_svgs([chart])
    assert re.findall(r">(\d+ May)</text>", picture) == ["4 May", "11 May", "18 May", "25 May"]


@pytest.mark.parametrize(
    ("other_day_impressions", "labels"),
    [
        pytest.param(400, ["The best post of the…"], id="sent on the best day"),
        pytest.param(600, [], id="another day is better"),
    ],
)
def test_impressions_chart_labels_best_day_with_best_post(
    other_day_impressions: int, labels: list[str]
) -> None:
    best, other = (datetime(2026, 5, day, 8, tzinfo=UTC) for day in (14, 16))
    posts = (
        *post(1, best, {14: (500, 9)}, "The best post of the week, at last"),
        *post(2, other, {16: (other_day_impressions // 2, 9)}),
        *post(3, other, {16: (other_day_impressions // 2, 9)}),
    )
    report = build(AccountHistory(integration(), (), posts))
    chart = page_charts.impressions_chart(report.accounts[0], report)
    assert chart is not None
    (picture,) = draw_svgs([chart])
    assert re.findall(r">([^<>]*…)</text>", picture) == labels
