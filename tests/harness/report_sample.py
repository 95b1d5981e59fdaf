"""A report about a month of an account with everything that a report can show."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from harness.report_world import make_part, make_records, read_followers
from roost.insights.reports.compute import ReportRequest, compute_report
from roost.insights.reports.model import Report
from roost.insights.reports.periods import DatePeriod
from roost.models import AccountRecords, Anomaly, IntegrationId, Metric, SentPart, Spending

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(90)]
TEXTS = (
    "Our spring list is here: twelve novels that we could not put down. #books https://lark.example/spring",
    "Reading hour at noon. Bring a friend and a sandwich.",
    "新しい本が届きました。今週末は店頭で著者のサイン会もあります。ぜひお越しください #本",
    "وصلت كتب الربيع الجديدة إلى المتجر اليوم",
    "<script>alert('books')</script> & other titles that our readers proposed 📚👩‍👩‍👧‍👦",
)


def make_sample(posts_per_day: int = 4, seed: int = 5) -> Report:
    """Return the report on the last 30 days of 90; posts with a hashtag earn twice as much."""
    chance = np.random.default_rng(seed)
    parts: list[SentPart] = []
    for day in DAYS:
        for _ in range(posts_per_day):
            minutes = int(chance.normal(13 * 60, 200)) % 1440
            sent_at = datetime(day.year, day.month, day.day, tzinfo=UTC)
            text = TEXTS[int(chance.integers(len(TEXTS)))]
            number = len(parts) + 1
            parts.append(make_part(number, sent_at + timedelta(minutes=minutes), text=text))
    finals = {
        part.part_id: float(np.exp(chance.normal(7.2, 0.7)) * (2 if "#" in part.text else 1))
        for part in parts
    }
    records = make_records(parts, finals, DAYS)
    request = ReportRequest(
        "Lark & Sons",
        DatePeriod(DAYS[60], DAYS[89], ZoneInfo("UTC")),
        datetime(2026, 5, 30, 12, tzinfo=UTC),
    )
    return compute_report([_with_events(records, chance)], request)


def _with_events(records: AccountRecords, chance: np.random.Generator) -> AccountRecords:
    """Add a loss of followers, two days without a measurement, and spending."""
    levels: dict[date, int] = {}
    level = 48_200
    for n, day in enumerate(DAYS):
        level += int(chance.normal(35, 12)) - (940 if n == 74 else 0)
        if n not in (66, 67):
            levels[day] = level
    anomaly = Anomaly(
        IntegrationId(1), Metric.FOLLOWERS, DAYS[74], -31.5, -905.0, 35.0,
        "Lost 905 followers (1.8%) on 14 May 2026; the usual change is +35.",
    )  # fmt: skip
    missing = {DAYS[66], DAYS[67]}
    return replace(
        records,
        account=read_followers(levels),
        snapshots=tuple(each for each in records.snapshots if each.at.date() not in missing),
        anomalies=(anomaly,),
        spending=tuple(
            Spending(day, operation, Decimal(usd))
            for day in DAYS
            for operation, usd in (
                ("create_post", "0.06"),
                ("read_posts", "0.021"),
                ("media_upload", "0.004"),
                ("read_user", "0.01"),
            )
        ),
    )
