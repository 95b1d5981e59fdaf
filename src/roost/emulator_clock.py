"""The emulator's clock: domain time that may run faster, be frozen, or jump."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec

from roost.connection_failures import describe_connection_failure
from roost.errors import Broken
from roost.http_body import read_body
from roost.next_actions import ActionCode, NextAction

#: The emulator's clock counts as not moved if it differs from wall time by less than this.
_UNMOVED = timedelta(seconds=1)
#: The emulator responds to a long poll within this time; the timeout of the request is longer.
_POLL = timedelta(seconds=25)


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
        """Sleep until `instant` of emulated time.

        The wall time to sleep follows from the clock's rate, and is computed again if the clock
        changes.
        """
        while (left := (instant - self.now()).total_seconds()) > 0:
            changed = self._changed
            rate = self._reading.rate
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), left / rate if rate > 0 else None)

    async def follow(self) -> None:
        """Follow changes of the clock forever; if a request fails, try again every second."""
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


@contextlib.asynccontextmanager
async def follow_emulator_clock(clock_url: str) -> AsyncIterator[EmulatorClock]:
    """Read the clock, and follow changes of the clock until the end of the block.

    Raises: Broken if the emulator does not respond, or if its response is not a clock reading.
    """
    async with aiohttp.ClientSession() as session:
        try:
            reading = await _read(session, clock_url, None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Broken(
                f"The emulator's clock at {clock_url} does not respond:"
                f" {describe_connection_failure(error)}.",
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
