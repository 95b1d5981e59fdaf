"""Parses due times (an instant, a local time, or an offset from now) and durations."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from roost.errors import InvalidInput

_MAX_QUOTED: Final = 40
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_MAX_SPAN: Final = timedelta(days=366)
_relative = re.compile(r"\+(\d{1,9})([smhd])", re.ASCII).fullmatch
_absolute = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII
).fullmatch
_day = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch


class TimeInvalid(InvalidInput):
    """The text is not a valid time."""

    default_next = "Write 2026-12-24T18:00+01:00, 2026-12-24T18:00, or +20s, +5m, +2h, +1d."


class TimeAmbiguous(TimeInvalid):
    """The local time occurs twice on that day, because clocks are set back."""


class TimeSkipped(TimeInvalid):
    """The local time does not exist on that day, because clocks are set forward."""


class SpanInvalid(InvalidInput):
    """The text is not a valid duration."""

    default_next = "Write 90s, 30m, 2h or 1d."


class TimeZoneUnknown(InvalidInput):
    """There is no time zone with this name."""

    default_next = "Use a name from the IANA time zone database, such as Europe/Berlin."


def parse_due(at: str, *, time_zone: str, now: datetime) -> datetime:
    """Parse a due time and return it in UTC.

    The forms are ISO 8601 with an offset; ISO 8601 without an offset, in `time_zone`; and `+20s`,
    `+5m`, `+2h`, `+1d` (24 hours) after `now`.

    Raises: TimeInvalid, TimeAmbiguous, TimeSkipped, TimeZoneUnknown.
    """
    return parse_due_in_zone(get_time_zone(time_zone), at.strip(), now)


def parse_span(span: str) -> timedelta:
    """Parse a duration of at most 366 days: `90s`, `30m`, `2h`, `1d`.

    Raises: SpanInvalid.
    """
    match = _relative(f"+{span.strip()}")
    if match is None:
        raise SpanInvalid(f"{span[:_MAX_QUOTED]!r} is not a duration.")
    duration = int(match[1]) * _UNITS[match[2]]
    if duration > _MAX_SPAN:
        raise SpanInvalid(f"{span[:_MAX_QUOTED]!r} is longer than 366 days.")
    return duration


def get_time_zone(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name.

    Only names of the IANA database are allowed. A machine's zone files also have other names, which
    would give wrong times: `right/…` counts leap seconds, `localtime` differs between machines, and
    `Factory` is no zone.

    Raises: TimeZoneUnknown.
    """
    if name not in _list_zones():
        raise TimeZoneUnknown(f"There is no time zone {name[:_MAX_QUOTED]!r}.")
    return ZoneInfo(name)


@cache
def _list_zones() -> frozenset[str]:
    """Return the names of the IANA database, as listed in the package `tzdata`."""
    listed = resources.files("tzdata").joinpath("zones").read_text("utf-8")
    return frozenset(listed.split()) - {"Factory"}


def parse_due_in_zone(zone: ZoneInfo, at: str, now: datetime) -> datetime:
    """Parse a due time like `parse_due`, but with a time zone instead of the zone's name.

    Raises: TimeInvalid, TimeAmbiguous, TimeSkipped.
    """
    try:
        if match := _relative(at):
            return now.astimezone(UTC) + int(match[1]) * _UNITS[match[2]]
        if not _absolute(at):
            raise _not_a_time(at)
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None:
            instant = _in_zone(instant, zone)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise TimeInvalid(f"{at[:_MAX_QUOTED]!r} is not a possible time.") from None


def _not_a_time(at: str) -> TimeInvalid:
    if _day(at):
        return TimeInvalid(f"{at} has no time of day.", next=f"Write {at}T18:00, for example.")
    return TimeInvalid(f"{at[:_MAX_QUOTED]!r} is not a time." if at else "The time is missing.")


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time in `zone` as an instant.

    Raises: TimeAmbiguous, TimeSkipped.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        return first
    wall = local.isoformat(" ", "minutes")
    if before > after:
        raise TimeAmbiguous(
            f"{wall} occurs twice in {zone.key}, because clocks are set back.",
            next=f"Write {first.isoformat()} for the first, {second.isoformat()} for the second.",
        )
    later = first.astimezone(UTC).astimezone(zone)
    raise TimeSkipped(
        f"{wall} does not exist in {zone.key}, because clocks are set forward.",
        next=f"Write {later.isoformat()}, or another time.",
    )
