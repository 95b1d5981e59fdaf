"""Domain time: the one clock that due times, token expiry and snapshots are told by.

Wall time (HTTP time-outs, leases, heartbeats) is not this clock's business. The surprise: with
`ROOST_CLOCK_URL` the clock is the emulator's, which may run faster, stand still or jump.
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

#: An emulator's clock that differs less from its own wall clock was not moved.
_UNMOVED = timedelta(seconds=1)
#: The emulator answers a long poll after this at the latest; we wait a little longer.
_POLL = timedelta(seconds=25)


#: Clocks that differ by more are wrong: nothing is sent by them.
MAX_SKEW: Final = timedelta(seconds=30)


def describe_skew(reference: datetime | None, here: datetime) -> str | None:
    """How far this machine's clock is off, where it is too far; None: it is right, or unknown."""
    if reference is None or abs(here - reference) <= MAX_SKEW:
        return None
    seconds = round((here - reference).total_seconds())
    return f"this machine's clock is {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"


class Clock(Protocol):
    """Tells domain time, and sleeps until an instant of it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    @property
    def is_wall_time(self) -> bool:
        """Whether it is true time: not frozen, moved, or running at another rate."""
        ...

    async def sleep_until(self, instant: datetime) -> None:
        """Return once `now()` has reached `instant`, also when the clock jumps there."""
        ...


def wall_now() -> datetime:
    """The machine's wall clock, in UTC: for comparing it with others', never for domain time."""
    return datetime.now(UTC)


class SystemClock:
    """Domain time is the machine's time."""

    is_wall_time = True

    def now(self) -> datetime:
        """The machine's present, in UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep on the event loop; a machine that was suspended catches up within a minute."""
        while (left := (instant - self.now()).total_seconds()) > 0:  # noqa: ASYNC110  no event tells
            await asyncio.sleep(min(left, 60.0))


@dataclass(frozen=True)
class ClockReading:
    """What `GET /_emulator/clock` says: `emulated` was true at `wall`, and runs at `rate`."""

    wall: datetime
    emulated: datetime
    rate: float
    version: int

    def at(self, wall: datetime) -> datetime:
        """Emulated time at a wall instant."""
        return self.emulated + (wall - self.wall) * self.rate


class EmulatorClock:
    """Follows the emulator's clock: computed locally, one long poll open for its changes."""

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
        """The emulator's present, by the last reading."""
        return self._reading.at(datetime.now(UTC))

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep in wall time at the clock's rate; wake and look again when the clock changes."""
        while (left := (instant - self.now()).total_seconds()) > 0:
            changed = self._changed
            rate = self._reading.rate
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), left / rate if rate > 0 else None)

    async def follow(self) -> None:
        """Keep one long poll open for ever; an emulator that is gone is asked again each second."""
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
    async with session.get(url, params=params, timeout=timeout, allow_redirects=False) as answer:
        if answer.status != 200:
            raise Broken(f"The emulator's clock at {url} answered {answer.status}.")
        try:
            told = msgspec.json.decode(await read_body(answer))
            return ClockReading(
                wall=datetime.fromisoformat(told["wall"]),
                emulated=datetime.fromisoformat(told["emulated"]),
                rate=float(told["rate"]),
                version=int(told["version"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            raise Broken(
                f"What answers at {url} is no emulator's clock.",
                next="Set ROOST_CLOCK_URL to the emulator's address and `/_emulator/clock`.",
            ) from None


def in_time_zone(instant: datetime, zone: str) -> datetime:
    """The same instant with the offset of an IANA zone; in UTC where that has no date there."""
    try:
        return instant.astimezone(ZoneInfo(zone))
    except OverflowError:
        return instant.astimezone(UTC)


def require_same_host(clock_url: str, endpoint: XEndpoint) -> None:
    """Refuse a foreign clock beside the real X: posts would go out at invented times.

    Raises: SettingInvalid.
    """
    clock, x = urlsplit(clock_url), urlsplit(endpoint.base_url)
    is_live = endpoint.environment is Environment.LIVE
    if is_live or (clock.scheme, clock.netloc.lower()) != (x.scheme, x.netloc):
        raise SettingInvalid(
            f"ROOST_CLOCK_URL ({clock.hostname}) must be on the same host as ROOST_X_BASE_URL"
            f" ({x.netloc}): a clock of its own is for the emulator alone.",
            setting="ROOST_CLOCK_URL",
        )


@contextlib.asynccontextmanager
async def open_clock(clock_url: str | None, endpoint: XEndpoint) -> AsyncIterator[Clock]:
    """The system's clock, or the emulator's where `clock_url` is set.

    Raises: SettingInvalid (another host than the emulator's), Broken (it does not answer).
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
                f"The emulator's clock at {clock_url} does not answer ({type(error).__name__}).",
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
