"""`roost demo`: every step of Roost, in child processes that run the production commands."""

import asyncio
import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import aiohttp
from cyclopts import Parameter

from roost.agents.brief import read_brief
from roost.agents.composer import compose_drafts
from roost.child_environment import child_environment
from roost.cli.arguments import Json, command_settings
from roost.cli.command import run_async
from roost.cli.demo.browser import give_consent
from roost.cli.demo.output import Progress, show_result
from roost.cli.demo.processes import running
from roost.cli.output import print_note, print_result, to_json
from roost.errors import Broken, InvalidInput
from roost.escaping import one_line
from roost.models import Integration, Post, PostState, Tenant
from roost.publishing.part_input import PartInput
from roost.runtime import Runtime, migrate, open_runtime
from roost.services import queries, report, schedule, setup
from roost.settings import ENVIRONMENT_NAMES, Settings

_DAYS: Final = 30
#: Wall seconds until every post has to be finished, and until a day's snapshots have to be stored.
_PUBLISH_TIMEOUT_S: Final = 60.0
_COLLECT_TIMEOUT_S: Final = 20.0
_UNFINISHED: Final = {PostState.SCHEDULED, PostState.PUBLISHING}


@dataclass(frozen=True)
class DemoAccount:
    """One tenant of the demo with its account and its plan."""

    tenant: str
    username: str
    name: str
    followers: int
    plan: str


#: In the scenario `purge`, the first account loses followers.
ACCOUNTS: Final = (
    DemoAccount("acme", "acmeplumbing", "Acme Plumbing", 12_400, "plan.csv"),
    DemoAccount("lune", "bakery_lune", "Bakery Lune", 3_150, "plan-lune.csv"),
)


@dataclass(frozen=True)
class DemoEnvironment:
    """The processes and resources that run during the demo."""

    runtime: Runtime
    x_url: str
    web_url: str
    client_id: str
    examples: Path


def demo(
    *,
    scenario: Annotated[
        Literal["purge", "steady"], Parameter(help="With an anomaly, or without.")
    ] = "purge",
    seed: Annotated[int, Parameter(help="A seed gives the same metrics every time.")] = 7,
    keep: Annotated[Path | None, Parameter(help="Keep the data folder here.")] = None,
    serve: Annotated[
        bool, Parameter(negative="", help="Keep the web server running at the end.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Connect two accounts, publish a plan, let 30 days pass, find anomalies, write a report."""
    return run_async(lambda: _demo(scenario, seed, keep, serve, as_json))


async def _demo(scenario: str, seed: int, keep: Path | None, stay: bool, as_json: bool) -> int:
    started_at = time.monotonic()
    with Progress(shown=not as_json) as progress:
        try:
            async with _open_environment(scenario, seed, keep, progress) as environment:
                result, unpublished = await _run_steps(environment, progress)
                result["seconds"] = round(time.monotonic() - started_at, 1)
                progress.stop()
                print_result(result, as_json=as_json)
                show_result(result, unpublished, shown=not as_json)
                if keep is not None:
                    print_note(one_line(f"The demo's data is kept in {keep}."))
                if stay:
                    print_note(f"The web server is at {environment.web_url} until Ctrl-C.")
                    await asyncio.Event().wait()
        except asyncio.CancelledError:
            print_note("Interrupted; everything that the demo started was ended.")
            raise
    return 0 if not unpublished and _equals_ground_truth(result) else 5


def _equals_ground_truth(result: dict[str, Any]) -> bool:
    """Return whether Roost counted what the emulator counted."""
    truth = result["ground_truth"]
    return bool(
        result["parts"] == truth["posts"]
        and result["media"] == truth["media"]
        and float(result["dollars"]) == truth["dollars"]
        and to_json(result["anomalies"]) == truth["anomalies"]
    )


# --- the environment --------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _open_environment(
    scenario: str, seed: int, keep: Path | None, progress: Progress
) -> AsyncIterator[DemoEnvironment]:
    own_settings = command_settings()
    async with contextlib.AsyncExitStack() as stack:
        home = stack.enter_context(_data_folder(keep))
        database = await stack.enter_async_context(
            setup.temporary_database(own_settings, home, keep=keep is not None)
        )
        progress.step("starting the emulator")
        emulator = await stack.enter_async_context(
            running(
                "emulator", "--port", "0", "--scenario", scenario, "--seed", str(seed),
                environment=child_environment(), log=home / "emulator.log",
            )
        )  # fmt: skip
        port = _free_port()
        app = await _prepare_emulator(emulator["url"], port)
        values = {
            "ROOST_HOME": str(home),
            "ROOST_X_BASE_URL": emulator["url"],
            "ROOST_CLOCK_URL": f"{emulator['url']}/_emulator/clock",
            "TWITTER_CLIENT_ID": app["client_id"],
            "TWITTER_CLIENT_SECRET": app["client_secret"],
            "TWITTER_CALLBACK_URL": app["callback"],
        }
        settings = Settings(
            _env_file=None,
            **{field: values[name] for field, name in ENVIRONMENT_NAMES.items() if name in values},
            database_url=database.app,
            admin_database_url=database.admin,
            vault_keys=None,
        )
        progress.step("starting PostgreSQL" if database.app is None else "making a database")
        await migrate(settings)
        setup.make_home(settings)
        runtime = await stack.enter_async_context(open_runtime(settings, actor="the demo"))
        for account in ACCOUNTS:
            await setup.make_tenant(runtime, account.tenant, "UTC")
        progress.step("starting the web server and a worker")
        # PostgreSQL's client reads what DATABASE_URL omits from variables of its own.
        address = {"DATABASE_URL": database.app} | child_environment("PG") if database.app else {}
        web = await _start_processes(stack, child_environment() | address | values, home, port)
        yield DemoEnvironment(runtime, emulator["url"], web["url"], app["client_id"], _examples())


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _prepare_emulator(x_url: str, port: int) -> dict[str, Any]:
    """Make the accounts and an X app on the emulator; return the app with its callback."""
    accounts = [
        {"username": one.username, "name": one.name, "followers": one.followers} for one in ACCOUNTS
    ]
    await _call_emulator("POST", f"{x_url}/_emulator/reset", {"accounts": accounts})
    callback = f"http://127.0.0.1:{port}/api/auth/callback/twitter"
    app: dict[str, Any] = await _call_emulator(
        "POST", f"{x_url}/_emulator/apps", {"callbacks": [callback]}
    )
    return app | {"callback": callback}


async def _start_processes(
    stack: contextlib.AsyncExitStack, environment: dict[str, str], home: Path, port: int
) -> dict[str, Any]:
    """Start the web server and a worker; return the first line of the web server."""
    lines = await asyncio.gather(
        stack.enter_async_context(
            running("serve", "--port", str(port), environment=environment, log=home / "serve.log")
        ),
        stack.enter_async_context(
            running("worker", environment=environment, log=home / "worker.log")
        ),
    )
    return lines[0]


def _examples() -> Path:
    """Return the folder of the plans, the brief and the media: of a wheel, or of the source."""
    for folder in (
        Path("examples"),
        Path(__file__).with_name("examples"),
        Path(__file__).parents[4] / "examples",
    ):
        if (folder / "plan.csv").exists():
            return folder
    raise Broken(
        "The examples that the demo publishes are missing.",
        next="Run the demo in a clone of the project.",
    )


async def _call_emulator(method: str, url: str, body: Any = None) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body) as response,
    ):
        if response.status >= 400:
            raise Broken(f"The emulator returned status {response.status} to {method} {url}.")
        return await response.json()


# --- the steps --------------------------------------------------------------------------------


async def _run_steps(
    environment: DemoEnvironment, progress: Progress
) -> tuple[dict[str, Any], list[Post]]:
    """Run the demo; return its result and the posts that were not published."""
    runtime = environment.runtime
    tenants = [await queries.get_tenant(runtime, account.tenant) for account in ACCOUNTS]
    accounts = await _connect(environment, tenants, progress)
    await _schedule_draft(environment, tenants[0], accounts[0], progress)
    refused = await _import_plans(environment, tenants, progress)
    posts = await _wait_for_posts(runtime, tenants, progress)
    published = sum(post.state is PostState.PUBLISHED for post in posts)
    progress.step(f"published {published} posts")
    progress.step(f"{_DAYS} days pass")
    await _let_days_pass(environment, accounts, progress)
    progress.step("writing the report")
    path = Path("out") / "demo" / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(await report.write_report(runtime, tenants, days=_DAYS), "utf-8")
    result = {
        "tenants": len(tenants),
        "connected": len(accounts),
        "published": published,
        "refused": refused,
        **await _count(environment, tenants, accounts),
        "report": str(path),
    }
    return result, [post for post in posts if post.state is not PostState.PUBLISHED]


async def _connect(
    environment: DemoEnvironment, tenants: list[Tenant], progress: Progress
) -> list[Integration]:
    for account in ACCOUNTS:
        progress.step(f"connecting @{account.username}")
        start = f"{environment.web_url}/api/auth/twitter/start?tenant={account.tenant}"
        await give_consent(start, account.username)
    return [
        account
        for tenant in tenants
        for account in await queries.list_accounts(environment.runtime, tenant.id)
    ]


async def _schedule_draft(
    environment: DemoEnvironment, tenant: Tenant, account: Integration, progress: Progress
) -> None:
    drafts = compose_drafts(read_brief(environment.examples / "brief.yaml"))
    progress.step(f"drafted: {drafts[0].text}")
    runtime = environment.runtime
    await schedule.schedule_post(
        runtime,
        tenant,
        account,
        [PartInput(drafts[0].text)],
        due_at=runtime.clock.now() + timedelta(seconds=2),
        why="drafted by the writer",
    )


async def _import_plans(
    environment: DemoEnvironment, tenants: list[Tenant], progress: Progress
) -> list[dict[str, Any]]:
    """Import each tenant's plan; return the refused rows."""
    refused = []
    for account, tenant in zip(ACCOUNTS, tenants, strict=True):
        plan = environment.examples / account.plan
        imported = await schedule.import_plan(environment.runtime, tenant, plan)
        refused += [
            {"row": row.line, "code": row.code, "message": row.message} for row in imported.refused
        ]
        progress.step(
            f"imported {account.plan}: {imported.posts} posts, {len(imported.refused)} refused"
        )
    return refused


async def _wait_for_posts(
    runtime: Runtime, tenants: list[Tenant], progress: Progress
) -> list[Post]:
    """Wait until every post is finished. Raises: Broken after a minute."""
    deadline = time.monotonic() + _PUBLISH_TIMEOUT_S
    while True:
        posts = [
            post for tenant in tenants for post in await queries.list_posts(runtime, tenant.id)
        ]
        left = sum(post.state in _UNFINISHED for post in posts)
        progress.count("publishing", len(posts) - left, len(posts))
        if not left:
            return posts
        if time.monotonic() > deadline:
            raise Broken(f"{left} posts were not finished within {_PUBLISH_TIMEOUT_S:.0f} s.")
        await asyncio.sleep(0.2)


async def _let_days_pass(
    environment: DemoEnvironment, accounts: list[Integration], progress: Progress
) -> None:
    """Move the emulator's clock a day at a time, and wait for each day's snapshots."""
    runtime, clock_url = environment.runtime, f"{environment.x_url}/_emulator/clock"
    await _wait_for_snapshots(runtime, accounts, runtime.clock.now() - timedelta(hours=1))
    for day in range(1, _DAYS + 1):
        before = runtime.clock.now()
        await _call_emulator("POST", clock_url, {"jump_seconds": timedelta(days=1).total_seconds()})
        await _wait_for_snapshots(runtime, accounts, before + timedelta(hours=12))
        progress.count("days", day, _DAYS)


async def _wait_for_snapshots(
    runtime: Runtime, accounts: list[Integration], since: datetime
) -> None:
    """Wait until every account has a snapshot since an instant. Raises: Broken on time-out."""
    deadline = time.monotonic() + _COLLECT_TIMEOUT_S
    until = since + timedelta(days=400)
    for account in accounts:
        while not await queries.has_account_snapshot(runtime, account, since=since, until=until):
            if time.monotonic() > deadline:
                raise Broken(f"There is no snapshot of @{account.username} since {since}.")
            await asyncio.sleep(0.05)


async def _count(
    environment: DemoEnvironment, tenants: list[Tenant], accounts: list[Integration]
) -> dict[str, Any]:
    """Return what Roost counted, and the emulator's ground truth."""
    totals = [await queries.get_tenant_totals(environment.runtime, one.id) for one in tenants]
    sent = [
        part
        for total in totals
        for post in total.posts
        for part in post.parts
        if part.sent_as is not None
    ]
    usernames = {account.id: account.username for account in accounts}
    truth = await _call_emulator(
        "GET", f"{environment.x_url}/_emulator/ground-truth?app={environment.client_id}"
    )
    counted = truth["apps"][environment.client_id]
    return {
        "parts": len(sent),
        "media": sum(len(part.media) for part in sent),
        "snapshots": sum(total.snapshots for total in totals),
        "anomalies": [
            {"account": usernames[one.integration_id], "metric": one.metric, "day": one.day}
            for total in totals
            for one in total.anomalies
        ],
        "requests": sum(total.requests for total in totals),
        "dollars": sum(total.usd for total in totals),
        "ground_truth": {
            "posts": counted["posts"],
            "media": counted["media"],
            "dollars": float(counted["dollars"]),
            "anomalies": truth["anomalies"],
        },
    }
