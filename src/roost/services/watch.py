"""Looks from outside the worker whether posts go out in time, and tells where they do not."""

from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.house import House

#: A post that is due longer than this and not out is late.
LATE: Final = timedelta(minutes=2)


async def find_late(house: House) -> datetime | None:
    """Since when the oldest late post should be out; None where none is late.

    An alarm is open as long as there is one. What somebody has paused is not late.
    """
    now = house.clock.now()
    async with house.database.statements(None) as transaction:
        row = await transaction.run_one("oldest_due_post", now=now)
        oldest: datetime | None = row["at"] if row else None
        if oldest is None or now - oldest <= LATE:
            await store.alarms.end(transaction, None, "late", "posts", at=now)
            return None
        await store.alarms.sound(
            transaction, None, "late", "posts", at=now,
            message=f"A post that was due at {oldest.isoformat(timespec='seconds')} is not out.",
            next="See that `roost worker` runs, then `roost doctor`.",
        )  # fmt: skip
        return oldest
