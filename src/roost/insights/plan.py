"""Which readings are worth their price: X bills a post once a UTC day, however often it is read.

Readings fall on one instant a day, shortly before midnight UTC: what a day brought is then billed
once, and told of the right day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from roost.models import PartId

#: Half an hour before midnight: late enough to hold the day, early enough to be done within it.
READING_TIME = time(23, 30, tzinfo=UTC)
#: X gives a post's private metrics for 30 days; until then it is read daily,
DAILY_UNTIL_DAYS = 30
#: and with a margin asked for them: the boundary is X's clock, not ours.
PRIVATE_FOR = timedelta(days=DAILY_UNTIL_DAYS) - timedelta(minutes=5)
#: then once in this many days,
WEEKLY_STEP_DAYS = 7
#: and no more after this many.
READ_UNTIL_DAYS = 90

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Which posts to read now, and when to plan again."""

    due: tuple[PartId, ...]
    next_at: datetime | None
    """The next instant at which any of the posts comes due; None when none ever will."""


def plan_reads(
    posts: Sequence[tuple[PartId, datetime, datetime | None]], now: datetime
) -> ReadPlan:
    """Choose by age which of the sent posts (part, sent at, last read at) are due for a reading.

    A post is due when one of its reading instants has passed since it was last read. Missed
    instants are made up for by one reading, for X tells the total only; missed daily ones not
    after the private metrics are gone, when a reading would come without what it was for.
    """
    due = []
    upcoming = []
    for part_id, sent_at, last_read_at in posts:
        last = _last_instant(sent_at, now)
        if last is not None and (last_read_at is None or last_read_at < last):
            due.append(part_id)
        if (following := _next_instant(sent_at, now)) is not None:
            upcoming.append(following)
    return ReadPlan(tuple(due), min(upcoming, default=None))


def next_account_reading(after: datetime) -> datetime:
    """The first instant later than `after` at which an account's own figures are read."""
    today = _instant(after.astimezone(UTC).date())
    return today if today > after else today + _DAY


def _instant(day: date) -> datetime:
    return datetime.combine(day, READING_TIME)


def has_private(sent_at: datetime, now: datetime) -> bool:
    """Whether X still tells the private metrics of an account's own post."""
    return now - sent_at < PRIVATE_FOR


def _is_on_ladder(sent_at: datetime, day: date) -> bool:
    age = _instant(day) - sent_at
    if not timedelta(0) < age <= timedelta(days=READ_UNTIL_DAYS):
        return False
    return has_private(sent_at, _instant(day)) or _is_weekly(age)


def _is_weekly(age: timedelta) -> bool:
    return age.days > DAILY_UNTIL_DAYS and age.days % WEEKLY_STEP_DAYS == 0


def _last_instant(sent_at: datetime, now: datetime) -> datetime | None:
    """The latest reading instant of the post that has passed; None before it, and too late."""
    if now - sent_at > timedelta(days=READ_UNTIL_DAYS):
        return None
    today = now.astimezone(UTC).date()
    for back in range(WEEKLY_STEP_DAYS + 1):
        day = today - back * _DAY
        if _instant(day) > now or not _is_on_ladder(sent_at, day):
            continue
        if has_private(sent_at, now) or _is_weekly(_instant(day) - sent_at):
            return _instant(day)
    return None


def _next_instant(sent_at: datetime, now: datetime) -> datetime | None:
    start = next_account_reading(max(now, sent_at)).date()
    for ahead in range(WEEKLY_STEP_DAYS):
        if _is_on_ladder(sent_at, start + ahead * _DAY):
            return _instant(start + ahead * _DAY)
    return None
