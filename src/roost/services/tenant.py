"""Reads and changes the settings of a tenant, and reads what its models have used."""

from roost import store
from roost.clock import wall_now
from roost.models import Scope, Tenant
from roost.runtime import Runtime
from roost.store.model_calls import ModelUsage


async def set_drafts_without_person(runtime: Runtime, scope: Scope, *, allowed: bool) -> Tenant:
    """Set whether a program may approve drafts of the tenant; otherwise only a person may."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        await store.tenants.set_drafts_without_person(transaction, allowed=allowed)
    return await store.tenants.get_by_id(runtime.database, scope.tenant_id)


async def get_model_usage(runtime: Runtime, scope: Scope) -> ModelUsage:
    """Return what the calls to models have used in this UTC month of wall time."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.model_calls.get_usage(transaction, wall_now())
