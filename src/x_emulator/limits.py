"""How often an app and a user may ask: X's published limits, counted in windows.

A window opens with its first request and lasts 15 minutes (or 24 hours) of emulated time.
Source: the documentation's page on rate limits, November 2026.
"""

import math
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
    "media_initialize": Limits(1_875, app_day=180_000),
    "media_append": Limits(1_875, app_day=180_000),
    "media_finalize": Limits(1_875, app_day=180_000),
    "media_status": Limits(1_000, app_day=100_000),
    "media_metadata": Limits(500, app_day=50_000),
}


@dataclass(frozen=True)
class Standing:
    """Where the user's 15 minutes stand after this request, and whether it may go on."""

    limit: int
    remaining: int
    reset_at: datetime
    allowed: bool

    def headers(self) -> list[tuple[bytes, bytes]]:
        """X tells of the user's window only, even where another one is empty."""
        return [
            (b"x-rate-limit-limit", b"%d" % self.limit),
            (b"x-rate-limit-remaining", b"%d" % self.remaining),
            (b"x-rate-limit-reset", b"%d" % math.ceil(self.reset_at.timestamp())),
        ]


def take(world: World, operation: str, client_id: str, user_id: str, at: datetime) -> Standing:
    """Count one request, unless a window is already full."""
    limits = LIMITS[operation]
    user = _window(world, (operation, "user", client_id, user_id), _QUARTER, at)
    filled = [(user, limits.user)]
    if limits.app is not None:
        filled.append((_window(world, (operation, "app", client_id), _QUARTER, at), limits.app))
    if limits.app_day is not None:
        filled.append((_window(world, (operation, "day", client_id), _DAY, at), limits.app_day))
    counted = world.switches.limits
    allowed = not counted or all(window.used < most for window, most in filled)
    if allowed and counted:
        for window, _ in filled:
            window.used += 1
    return Standing(
        limit=limits.user,
        remaining=max(0, limits.user - user.used),
        reset_at=user.opened_at + _QUARTER,
        allowed=allowed,
    )


def _window(world: World, key: tuple[str, ...], length: timedelta, at: datetime) -> Window:
    window = world.windows.get(key)
    if window is None or at >= window.opened_at + length:
        window = world.windows[key] = Window(at)
    return window
