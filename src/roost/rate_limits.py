"""X's rate limits: parse the headers into windows, and decide how long to wait.

A response may have up to three families of headers: 15 minutes per endpoint, 24 hours per user,
and 24 hours per app. A 429 can come with a full 15-minute window: because another window is empty,
because a monthly cap is reached, or without a stated reason.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final


class Family(StrEnum):
    """The counter that a window belongs to."""

    FIFTEEN_MINUTES = "fifteen_minutes"
    """Per endpoint and user (or app), 15 minutes."""
    USER_DAY = "user_day"
    """Per endpoint and user, 24 hours."""
    APP_DAY = "app_day"
    """Per endpoint, all users of the app together, 24 hours."""


_PREFIXES: Final = {
    Family.FIFTEEN_MINUTES: "x-rate-limit",
    Family.USER_DAY: "x-user-limit-24hour",
    Family.APP_DAY: "x-app-limit-24hour",
}
_NAMES: Final = {
    family: (f"{prefix}-limit", f"{prefix}-remaining", f"{prefix}-reset")
    for family, prefix in _PREFIXES.items()
}
#: Every rate limit header, in lower case.
HEADERS: Final = tuple(name for names in _NAMES.values() for name in names)
_LENGTHS: Final = {
    Family.FIFTEEN_MINUTES: timedelta(minutes=15),
    Family.USER_DAY: timedelta(hours=24),
    Family.APP_DAY: timedelta(hours=24),
}
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
#: X reports resets in whole seconds, and its clock may differ from ours: late is safer than early.
_MARGIN: Final = timedelta(seconds=1)
#: The first wait after a 429 that no window explains; doubled after each further one.
_FIRST_BACKOFF: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The requests that X still allows until the window resets."""

    family: Family
    limit: int
    remaining: int
    resets_at: datetime


class WaitReason(StrEnum):
    """The reason for a wait."""

    WINDOW_EMPTY = "window_empty"
    """A window is used up; its reset ends the wait."""
    USAGE_CAP = "usage_cap"
    """The plan's cap for the day or month is reached. Window resets do not matter; a person may
    raise the cap."""
    UNEXPLAINED = "unexplained"
    """X refused without an empty window, or without headers: back off, longer each time."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The time until which to send no requests after a refusal, and the reason."""

    until: datetime
    reason: WaitReason
    family: Family | None = None
    """The window whose reset ends the wait, if any."""


def parse_windows(headers: Mapping[str, str]) -> tuple[Window, ...]:
    """Return the windows in a response's headers; header names may have any case.

    A family with a missing or malformed number is skipped, never guessed.
    Source: docs.x.com, x-api/fundamentals/rate-limits.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    windows = []
    for family, names in _NAMES.items():
        if names[0] not in by_name:
            continue
        numbers = [by_name.get(name, "").strip() for name in names]
        if not all(map(_NUMBER.fullmatch, numbers)):
            continue
        limit, remaining, reset = map(int, numbers)
        try:
            resets_at = datetime.fromtimestamp(reset, UTC)
        except (OverflowError, ValueError, OSError):
            continue
        windows.append(Window(family, limit, remaining, resets_at))
    return tuple(windows)


def time_until_allowed(
    windows: Iterable[Window], *, now: datetime, requests: int = 1
) -> timedelta | None:
    """Return how long until every window allows `requests` requests; zero means now.

    None means never: a window's limit is smaller than `requests`.
    """
    current = [window for window in windows if window.resets_at > now]
    if any(window.limit < requests for window in current):
        return None
    exhausted = [window for window in current if window.remaining < requests]
    return max((_reset(window, now) - now for window in exhausted), default=timedelta(0))


def wait_after_429(
    windows: Iterable[Window],
    *,
    now: datetime,
    usage_cap: str | None = None,
    refusals: int = 1,
) -> Wait:
    """Decide how long to wait after a 429.

    `usage_cap` is the `period` of X's problem (`Daily` or `Monthly`) if X reported a usage cap.
    Then the wait ends with the UTC day or month, whatever the windows say. X's own month begins on
    the day of subscription, which no response contains: the worst case is one more unbilled
    refusal. `refusals` counts the consecutive unexplained 429s, including this one.
    """
    if usage_cap is not None:
        return Wait(_end_of(usage_cap, now), WaitReason.USAGE_CAP)
    empty = [window for window in windows if window.remaining == 0 and window.resets_at > now]
    if empty:
        last = max(empty, key=lambda window: _reset(window, now))
        return Wait(_reset(last, now), WaitReason.WINDOW_EMPTY, last.family)
    # More than four doublings are useless: the 15-minute window resets by then.
    backoff = min(
        _FIRST_BACKOFF * 2 ** min(max(refusals, 1) - 1, 4), _LENGTHS[Family.FIFTEEN_MINUTES]
    )
    return Wait(now + backoff, WaitReason.UNEXPLAINED)


def _reset(window: Window, now: datetime) -> datetime:
    """Return when the window resets: at most its own length from now, if X's time is absurd."""
    return min(window.resets_at, now + _LENGTHS[window.family]) + _MARGIN


def _end_of(period: str, now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period.lower() == "daily":
        return midnight + timedelta(days=1) + _MARGIN
    next_month = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return next_month + _MARGIN
