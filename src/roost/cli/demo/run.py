"""`roost demo`: runs every step of Roost; child processes run the production commands."""

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
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from cyclopts import Parameter

from roost.agents.brief import read_brief
from roost.agents.composer import compose_drafts
from roost.child_environment import child_environment
from roost.cli.arguments import Json, choose_tenant, command_settings
from roost.cli.command import run_async
from roost.cli.demo.browser import give_consent
from roost.cli.demo.emulator import EmulatorControl
from roost.cli.demo.month import DAYS, find_month_start, live_through_month
from roost.cli.demo.output import Progress, show_result
from roost.cli.demo.processes import running
from roost.cli.output import print_note, print_result, to_json
from roost.cli.schemas.installation import DemoOutput
from roost.errors import Broken, InvalidInput
from roost.escaping import one_line
from roost.extras import require_extra
from roost.formats import format_count
from roost.insights.reports.periods import last_days
from roost.models import Integration, Post, PostState, Scope
from roost.publishing.part_input import PartInput
from roost.runtime import Runtime, migrate, open_runtime
from roost.services import queries, report, schedule, setup
from roost.settings import ENVIRONMENT_NAMES, Settings

#: The number of drafts of the brief that the demo publishes, one on each Wednesday.
_DRAFTS: Final = 4


@dataclass(frozen=True)
class DemoAccount:
    """A tenant of the demo, with its only account and its plan file."""

    tenant: str
    username: str
    name: str
    followers: int
    plan: str


#: The accounts of the demo. In the scenario `month`, the first account loses followers.
ACCOUNTS: Final = (
    DemoAccount("acme", "acmeplumbing", "Acme Plumbing", 12_400, "plan.csv"),
    DemoAccount("lune", "bakery_lune", "Bakery Lune", 3_150, "plan-lune.csv"),
)


@dataclass(frozen=True)
class DemoEnvironment:
    """What the steps of the demo use: runtime, emulator, web server, X app and example files."""

    runtime: Runtime
    emulator: EmulatorControl
    web_url: str
    client_id: str
    examples: Path


def demo(
    *,
    scenario: Annotated[
        Literal["month", "purge", "steady"],
        Parameter(help="`month` and `purge` have an anomaly, `steady` has none."),
    ] = "month",
    seed: Annotated[int, Parameter(help="The same seed gives the same metrics.")] = 7,
    keep: Annotated[Path | None, Parameter(help="Keep the demo's data in this folder.")] = None,
    serve: Annotated[
        bool, Parameter(negative="", help="Keep the web server running at the end.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Connect two accounts, publish for 30 emulated days, find anomalies, write a report."""
    return run_async(lambda: _demo(scenario, seed, keep, serve, as_json))


async def _demo(scenario: str, seed: int, keep: Path | None, stay: bool, as_json: bool) -> int:
    started_at = time.monotonic()
    with Progress(shown=not as_json) as progress:
        try:
            async with _open_environment(scenario, seed, keep, progress) as environment:
                result, unpublished = await _run_steps(environment, progress)
                result["seconds"] = round(time.monotonic() - started_at, 1)
                progress.stop()
                print_result(DemoOutput.model_validate(result), as_json=as_json)
                show_result(result, unpublished, shown=not as_json)
                if keep is not None:
                    print_note(one_line(f"The demo's data is kept in {keep}."))
                if stay:
                    print_note(f"The web server runs at {environment.web_url} until Ctrl-C.")
                    await asyncio.Event().wait()
        except asyncio.CancelledError:
            print_note("Interrupted; everything that the demo started was ended.")
            raise
    return 0 if not unpublished and _equals_ground_truth(result) else 5


def _equals_ground_truth(result: dict[str, Any]) -> bool:
    """Return whether Roost's counts equal those that the emulator has recorded."""
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
        started = await stack.enter_async_context(
            running(
                "emulator", "--port", "0", "--scenario", scenario, "--seed", str(seed),
                environment=child_environment(), log=home / "emulator.log",
            )
        )  # fmt: skip
        port = _free_port()
        emulator = EmulatorControl(started["url"])
        app = await _prepare_emulator(emulator, port)
        values = {
            "ROOST_HOME": str(home),
            "ROOST_X_BASE_URL": emulator.url,
            "ROOST_CLOCK_URL": f"{emulator.url}/_emulator/clock",
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
        runtime = await stack.enter_async_context(open_runtime(settings))
        for account in ACCOUNTS:
            await setup.make_tenant(runtime, account.tenant, "UTC")
        progress.step("starting the web server and a worker")
        # Pass on the variables PG*: if DATABASE_URL has no password, for example, PostgreSQL's
        # client reads PGPASSWORD.
        address = {"DATABASE_URL": database.app} | child_environment("PG") if database.app else {}
        web = await _start_processes(stack, child_environment() | address | values, home, port)
        yield DemoEnvironment(runtime, emulator, web["url"], app["client_id"], _examples())


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


async def _prepare_emulator(emulator: EmulatorControl, port: int) -> dict[str, Any]:
    """Reset the emulator to the start of the month, with the demo's accounts and an X app.

    Returns the app's credentials and its callback URL.
    """
    accounts = [
        {"username": one.username, "name": one.name, "followers": one.followers} for one in ACCOUNTS
    ]
    await emulator.reset(accounts, starts_at=find_month_start(await emulator.read_clock()))
    callback = f"http://127.0.0.1:{port}/api/auth/callback/twitter"
    return await emulator.add_app(callback) | {"callback": callback}


async def _start_processes(
    stack: contextlib.AsyncExitStack, environment: dict[str, str], home: Path, port: int
) -> dict[str, Any]:
    """Start the web server and a worker; return the web server's first output line, parsed."""
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
    """Return the folder with the example plans, brief and media files.

    The folder is in the working directory, in the installed package or in the source tree.
    """
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


# --- the steps --------------------------------------------------------------------------------


async def _run_steps(
    environment: DemoEnvironment, progress: Progress
) -> tuple[dict[str, Any], list[Post]]:
    """Run the demo; return its result and the posts that were not published."""
    runtime = environment.runtime
    scopes = [(await choose_tenant(runtime, account.tenant))[1] for account in ACCOUNTS]
    accounts = await _connect(environment, scopes, progress)
    await _schedule_drafts(environment, scopes[0], accounts[0], progress)
    refused = await _import_plans(environment, scopes, progress)
    progress.step(f"{DAYS} days pass")
    posts = await live_through_month(runtime, environment.emulator, scopes, accounts, progress)
    published = sum(post.state is PostState.PUBLISHED for post in posts)
    progress.step(f"published {published} posts")
    progress.step("writing the report")
    path = Path("out") / "demo" / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(await _make_page(runtime, scopes[0]), "utf-8")
    result = {
        "tenants": len(scopes),
        "connected": len(accounts),
        "published": published,
        "refused": refused,
        **await _count(environment, scopes, accounts),
        "report": str(path),
    }
    return result, [post for post in posts if post.state is not PostState.PUBLISHED]


async def _make_page(runtime: Runtime, scope: Scope) -> str:
    """Return the report of a tenant on the demo's month as an HTML page."""
    require_extra("reports", purpose="The report")
    # These modules are imported here, because every command imports this module.
    from roost.insights.reports.content.build import build_document
    from roost.insights.reports.forms.html import render_html
    from roost.insights.reports.words import load_words

    month = last_days(DAYS, runtime.clock.now(), ZoneInfo("UTC"))
    made = await report.make_report(runtime, scope, month)
    document = build_document(made, load_words("en"))
    return await asyncio.to_thread(render_html, document)


async def _connect(
    environment: DemoEnvironment, scopes: list[Scope], progress: Progress
) -> list[Integration]:
    for account in ACCOUNTS:
        progress.step(f"connecting @{account.username}")
        start = f"{environment.web_url}/api/auth/twitter/start?tenant={account.tenant}"
        await give_consent(start, account.username)
    return [
        account
        for scope in scopes
        for account in await queries.list_accounts(environment.runtime, scope)
    ]


async def _schedule_drafts(
    environment: DemoEnvironment, scope: Scope, account: Integration, progress: Progress
) -> None:
    runtime = environment.runtime
    monday = runtime.clock.now()
    drafts = compose_drafts(read_brief(environment.examples / "brief.yaml"))
    for week, draft in enumerate(drafts[:_DRAFTS]):
        progress.step(f"drafted: {draft.text}")
        await schedule.schedule_post(
            runtime,
            scope,
            account,
            [PartInput(draft.text)],
            due_at=monday + timedelta(weeks=week, days=2),
        )


async def _import_plans(
    environment: DemoEnvironment, scopes: list[Scope], progress: Progress
) -> list[dict[str, Any]]:
    """Import each tenant's plan; return the refused rows."""
    refused = []
    for account, scope in zip(ACCOUNTS, scopes, strict=True):
        plan = environment.examples / account.plan
        imported = await schedule.import_plan(environment.runtime, scope, plan)
        refused += [
            {"row": row.line, "code": row.code, "message": row.message} for row in imported.refused
        ]
        progress.step(
            f"imported {account.plan}: {format_count(imported.posts, 'post')},"
            f" {len(imported.refused)} refused"
        )
    return refused


async def _count(
    environment: DemoEnvironment, scopes: list[Scope], accounts: list[Integration]
) -> dict[str, Any]:
    """Return Roost's counts and the emulator's ground truth."""
    totals = [await queries.get_tenant_totals(environment.runtime, one) for one in scopes]
    sent = [
        part
        for total in totals
        for post in total.posts
        for part in post.parts
        if part.sent_as is not None
    ]
    usernames = {account.id: account.username for account in accounts}
    truth = await environment.emulator.read_ground_truth(environment.client_id)
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
