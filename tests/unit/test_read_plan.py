"""The read plan: a billed day is used once, at the right hour, and not for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from roost.insights.plan import PRIVATE_FOR, ReadPlan, next_account_reading, plan_reads
from roost.models import PartId

PART = PartId(1)
SENT = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


def on(day: int, hour: int, minute: int = 0) -> datetime:
    """So many days after the first of May."""
    return datetime(2026, 5, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)


def follow(sent_at: datetime, days: int, every: timedelta) -> list[datetime]:
    """Every reading that a collector makes which plans again and again."""
    readings: list[datetime] = []
    now = sent_at
    while now < sent_at + timedelta(days=days):
        last = readings[-1] if readings else None
        if plan_reads([(PART, sent_at, last)], now).due:
            readings.append(now)
        now += every
    return readings


def test_fresh_post_is_first_read_in_the_evening() -> None:
    assert plan_reads([(PART, SENT, None)], on(1, 23, 29)) == ReadPlan((), on(1, 23, 30))
    assert plan_reads([(PART, SENT, None)], on(1, 23, 30)) == ReadPlan((PART,), on(2, 23, 30))


def test_post_read_this_evening_is_not_due_before_the_next() -> None:
    read = on(1, 23, 31)
    assert plan_reads([(PART, SENT, read)], on(1, 23, 59)).due == ()
    assert plan_reads([(PART, SENT, read)], on(2, 23, 29)).due == ()
    assert plan_reads([(PART, SENT, read)], on(2, 23, 30)).due == (PART,)


def test_post_sent_after_the_evenings_reading_waits_for_the_next() -> None:
    assert plan_reads([(PART, on(1, 23, 45), None)], on(2, 12)) == ReadPlan((), on(2, 23, 30))


@pytest.mark.parametrize(
    "every", [timedelta(minutes=30), timedelta(hours=7)], ids=["often", "rare"]
)
def test_ninety_days_cost_thirty_daily_readings_and_eight_weekly_ones(every: timedelta) -> None:
    readings = follow(SENT, days=120, every=every)
    ages = [(reading - SENT).days for reading in readings]
    assert len([age for age in ages if age < 30]) == 30
    assert len([age for age in ages if 30 < age <= 91]) == 8
    assert max(ages) < 91


def test_no_post_is_read_on_two_days_for_one_instant() -> None:
    days = [reading.date() for reading in follow(SENT, days=40, every=timedelta(hours=1))]
    assert len(days) == len(set(days))


def test_missed_evenings_are_made_up_for_by_one_reading() -> None:
    assert plan_reads([(PART, SENT, on(3, 23, 30))], on(9, 8)).due == (PART,)
    assert plan_reads([(PART, SENT, on(9, 8))], on(9, 9)).due == ()


def test_month_old_post_waits_for_its_week() -> None:
    read = on(36, 23, 30)
    plan = plan_reads([(PART, SENT, read)], on(37, 1))
    assert plan == ReadPlan((), on(43, 23, 30))


def test_post_older_than_ninety_days_is_never_due_again() -> None:
    assert plan_reads([(PART, SENT, None)], SENT + timedelta(days=91)) == ReadPlan((), None)


def test_plan_of_several_posts_names_the_due_ones_and_the_next_instant() -> None:
    posts = [
        (PartId(1), on(1, 10), on(1, 23, 30)),
        (PartId(2), on(1, 11), None),
        (PartId(3), on(2, 9), None),
    ]
    assert plan_reads(posts, on(2, 10)) == ReadPlan((PartId(2),), on(2, 23, 30))


def test_plan_of_nothing_has_no_next_instant() -> None:
    assert plan_reads([], SENT) == ReadPlan((), None)


@pytest.mark.parametrize(
    ("after", "reading"),
    [
        (on(1, 0), on(1, 23, 30)),
        (on(1, 23, 29), on(1, 23, 30)),
        (on(1, 23, 30), on(2, 23, 30)),
        (on(1, 23, 45), on(2, 23, 30)),
        (datetime.fromisoformat("2026-05-01T20:00:00-05:00"), on(2, 23, 30)),
    ],
)
def test_account_is_read_once_a_day_shortly_before_midnight(
    after: datetime, reading: datetime
) -> None:
    assert next_account_reading(after) == reading


@pytest.mark.parametrize("sent_minute", range(0, 24 * 60, 7))
def test_no_daily_reading_is_made_up_for_when_its_private_metrics_are_gone(
    sent_minute: int,
) -> None:
    sent = on(1, 0) + timedelta(minutes=sent_minute)
    for late in (timedelta(minutes=m) for m in (0, 3, 20, 600, 3000)):
        now = sent + PRIVATE_FOR + late
        read = on(20, 23, 30)
        assert plan_reads([(PART, sent, read)], now).due == ()
        next_at = plan_reads([(PART, sent, read)], now).next_at
        assert next_at is None or (next_at - sent).days == 35
    assert plan_reads([(PART, sent, on(20, 23, 30))], on(36, 23, 30) + timedelta(days=1)).due


def test_daily_readings_end_where_the_private_metrics_do() -> None:
    sent = on(1, 23, 33)  # 30 days later, 23:30 is three minutes inside: too near to be sure
    (due,) = plan_reads([(PART, sent, on(29, 23, 40))], on(30, 23, 30)).due
    assert due == PART
    assert plan_reads([(PART, sent, on(30, 23, 40))], on(31, 23, 30)).due == ()
