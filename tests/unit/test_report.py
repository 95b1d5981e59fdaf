"""The report: figures that follow from the readings, sentences that agree, a page that is safe."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from roost.agents.narrator import Figures, count, dollars, narrate, signed
from roost.insights import charts
from roost.insights.render import render_html
from roost.insights.report import Report, build_report
from roost.insights.svg import draw_svgs
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
    PostSnapshot,
    TenantId,
    TweetId,
    XUserId,
)

SINCE = datetime(2026, 5, 11, tzinfo=UTC)
UNTIL = datetime(2026, 5, 21, tzinfo=UTC)
HOSTILE = (
    "</svg></script><script>anomaly(1)</script> & \"quotes\" 'n' <img src=x onerror=anomaly(2)>"
)


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
    part: int, sent_at: datetime, readings: Mapping[int, tuple[int, int | None]], text: str = "Hi"
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
        for day, (impressions, engagements) in readings.items()
    )


def anomaly(day: int = 15) -> Anomaly:
    on = date(2026, 5, day)
    return Anomaly(IntegrationId(1), Metric.FOLLOWERS, on, -9.0, -60.0, 2.0, "Lost 60 followers.")


def build(*histories: AccountHistory, tenant_name: str = "Lark & Co") -> Report:
    return build_report(histories, since=SINCE, until=UNTIL, tenant_name=tenant_name, made_at=UNTIL)


def test_followers_change_since_the_last_reading_before_the_period() -> None:
    told = build(AccountHistory(integration(), followers({9: 900, 12: 950, 19: 930})))
    assert (told.figures.followers, told.figures.followers_change) == (930, 30)
    assert told.figures.unread_days == 6


def test_followers_change_is_unknown__one_reading() -> None:
    told = build(AccountHistory(integration(), followers({12: 950})))
    assert (told.figures.followers, told.figures.followers_change) == (950, None)


def test_followers_are_unknown__no_reading_in_the_period() -> None:
    told = build(AccountHistory(integration(), followers({9: 900})))
    assert (told.figures.followers, told.figures.followers_change) == (None, None)
    assert told.sentences[0] == "No follower count was read."


def test_impressions_count_what_was_gained_within_the_period__old_post_and_new() -> None:
    old = post(1, evening(5), {6: (100, 9), 10: (150, 10), 15: (180, 12)})
    new = post(2, evening(11), {12: (70, 4), 15: (90, 6), 21: (5000, 400)})
    told = build(AccountHistory(integration(), posts=old + new))
    assert (told.figures.impressions, told.figures.engagements) == (120, 8)
    assert told.figures.posts == 1


def test_impressions_of_an_old_post_count_from_its_first_reading__none_before_the_period() -> None:
    told = build(
        AccountHistory(integration(), posts=post(1, evening(1), {14: (900, 9), 15: (930, 9)}))
    )
    assert told.figures.impressions == 30


def test_period_before_is_compared__only_where_it_was_measured() -> None:
    posts = post(1, evening(1), {2: (100, 1), 10: (300, 4), 19: (700, 5)})
    measured = build(AccountHistory(integration(), followers({1: 5, 19: 6}), posts))
    assert measured.figures.impressions_before == 300
    assert measured.figures.impressions_share == pytest.approx(1 / 3)
    unmeasured = build(AccountHistory(integration(), followers({9: 5, 19: 6}), posts[1:]))
    assert unmeasured.figures.impressions_before is None


def test_posts_are_listed_best_first__each_metric_by_its_latest_reading() -> None:
    worse = post(1, evening(11), {12: (500, 3), 13: (600, None)})
    better = post(2, evening(12), {13: (80, 30)})
    told = build(AccountHistory(integration(), posts=worse + better))
    assert [(each.sent_as, each.impressions, each.engagements) for each in told.posts] == [
        ("18002", 80, 30),
        ("18001", 600, 3),
    ]


def test_accounts_are_summed_up__their_bills_too() -> None:
    told = build(
        AccountHistory(integration(1), followers({10: 90, 20: 100}), usd=Decimal("0.5")),
        AccountHistory(integration(2), followers({10: 20, 20: 10}, 2), usd=Decimal("0.25")),
        AccountHistory(integration(3)),
    )
    assert (told.figures.followers, told.figures.followers_change) == (110, 0)
    assert told.figures.usd == Decimal("0.75")


def test_alerts_are_those_of_the_period__newest_first() -> None:
    history = AccountHistory(
        integration(), anomalies=(anomaly(9), anomaly(12), anomaly(20), anomaly(21))
    )
    told = build(history)
    assert [found.day.day for _, found in told.anomalies] == [20, 12]
    assert told.sentences[0] == "2 days were out of the ordinary."


def figures(known: dict[str, Any]) -> Figures:
    nothing: dict[str, Any] = {
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
    return Figures(**nothing | known)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"followers_change": 4}, "The follower count grew by 4 (4.2%) to 100."),
        ({"followers_change": -1}, "The follower count fell by 1 (1.0%) to 100."),
        ({"followers_change": 0}, "The follower count stands where it stood, at 100."),
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
        ({"unread_days": 1}, "1 day went unread; the charts leave it empty."),
        ({"unread_days": 3}, "3 days went unread; the charts leave them empty."),
        ({"best_to_median": 4.21}, "The best post has 4.2 times the median post's engagements."),
        ({"usd": Decimal("1.2345")}, "X billed $1.23."),
        (
            {"usd": Decimal("0.0154"), "impressions": 2000},
            "X billed $0.015, $0.008 per 1,000 impressions.",
        ),
        ({}, "X billed nothing."),
    ],
)
def test_sentence_follows_from_the_figures(known: dict[str, Any], sentence: str) -> None:
    assert sentence in narrate(figures(known))


def test_numbers_are_told_in_one_way() -> None:
    assert (count(0, "day"), count(1, "day"), count(2000, "day")) == (
        "no days",
        "1 day",
        "2,000 days",
    )
    assert (signed(1200), signed(-3), signed(0)) == ("+1,200", "−3", "0")
    assert (dollars(Decimal(1234)), dollars(Decimal("0.015"))) == ("$1,234.00", "$0.015")


@dataclass
class Page(HTMLParser):
    """What a page is made of."""

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
        return [value for _, given, value in self.attributes if given == name]


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


def test_page_asks_nothing_of_a_network(page: Page) -> None:
    asking = {"link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "image"}
    assert not asking & set(page.tags)
    assert page.values("src") == []
    assert set(page.values("href")) == {
        "https://x.com/i/web/status/18001",
        "https://x.com/i/web/status/18002",
    }


def test_page_allows_its_own_style_and_script_alone(html: str, page: Page) -> None:
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


def test_texts_of_posts_stay_texts(html: str, page: Page) -> None:
    assert html.count("<script>") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert any(HOSTILE in text for text in page.texts)


def test_pictures_do_not_share_ids(page: Page) -> None:
    identities = page.values("id")
    assert len(identities) == len(set(identities))
    assert page.tags.count("svg") == 4


def test_marks_tell_their_own_figures(page: Page) -> None:
    told = page.values("aria-label")
    assert "12 May 2026: 1,012 followers" in told
    assert "12 May 2026: 480 impressions" in told
    assert "15 May 2026: not measured" in told
    assert "Lost 60 followers." in told
    assert not any("13 May 2026" in label and "followers" in label for label in told)


def test_alert_is_shown_before_the_accounts(html: str) -> None:
    assert html.index("Lost 60 followers.") < html.index("<h2>Accounts</h2>")
    assert "−60 on 16 May" in html


def test_table_leaves_gaps_empty(html: str) -> None:
    rows = re.findall(r"<tr><td>(\d+ May)</td><td>(.*?)</td><td>(.*?)</td>", html)
    assert ("13 May", "–", "–") in rows
    assert ("12 May", "1,012", "+1") in rows


@pytest.mark.parametrize(
    ("histories", "sentence"),
    [
        pytest.param((), "No account is connected", id="no account"),
        pytest.param(
            (AccountHistory(integration()),), "No follower count was read", id="no reading"
        ),
        pytest.param(
            (AccountHistory(integration(), followers({20: 0})),),
            "No post of this",
            id="new account",
        ),
    ],
)
def test_page_of_little_says_so(histories: tuple[AccountHistory, ...], sentence: str) -> None:
    assert sentence in render_html(build(*histories))


@pytest.mark.parametrize(
    ("text", "columns", "short"),
    [
        pytest.param("two\n words ", 12, "two words", id="short"),
        pytest.param("a word too many", 12, "a word too…", id="between words"),
        pytest.param("unbroken" * 3, 12, "unbrokenunbr…", id="one long word"),
        pytest.param("新しい豆が届きました", 12, "新しい豆が届…", id="wide letters"),
        pytest.param("one two 👩‍👩‍👧‍👦", 16, "one two 👩‍👩‍👧‍👦", id="emoji that fits"),
        pytest.param("one👩‍👩‍👧‍👦", 7, "one…", id="emoji that does not"),
    ],
)
def test_label_is_cut_where_nothing_breaks(text: str, columns: int, short: str) -> None:
    assert charts.shorten(text, columns) == short


def test_axis_shows_utc_days__west_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    told = build(AccountHistory(integration(), followers({day: day for day in range(11, 21)})))
    chart = charts.followers_chart(told.accounts[0], told)
    assert chart is not None
    (picture,) = draw_svgs([chart])
    shown = re.findall(r">(\d+ May)</text>", picture)
    assert shown == ["12 May", "14 May", "16 May", "18 May", "20 May"]
