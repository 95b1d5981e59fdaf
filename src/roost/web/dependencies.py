"""Dependencies of the routes: the open runtime, and the tenant and scope of a request."""

import asyncio
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request

from roost.models import Actor, ActorKind, Scope, Tenant
from roost.runtime import Runtime
from roost.services import queries
from roost.web.attempts import Attempts
from roost.web.draft_runs import DraftRuns

#: The largest id that the database can store.
_LARGEST_ID = 2**63 - 1
#: The actor of every change that is made on the pages.
ACTOR: Final = Actor(ActorKind.WEB_SERVER)


async def _get_runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def _get_attempts(request: Request) -> Attempts:
    attempts: Attempts = request.app.state.attempts
    return attempts


async def _get_runs(request: Request) -> DraftRuns:
    runs: DraftRuns = request.app.state.runs
    return runs


async def _get_rendering(request: Request) -> asyncio.Semaphore:
    rendering: asyncio.Semaphore = request.app.state.rendering
    return rendering


OpenRuntime = Annotated[Runtime, Depends(_get_runtime)]
KnownAttempts = Annotated[Attempts, Depends(_get_attempts)]
KnownRuns = Annotated[DraftRuns, Depends(_get_runs)]
Rendering = Annotated[asyncio.Semaphore, Depends(_get_rendering)]
RowId = Annotated[int, Path(ge=1, le=_LARGEST_ID)]
TenantName = Annotated[str, Query(max_length=63, pattern=r"^[\w-]+$")]


async def _get_tenant(runtime: OpenRuntime, tenant: TenantName = "default") -> Tenant:
    return await queries.get_tenant(runtime, tenant)


NamedTenant = Annotated[Tenant, Depends(_get_tenant)]


def scope_of(tenant: NamedTenant) -> Scope:
    """Return the scope of a request: its tenant, and the web server as the actor."""
    return Scope(tenant.id, ACTOR)


TenantScope = Annotated[Scope, Depends(scope_of)]
