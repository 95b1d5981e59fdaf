"""Formats times and counts for the command line, web pages, alerts and reports. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def format_time(instant: datetime, zone: str) -> str:
    """Return `Sat 28 Nov 2026, 10:00 (Europe/Berlin)`; seconds are shown if they are not zero."""
    local = in_time_zone(instant, zone)
    return f"{_format(local)} ({'UTC' if local.tzinfo is UTC else zone})"


def format_local_time(instant: datetime, zone: str) -> str:
    """Return `Sat 28 Nov 2026, 10:00`, for a list whose heading names the time zone."""
    return _format(in_time_zone(instant, zone))


def format_short_time(instant: datetime, zone: str, now: datetime) -> str:
    """Return `28 Nov, 10:00`, for a narrow list; the year is shown if it is not that of `now`."""
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
    """Return `1 post`, `2,000 posts` or `no posts`, for nouns whose plural takes an s."""
    if number == 0:
        return f"no {noun}s"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _format(local: datetime) -> str:
    seconds = f":{local:%S}" if local.second else ""
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}{seconds}"
