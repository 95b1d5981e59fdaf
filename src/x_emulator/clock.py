"""Emulated time: real, frozen, faster or jumped, and the followers that must hear of a change.

The one surprise: a change answers only after the followers that were listening have come back
with the new version, so that whoever jumped the clock may go on at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

#: How long a change waits for followers that heard it to come back.
_COME_BACK = 2.0

#: As far as time goes here: some years later X's ids have no bits left.
LAST = datetime(2070, 1, 1, tzinfo=UTC)
_FASTEST = 1_000_000
_NOT_BACK = "The clock does not go back: ids grow with time."
_NOT_SO_FAR = f"The clock does not go beyond {LAST.year}."


class EmulatedClock:
    """Tells emulated time, computed from one reading of the machine's."""

    def __init__(self) -> None:
        self._wall = self._emulated = datetime.now(UTC)
        self._rate = 1.0
        self.version = 1
        self._changed = asyncio.Event()
        self._returned = asyncio.Event()
        self._closed = False
        self._listening: set[asyncio.Transport] = set()
        #: Connections that were told something and have not asked again.
        self._away: set[asyncio.Transport] = set()
        self._changing = asyncio.Lock()

    def now(self) -> datetime:
        """Emulated time, aware, in UTC."""
        passed = datetime.now(UTC) - self._wall
        return self._emulated + (passed if self._rate == 1 else passed * self._rate)

    def reading(self) -> dict[str, object]:
        """What followers compute from: at `wall` it was `emulated`, and time runs at `rate`."""
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
        gone: Callable[[], Awaitable[None]],
    ) -> None:
        """Return when the version differs from `after`, the asker is gone, or time is up."""
        if after == self.version and not self._closed:
            self._away.discard(connection)
            self._returned.set()
            self._listening.add(connection)
            try:
                await _first_of(self._changed.wait(), gone(), seconds=seconds)
            finally:
                self._listening.discard(connection)
        self._away.add(connection)

    async def jump(self, seconds: float) -> None:
        """Move emulated time forward; it goes on at the same rate. Raises: ValueError."""
        if not seconds >= 0:
            raise ValueError(_NOT_BACK)
        if not seconds <= (LAST - self.now()).total_seconds():
            raise ValueError(_NOT_SO_FAR)
        await self._change(self.now() + timedelta(seconds=seconds), self._rate)

    async def jump_to(self, instant: datetime) -> None:
        """Move emulated time to an instant. Raises: ValueError."""
        if instant.tzinfo is None:
            raise ValueError("An instant needs an offset from UTC.")
        if instant < self.now():
            raise ValueError(_NOT_BACK)
        if instant > LAST:
            raise ValueError(_NOT_SO_FAR)
        await self._change(instant.astimezone(UTC), self._rate)

    async def run_at(self, rate: float) -> None:
        """Let emulated time run `rate` times as fast as the machine's; 0 stops it.

        Raises: ValueError.
        """
        if not rate >= 0:
            raise ValueError(_NOT_BACK)
        if rate > _FASTEST:
            raise ValueError(f"The clock runs at most {_FASTEST:,} times as fast as the machine's.")
        await self._change(self.now(), rate)

    async def restart(self) -> None:
        """Back to the machine's time, at its rate."""
        await self._change(datetime.now(UTC), 1.0)

    def kept(self) -> tuple[datetime, datetime, float]:
        """What time is computed from: an instant of the machine's, its emulated one, the rate."""
        return self._wall, self._emulated, self._rate

    def resume(self, wall: datetime, emulated: datetime, rate: float) -> None:
        """Go on from an earlier reading, before anybody follows."""
        self._wall, self._emulated, self._rate = wall, emulated, rate

    def close(self) -> None:
        """Answer every open poll, so that the server can stop."""
        self._closed = True
        self._changed.set()

    async def _change(self, emulated: datetime, rate: float) -> None:
        async with self._changing:
            self._wall, self._emulated, self._rate = datetime.now(UTC), emulated, rate
            self.version += 1
            self._away |= self._listening
            self._changed.set()
            self._changed = asyncio.Event()
            await self._hear_them_back()

    async def _hear_them_back(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _COME_BACK
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


async def _first_of(*awaitables: Awaitable[object], seconds: float) -> None:
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
