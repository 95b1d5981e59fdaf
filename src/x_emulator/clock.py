"""The emulated clock, which can stop, run faster and move forward, and its followers.

A follower is a client that polls for changes of the clock. A method that changes the clock first
waits (at most two seconds) until each follower has received the change and polled again. After it
returns, the caller can rely on the followers to know the new time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

#: The longest time, in wall seconds, that a change of the clock waits for followers to poll again.
_FOLLOWER_TIMEOUT_S = 2.0

#: The latest emulated time. X's ids contain the time, and run out of bits some years later.
LAST = datetime(2070, 1, 1, tzinfo=UTC)
_MAX_RATE = 1_000_000
_NOT_BACKWARD = "The clock does not move backward, because ids grow with time."
_TOO_FAR = f"The clock does not go beyond {LAST.year}."


class EmulatedClock:
    """A clock that computes the emulated time from the machine's time and a rate."""

    def __init__(self) -> None:
        self._wall = self._emulated = datetime.now(UTC)
        self._rate = 1.0
        self.version = 1
        self._changed = asyncio.Event()
        self._returned = asyncio.Event()
        self._closed = False
        self._polling: set[asyncio.Transport] = set()
        #: Connections that received the current version and have not polled again.
        self._away: set[asyncio.Transport] = set()
        self._changing = asyncio.Lock()

    def now(self) -> datetime:
        """Return the emulated time as an aware datetime in UTC."""
        passed = datetime.now(UTC) - self._wall
        return self._emulated + (passed if self._rate == 1 else passed * self._rate)

    def reading(self) -> dict[str, object]:
        """Return the data from which followers compute the emulated time.

        When the machine's time was `wall`, the emulated time was `emulated`, with this `rate`.
        """
        wall = datetime.now(UTC)
        emulated = self._emulated + (wall - self._wall) * self._rate
        return {
            "wall": wall.isoformat(),
            "emulated": emulated.isoformat(),
            "rate": self._rate,
            "version": self.version,
        }

    async def wait_for_change(
        self,
        *,
        after: int,
        seconds: float,
        connection: asyncio.Transport,
        disconnected: Callable[[], Awaitable[None]],
    ) -> None:
        """Wait until the version differs from `after`, the client disconnects or time is up."""
        if after == self.version and not self._closed:
            self._away.discard(connection)
            self._returned.set()
            self._polling.add(connection)
            try:
                await _wait_for_first(self._changed.wait(), disconnected(), seconds=seconds)
            finally:
                self._polling.discard(connection)
        self._away.add(connection)

    async def jump(self, seconds: float) -> None:
        """Move the emulated time forward without a change of rate. Raises: ValueError."""
        if not seconds >= 0:
            raise ValueError(_NOT_BACKWARD)
        if not seconds <= (LAST - self.now()).total_seconds():
            raise ValueError(_TOO_FAR)
        await self._change(self.now() + timedelta(seconds=seconds), self._rate)

    async def jump_to(self, instant: datetime) -> None:
        """Move emulated time to an instant. Raises: ValueError."""
        await self._change(_check_instant(instant, not_before=self.now()), self._rate)

    async def set_rate(self, rate: float) -> None:
        """Run the emulated clock `rate` times as fast as the machine's clock. 0 stops the clock.

        Raises: ValueError.
        """
        if not rate >= 0:
            raise ValueError(_NOT_BACKWARD)
        if rate > _MAX_RATE:
            raise ValueError(
                f"The clock runs at most {_MAX_RATE:,} times as fast as the machine's."
            )
        await self._change(self.now(), rate)

    async def restart(self, at: datetime | None = None) -> None:
        """Return to the machine's time, or to a later instant, at the machine's rate.

        Raises: ValueError.
        """
        now = datetime.now(UTC)
        await self._change(now if at is None else _check_instant(at, not_before=now), 1.0)

    def dump(self) -> tuple[datetime, datetime, float]:
        """Return the state to save: a machine's time, the emulated time at it, and the rate."""
        return self._wall, self._emulated, self._rate

    def load(self, wall: datetime, emulated: datetime, rate: float) -> None:
        """Restore a saved state. Call this before any follower polls."""
        self._wall, self._emulated, self._rate = wall, emulated, rate

    def close(self) -> None:
        """End all open polls of followers, so that the server can stop."""
        self._closed = True
        self._changed.set()

    async def _change(self, emulated: datetime, rate: float) -> None:
        async with self._changing:
            self._wall, self._emulated, self._rate = datetime.now(UTC), emulated, rate
            self.version += 1
            self._away |= self._polling
            self._changed.set()
            self._changed = asyncio.Event()
            await self._wait_for_followers()

    async def _wait_for_followers(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _FOLLOWER_TIMEOUT_S
        while True:
            self._returned.clear()
            self._away = {each for each in self._away if not each.is_closing()}
            left = deadline - loop.time()
            if not self._away or left <= 0:
                break
            try:
                await asyncio.wait_for(self._returned.wait(), min(left, 0.05))
            except TimeoutError:
                continue
        self._away.clear()


def _check_instant(instant: datetime, *, not_before: datetime) -> datetime:
    """Return an instant to which the clock may move, in UTC. Raises: ValueError."""
    if instant.tzinfo is None:
        raise ValueError("An instant needs an offset from UTC.")
    if instant < not_before:
        raise ValueError(_NOT_BACKWARD)
    if instant > LAST:
        raise ValueError(_TOO_FAR)
    return instant.astimezone(UTC)


async def _wait_for_first(*awaitables: Awaitable[object], seconds: float) -> None:
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
