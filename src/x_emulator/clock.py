"""The emulated clock, which can stop, run faster and move forward, and its followers.

A follower is a client that polls for changes of the clock. A method that changes the clock returns
only when each follower has received the change and polled again, or after two seconds. When the
method has returned, the followers therefore know the new time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

#: The maximum wall seconds for which a change of the clock waits for followers to poll again.
_FOLLOWER_TIMEOUT_S = 2.0

#: The latest emulated time. X's ids contain the time, and have too few bits for much later times.
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
        self._polled_again = asyncio.Event()
        self._closed = False
        self._polling: set[asyncio.Transport] = set()
        #: The connections of the followers that have received the current version of the clock
        #: and have not polled again.
        self._yet_to_poll: set[asyncio.Transport] = set()
        self._changing = asyncio.Lock()

    def now(self) -> datetime:
        """Return the emulated time as an aware datetime in UTC."""
        passed = datetime.now(UTC) - self._wall
        return self._emulated + (passed if self._rate == 1 else passed * self._rate)

    def reading(self) -> dict[str, object]:
        """Return the data from which followers compute the emulated time.

        At the machine's time `wall`, the emulated time is `emulated`; it advances at `rate`.
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
        """Wait until the clock has changed, so that its version differs from `after`.

        The wait also ends if the client disconnects, and after `seconds` of wall time.
        """
        if after == self.version and not self._closed:
            self._yet_to_poll.discard(connection)
            self._polled_again.set()
            self._polling.add(connection)
            try:
                await _wait_for_first(self._changed.wait(), disconnected(), seconds=seconds)
            finally:
                self._polling.discard(connection)
        self._yet_to_poll.add(connection)

    async def jump(self, seconds: float) -> None:
        """Move the emulated time forward by a duration; keep the rate. Raises: ValueError."""
        if not seconds >= 0:
            raise ValueError(_NOT_BACKWARD)
        if not seconds <= (LAST - self.now()).total_seconds():
            raise ValueError(_TOO_FAR)
        await self._change(self.now() + timedelta(seconds=seconds), self._rate)

    async def jump_to(self, instant: datetime) -> None:
        """Move the emulated time to an instant; keep the rate. Raises: ValueError."""
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
        """Set the clock to the machine's time, or to a later instant, and the rate to 1.

        Raises: ValueError.
        """
        now = datetime.now(UTC)
        await self._change(now if at is None else _check_instant(at, not_before=now), 1.0)

    def dump(self) -> tuple[datetime, datetime, float]:
        """Return the state to save: the machine's time now, the emulated time now, and the rate."""
        return self._wall, self._emulated, self._rate

    def load(self, wall: datetime, emulated: datetime, rate: float) -> None:
        """Restore a saved state. Call this before any follower polls."""
        self._wall, self._emulated, self._rate = wall, emulated, rate

    def close(self) -> None:
        """End all open polls of followers, because an open poll would delay the server's stop."""
        self._closed = True
        self._changed.set()

    async def _change(self, emulated: datetime, rate: float) -> None:
        async with self._changing:
            self._wall, self._emulated, self._rate = datetime.now(UTC), emulated, rate
            self.version += 1
            self._yet_to_poll |= self._polling
            self._changed.set()
            self._changed = asyncio.Event()
            await self._wait_for_followers()

    async def _wait_for_followers(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _FOLLOWER_TIMEOUT_S
        while True:
            self._polled_again.clear()
            self._yet_to_poll = {each for each in self._yet_to_poll if not each.is_closing()}
            left = deadline - loop.time()
            if not self._yet_to_poll or left <= 0:
                break
            try:
                await asyncio.wait_for(self._polled_again.wait(), min(left, 0.05))
            except TimeoutError:
                continue
        self._yet_to_poll.clear()


def _check_instant(instant: datetime, *, not_before: datetime) -> datetime:
    """Check that the clock may move to an instant, and return the instant in UTC.

    Raises: ValueError.
    """
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
