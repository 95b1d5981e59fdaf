"""Tenants: found and made by name across the runtime, seen only from inside."""

import re

from roost.errors import TenantNameInvalid, TenantNotFound
from roost.models import Tenant, TenantId
from roost.store.database import Database, Transaction

#: As the table's check has it.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def require_name(name: str) -> None:
    """Raises: TenantNameInvalid."""
    if not _NAME.fullmatch(name):
        raise TenantNameInvalid(f"{name!r} cannot be a tenant's name.")


async def find(transaction: Transaction, name: str) -> TenantId | None:
    """The tenant of this name, or None."""
    row = await (await transaction.raw.execute("SELECT find_tenant(%s)", [name])).fetchone()
    return TenantId(row[0]) if row and row[0] is not None else None


async def make(transaction: Transaction, name: str, *, time_zone: str) -> TenantId:
    """A new tenant; the name must be free. Raises: TenantNameInvalid."""
    require_name(name)
    row = await (
        await transaction.raw.execute("SELECT make_tenant(%s, %s)", [name, time_zone])
    ).fetchone()
    assert row is not None
    return TenantId(row[0])


async def get(database: Database, name: str) -> Tenant:
    """A tenant by name. Raises: TenantNotFound."""
    async with database.unscoped() as transaction:
        tenant_id = await find(transaction, name)
    if tenant_id is None:
        raise TenantNotFound(f"There is no tenant named {name!r}.")
    return await see(database, tenant_id)


async def see(database: Database, tenant_id: TenantId) -> Tenant:
    """A tenant by number."""
    async with database.tenant(tenant_id) as transaction:
        row = await (
            await transaction.raw.execute("SELECT id, name, time_zone FROM tenants")
        ).fetchone()
    if row is None:
        raise TenantNotFound(f"There is no tenant number {tenant_id}.")
    return Tenant(*row)


async def list_ids(database: Database) -> list[TenantId]:
    """Every tenant's number."""
    async with database.unscoped() as transaction:
        rows = await (await transaction.raw.execute("SELECT * FROM list_tenants()")).fetchall()
    return [TenantId(row[0]) for row in rows]
