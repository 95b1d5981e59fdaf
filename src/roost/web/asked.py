"""What routes ask for: the open house, and the tenant that a request names."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from roost import store
from roost.house import House
from roost.models import Tenant

#: The largest number that a row can have.
_LARGEST_ID = 2**63 - 1


async def _open_house(request: Request) -> House:
    house: House = request.app.state.house
    return house


OpenHouse = Annotated[House, Depends(_open_house)]
RowId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
TenantName = Annotated[str, Query(max_length=63, pattern=r"^[\w-]+$")]


async def _named_tenant(house: OpenHouse, tenant: TenantName = "default") -> Tenant:
    return await store.tenants.get(house.database, tenant)


NamedTenant = Annotated[Tenant, Depends(_named_tenant)]
