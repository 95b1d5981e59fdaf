"""The few answers for programs: accounts, posts, and whether Roost is well."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from roost import store
from roost.models import Integration, Post
from roost.publishing.state import find_wait
from roost.services import monitor, pause
from roost.services.pause import PauseStatus
from roost.store.away import DATABASE_AWAY
from roost.web.dependencies import NamedTenant, OpenRuntime
from roost.web.error_handlers import SafeJSON

router = APIRouter(default_response_class=SafeJSON)

#: Wall seconds after which a silent database counts as away.
_PATIENCE_S: Final = 5.0


@router.get("/api/accounts")
async def list_accounts(runtime: OpenRuntime, tenant: NamedTenant) -> dict[str, list[Integration]]:
    """The tenant's accounts in the order in which they were first connected."""
    async with runtime.database.for_tenant(tenant.id) as transaction:
        return {"accounts": await store.integrations.list_all(transaction)}


@router.get("/api/posts")
async def list_posts(runtime: OpenRuntime, tenant: NamedTenant) -> dict[str, list[Post]]:
    """The tenant's posts in the order in which they are due, drafts last.

    `wait` is what keeps a post at present, null where nothing does.
    """
    now = runtime.clock.now()
    async with runtime.database.for_tenant(tenant.id) as transaction:
        posts = await store.posts.list_all(transaction)
        accounts = {one.id: one for one in await store.integrations.list_all(transaction)}
    return {
        "posts": [
            replace(post, wait=find_wait(post, accounts[post.integration_id], now))
            for post in posts
        ]
    }


@router.get("/healthz")
async def tell_health(runtime: OpenRuntime) -> Response:
    """Whether the database answers and posts go out in time (else 503), and who works.

    `oldest_due_seconds` is domain time, null where nothing is due.
    """
    now = runtime.clock.now()
    within = timedelta(seconds=runtime.settings.roost_worker_timeout_s)
    try:
        async with asyncio.timeout(_PATIENCE_S), runtime.database.unscoped() as transaction:
            workers = await transaction.run_one("count_live_workers", within=within)
            oldest = await monitor.get_oldest_due_at(runtime, transaction, now)
            holds = await pause.get_pause_status(transaction)
    except (*DATABASE_AWAY, TimeoutError):
        away = {"status": "broken", "database": "away"}
        return SafeJSON(away | {"workers_alive": None, "oldest_due_seconds": None}, 503)
    assert workers is not None
    status = _status(holds, oldest, workers["n"], now)
    told = {
        "status": status,
        "database": "ok",
        "workers_alive": workers["n"],
        "oldest_due_seconds": oldest and (now - oldest).total_seconds(),
    }
    return SafeJSON(told, 503 if status == "late" else 200)


def _status(holds: PauseStatus, oldest: datetime | None, workers: int, now: datetime) -> str:
    if holds.everything:
        return "stopped"
    if monitor.is_late(oldest, now):
        return "late"
    return "ok" if workers else "no_worker"
