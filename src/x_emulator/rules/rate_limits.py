"""X's published rate limits. Requests are counted in windows.

A window begins with its first request, and lasts 15 minutes or 24 hours of emulated time.
Source: the page on rate limits in X's documentation, November 2026.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from x_emulator.state import Window, World

_QUARTER_HOUR = timedelta(minutes=15)
_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Limits:
    """The limits of an operation: requests in 15 minutes (user, app) and in 24 hours (app)."""

    user: int
    app: int | None = None
    app_day: int | None = None


LIMITS = {
    "create_post": Limits(100, app_day=10_000),
    "delete_post": Limits(50),
    "read_posts": Limits(5_000, app=3_500),
    "read_post": Limits(900, app=450),
    "read_timeline": Limits(900, app=10_000),
    "read_me": Limits(75),
    "read_user": Limits(900, app=300),
    "read_users": Limits(900, app=300),
    "read_post_analytics": Limits(300, app=300),
    "read_media_analytics": Limits(300, app=300),
    "read_usage": Limits(50, app=50),
    "media_initialize": Limits(1_875, app_day=180_000),
    "media_append": Limits(1_875, app_day=180_000),
    "media_finalize": Limits(1_875, app_day=180_000),
    "media_status": Limits(1_000, app_day=100_000),
    "media_metadata": Limits(500, app_day=50_000),
    "media_upload": Limits(500, app_day=50_000),
    "media_subtitles": Limits(500, app_day=50_000),
    "media_subtitles_delete": Limits(500, app_day=50_000),
    # X publishes no limits for v1.1, so these are the limits of v2.
    "v1_media_upload": Limits(1_875, app_day=180_000),
    "v1_media_status": Limits(1_000, app_day=100_000),
    "v1_media_metadata": Limits(500, app_day=50_000),
    "v1_media_subtitles": Limits(500, app_day=50_000),
    "v1_verify_credentials": Limits(75),
}


class _Limit(NamedTuple):
    holder: str
    window: Window
    max_requests: int
    length: timedelta

    @property
    def remaining(self) -> int:
        return max(0, self.max_requests - self.window.used)

    def headers(self, name: bytes) -> list[tuple[bytes, bytes]]:
        return [
            (name + b"-limit", b"%d" % self.max_requests),
            (name + b"-remaining", b"%d" % self.remaining),
            (name + b"-reset", _epoch(self.window.opened_at + self.length)),
        ]


class Usage(NamedTuple):
    """The state of the caller's limits after a request, and whether the request is allowed."""

    reported: _Limit
    allowed: bool
    daily: Sequence[_Limit]
    """The 24-hour limits, which the headers report only if a switch is on."""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the rate-limit headers.

        X reports a single 15-minute limit, even if it refuses a request because of another limit.
        With the switch `daily_limit_headers`, the headers also report the 24-hour limits, as X does
        on older tiers.
        """
        headers = self.reported.headers(b"x-rate-limit")
        for limit in self.daily:
            headers += limit.headers(b"x-%s-limit-24hour" % limit.holder.encode())
        return headers


def count_request(
    world: World, operation: str, client_id: str, user_id: str | None, at: datetime
) -> Usage:
    """Count a request unless a limit is exhausted. `user_id` is None for an app-only token."""
    limits = _limits_of(world, operation, client_id, user_id, at)
    allowed = True
    if world.switches.rate_limits:
        allowed = all(each.window.used < each.max_requests for each in limits)
        for each in limits if allowed else ():
            each.window.used += 1
    daily: Sequence[_Limit] = ()
    if world.switches.daily_limit_headers:
        daily = [each for each in limits if each.length is _DAY]
    return Usage(limits[0], allowed, daily)


def _limits_of(
    world: World, operation: str, client_id: str, user_id: str | None, at: datetime
) -> list[_Limit]:
    published, max_posts_per_day = LIMITS[operation], world.switches.max_posts_per_day
    limits = []
    if user_id is not None:
        window = _window(world, (operation, "user", client_id, user_id), _QUARTER_HOUR, at)
        max_reads = world.switches.max_reads_per_window if operation.startswith("read_") else None
        max_requests = published.user if max_reads is None else max_reads
        limits.append(_Limit("user", window, max_requests, _QUARTER_HOUR))
    if published.app is not None or user_id is None:
        window = _window(world, (operation, "app", client_id), _QUARTER_HOUR, at)
        limits.append(_Limit("app", window, published.app or published.user, _QUARTER_HOUR))
    if published.app_day is not None:
        window = _window(world, (operation, "day", client_id), _DAY, at)
        limits.append(_Limit("app", window, published.app_day, _DAY))
    if operation == "create_post" and max_posts_per_day is not None and user_id is not None:
        window = _window(world, (operation, "user-day", client_id, user_id), _DAY, at)
        limits.append(_Limit("user", window, max_posts_per_day, _DAY))
    return limits


def _epoch(at: datetime) -> bytes:
    return b"%d" % math.ceil(at.timestamp())


def _window(world: World, key: tuple[str, ...], length: timedelta, at: datetime) -> Window:
    window = world.windows.get(key)
    if window is None or at >= window.opened_at + length:
        window = world.windows[key] = Window(at)
    return window
