"""Formats times and counts for the command line, web pages, alerts and reports. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def format_time(instant: datetime, zone: str) -> str:
    """Format an instant, such as `Sat 28 Nov 2026, 10:00 (Europe/Berlin)`.

    Seconds are shown only if they are not zero.
    """
    local = in_time_zone(instant, zone)
    return f"{_format(local)} ({'UTC' if local.tzinfo is UTC else zone})"


def format_local_time(instant: datetime, zone: str) -> str:
    """Format an instant as `Sat 28 Nov 2026, 10:00`, for a list whose heading names the zone."""
    return _format(in_time_zone(instant, zone))


def format_short_time(instant: datetime, zone: str, now: datetime) -> str:
    """Format an instant as `28 Nov, 10:00`, for a narrow list.

    The year is shown only if it is not the year of `now`.
    """
    local = in_time_zone(instant, zone)
    year = "" if local.year == in_time_zone(now, zone).year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M}"


def in_time_zone(instant: datetime, zone: str) -> datetime:
    """Convert an instant to an IANA time zone, or to UTC if the result is out of range."""
    try:
        return instant.astimezone(ZoneInfo(zone))
    except OverflowError:
        return instant.astimezone(UTC)


def format_count(number: int, noun: str) -> str:
    """Format a count, such as `1 post`, `2,000 posts` or `no posts`. The plural takes an s."""
    if number == 0:
        return f"no {noun}s"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _format(local: datetime) -> str:
    seconds = f":{local:%S}" if local.second else ""
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}{seconds}"
