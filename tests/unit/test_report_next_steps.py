"""The next steps of a report follow from its figures, and name these figures as evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from harness.report_world import make_part, make_records
from roost.insights.reports.compute import ReportRequest, compute_report
from roost.insights.reports.model import EffectName, NextStep, Report, StepCode
from roost.insights.reports.periods import DatePeriod
from roost.models import AccountRecords, Anomaly, IntegrationId, Metric, SentPart, Spending

DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(90)]
PERIOD = DatePeriod(DAYS[60], DAYS[89], ZoneInfo("UTC"))


def make_account(
    impressions: Callable[[int], float] = lambda _: 1000.0,
    text: Callable[[int], str] = lambda _: "Hello",
    posts_per_day: Callable[[int], int] = lambda _: 2,
) -> AccountRecords:
    """Return the records of an account over 90 days.

    `impressions` and `text` are called with the number of a post, `posts_per_day` with the number
    of a day. Both numbers begin at 0.
    """
    parts: list[SentPart] = []
    for n, day in enumerate(DAYS):
        for hour in range(posts_per_day(n)):
            number = len(parts)
            sent_at = datetime(day.year, day.month, day.day, 8 + hour, tzinfo=UTC)
            parts.append(make_part(number + 1, sent_at, text=text(number)))
    finals = {part.part_id: impressions(n) for n, part in enumerate(parts)}
    return make_records(parts, finals, DAYS)


def report_on(records: AccountRecords) -> Report:
    made_at = datetime(2026, 6, 10, tzinfo=UTC)
    return compute_report([records], ReportRequest("lark", PERIOD, made_at))


def steps_of(records: AccountRecords) -> list[NextStep]:
    """Return the next steps in an account's report; check that they name existing figures."""
    report = report_on(records)
    steps = list(report.subjects[-1].next_steps)
    assert all(key in report.figures for step in steps for key in step.evidence)
    return steps


def codes(records: AccountRecords) -> list[StepCode]:
    return [step.code for step in steps_of(records)]


def test_steady_account_has_no_next_step() -> None:
    assert codes(make_account()) == []


def test_posts_with_more_impressions_are_proposed() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 400)

    def has_tag(number: int) -> bool:
        return number % 2 == 0

    records = make_account(
        lambda number: float(1000 * np.exp(noise[number]) * (2 if has_tag(number) else 1)),
        lambda number: "#tea at noon" if has_tag(number) else "Noon",
    )
    (step,) = steps_of(records)
    assert (step.code, step.effect) == (StepCode.DO_MORE, EffectName.HASHTAG)
    assert step.evidence == (
        "account.1/effect.hashtag.factor@current",
        "account.1/effect.hashtag.with_posts@current",
        "account.1/effect.hashtag.without_posts@current",
    )


def test_comparison_with_almost_enough_posts_is_named() -> None:
    # In the period, 12 of 60 posts have a hashtag. A comparison needs 20.
    records = make_account(text=lambda number: "#tea" if number % 5 == 0 else "Noon")
    assert [(step.code, step.effect) for step in steps_of(records)] == [
        (StepCode.COLLECT_MORE_POSTS, EffectName.HASHTAG)
    ]


def test_outstanding_post_is_named() -> None:
    (step,) = steps_of(make_account(lambda number: 4000.0 if number == 150 else 1000.0))
    assert (step.code, step.post) == (StepCode.REPEAT_BEST_POST, 151)


def test_fewer_posts_with_fewer_impressions_are_named() -> None:
    records = make_account(posts_per_day=lambda day: 1 if day >= 60 else 3)
    (step,) = steps_of(records)
    assert step.code is StepCode.PUBLISH_MORE_OFTEN
    assert step.evidence == (
        "account.1/activity.posts_per_week@previous.change",
        "account.1/gained.impressions@previous.change",
    )


def test_higher_cost_is_named() -> None:
    spending = tuple(
        Spending(day, "create_post", Decimal(2 if n >= 60 else 1)) for n, day in enumerate(DAYS)
    )
    assert codes(replace(make_account(), spending=spending)) == [StepCode.REVIEW_COST]


def test_gaps_are_named_first() -> None:
    records = make_account()
    missing = set(DAYS[70:75])
    partial = replace(
        records,
        account=tuple(each for each in records.account if each.at.date() not in missing),
        snapshots=tuple(each for each in records.snapshots if each.at.date() not in missing),
    )
    assert codes(partial)[0] is StepCode.COLLECT_METRICS


def test_anomalies_are_named() -> None:
    on = DAYS[70]
    anomaly = Anomaly(IntegrationId(1), Metric.FOLLOWERS, on, -9.0, -60.0, 2.0, "Lost 60.")
    (step,) = steps_of(replace(make_account(), anomalies=(anomaly,)))
    assert step.evidence == (f"account.1/day.{on}.follower_change@current",)
