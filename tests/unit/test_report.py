"""The report: metrics from snapshots, sentences that match them, and a safe page."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from roost.formats import format_count
from roost.insights.period import PeriodMetrics
from roost.insights.reports.html import render_html
from roost.insights.reports.report import PageReport, build_report
from roost.insights.wording import (
    describe_period,
    format_dollars,
    format_signed,
)
from roost.models import (
    AccountHistory,
    AccountSnapshot,
    Anomaly,
    Environment,
    Integration,
    IntegrationId,
    IntegrationStatus,
    Metric,
    PartId,
    PostId,
    PostSnapshot,
    TenantId,
    TweetId,
    XUserId,
)
from roost.services.report import period_start

SINCE = datetime(2026, 5, 11, tzinfo=UTC)
UNTIL = datetime(2026, 5, 21, tzinfo=UTC)
HOSTILE = "</svg></script><script>fetch(1)</script> & \"quotes\" 'n' <img src=x onerror=fetch(2)>"


def evening(day: int) -> datetime:
    return datetime(2026, 5, day, 23, 30, tzinfo=UTC)


def integration(number: int = 1, username: str = "larkbooks", name: str = "Lark") -> Integration:
    return Integration(
        id=IntegrationId(number),
        tenant_id=TenantId(1),
        environment=Environment.LIVE,
        x_user_id=XUserId(str(number)),
        username=username,
        name=name,
        client_id="app",
        scopes=(),
        status=IntegrationStatus.CONNECTED,
        subscription_type=None,
        token_expires_at=UNTIL,
        connected_at=SINCE,
    )


def followers(levels: Mapping[int, int], number: int = 1) -> tuple[AccountSnapshot, ...]:
    return tuple(
        AccountSnapshot(IntegrationId(number), evening(day), {Metric.FOLLOWERS: level})
        for day, level in levels.items()
    )


def post(
    part: int, sent_at: datetime, values: Mapping[int, tuple[int, int | None]], text: str = "Hi"
) -> tuple[PostSnapshot, ...]:
    return tuple(
        PostSnapshot(
            IntegrationId(1),
            PartId(part),
            TweetId(f"18{part:03}"),
            sent_at,
            evening(day),
            {Metric.IMPRESSIONS: impressions, Metric.ENGAGEMENTS: engagements},
            text,
        )
        for day, (impressions, engagements) in values.items()
    )


def anomaly(day: int = 15) -> Anomaly:
    on = date(2026, 5, day)
    return Anomaly(IntegrationId(1), Metric.FOLLOWERS, on, -9.0, -60.0, 2.0, "Lost 60 followers.")


def build(*histories: AccountHistory, tenant_name: str = "Lark & Co") -> PageReport:
    return build_report(histories, since=SINCE, until=UNTIL, tenant_name=tenant_name, made_at=UNTIL)


def test_report_followers_change_since_last_snapshot_before_period() -> None:
    report = build(AccountHistory(integration(), followers({9: 900, 12: 950, 19: 930})))
    assert (report.metrics.followers, report.metrics.followers_change) == (930, 30)
    assert report.metrics.missing_days == 6


def test_report_followers_change_is_unknown__one_snapshot() -> None:
    report = build(AccountHistory(integration(), followers({12: 950})))
    assert (report.metrics.followers, report.metrics.followers_change) == (950, None)


def test_report_followers_are_unknown__no_snapshot_in_period() -> None:
    report = build(AccountHistory(integration(), followers({9: 900})))
    assert (report.metrics.followers, report.metrics.followers_change) == (None, None)
    assert report.sentences[0] == "No follower count was read."


def test_report_impressions_count_gains_within_period__old_post_and_new() -> None:
    old = post(1, evening(5), {6: (100, 9), 10: (150, 10), 15: (180, 12)})
    new = post(2, evening(11), {12: (70, 4), 15: (90, 6), 21: (5000, 400)})
    report = build(AccountHistory(integration(), posts=old + new))
    assert (report.metrics.impressions, report.metrics.engagements) == (120, 8)
    assert report.metrics.posts == 1


def test_report_impressions_of_old_post_start_at_first_snapshot__none_before_period() -> None:
    report = build(
        AccountHistory(integration(), posts=post(1, evening(1), {14: (900, 9), 15: (930, 9)}))
    )
    assert report.metrics.impressions == 30


def test_report_compares_previous_period__only_if_measured() -> None:
    posts = post(1, evening(1), {2: (100, 1), 10: (300, 4), 19: (700, 5)})
    measured = build(AccountHistory(integration(), followers({1: 5, 19: 6}), posts))
    assert measured.metrics.impressions_before == 300
    assert measured.metrics.impressions_share == pytest.approx(1 / 3)
    unmeasured = build(AccountHistory(integration(), followers({9: 5, 19: 6}), posts[1:]))
    assert unmeasured.metrics.impressions_before is None


def test_report_lists_posts_best_first_with_latest_known_metrics() -> None:
    worse = post(1, evening(11), {12: (500, 3), 13: (600, None)})
    better = post(2, evening(12), {13: (80, 30)})
    report = build(AccountHistory(integration(), posts=worse + better))
    assert [(each.sent_as, each.impressions, each.engagements) for each in report.posts] == [
        ("18002", 80, 30),
        ("18001", 600, 3),
    ]


def test_report_counts_thread_as_one_post() -> None:
    first = post(1, evening(11), {12: (500, 30), 13: (600, 40)}, "First")
    second = post(2, evening(11), {13: (90, 4)}, "Second")
    thread = tuple(replace(each, post_id=PostId(7)) for each in first + second)
    report = build(AccountHistory(integration(), posts=thread))
    assert report.metrics.posts == 1
    assert [(each.text, each.impressions, each.engagements) for each in report.posts] == [
        ("First", 690, 44)
    ]


def test_report_of_thread_with_unknown_metric_has_no_sum() -> None:
    parts = post(1, evening(11), {12: (500, 30)}) + post(2, evening(11), {12: (90, None)})
    thread = tuple(replace(each, post_id=PostId(7)) for each in parts)
    (only,) = build(AccountHistory(integration(), posts=thread)).posts
    assert (only.impressions, only.engagements) == (590, None)


@pytest.mark.parametrize("hour", [0, 23])
def test_report_of_last_days_names_so_many_dates(hour: int) -> None:
    now = datetime(2026, 5, 30, hour, 59, tzinfo=UTC)
    since = period_start(now, 30)
    report = build_report([], since=since, until=now, tenant_name="Lark", made_at=now)
    assert (report.first_day, report.last_day) == (date(2026, 5, 1), date(2026, 5, 30))
    assert report.metrics.days == 30


def test_report_sums_accounts_and_their_bills() -> None:
    report = build(
        AccountHistory(integration(1), followers({10: 90, 20: 100}), usd=Decimal("0.5")),
        AccountHistory(integration(2), followers({10: 20, 20: 10}, 2), usd=Decimal("0.25")),
        AccountHistory(integration(3)),
    )
    assert (report.metrics.followers, report.metrics.followers_change) == (110, 0)
    assert report.metrics.usd == Decimal("0.75")


def test_report_lists_anomalies_of_period_newest_first() -> None:
    anomalies = tuple(anomaly(day) for day in (9, 12, 20, 21))
    report = build(AccountHistory(integration(), anomalies=anomalies))
    assert [found.day.day for _, found in report.anomalies] == [20, 12]
    assert report.sentences[0] == "2 anomalies were found."


def period_metrics(known: dict[str, Any]) -> PeriodMetrics:
    defaults: dict[str, Any] = {
        "days": 30,
        "followers": 100,
        "followers_change": 0,
        "impressions": None,
        "impressions_before": None,
        "engagements": None,
        "engagements_before": None,
        "posts": 0,
        "usd": Decimal(0),
    }
    return PeriodMetrics(**defaults | known)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"followers_change": 4}, "The follower count grew by 4 (4.2%) to 100."),
        ({"followers_change": -1}, "The follower count fell by 1 (1.0%) to 100."),
        ({"followers_change": 0}, "The follower count did not change and is 100."),
        ({"followers_change": None}, "The only follower count read is 100."),
        ({"posts": 0}, "No post was sent; no impressions were read."),
        ({"posts": 1}, "1 post was sent; no impressions were read."),
        (
            {"posts": 1, "impressions": 1, "engagements": 0},
            "1 post was sent; posts gained 1 impression and no engagements.",
        ),
        (
            {"posts": 2, "impressions": 1500, "impressions_before": 1000, "days": 1},
            "2 posts were sent; posts gained 1,500 impressions,"
            " 50.0% more impressions than in the 1 day before.",
        ),
        (
            {"posts": 0, "impressions": 1000, "impressions_before": 1001},
            "No post was sent; earlier posts gained 1,000 impressions,"
            " about as many impressions as in the 30 days before.",
        ),
        ({"missing_days": 1}, "1 day has no follower count; the charts leave it empty."),
        ({"missing_days": 3}, "3 days have no follower count; the charts leave them empty."),
        ({"best_to_median": 4.21}, "The best post has 4.2 times the median post's engagements."),
        ({"usd": Decimal("1.2345")}, "X billed $1.23."),
        (
            {"usd": Decimal("0.0154"), "impressions": 2000},
            "X billed $0.015, $0.008 per 1,000 impressions.",
        ),
        ({}, "X billed nothing."),
    ],
)
def test_describe_period_words_metrics(known: dict[str, Any], sentence: str) -> None:
    assert sentence in describe_period(period_metrics(known))


def test_formats_write_numbers_in_one_way() -> None:
    assert [format_count(days, "day") for days in (0, 1, 2000)] == [
        "no days",
        "1 day",
        "2,000 days",
    ]
    assert [format_signed(number) for number in (1200, -3, 0)] == ["+1,200", "−3", "0"]
    assert format_dollars(Decimal(1234)) == "$1,234.00"
    assert format_dollars(Decimal("0.015")) == "$0.015"


@dataclass
class Page(HTMLParser):
    """The tags, attributes and texts of a page."""

    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    return page


@pytest.fixture(scope="module")
def html() -> str:
    """A report with a gap, an anomaly, a hostile text, CJK and emoji."""
    levels = {day: 1000 + day for day in range(8, 21) if day not in (13, 14)}
    first = AccountHistory(
        integration(name="さくら 🌸 " + "long " * 20),
        followers(levels),
        post(1, evening(11), {day: (day * 40, day) for day in (12, 13, 16, 17)}, HOSTILE)
        + post(2, evening(12), {13: (10, 9), 14: (20, 12)}, "新しい豆が届きました☕" * 9),
        (anomaly(16),),
        Decimal("1.5"),
    )
    second = AccountHistory(integration(2, "quiet"), usd=Decimal("0.01"))
    return render_html(build(first, second, tenant_name=f"Lark {HOSTILE}"))


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return parse(html)


def test_page_loads_nothing_from_a_network(page: Page) -> None:
    loading = {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "audio",
        "video",
        "image",
    }
    assert not loading & set(page.tags)
    assert page.values("src") == []
    assert set(page.values("href")) == {
        "https://x.com/i/web/status/18001",
        "https://x.com/i/web/status/18002",
    }


def test_page_allows_only_its_own_style_and_script(html: str, page: Page) -> None:
    (policy,) = [
        value for tag, name, value in page.attributes if (tag, name) == ("meta", "content")
    ][:1]
    for tag in ("style", "script"):
        content = html.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert page.values("style") == []


def test_page_escapes_texts_of_posts(html: str, page: Page) -> None:
    assert html.count("<script>") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert any(HOSTILE in text for text in page.texts)


def test_page_pictures_do_not_share_ids(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert page.tags.count("svg") == 4


def test_chart_marks_have_descriptions_with_their_values(page: Page) -> None:
    labels = page.values("aria-label")
    assert "12 May 2026: 1,012 followers" in labels
    assert "12 May 2026: 480 impressions" in labels
    assert "15 May 2026: not measured" in labels
    assert "Lost 60 followers." in labels
    assert not any("13 May 2026" in label and "followers" in label for label in labels)


def test_page_shows_anomaly_before_accounts(html: str) -> None:
    assert html.index("Lost 60 followers.") < html.index("<h2>Accounts</h2>")
    assert "−60 on 16 May" in html


def test_page_table_leaves_gaps_empty(html: str) -> None:
    rows = re.findall(r"<tr><td>(\d+ May)</td><td>(.*?)</td><td>(.*?)</td>", html)
    assert ("13 May", "–", "–") in rows
    assert ("12 May", "1,012", "+1") in rows


@pytest.mark.parametrize(
    ("histories", "sentence"),
    [
        pytest.param((), "No account is connected", id="no account"),
        pytest.param(
            (AccountHistory(integration()),), "No follower count was read", id="no snapshot"
        ),
        pytest.param(
            (AccountHistory(integration(), followers({20: 0})),),
            "No post was sent in this period",
            id="new account",
        ),
    ],
)
def test_page_states_missing_data(histories: tuple[AccountHistory, ...], sentence: str) -> None:
    assert sentence in render_html(build(*histories))


def unread(*days: int, at: datetime | None = None) -> AccountHistory:
    """Return an account whose posts of these days were not read yet; `at` is the next read."""
    return AccountHistory(
        integration(), unread=tuple(evening(day) for day in days), next_read_at=at
    )


@pytest.mark.parametrize(
    ("histories", "sentence"),
    [
        (
            (unread(20, 20, at=UNTIL.replace(hour=23, minute=30)),),
            "2 posts were published; their metrics are read on 21 May at 23:30 UTC.",
        ),
        ((unread(20, at=SINCE),), "1 post was published; its metrics have not been read yet."),
        (
            (unread(20, at=UNTIL), unread(19, at=UNTIL.replace(hour=4))),
            "2 posts were published; their metrics are read on 21 May at 04:00 UTC.",
        ),
        (
            (unread(20, at=UNTIL), unread(19)),
            "2 posts were published; their metrics have not been read yet.",
        ),
    ],
    ids=["time", "overdue", "two accounts", "one time unknown"],
)
def test_posts_of_today_are_said_to_be_read_later(
    histories: tuple[AccountHistory, ...], sentence: str
) -> None:
    report = build(*histories)
    assert sentence in report.sentences
    assert not any("No post was sent" in one for one in report.sentences)
    page = render_html(report)
    assert page.count(sentence) >= 2
    assert "none measured yet" in page


def test_unread_posts_are_counted_beside_measured_posts() -> None:
    posts = post(1, evening(12), {14: (900, 9)})
    history = AccountHistory(integration(), posts=posts, unread=(evening(9), evening(20)))
    report = build(history)
    assert (report.metrics.posts, report.metrics.unread, report.metrics.sent) == (1, 1, 2)
    assert "1 post was sent and measured; posts gained 900 impressions" in report.sentences[1]
    assert "1 more post was published; its metrics have not been read yet." in report.sentences
