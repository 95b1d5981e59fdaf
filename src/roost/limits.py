"""X's rate limits: headers → windows → how long to wait. Pure; the caller tells the time.

An answer may carry up to three families of headers: the endpoint's 15 minutes, and 24 hours of
the user and of the app. The surprise: a 429 can come with a full 15-minute window, because
another window is the empty one, because a monthly cap is reached, or for no stated reason.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final


class Family(StrEnum):
    """Which of X's counters a window is."""

    FIFTEEN_MINUTES = "fifteen_minutes"
    """One endpoint, one user (or app), 15 minutes."""
    USER_DAY = "user_day"
    """One endpoint, one user, 24 hours."""
    APP_DAY = "app_day"
    """One endpoint, all users of the app together, 24 hours."""


_PREFIXES: Final = {
    Family.FIFTEEN_MINUTES: "x-rate-limit",
    Family.USER_DAY: "x-user-limit-24hour",
    Family.APP_DAY: "x-app-limit-24hour",
}
_NAMES: Final = {
    family: (f"{prefix}-limit", f"{prefix}-remaining", f"{prefix}-reset")
    for family, prefix in _PREFIXES.items()
}
#: Every header that tells of a window, in lower case.
HEADERS: Final = tuple(name for names in _NAMES.values() for name in names)
_LENGTHS: Final = {
    Family.FIFTEEN_MINUTES: timedelta(minutes=15),
    Family.USER_DAY: timedelta(hours=24),
    Family.APP_DAY: timedelta(hours=24),
}
_FIGURE: Final = re.compile(r"[0-9]{1,15}")
#: A reset is told in whole seconds, and two clocks differ: be late rather than early.
_MARGIN: Final = timedelta(seconds=1)
#: The first wait after a 429 that no window explains; doubled at each further one.
_FIRST_BACK_OFF: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """How much X still allows until an instant."""

    family: Family
    limit: int
    remaining: int
    resets_at: datetime


class WaitReason(StrEnum):
    """Why there is something to wait for."""

    WINDOW_EMPTY = "window_empty"
    """A window is used up; its reset ends the wait."""
    USAGE_CAP = "usage_cap"
    """The plan's cap for the day or month is reached: resets of windows mean nothing, and a
    person may raise the cap."""
    UNEXPLAINED = "unexplained"
    """X refused with no empty window, or no header at all: back off, longer each time."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when to leave X alone after a refusal, and why."""

    until: datetime
    reason: WaitReason
    family: Family | None = None
    """The window that ends the wait, where one does."""


def read_windows(headers: Mapping[str, str]) -> tuple[Window, ...]:
    """The windows that an answer tells of; header names in any case.

    A family with a missing or malformed figure is left out, never guessed.
    Source: docs.x.com, x-api/fundamentals/rate-limits.
    """
    told = {name.lower(): value for name, value in headers.items()}
    windows = []
    for family, names in _NAMES.items():
        if names[0] not in told:
            continue
        figures = [told.get(name, "").strip() for name in names]
        if not all(map(_FIGURE.fullmatch, figures)):
            continue
        limit, remaining, reset = map(int, figures)
        try:
            resets_at = datetime.fromtimestamp(reset, UTC)
        except (OverflowError, ValueError, OSError):
            continue
        windows.append(Window(family, limit, remaining, resets_at))
    return tuple(windows)


def wait_for_room(
    windows: Iterable[Window], *, now: datetime, requests: int = 1
) -> timedelta | None:
    """How long until every window has room for so many requests; zero: at once.

    None: never, because a window is smaller than that even when full.
    """
    current = [window for window in windows if window.resets_at > now]
    if any(window.limit < requests for window in current):
        return None
    full = [window for window in current if window.remaining < requests]
    return max((_reset(window, now) - now for window in full), default=timedelta(0))


def wait_after_429(
    windows: Iterable[Window],
    *,
    now: datetime,
    usage_cap: str | None = None,
    refusals: int = 1,
) -> Wait:
    """Until when to wait after a 429.

    `usage_cap` is the problem's `period` (`Daily` or `Monthly`) where X said that usage is
    capped: then no window matters, and the wait ends with the UTC day or month. X's own month
    begins on the day of subscription, which no answer tells: at worst one more refusal, unbilled.
    `refusals` counts the 429s in a row that nothing explained, this one included.
    """
    if usage_cap is not None:
        return Wait(_end_of(usage_cap, now), WaitReason.USAGE_CAP)
    empty = [window for window in windows if window.remaining == 0 and window.resets_at > now]
    if empty:
        last = max(empty, key=lambda window: _reset(window, now))
        return Wait(_reset(last, now), WaitReason.WINDOW_EMPTY, last.family)
    # Doubling past four times adds nothing: 15 minutes empty the ordinary window anyway.
    back_off = min(
        _FIRST_BACK_OFF * 2 ** min(max(refusals, 1) - 1, 4), _LENGTHS[Family.FIFTEEN_MINUTES]
    )
    return Wait(now + back_off, WaitReason.UNEXPLAINED)


def _reset(window: Window, now: datetime) -> datetime:
    """When the window is full again; a nonsensical reset is no later than its length from now."""
    return min(window.resets_at, now + _LENGTHS[window.family]) + _MARGIN


def _end_of(period: str, now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period.lower() == "daily":
        return midnight + timedelta(days=1) + _MARGIN
    next_month = (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
    return next_month + _MARGIN
