"""Looks from outside the worker whether posts go out in time, and tells where they do not."""

from datetime import datetime, timedelta
from typing import Final

from roost import store
from roost.house import House, from_outside
from roost.models import Alarm, Tenant
from roost.store.away import DATABASE_AWAY
from roost.store.database import Statements

#: A post that is due longer than this and not out is late.
LATE: Final = timedelta(minutes=2)


async def find_oldest(house: House, transaction: Statements, now: datetime) -> datetime | None:
    """Since when the oldest due post of this X should be out; None where none is due.

    What somebody has paused is not asked about.
    """
    environment = house.settings.environment
    row = await transaction.run_one("oldest_due_post", now=now, environment=environment)
    oldest: datetime | None = row["at"] if row else None
    return oldest


def is_late(oldest: datetime | None, now: datetime) -> bool:
    """Whether a post that was due then is late. Pure."""
    return oldest is not None and now - oldest > LATE


async def find_late(house: House) -> datetime | None:
    """Since when the oldest late post should be out; None where none is late.

    An alarm is open as long as there is one.
    """
    now = house.clock.now()
    async with house.database.statements(None) as transaction:
        oldest = await find_oldest(house, transaction, now)
        if oldest is None or not is_late(oldest, now):
            await store.alarms.end(transaction, None, "late", "posts", at=now)
            return None
        await store.alarms.sound(
            transaction, None, "late", "posts", at=now,
            message=f"A post that was due at {oldest.isoformat(timespec='seconds')} is not out.",
            next="See that `roost worker` runs, then `roost doctor`.",
        )  # fmt: skip
        return oldest


async def list_alarms(house: House) -> list[tuple[Tenant | None, Alarm]]:
    """Every open alarm, oldest first within its tenant; first those that concern everybody."""
    async with house.database.statements(None) as transaction:
        everybodys = await store.alarms.list_open(transaction)
    found: list[tuple[Tenant | None, Alarm]] = [(None, alarm) for alarm in everybodys]
    for tenant_id in await store.tenants.list_ids(house.database):
        try:
            tenant = await store.tenants.see(house.database, tenant_id)
            async with house.database.statements(tenant_id) as transaction:
                alarms = await store.alarms.list_open(transaction)
        except DATABASE_AWAY:
            raise
        except Exception as error:
            # One tenant's damaged row must not hide the alarms of the others.
            from_outside(error)
            continue
        found += [(tenant, alarm) for alarm in alarms if alarm not in everybodys]
    return found
