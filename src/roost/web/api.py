"""The JSON API: accounts, posts and the health of the service."""

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response

from roost.models import Integration, Post
from roost.services import health, queries
from roost.services.health import ServiceStatus
from roost.web.dependencies import OpenRuntime, TenantScope
from roost.web.error_handlers import SafeJSON

router = APIRouter(default_response_class=SafeJSON)


@router.get("/api/accounts")
async def list_accounts(runtime: OpenRuntime, scope: TenantScope) -> dict[str, list[Integration]]:
    """Return the tenant's accounts in the order in which they were first connected."""
    return {"accounts": await queries.list_accounts(runtime, scope)}


@router.get("/api/posts")
async def list_posts(runtime: OpenRuntime, scope: TenantScope) -> dict[str, list[Post]]:
    """Return the tenant's posts in due order, drafts last.

    `wait` is what a post is waiting for now, null if it waits for nothing.
    """
    statuses = await queries.list_post_statuses(runtime, scope)
    return {"posts": [replace(status.post, wait=status.wait) for status in statuses]}


@router.get("/healthz")
async def get_health(runtime: OpenRuntime) -> Response:
    """Return the service's health; 503 if the database does not answer or a post is late.

    `oldest_due_seconds` is domain time, null if no post is due.
    """
    service = await health.probe_service(runtime)
    is_broken = service.status is ServiceStatus.BROKEN
    oldest = service.oldest_due_at
    result = {
        "status": service.status,
        "database": "away" if is_broken else "ok",
        "workers_alive": service.live_workers,
        "oldest_due_seconds": oldest and (runtime.clock.now() - oldest).total_seconds(),
    }
    is_failing = is_broken or service.status is ServiceStatus.LATE
    return SafeJSON(result, 503 if is_failing else 200)
