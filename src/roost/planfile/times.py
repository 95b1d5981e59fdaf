"""What a person means by a time: an instant, a local reading of the clock, or a while from now."""

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from roost.errors import InvalidInput

_SHOWN: Final = 40
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_LONGEST_SPAN: Final = timedelta(days=366)
_relative = re.compile(r"\+(\d{1,9})([smhd])", re.ASCII).fullmatch
_absolute = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII
).fullmatch


class TimeInvalid(InvalidInput):
    """A time cannot be understood."""

    default_next = "Write 2026-12-24T18:00+01:00, 2026-12-24T18:00, or +20s, +5m, +2h, +1d."


class TimeAmbiguous(TimeInvalid):
    """A local time comes twice, because the clocks are set back there."""


class TimeSkipped(TimeInvalid):
    """A local time does not exist, because the clocks are set forward over it."""


class SpanInvalid(InvalidInput):
    """A length of time cannot be understood."""

    default_next = "Write 90s, 30m, 2h or 1d."


class TimeZoneUnknown(InvalidInput):
    """No time zone has this name."""

    default_next = "Use a name of the IANA database, such as Europe/Berlin."


def parse_due(at: str, *, time_zone: str, now: datetime) -> datetime:
    """The instant, in UTC, that a person means by `at`.

    ISO 8601 with an offset; the same without one, in `time_zone`; or `+20s`, `+5m`, `+2h`,
    `+1d` (24 hours) after `now`. Raises: TimeInvalid, TimeAmbiguous, TimeSkipped, TimeZoneUnknown.
    """
    return due_in(read_zone(time_zone), at.strip(), now)


def parse_span(span: str) -> timedelta:
    """The length of time that a person means: `90s`, `30m`, `2h`, `1d`. Raises: SpanInvalid."""
    relative = _relative(f"+{span.strip()}")
    if relative is None:
        raise SpanInvalid(f"{span[:_SHOWN]!r} is no length of time.")
    length = int(relative[1]) * _UNITS[relative[2]]
    if length > _LONGEST_SPAN:
        raise SpanInvalid(f"{span[:_SHOWN]!r} is longer than 366 days.")
    return length


def read_zone(name: str) -> ZoneInfo:
    """The zone of this IANA name. Raises: TimeZoneUnknown.

    A machine has other files beside the zones: `right/…` counts leap seconds, `localtime` is
    another zone on another machine, `Factory` is none.
    """
    if name not in _list_zones():
        raise TimeZoneUnknown(f"There is no time zone {name[:_SHOWN]!r}.")
    return ZoneInfo(name)


@cache
def _list_zones() -> frozenset[str]:
    """The names of the IANA database, as the package `tzdata` lists them."""
    listed = resources.files("tzdata").joinpath("zones").read_text("utf-8")
    return frozenset(listed.split()) - {"Factory"}


def due_in(zone: ZoneInfo, at: str, now: datetime) -> datetime:
    """As `parse_due`, in a zone that was read once for many times."""
    try:
        if relative := _relative(at):
            return now.astimezone(UTC) + int(relative[1]) * _UNITS[relative[2]]
        if not _absolute(at):
            raise TimeInvalid(f"{at[:_SHOWN]!r} is not a time." if at else "The time is missing.")
        instant = datetime.fromisoformat(at)
        if instant.tzinfo is None:
            instant = _in_zone(instant, zone)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise TimeInvalid(f"There is no such time as {at[:_SHOWN]!r}.") from None


def _in_zone(local: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock reading as the one instant it names."""
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        return first
    wall = local.isoformat(" ", "minutes")
    if before > after:
        raise TimeAmbiguous(
            f"{wall} comes twice in {zone.key}: the clocks are set back then.",
            next=f"Write {first.isoformat()} for the first, {second.isoformat()} for the second.",
        )
    later = first.astimezone(UTC).astimezone(zone)
    raise TimeSkipped(
        f"{wall} does not exist in {zone.key}: the clocks are set forward over it.",
        next=f"Write {later.isoformat()}, or another time.",
    )
