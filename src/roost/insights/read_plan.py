"""When to read each post's metrics, at the lowest X bill.

X bills a post once per UTC day, however often it is read. All reads therefore happen at one time
of day, shortly before midnight UTC. Each day is then billed once, and what the post gained on it is
counted for that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from roost.models import PartId

#: Half an hour before midnight: late enough to cover the day, early enough to finish within it.
READ_TIME = time(23, 30, tzinfo=UTC)
#: X reports a post's private metrics for 30 days. Until then the post is read daily.
DAILY_UNTIL_DAYS = 30
#: The private metrics are requested with a margin, because X's clock sets the limit.
PRIVATE_FOR = timedelta(days=DAILY_UNTIL_DAYS) - timedelta(minutes=5)
#: An older post is read once in this many days,
WEEKLY_STEP_DAYS = 7
#: and no longer after this many days.
READ_UNTIL_DAYS = 90

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """The posts to read now, and when to plan again."""

    due: tuple[PartId, ...]
    next_at: datetime | None
    """When the next of the posts becomes due; None if none ever will."""


def plan_reads(
    posts: Sequence[tuple[PartId, datetime, datetime | None]], now: datetime
) -> ReadPlan:
    """Choose which of the sent posts (part, sent at, last read at) are due, by their age.

    A post is due when one of its planned reads has passed since it was last read. One read makes
    up for all that were missed, because X reports totals only. A missed daily read is not made up
    for once the private metrics are gone: the read would come without what it was planned for.
    """
    due = []
    upcoming = []
    for part_id, sent_at, last_read_at in posts:
        last_planned_at = _last_planned_at(sent_at, now)
        if last_planned_at is not None and (last_read_at is None or last_read_at < last_planned_at):
            due.append(part_id)
        if (next_at := _next_planned_at(sent_at, now)) is not None:
            upcoming.append(next_at)
    return ReadPlan(tuple(due), min(upcoming, default=None))


def next_account_read(after: datetime) -> datetime:
    """Return the first instant later than `after` at which an account itself is read."""
    today = _read_at(after.astimezone(UTC).date())
    return today if today > after else today + _DAY


def has_private_metrics(sent_at: datetime, now: datetime) -> bool:
    """Whether X still reports the private metrics of an account's own post."""
    return now - sent_at < PRIVATE_FOR


def _read_at(day: date) -> datetime:
    return datetime.combine(day, READ_TIME)


def _is_planned(sent_at: datetime, day: date) -> bool:
    age = _read_at(day) - sent_at
    if not timedelta(0) < age <= timedelta(days=READ_UNTIL_DAYS):
        return False
    return has_private_metrics(sent_at, _read_at(day)) or _is_weekly(age)


def _is_weekly(age: timedelta) -> bool:
    return age.days > DAILY_UNTIL_DAYS and age.days % WEEKLY_STEP_DAYS == 0


def _last_planned_at(sent_at: datetime, now: datetime) -> datetime | None:
    """Return the post's latest planned read that has passed; None if none is worth making now."""
    if now - sent_at > timedelta(days=READ_UNTIL_DAYS):
        return None
    today = now.astimezone(UTC).date()
    for back in range(WEEKLY_STEP_DAYS + 1):
        day = today - back * _DAY
        if _read_at(day) > now or not _is_planned(sent_at, day):
            continue
        if has_private_metrics(sent_at, now) or _is_weekly(_read_at(day) - sent_at):
            return _read_at(day)
    return None


def _next_planned_at(sent_at: datetime, now: datetime) -> datetime | None:
    start = next_account_read(max(now, sent_at)).date()
    for ahead in range(WEEKLY_STEP_DAYS):
        if _is_planned(sent_at, start + ahead * _DAY):
            return _read_at(start + ahead * _DAY)
    return None
