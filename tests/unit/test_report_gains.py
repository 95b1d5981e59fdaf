"""Gains of successive periods add up to the lifetime values, whatever days were not read."""

from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report_world import make_integration, make_part, make_snapshot
from roost.insights.reports.compute import ReportRequest, compute_report
from roost.insights.reports.figures import Quality
from roost.insights.reports.model import SubjectReport
from roost.insights.reports.periods import DatePeriod
from roost.models import AccountRecords

FIRST = date(2026, 5, 4)
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati")


@st.composite
def accounts(draw: st.DrawFn) -> tuple[AccountRecords, list[int]]:
    """Draw an account with up to three posts, and the latest impressions of each."""
    parts, snapshots, latest = [], [], []
    for number in range(draw(st.integers(1, 3))):
        sent_at = datetime(2026, 5, 4, tzinfo=UTC) + timedelta(
            minutes=draw(st.integers(0, 5 * 24 * 60))
        )
        part = make_part(number + 1, sent_at)
        first_day = sent_at.date() + timedelta(days=sent_at.hour == 23)
        # The reads are at most seven days apart, as the plan's are.
        steps = draw(st.lists(st.integers(1, 6), min_size=1, max_size=8))
        gains = draw(st.lists(st.integers(-2, 500), min_size=len(steps), max_size=len(steps)))
        levels = [max(level, 0) for level in accumulate(gains)]
        for step, level in zip(accumulate([0, *steps[1:]]), levels, strict=True):
            day = first_day + timedelta(days=step)
            at = datetime(day.year, day.month, day.day, 23, 30, tzinfo=UTC)
            snapshots.append(make_snapshot(part, at, level))
        parts.append(part)
        latest.append(levels[-1])
    return AccountRecords(
        make_integration(), parts=tuple(parts), snapshots=tuple(snapshots)
    ), latest


def report_on(records: AccountRecords, first: date, days: int, zone: str) -> SubjectReport:
    period = DatePeriod(first, first + timedelta(days=days - 1), ZoneInfo(zone))
    made_at = datetime(2026, 9, 1, tzinfo=UTC)
    request = ReportRequest("lark", period, made_at, has_tenant=False)
    return compute_report([records], request).subjects[0]


@settings(max_examples=60, deadline=None)
@given(accounts(), st.sampled_from(ZONES), st.integers(3, 20))
def test_gains_of_successive_periods_add_up_to_lifetime_values(
    drawn: tuple[AccountRecords, list[int]], zone: str, days: int
) -> None:
    records, latest = drawn
    total = 0
    for n in range(80 // days + 1):
        # The first day lies before the earliest local day of a post.
        first = FIRST - timedelta(days=2) + timedelta(days=n * days)
        total += int(
            report_on(records, first, days, zone).figures["gained.impressions"].current.value or 0
        )
    assert total == sum(latest)


@settings(max_examples=60, deadline=None)
@given(accounts(), st.sampled_from(ZONES))
def test_gains_of_days_and_of_no_day_add_up_to_the_periods_gain(
    drawn: tuple[AccountRecords, list[int]], zone: str
) -> None:
    records, _ = drawn
    subject = report_on(records, date(2026, 5, 8), 10, zone)
    gained = subject.figures["gained.impressions"].current
    undated = subject.figures["gained.impressions_undated"].current
    shown = sum(int(day.impressions.value or 0) for day in subject.days)
    assert shown + int(undated.value or 0) == int(gained.value or 0)
    assert (gained.value is None) == (gained.quality is Quality.MISSING)


def test_day_is_no_gap_if_its_read_comes_after_the_daily_reads_of_an_old_post() -> None:
    # The last daily read of the old post is that of 25 April, 23:30 UTC: at 23:30 on 26 April, the
    # post is 30 days old. In Berlin, that read closes 26 April, which ends at 22:00 UTC.
    old = make_part(1, datetime(2026, 3, 27, 22, 57, tzinfo=UTC))
    new = make_part(2, datetime(2026, 4, 20, 12, tzinfo=UTC))
    nights = [datetime(2026, 4, 20 + n, 23, 30, tzinfo=UTC) for n in range(9)]
    snapshots = [make_snapshot(new, at, 100 + n) for n, at in enumerate(nights)]
    snapshots += [make_snapshot(old, at, 500) for at in nights[:6]]
    # The first weekly read comes 35 days after publication.
    snapshots.append(make_snapshot(old, datetime(2026, 5, 1, 23, 30, tzinfo=UTC), 501))
    records = AccountRecords(make_integration(), parts=(old, new), snapshots=tuple(snapshots))
    subject = report_on(records, date(2026, 4, 22), 11, "Europe/Berlin")
    values = {day.day.day: day.impressions.value for day in subject.days}
    assert (values[25], values[26], values[27]) == (1, 1, 1)
