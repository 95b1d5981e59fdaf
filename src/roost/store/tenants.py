"""Creates, reads and changes tenants.

Row-level security lets only a transaction of the tenant itself read the tenant's row.
"""

import re

from roost.errors import TenantNameInvalid, TenantNotFound
from roost.models import ReportBrand, Tenant, TenantId
from roost.store.database import Database, Transaction

#: The pattern of tenants' names. A CHECK constraint of the table `tenants` has the same pattern.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def require_name(name: str) -> None:
    """Raise TenantNameInvalid if `name` is not a valid name of a tenant."""
    if not _NAME.fullmatch(name):
        raise TenantNameInvalid(f"{name!r} is not a valid name of a tenant.")


async def find(transaction: Transaction, name: str) -> TenantId | None:
    """Return the id of the tenant with this name, or None."""
    row = await transaction.run_one("find_tenant", name=name)
    return TenantId(row["id"]) if row and row["id"] is not None else None


async def make(transaction: Transaction, name: str, *, time_zone: str) -> TenantId:
    """Create a tenant and return its id. The name must be unused. Raises: TenantNameInvalid."""
    require_name(name)
    row = await transaction.run_one("make_tenant", name=name, time_zone=time_zone)
    assert row is not None
    return TenantId(row["id"])


async def get(database: Database, name: str) -> Tenant:
    """Return a tenant by name. Raises: TenantNotFound."""
    async with database.unscoped() as transaction:
        tenant_id = await find(transaction, name)
    if tenant_id is None:
        raise TenantNotFound(f"There is no tenant named {name!r}.")
    return await get_by_id(database, tenant_id)


async def get_by_id(database: Database, tenant_id: TenantId) -> Tenant:
    """Return a tenant by id. Raises: TenantNotFound."""
    async with database.for_tenant(tenant_id) as transaction:
        tenant = await transaction.fetch_one(Tenant, "get_tenant")
    if tenant is None:
        raise TenantNotFound(f"There is no tenant number {tenant_id}.")
    return tenant


async def set_drafts_without_person(transaction: Transaction, *, allowed: bool) -> None:
    """Set whether a program may approve drafts of the transaction's tenant."""
    await transaction.run("set_drafts_without_person", allowed=allowed)


async def get_report_brand(transaction: Transaction) -> ReportBrand:
    """Return how the reports of the transaction's tenant look."""
    brand = await transaction.fetch_one(ReportBrand, "get_report_brand")
    assert brand is not None
    return brand


async def set_report_brand(transaction: Transaction, brand: ReportBrand) -> None:
    """Set how the reports of the transaction's tenant look."""
    await transaction.run(
        "set_report_brand",
        title=brand.title,
        cover_note=brand.cover_note,
        accent=brand.accent,
        language=brand.language,
        logo=brand.logo,
        logo_type=brand.logo_type,
    )


async def list_ids(database: Database) -> list[TenantId]:
    """Return the ids of all tenants."""
    async with database.unscoped() as transaction:
        rows = await transaction.run("list_tenants")
    return [TenantId(row["tenant_id"]) for row in rows]
