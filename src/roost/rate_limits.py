"""X's rate limits: parse the headers into windows, and decide how long to wait.

The headers of a response describe up to three windows: 15 minutes per endpoint, 24 hours per user,
and 24 hours per app. X may respond with 429 although the 15-minute window still allows requests:
because another window allows none, because a monthly cap is reached, or without a stated reason.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final


class Family(StrEnum):
    """The families of rate limit headers, which differ in what X counts and for how long."""

    FIFTEEN_MINUTES = "fifteen_minutes"
    """The requests to an endpoint by one user (or app) in 15 minutes."""
    USER_DAY = "user_day"
    """The requests to an endpoint by one user in 24 hours."""
    APP_DAY = "app_day"
    """The requests to an endpoint by all users of the app together in 24 hours."""


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
#: Added to each reset time. X reports reset times in whole seconds, and X's clock may differ from
#: ours; X would refuse a request that comes too early.
_MARGIN: Final = timedelta(seconds=1)
#: The wait after the first 429 that no exhausted window explains; each further such 429 doubles the
#: wait.
_FIRST_BACKOFF: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A rate limit window: until `resets_at`, X allows `remaining` more of `limit` requests."""

    family: Family
    limit: int
    remaining: int
    resets_at: datetime


class WaitReason(StrEnum):
    """The reason for a wait."""

    WINDOW_EMPTY = "window_empty"
    """A window allows no more requests; the wait ends when the window resets."""
    USAGE_CAP = "usage_cap"
    """The plan's cap for the day or month is reached, so a reset of a window does not end the wait.
    A person may raise the cap."""
    UNEXPLAINED = "unexplained"
    """No window is exhausted, or the response has no headers: each further wait is longer."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait after X has refused a request: no request is sent before `until`."""

    until: datetime
    reason: WaitReason
    family: Family | None = None
    """The window whose reset ends the wait, if any."""


def parse_windows(headers: Mapping[str, str]) -> tuple[Window, ...]:
    """Return the windows in a response's headers; header names may have any case.

    A family with a missing or malformed number is skipped; no number is guessed.
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

    None if a window never allows that many requests, because its limit is smaller.
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

    `usage_cap` is the `period` in X's error (`Daily` or `Monthly`) if X reported a usage cap. The
    wait then ends with the UTC day or month, whatever the windows say. X's billing month begins on
    the day of subscription, which no response contains. X may therefore refuse one more request
    after the wait; X does not bill refusals. `refusals` is the number of consecutive 429s for which
    no window was empty, including this 429.
    """
    if usage_cap is not None:
        return Wait(_end_of(usage_cap, now), WaitReason.USAGE_CAP)
    empty = [window for window in windows if window.remaining == 0 and window.resets_at > now]
    if empty:
        last = max(empty, key=lambda window: _reset(window, now))
        return Wait(_reset(last, now), WaitReason.WINDOW_EMPTY, last.family)
    # After four doublings, the wait would be 16 minutes. The maximum is 15 minutes, because by
    # then the 15-minute window has reset.
    backoff = min(
        _FIRST_BACKOFF * 2 ** min(max(refusals, 1) - 1, 4), _LENGTHS[Family.FIFTEEN_MINUTES]
    )
    return Wait(now + backoff, WaitReason.UNEXPLAINED)


def _reset(window: Window, now: datetime) -> datetime:
    """Return when the window resets, with a margin.

    The result is at most the window's length from now, because X's reset time may be wrong.
    """
    return min(window.resets_at, now + _LENGTHS[window.family]) + _MARGIN


def _end_of(period: str, now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period.lower() == "daily":
        return midnight + timedelta(days=1) + _MARGIN
    next_month = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return next_month + _MARGIN
