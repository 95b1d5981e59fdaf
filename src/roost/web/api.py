"""The JSON API: accounts, posts and the health of the service."""

from typing import Any, Final

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import Response
from pydantic import TypeAdapter

from roost.models import Integration, Post
from roost.publishing.history import reason_as_json, wait_as_json
from roost.services import health, queries
from roost.services.health import ServiceStatus
from roost.services.queries import PostStatus
from roost.web.dependencies import OpenRuntime, TenantScope
from roost.web.error_handlers import SafeJSON

router = APIRouter(default_response_class=SafeJSON)

_ACCOUNT: Final = TypeAdapter(Integration)
_POST: Final = TypeAdapter(Post)


@router.get("/api/accounts")
async def list_accounts(
    runtime: OpenRuntime, scope: TenantScope
) -> dict[str, list[dict[str, Any]]]:
    """Return the tenant's accounts in the order in which they were first connected."""
    accounts = await queries.list_accounts(runtime, scope)
    return {"accounts": [_account_as_json(account) for account in accounts]}


@router.get("/api/posts")
async def list_posts(runtime: OpenRuntime, scope: TenantScope) -> dict[str, list[dict[str, Any]]]:
    """Return the tenant's posts in due order, drafts last.

    `reason` explains a failure, a wait or a refusal: it has a code, the values that its message
    mentions (`facts`), and the message. `wait` describes what a post waits for now, and is null if
    the post waits for nothing.
    """
    statuses = await queries.list_post_statuses(runtime, scope)
    return {"posts": [_post_as_json(status) for status in statuses]}


def _account_as_json(account: Integration) -> dict[str, Any]:
    encoded: dict[str, Any] = _ACCOUNT.dump_python(account, mode="json")
    return encoded | {"backoff_reason": reason_as_json(account.backoff_reason)}


def _post_as_json(status: PostStatus) -> dict[str, Any]:
    encoded: dict[str, Any] = _POST.dump_python(status.post, mode="json")
    wait: dict[str, Any] | None = jsonable_encoder(wait_as_json(status.wait))
    return encoded | {"reason": reason_as_json(status.post.reason), "wait": wait}


@router.get("/healthz")
async def get_health(runtime: OpenRuntime) -> Response:
    """Return the service's health; 503 if the database does not respond or a post is late.

    `oldest_due_seconds` is how long the oldest due post has been due, in domain time; null if no
    post is due.
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
