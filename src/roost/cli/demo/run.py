"""`roost demo`: every step of Roost, in child processes that run the production commands."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import aiohttp
from cyclopts import Parameter

from roost import store
from roost.agents.brief import read_brief
from roost.agents.composer import compose_drafts
from roost.child_environment import child_environment
from roost.cli.command_settings import command_settings
from roost.cli.demo.browser import give_consent
from roost.cli.demo.database import demo_database
from roost.cli.demo.output import Progress, show_result
from roost.cli.demo.processes import running
from roost.cli.init import make_home, make_tenant
from roost.cli.output import Json, complete, plain, say, tell
from roost.errors import Broken, InvalidInput
from roost.escaping import one_line
from roost.models import Integration, Post, PostState, Tenant
from roost.publishing.part_input import PartInput
from roost.runtime import Runtime, migrate, open_runtime
from roost.services import report, schedule
from roost.settings import Settings

_DAYS = 30
#: Wall seconds until every post has to be settled, and a day's figures collected.
_PUBLISH_S = 60.0
_COLLECT_S = 20.0
_UNSETTLED = {PostState.SCHEDULED, PostState.PUBLISHING}


@dataclass(frozen=True)
class Cast:
    """One tenant of the demo with its account and its plan."""

    tenant: str
    username: str
    name: str
    followers: int
    plan: str


#: The scenario's purge happens to the first account.
CAST = (
    Cast("acme", "acmeplumbing", "Acme Plumbing", 12_400, "plan.csv"),
    Cast("lune", "bakery_lune", "Bakery Lune", 3_150, "plan-lune.csv"),
)


def demo(
    *,
    scenario: Annotated[
        Literal["purge", "steady"], Parameter(help="Whether an anomaly happens.")
    ] = "purge",
    seed: Annotated[int, Parameter(help="The same seed gives the same figures.")] = 7,
    keep: Annotated[Path | None, Parameter(help="Keep the data folder here.")] = None,
    serve: Annotated[bool, Parameter(negative="", help="Keep the page up at the end.")] = False,
    as_json: Json = False,
) -> int:
    """Connect two accounts, publish a plan, let 30 days pass, find what happened, report it."""
    return complete(lambda: _demo(scenario, seed, keep, serve, as_json))


async def _demo(scenario: str, seed: int, keep: Path | None, stay: bool, as_json: bool) -> int:
    began = time.monotonic()
    with Progress(shown=not as_json) as progress:
        try:
            async with _stage(scenario, seed, keep, progress) as stage:
                result, unpublished = await _play(stage, progress)
                result["seconds"] = round(time.monotonic() - began, 1)
                progress.stop()
                say(result, as_json=as_json)
                show_result(result, unpublished, shown=not as_json)
                if keep is not None:
                    tell(one_line(f"The demo's data is kept in {keep}."))
                if stay:
                    tell(f"The page is at {stage.page_url} until Ctrl-C.")
                    await asyncio.Event().wait()
        except asyncio.CancelledError:
            tell("Interrupted; everything the demo started was ended.")
            raise
    return 0 if not unpublished and _is_true(result) else 5


def _is_true(result: dict[str, Any]) -> bool:
    """Whether Roost's own account of the demo is the one that X would give."""
    truth = result["truth"]
    return bool(
        result["parts"] == truth["posts"]
        and result["media"] == truth["media"]
        and float(result["dollars"]) == truth["dollars"]
        and plain(result["anomalies"]) == truth["anomalies"]
    )


@dataclass(frozen=True)
class Stage:
    """Everything that runs during the demo."""

    runtime: Runtime
    x_url: str
    page_url: str
    client_id: str
    examples: Path


def _examples() -> Path:
    """The plan, the brief and the media that come with Roost's source."""
    for folder in (Path("examples"), Path(__file__).parents[3] / "examples"):
        if (folder / "plan.csv").exists():
            return folder
    raise Broken(
        "The examples that the demo publishes are not here.",
        next="Run the demo in a clone of the project.",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _data_folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise InvalidInput(
                f"{keep} is not empty.", next="Give --keep a folder that is new or empty."
            )
        yield keep.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="roost-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def _stage(
    scenario: str, seed: int, keep: Path | None, progress: Progress
) -> AsyncIterator[Stage]:
    given = command_settings()
    async with contextlib.AsyncExitStack() as stack:
        home = stack.enter_context(_data_folder(keep))
        database = await stack.enter_async_context(
            demo_database(given, home, keep=keep is not None)
        )
        progress.say("starting the emulator")
        emulator = await stack.enter_async_context(
            running(
                "emulator", "--port", "0", "--scenario", scenario, "--seed", str(seed),
                environment=child_environment(), log=home / "emulator.log",
            )
        )  # fmt: skip
        port = _free_port()
        app = await _set_stage(emulator["url"], port)
        told = {
            "ROOST_HOME": str(home),
            "ROOST_X_BASE_URL": emulator["url"],
            "ROOST_CLOCK_URL": f"{emulator['url']}/_emulator/clock",
            "TWITTER_CLIENT_ID": app["client_id"],
            "TWITTER_CLIENT_SECRET": app["client_secret"],
            "TWITTER_CALLBACK_URL": app["callback"],
        }
        # PostgreSQL's client reads what DATABASE_URL leaves out from names of its own.
        at = {"DATABASE_URL": database.app} | child_environment("PG") if database.app else {}
        environment = child_environment() | at | told
        settings = Settings(
            _env_file=None,
            **{name.lower(): value for name, value in told.items()},
            database_url=database.app,
            roost_admin_database_url=database.admin,
            roost_vault_keys=None,
        )
        progress.say("starting PostgreSQL" if database.app is None else "making a database")
        await migrate(settings)
        make_home(settings)
        for cast in CAST:
            await make_tenant(settings, cast.tenant, "UTC")
        progress.say("starting the service and a worker")
        page, _ = await _start_both(stack, environment, home, port)
        runtime = await stack.enter_async_context(open_runtime(settings, actor="the demo"))
        yield Stage(runtime, emulator["url"], page["url"], app["client_id"], _examples())


async def _start_both(
    stack: contextlib.AsyncExitStack, environment: dict[str, str], home: Path, port: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    return await asyncio.gather(
        stack.enter_async_context(
            running("serve", "--port", str(port), environment=environment, log=home / "serve.log")
        ),
        stack.enter_async_context(
            running("worker", environment=environment, log=home / "worker.log")
        ),
    )


async def _ask(method: str, url: str, body: Any = None) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as answer,
    ):
        if answer.status >= 400:
            raise Broken(f"The emulator answered {answer.status} to {method} {url}.")
        return await answer.json()


async def _set_stage(x_url: str, port: int) -> dict[str, Any]:
    accounts = [
        {"username": cast.username, "name": cast.name, "followers": cast.followers} for cast in CAST
    ]
    await _ask("POST", f"{x_url}/_emulator/reset", {"accounts": accounts})
    callback = f"http://127.0.0.1:{port}/api/auth/callback/twitter"
    app: dict[str, Any] = await _ask("POST", f"{x_url}/_emulator/apps", {"callbacks": [callback]})
    return app | {"callback": callback}


async def _play(stage: Stage, progress: Progress) -> tuple[dict[str, Any], list[Post]]:
    runtime = stage.runtime
    tenants = [await store.tenants.get(runtime.database, cast.tenant) for cast in CAST]
    for cast in CAST:
        progress.say(f"connecting @{cast.username}")
        start = f"{stage.page_url}/api/auth/twitter/start?tenant={cast.tenant}"
        await give_consent(start, cast.username)
    accounts = {tenant.id: await _accounts(runtime, tenant) for tenant in tenants}
    refused = []
    drafts = compose_drafts(read_brief(stage.examples / "brief.yaml"))
    progress.say(f"drafted: {drafts[0].text}")
    await schedule.schedule_post(
        runtime,
        tenants[0],
        accounts[tenants[0].id][0],
        [PartInput(drafts[0].text)],
        due_at=runtime.clock.now() + timedelta(seconds=2),
        why="drafted by the writer",
    )
    for cast, tenant in zip(CAST, tenants, strict=True):
        imported = await schedule.import_plan(runtime, tenant, stage.examples / cast.plan)
        refused += [
            {"row": row.line, "code": row.code, "message": row.message} for row in imported.refused
        ]
        progress.say(
            f"imported {cast.plan}: {imported.posts} posts, {len(imported.refused)} refused"
        )
    posts = await _watch_publishing(runtime, tenants, progress)
    progress.say(f"published {sum(post.state is PostState.PUBLISHED for post in posts)} posts")
    progress.say(f"{_DAYS} days pass")
    await _live_days(stage, tenants, progress)
    progress.say("writing the report")
    path = Path("out") / "demo" / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(await report.write_report(runtime, tenants, days=_DAYS), "utf-8")
    result = await _sum_up(stage, tenants, accounts)
    told = {
        "tenants": len(tenants),
        "connected": sum(len(found) for found in accounts.values()),
        "published": sum(post.state is PostState.PUBLISHED for post in posts),
        "refused": refused,
        **result,
        "report": str(path),
    }
    return told, [post for post in posts if post.state is not PostState.PUBLISHED]


async def _accounts(runtime: Runtime, tenant: Tenant) -> list[Integration]:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        return await store.integrations.list_all(transaction)


async def _watch_publishing(
    runtime: Runtime, tenants: list[Tenant], progress: Progress
) -> list[Post]:
    """Until every post is settled. Raises: Broken after a minute."""
    until = time.monotonic() + _PUBLISH_S
    while True:
        posts = []
        for tenant in tenants:
            async with runtime.database.for_tenant(tenant.id) as transaction:
                posts += await store.posts.list_all(transaction)
        left = sum(post.state in _UNSETTLED for post in posts)
        progress.count("publishing", len(posts) - left, len(posts))
        if not left:
            return posts
        if time.monotonic() > until:
            raise Broken(f"{left} posts were not settled within {_PUBLISH_S:.0f} s.")
        await asyncio.sleep(0.2)


async def _live_days(stage: Stage, tenants: list[Tenant], progress: Progress) -> None:
    """Move the emulator's clock a day at a time, and wait for each day's figures."""
    runtime, clock = stage.runtime, f"{stage.x_url}/_emulator/clock"
    await _collected(runtime, tenants, runtime.clock.now() - timedelta(hours=1))
    for day in range(1, _DAYS + 1):
        before = runtime.clock.now()
        await _ask("POST", clock, {"jump_seconds": timedelta(days=1).total_seconds()})
        await _collected(runtime, tenants, before + timedelta(hours=12))
        progress.count("days", day, _DAYS)


async def _collected(runtime: Runtime, tenants: list[Tenant], since: Any) -> None:
    """Until every account has a reading since an instant. Raises: Broken after a while."""
    until = time.monotonic() + _COLLECT_S
    for tenant in tenants:
        for account in await _accounts(runtime, tenant):
            while True:
                async with runtime.database.for_tenant(tenant.id) as transaction:
                    seen = await store.snapshots.list_account(
                        transaction, account.id, since=since, until=since + timedelta(days=400)
                    )
                if seen:
                    break
                if time.monotonic() > until:
                    raise Broken(f"No figures of @{account.username} came since {since}.")
                await asyncio.sleep(0.05)


async def _sum_up(
    stage: Stage, tenants: list[Tenant], accounts: dict[Any, list[Integration]]
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "parts": 0, "media": 0, "snapshots": 0, "anomalies": [], "requests": 0, "dollars": 0.0,
    }  # fmt: skip
    dollars = None
    for tenant in tenants:
        names = {account.id: account.username for account in accounts[tenant.id]}
        async with stage.runtime.database.for_tenant(tenant.id) as transaction:
            sent = [
                part
                for post in await store.posts.list_all(transaction)
                for part in post.parts
                if part.sent_as is not None
            ]
            requests, usd = await store.ledger.get_total(transaction)
            found = await store.anomalies.list_anomalies(transaction)
            told["snapshots"] += await store.snapshots.count(transaction)
        told["parts"] += len(sent)
        told["media"] += sum(len(part.media) for part in sent)
        told["requests"] += requests
        dollars = usd if dollars is None else dollars + usd
        told["anomalies"] += [
            {"account": names[one.integration_id], "metric": one.metric, "day": one.day}
            for one in found
        ]
    truth = await _ask("GET", f"{stage.x_url}/_emulator/ground-truth?app={stage.client_id}")
    counted = truth["apps"][stage.client_id]
    return told | {
        "dollars": dollars,
        "truth": {
            "posts": counted["posts"],
            "media": counted["media"],
            "dollars": float(counted["dollars"]),
            "anomalies": truth["anomalies"],
        },
    }
