"""How often an app and a user may ask: X's published limits, counted in windows.

A window opens with its first request and lasts 15 minutes (or 24 hours) of emulated time.
Source: the documentation's page on rate limits, November 2026.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from x_emulator.state import Window, World

_QUARTER = timedelta(minutes=15)
_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Limits:
    """Requests per 15 minutes for a user and for an app, and per 24 hours for an app."""

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
    # Of v1.1 no limits are published; these are those of v2.
    "v1_media_upload": Limits(1_875, app_day=180_000),
    "v1_media_status": Limits(1_000, app_day=100_000),
    "v1_media_metadata": Limits(500, app_day=50_000),
    "v1_media_subtitles": Limits(500, app_day=50_000),
    "v1_verify_credentials": Limits(75),
}


@dataclass(frozen=True)
class Standing:
    """Where the caller's windows stand after this request, and whether it may go on."""

    limit: int
    remaining: int
    reset_at: datetime
    allowed: bool
    days: tuple[tuple[str, int, int, datetime], ...] = ()
    """Windows of 24 hours that are told: whose (app, user), limit, what remains, reset."""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """X tells of the 15 minutes only, even where another window is empty; older tiers tell
        of the 24 hours too (switch `day_headers`)."""
        told = [
            (b"x-rate-limit-limit", b"%d" % self.limit),
            (b"x-rate-limit-remaining", b"%d" % self.remaining),
            (b"x-rate-limit-reset", _epoch(self.reset_at)),
        ]
        for whose, limit, remaining, reset_at in self.days:
            name = f"x-{whose}-limit-24hour".encode()
            told += [
                (name + b"-limit", b"%d" % limit),
                (name + b"-remaining", b"%d" % remaining),
                (name + b"-reset", _epoch(reset_at)),
            ]
        return told


@dataclass(frozen=True)
class _Bucket:
    whose: str
    window: Window
    most: int
    length: timedelta

    @property
    def remaining(self) -> int:
        return max(0, self.most - self.window.used)

    @property
    def reset_at(self) -> datetime:
        return self.window.opened_at + self.length


def take(
    world: World, operation: str, client_id: str, user_id: str | None, at: datetime
) -> Standing:
    """Count one request, unless a window is already full; an app alone has only its own."""
    buckets = list(_buckets(world, operation, client_id, user_id, at))
    counted = world.switches.limits
    allowed = not counted or all(each.remaining > 0 for each in buckets)
    if allowed and counted:
        for each in buckets:
            each.window.used += 1
    shown = buckets[0]
    days = [each for each in buckets if each.length == _DAY and world.switches.day_headers]
    return Standing(
        limit=shown.most,
        remaining=shown.remaining,
        reset_at=shown.reset_at,
        allowed=allowed,
        days=tuple((each.whose, each.most, each.remaining, each.reset_at) for each in days),
    )


def _buckets(
    world: World, operation: str, client_id: str, user_id: str | None, at: datetime
) -> Iterator[_Bucket]:
    limits, most_a_day = LIMITS[operation], world.switches.posts_a_day
    if user_id is not None:
        window = _window(world, (operation, "user", client_id, user_id), _QUARTER, at)
        yield _Bucket("user", window, limits.user, _QUARTER)
    if limits.app is not None or user_id is None:
        window = _window(world, (operation, "app", client_id), _QUARTER, at)
        yield _Bucket("app", window, limits.app or limits.user, _QUARTER)
    if limits.app_day is not None:
        window = _window(world, (operation, "day", client_id), _DAY, at)
        yield _Bucket("app", window, limits.app_day, _DAY)
    if operation == "create_post" and most_a_day is not None and user_id is not None:
        window = _window(world, (operation, "user-day", client_id, user_id), _DAY, at)
        yield _Bucket("user", window, most_a_day, _DAY)


def _epoch(at: datetime) -> bytes:
    return b"%d" % math.ceil(at.timestamp())


def _window(world: World, key: tuple[str, ...], length: timedelta, at: datetime) -> Window:
    window = world.windows.get(key)
    if window is None or at >= window.opened_at + length:
        window = world.windows[key] = Window(at)
    return window
