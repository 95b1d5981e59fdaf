"""Domain time: the clock for due times, token expiry and snapshots.

Wall time (timeouts, heartbeats, deadlines) does not use this clock. If `ROOST_CLOCK_URL` is set,
domain time is the emulator's clock, which may run faster, be frozen, or jump.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlsplit

from roost.endpoint import XEndpoint
from roost.errors import SettingInvalid
from roost.models import Environment

#: If this machine's clock differs from the clock of the database or of X by more than this, this
#: machine sends nothing.
MAX_SKEW: Final = timedelta(seconds=30)


def describe_skew(reference: datetime | None, here: datetime) -> str | None:
    """Describe how wrong this machine's clock is.

    Returns None if the difference is at most `MAX_SKEW`, or if there is no reference.
    """
    if reference is None or abs(here - reference) <= MAX_SKEW:
        return None
    seconds = round((here - reference).total_seconds())
    return f"this machine's clock is {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"


class Clock(Protocol):
    """A source of domain time."""

    def now(self) -> datetime:
        """Return the current domain time as an aware datetime in UTC."""
        ...

    @property
    def is_wall_time(self) -> bool:
        """Whether domain time equals wall time: the clock runs at rate 1 and was never moved."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` has reached `instant`, even if the clock jumps to that instant."""
        ...


def wall_now() -> datetime:
    """Return wall time, the machine's time in UTC, for comparisons with other clocks."""
    return datetime.now(UTC)


class SystemClock:
    """The machine's clock as domain time."""

    is_wall_time = True

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep until `instant` of the machine's time.

        Each sleep is at most 60 s long. After a suspension of the machine, the method therefore
        returns at most 60 s late.
        """
        while (left := (instant - self.now()).total_seconds()) > 0:  # noqa: ASYNC110  no event signals a time
            await asyncio.sleep(min(left, 60.0))


def require_same_host(clock_url: str, endpoint: XEndpoint) -> None:
    """Check that the server of an emulated clock is the emulator that receives the posts.

    Otherwise, an emulated clock could decide when posts are sent to the real X.

    Raises: SettingInvalid.
    """
    clock, x = urlsplit(clock_url), urlsplit(endpoint.base_url)
    is_live = endpoint.environment is Environment.LIVE
    if is_live or (clock.scheme, clock.netloc.lower()) != (x.scheme, x.netloc):
        raise SettingInvalid(
            f"ROOST_CLOCK_URL ({clock.hostname}) must be on the host of ROOST_X_BASE_URL"
            f" ({x.netloc}), and that host must be an emulator.",
            setting="ROOST_CLOCK_URL",
        )


@contextlib.asynccontextmanager
async def open_clock(clock_url: str | None, endpoint: XEndpoint) -> AsyncIterator[Clock]:
    """Open the system's clock, or the emulator's clock if `clock_url` is set.

    Raises: SettingInvalid if `clock_url` is not on the emulator's host, Broken if the emulator does
    not respond.
    """
    if clock_url is None:
        yield SystemClock()
        return
    require_same_host(clock_url, endpoint)
    # Only an emulator's clock needs an HTTP client.
    from roost.emulator_clock import follow_emulator_clock

    async with follow_emulator_clock(clock_url) as clock:
        yield clock
