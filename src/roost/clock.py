"""Domain time: the clock for due times, token expiry and snapshots.

Wall time (timeouts, heartbeats, deadlines) does not use this clock. If `ROOST_CLOCK_URL` is set,
domain time is the emulator's clock, which may run faster, be frozen, or jump.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
import msgspec

from roost.endpoint import XEndpoint
from roost.errors import Broken, SettingInvalid
from roost.http_body import read_body
from roost.models import Environment
from roost.next_actions import ActionCode, NextAction

#: An emulator's clock that differs by less than this from wall time counts as not moved.
_UNMOVED = timedelta(seconds=1)
#: The emulator responds to a long poll within this time; the timeout of the request is longer.
_POLL = timedelta(seconds=25)


#: If this machine's clock differs from the reference by more than this, nothing is sent.
MAX_SKEW: Final = timedelta(seconds=30)


def describe_skew(reference: datetime | None, here: datetime) -> str | None:
    """Describe how wrong this machine's clock is; None up to `MAX_SKEW` or without reference."""
    if reference is None or abs(here - reference) <= MAX_SKEW:
        return None
    seconds = round((here - reference).total_seconds())
    return f"this machine's clock is {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"


class Clock(Protocol):
    """A source of domain time."""

    def now(self) -> datetime:
        """Return the current domain time, aware, in UTC."""
        ...

    @property
    def is_wall_time(self) -> bool:
        """Whether domain time equals wall time: the clock was not moved, and has rate 1."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` has reached `instant`, even by a jump of the clock."""
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
        """Sleep at most 60 s at a time, so that a suspended machine catches up within 60 s."""
        while (left := (instant - self.now()).total_seconds()) > 0:  # noqa: ASYNC110  no event signals a time
            await asyncio.sleep(min(left, 60.0))


@dataclass(frozen=True)
class ClockReading:
    """The response of `GET /_emulator/clock`.

    At the instant `wall` of wall time, the emulated time is `emulated`; it advances `rate` times as
    fast as wall time. `version` changes with each change of the clock.
    """

    wall: datetime
    emulated: datetime
    rate: float
    version: int

    def at(self, wall: datetime) -> datetime:
        """Return the emulated time at an instant of wall time."""
        return self.emulated + (wall - self.wall) * self.rate


class EmulatorClock:
    """The emulator's clock as domain time.

    The time is computed from the last reading; a long poll reports changes of the clock.
    """

    def __init__(self, url: str, session: aiohttp.ClientSession, reading: ClockReading) -> None:
        self._url = url
        self._session = session
        self._reading = reading
        self._changed = asyncio.Event()

    @property
    def is_wall_time(self) -> bool:
        """Whether the emulator's clock runs at rate 1 and was never moved."""
        reading = self._reading
        return reading.rate == 1 and abs(reading.emulated - reading.wall) < _UNMOVED

    def now(self) -> datetime:
        """Return the emulated time, computed from the last reading."""
        return self._reading.at(datetime.now(UTC))

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep for the wall time that the rate implies; compute it again if the clock changes."""
        while (left := (instant - self.now()).total_seconds()) > 0:
            changed = self._changed
            rate = self._reading.rate
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), left / rate if rate > 0 else None)

    async def follow(self) -> None:
        """Follow changes of the clock forever; retry each second while the emulator is away."""
        while True:
            try:
                reading = await _read(self._session, self._url, self._reading.version)
            except (aiohttp.ClientError, TimeoutError, Broken):
                await asyncio.sleep(1)
                continue
            if reading.version != self._reading.version:
                self._reading = reading
                self._changed.set()
                self._changed = asyncio.Event()


async def _read(session: aiohttp.ClientSession, url: str, after: int | None) -> ClockReading:
    params = {} if after is None else {"after": str(after), "wait": str(int(_POLL.total_seconds()))}
    timeout = aiohttp.ClientTimeout(total=_POLL.total_seconds() + 10)
    async with session.get(url, params=params, timeout=timeout, allow_redirects=False) as response:
        if response.status != 200:
            raise Broken(f"The emulator's clock at {url} responded with {response.status}.")
        try:
            reading = msgspec.json.decode(await read_body(response))
            return ClockReading(
                wall=datetime.fromisoformat(reading["wall"]),
                emulated=datetime.fromisoformat(reading["emulated"]),
                rate=float(reading["rate"]),
                version=int(reading["version"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            raise Broken(
                f"The server at {url} is not an emulator's clock.",
                next="Set ROOST_CLOCK_URL to the emulator's address plus `/_emulator/clock`.",
            ) from None


def in_time_zone(instant: datetime, zone: str) -> datetime:
    """Convert an instant to an IANA time zone, or to UTC if the result is out of range."""
    try:
        return instant.astimezone(ZoneInfo(zone))
    except OverflowError:
        return instant.astimezone(UTC)


def require_same_host(clock_url: str, endpoint: XEndpoint) -> None:
    """Check that the clock is on the emulator's host, so that it cannot time live posts.

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
    async with aiohttp.ClientSession() as session:
        try:
            reading = await _read(session, clock_url, None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Broken(
                f"The emulator's clock at {clock_url} does not respond ({type(error).__name__}).",
                next_action=NextAction(ActionCode.START_EMULATOR),
            ) from error
        clock = EmulatorClock(clock_url, session, reading)
        following = asyncio.create_task(clock.follow(), name="emulator-clock")
        try:
            yield clock
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
