"""How often an app and a user may ask: X's published limits, counted in windows.

A window opens with its first request and lasts 15 minutes (or 24 hours) of emulated time.
Source: the documentation's page on rate limits, November 2026.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

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
    "media_subtitles_delete": Limits(500, app_day=50_000),
    # Of v1.1 no limits are published; these are those of v2.
    "v1_media_upload": Limits(1_875, app_day=180_000),
    "v1_media_status": Limits(1_000, app_day=100_000),
    "v1_media_metadata": Limits(500, app_day=50_000),
    "v1_media_subtitles": Limits(500, app_day=50_000),
    "v1_verify_credentials": Limits(75),
}


class _Bucket(NamedTuple):
    whose: str
    window: Window
    most: int
    length: timedelta

    @property
    def remaining(self) -> int:
        return max(0, self.most - self.window.used)

    def headers(self, name: bytes) -> list[tuple[bytes, bytes]]:
        return [
            (name + b"-limit", b"%d" % self.most),
            (name + b"-remaining", b"%d" % self.remaining),
            (name + b"-reset", _epoch(self.window.opened_at + self.length)),
        ]


class Standing(NamedTuple):
    """Where the caller's windows stand after this request, and whether it may go on."""

    shown: _Bucket
    allowed: bool
    days: Sequence[_Bucket]
    """Windows of 24 hours that are told."""

    def headers(self) -> list[tuple[bytes, bytes]]:
        """X tells of the 15 minutes only, even where another window is empty; older tiers tell
        of the 24 hours too (switch `day_headers`)."""
        told = self.shown.headers(b"x-rate-limit")
        for each in self.days:
            told += each.headers(b"x-%s-limit-24hour" % each.whose.encode())
        return told


def take(
    world: World, operation: str, client_id: str, user_id: str | None, at: datetime
) -> Standing:
    """Count one request, unless a window is already full; an app alone has only its own."""
    buckets = _buckets(world, operation, client_id, user_id, at)
    allowed = True
    if world.switches.limits:
        allowed = all(each.window.used < each.most for each in buckets)
        for each in buckets if allowed else ():
            each.window.used += 1
    told = world.switches.day_headers
    days = [each for each in buckets if each.length is _DAY] if told else ()
    return Standing(buckets[0], allowed, days)


def _buckets(
    world: World, operation: str, client_id: str, user_id: str | None, at: datetime
) -> list[_Bucket]:
    limits, most_a_day = LIMITS[operation], world.switches.posts_a_day
    found = []
    if user_id is not None:
        window = _window(world, (operation, "user", client_id, user_id), _QUARTER, at)
        reads = world.switches.reads_a_window if operation.startswith("read_") else None
        most = limits.user if reads is None else reads
        found.append(_Bucket("user", window, most, _QUARTER))
    if limits.app is not None or user_id is None:
        window = _window(world, (operation, "app", client_id), _QUARTER, at)
        found.append(_Bucket("app", window, limits.app or limits.user, _QUARTER))
    if limits.app_day is not None:
        window = _window(world, (operation, "day", client_id), _DAY, at)
        found.append(_Bucket("app", window, limits.app_day, _DAY))
    if operation == "create_post" and most_a_day is not None and user_id is not None:
        window = _window(world, (operation, "user-day", client_id, user_id), _DAY, at)
        found.append(_Bucket("user", window, most_a_day, _DAY))
    return found


def _epoch(at: datetime) -> bytes:
    return b"%d" % math.ceil(at.timestamp())


def _window(world: World, key: tuple[str, ...], length: timedelta, at: datetime) -> Window:
    window = world.windows.get(key)
    if window is None or at >= window.opened_at + length:
        window = world.windows[key] = Window(at)
    return window
