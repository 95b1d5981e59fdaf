"""The read plan reads a post once per billed day, at a fixed time, up to an age limit."""

from datetime import UTC, datetime, timedelta

import pytest

from roost.insights.read_plan import PRIVATE_FOR, ReadPlan, next_account_read, plan_reads
from roost.models import PartId

PART = PartId(1)
SENT = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


def on(day: int, hour: int, minute: int = 0) -> datetime:
    """Return a time on a day of May 2026; days above 31 are in June."""
    return datetime(2026, 5, 1, hour, minute, tzinfo=UTC) + timedelta(days=day - 1)


def collect_reads(sent_at: datetime, days: int, every: timedelta) -> list[datetime]:
    """Return the times at which a post is read if reads are planned at a fixed interval."""
    reads: list[datetime] = []
    now = sent_at
    while now < sent_at + timedelta(days=days):
        last = reads[-1] if reads else None
        if plan_reads([(PART, sent_at, last)], now).due:
            reads.append(now)
        now += every
    return reads


def test_plan_reads_new_post_first_in_the_evening() -> None:
    assert plan_reads([(PART, SENT, None)], on(1, 23, 29)) == ReadPlan((), on(1, 23, 30))
    assert plan_reads([(PART, SENT, None)], on(1, 23, 30)) == ReadPlan((PART,), on(2, 23, 30))


def test_plan_reads_skips_post_until_next_evening__read_this_evening() -> None:
    read = on(1, 23, 31)
    assert plan_reads([(PART, SENT, read)], on(1, 23, 59)).due == ()
    assert plan_reads([(PART, SENT, read)], on(2, 23, 29)).due == ()
    assert plan_reads([(PART, SENT, read)], on(2, 23, 30)).due == (PART,)


def test_plan_reads_waits_for_next_evening__sent_after_todays_read() -> None:
    assert plan_reads([(PART, on(1, 23, 45), None)], on(2, 12)) == ReadPlan((), on(2, 23, 30))


@pytest.mark.parametrize(
    "every", [timedelta(minutes=30), timedelta(hours=7)], ids=["often", "rare"]
)
def test_plan_reads_takes_thirty_daily_and_eight_weekly_reads__ninety_days(
    every: timedelta,
) -> None:
    reads = collect_reads(SENT, days=120, every=every)
    ages = [(read - SENT).days for read in reads]
    assert len([age for age in ages if age < 30]) == 30
    assert len([age for age in ages if 30 < age <= 91]) == 8
    assert max(ages) < 91


def test_plan_reads_never_reads_a_post_twice_a_day() -> None:
    days = [read.date() for read in collect_reads(SENT, days=40, every=timedelta(hours=1))]
    assert len(days) == len(set(days))


def test_plan_reads_makes_up_for_missed_evenings_with_one_read() -> None:
    assert plan_reads([(PART, SENT, on(3, 23, 30))], on(9, 8)).due == (PART,)
    assert plan_reads([(PART, SENT, on(9, 8))], on(9, 9)).due == ()


def test_plan_reads_waits_for_weekly_read__month_old_post() -> None:
    read = on(36, 23, 30)
    plan = plan_reads([(PART, SENT, read)], on(37, 1))
    assert plan == ReadPlan((), on(43, 23, 30))


def test_plan_reads_never_plans__post_older_than_ninety_days() -> None:
    assert plan_reads([(PART, SENT, None)], SENT + timedelta(days=91)) == ReadPlan((), None)


def test_plan_reads_returns_due_posts_and_next_time__several_posts() -> None:
    posts = [
        (PartId(1), on(1, 10), on(1, 23, 30)),
        (PartId(2), on(1, 11), None),
        (PartId(3), on(2, 9), None),
    ]
    assert plan_reads(posts, on(2, 10)) == ReadPlan((PartId(2),), on(2, 23, 30))


def test_plan_reads_has_no_next_time__no_posts() -> None:
    assert plan_reads([], SENT) == ReadPlan((), None)


@pytest.mark.parametrize(
    ("after", "read"),
    [
        (on(1, 0), on(1, 23, 30)),
        (on(1, 23, 29), on(1, 23, 30)),
        (on(1, 23, 30), on(2, 23, 30)),
        (on(1, 23, 45), on(2, 23, 30)),
        (datetime.fromisoformat("2026-05-01T20:00:00-05:00"), on(2, 23, 30)),
    ],
)
def test_next_account_read_is_daily_shortly_before_midnight(
    after: datetime, read: datetime
) -> None:
    assert next_account_read(after) == read


@pytest.mark.parametrize("sent_minute", range(0, 24 * 60, 7))
def test_plan_reads_skips_missed_daily_read__private_metrics_gone(
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


def test_plan_reads_ends_daily_reads_with_private_metrics() -> None:
    sent = on(1, 23, 33)  # 23:30 is only three minutes before the end of the 30 days
    (due,) = plan_reads([(PART, sent, on(29, 23, 40))], on(30, 23, 30)).due
    assert due == PART
    assert plan_reads([(PART, sent, on(30, 23, 40))], on(31, 23, 30)).due == ()
