"""Plans when to read each post's metrics, at the lowest cost.

X bills a post once per UTC day, however often the post is read. Roost reads each post shortly
before midnight UTC, so that X bills the post once for the day, and a gain is counted for the day on
which it was made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from roost.models import PartId

#: The daily time of reads: late enough to cover the day, early enough to finish before midnight.
READ_TIME = time(23, 30, tzinfo=UTC)
#: For 30 days, X reports a post's private metrics, which only its author may read. During this
#: time, Roost reads the post's metrics daily.
DAILY_UNTIL_DAYS = 30
#: Private metrics are requested until shortly before X's limit, because X's clock may differ.
PRIVATE_FOR = timedelta(days=DAILY_UNTIL_DAYS) - timedelta(minutes=5)
#: The metrics of a post without private metrics are read once in this many days.
WEEKLY_STEP_DAYS = 7
#: The metrics of a post are no longer read after this many days.
READ_UNTIL_DAYS = 90

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """The posts to read now, and the time of the next plan."""

    due: tuple[PartId, ...]
    next_at: datetime | None
    """The time at which the next post is due to be read; None if no post will be read again."""


def plan_reads(
    posts: Sequence[tuple[PartId, datetime, datetime | None]], now: datetime
) -> ReadPlan:
    """Choose which of the sent posts (part, sent at, last read at) are due, by their age.

    A post is due if the time of a planned read has passed since the post was last read. One read
    replaces all missed reads, because X reports only totals. The daily reads serve the private
    metrics, so a missed daily read is dropped once X no longer reports these metrics.
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


def find_next_read_at(plan: ReadPlan, collected_at: datetime | None) -> datetime | None:
    """Return when a plan's posts are read, given the time of the account's next collection.

    A collection before the planned time reads only the account, not its posts. Return None if no
    collection is planned.
    """
    if collected_at is None or plan.due or plan.next_at is None:
        return collected_at
    return max(collected_at, plan.next_at)


def next_account_read(after: datetime) -> datetime:
    """Return the first instant later than `after` at which an account's metrics are read."""
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
    """Return the time of the latest planned read before `now`; None if no read is due."""
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
