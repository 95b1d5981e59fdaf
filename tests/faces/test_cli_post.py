"""`roost post` and `roost connect` as a person uses them, in real processes."""

import asyncio
import contextlib
import random
import signal
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from fix_emulator import Emulator
from fix_processes import environment_of, python_process, until
from fix_publishing import Desk, Ended, end_of, piped_python, run_roost
from fix_runtime import connect_account
from roost import store, worker
from roost.cli.demo.browser import give_consent
from roost.models import Tenant
from roost.runtime import Runtime
from roost.services import pause
from roost.services.pause import PauseScope
from roost.settings import Settings

SIGNS = pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
#: A busy machine may delay heartbeats; with these, no worker counts as dead because of that.
PATIENT = {"ROOST_WORKER_TIMEOUT_S": "60", "ROOST_HEARTBEAT_S": "20"}


async def post(desk: Desk, folder: Path, *arguments: str, **environment: str) -> Ended:
    """`roost post` for the desk's tenant."""
    settings = desk.runtime.settings
    return await run_roost("post", *arguments, settings=settings, folder=folder, **environment)


async def test_post_publishes_by_itself_where_no_worker_is_alive(
    desk: Desk, tmp_path: Path
) -> None:
    ended = await post(desk, tmp_path, "Hello", "--json")
    assert (ended.code, ended.answer["state"]) == (0, "published")
    assert "No worker is alive" in ended.err
    (on_x,) = (await desk.emulator.ground_truth())["posts"]
    assert ended.answer["parts"][0]["sent_as"] == on_x["id"]


async def test_post_leaves_no_worker_behind(desk: Desk, tmp_path: Path) -> None:
    first = await post(desk, tmp_path, "One", **PATIENT)
    second = await post(desk, tmp_path, "Two", **PATIENT)
    assert (first.code, second.code) == (0, 0)
    assert "No worker is alive" in second.err
    assert await desk.on_x() == ["One", "Two"]
    # The first command's worker ended cleanly, so the second one's had nothing to look for on X.
    assert await desk.requests("read_timeline") == []


@pytest.mark.timing
async def test_post_leaves_the_work_to_a_worker_that_is_alive(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=desk.runtime.settings, log=log, wall=PATIENT
    ):
        await until(lambda: worker.is_any_alive(desk.runtime), within=60)
        ended = await post(desk, tmp_path, "Hello", **PATIENT)
    assert ended.code == 0
    assert "No worker" not in ended.err
    assert ended.out.startswith("Post 1 is published.\n")


async def test_post_no_wait_only_stores(desk: Desk, tmp_path: Path) -> None:
    ended = await post(desk, tmp_path, "Hello", "--no-wait", "--json")
    assert (ended.code, ended.answer["state"]) == (0, "scheduled")
    assert await desk.on_x() == []
    await desk.work()
    assert await desk.on_x() == ["Hello"]


async def test_post_at_a_time_is_scheduled_in_the_tenants_zone(
    runtime: Runtime, emulator: Emulator, tmp_path: Path
) -> None:
    ended = await run_roost(
        "init", "--tenant", "abroad", "--time-zone", "Asia/Tokyo", "--json",
        settings=runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert ended.answer["tenant_made"] is True
    tenant = await store.tenants.get(runtime.database, "abroad")
    assert tenant.time_zone == "Asia/Tokyo"
    await connect_account(runtime, tenant, emulator, "larkbooks")
    ended = await run_roost(
        "post", "Hello", "--tenant", "abroad", "--at", "2031-01-01T09:00", "--json",
        settings=runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert ended.answer["due_at"] == "2031-01-01T00:00:00+00:00"


async def test_post_carries_media_with_alt_texts(desk: Desk, tmp_path: Path, teal: Path) -> None:
    ended = await post(desk, tmp_path, "Teal", "--media", str(teal), "--alt", "A square", "--json")
    assert (ended.code, ended.answer["state"]) == (0, "published")
    (on_x,) = (await desk.emulator.ground_truth())["posts"]
    assert [each["alt_text"] for each in on_x["media"]] == ["A square"]


async def test_post_makes_a_thread_of_a_file(desk: Desk, tmp_path: Path) -> None:
    sentences = [
        f"On day {day} the tide comes in at {day} past six, and then goes out again."
        for day in range(9)
    ]
    (tmp_path / "long.txt").write_text(" ".join(sentences), "utf-8")
    ended = await post(desk, tmp_path, "--thread", "long.txt", "--json")
    assert (ended.code, ended.answer["state"]) == (0, "published")
    on_x = (await desk.emulator.ground_truth())["posts"]
    assert len(on_x) == len(ended.answer["parts"]) >= 3
    assert [each["reply_to"] for each in on_x] == [None, *(each["id"] for each in on_x[:-1])]


@pytest.mark.parametrize("command", ["post", "post --dry-run", "edit"])
async def test_byte_order_mark_of_a_threads_file_is_no_text(
    desk: Desk, tmp_path: Path, command: str
) -> None:
    # What Windows' editor writes: the mark, and its line ends.
    words = "The tide comes in, and then it goes out again. "
    text = f"{words * 5}\r\n\r\nThe other day: {words * 5}"
    (tmp_path / "thread.txt").write_bytes(text.encode("utf-8-sig"))
    if command == "edit":
        post_id = await desk.plan("Before", after_s=3600)
        arguments = ["edit", str(post_id)]
    else:
        arguments = [*command.split(), "--no-wait"]
    ended = await run_roost(
        *arguments, "--thread", "thread.txt", "--json",
        settings=desk.runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    parts = [part if isinstance(part, str) else part["text"] for part in ended.answer["parts"]]
    assert len(parts) == 2
    assert parts[0].startswith("The tide")
    assert not any("\ufeff" in part for part in parts)


async def test_a_post_against_the_rules_ends_with_2_and_every_reason(
    desk: Desk, tmp_path: Path
) -> None:
    ended = await post(desk, tmp_path, "$AAA $BBB " + "x" * 281, "--json")
    assert (ended.code, ended.error) == (2, "text_too_long")
    violations = ended.answer["error"]["facts"]["violations"]
    assert [one["code"] for one in violations] == ["text_too_long", "too_many_cashtags"]


async def test_a_post_that_x_refuses_ends_with_1(desk: Desk, tmp_path: Path) -> None:
    await desk.plan("Hello")
    await desk.work()
    ended = await post(desk, tmp_path, "Hello", "--json")
    assert (ended.code, ended.answer["state"]) == (1, "failed")
    assert ended.answer["reason"].startswith("duplicate_post: ")


async def test_a_post_without_saying_which_account_is_refused_where_there_are_two(
    desk: Desk, emulator: Emulator, tmp_path: Path
) -> None:
    await connect_account(desk.runtime, desk.tenant, emulator, "tidewatcher")
    unclear, said = await asyncio.gather(
        post(desk, tmp_path, "Hello", "--no-wait", "--json"),
        post(desk, tmp_path, "Hello", "--no-wait", "--json", "--account", "@TideWatcher"),
    )
    assert (unclear.code, unclear.error) == (2, "account_unclear")
    assert "@larkbooks, @tidewatcher" in unclear.answer["error"]["message"]
    assert said.code == 0


@pytest.mark.timing
async def test_a_post_of_an_account_that_must_reconnect_does_not_wait_for_ever(
    desk: Desk, tmp_path: Path
) -> None:
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, desk.account)
    async with asyncio.timeout(120):
        ended = await post(desk, tmp_path, "Hello", "--json")
    assert ended.code == 5
    assert "reconnect" in ended.out


@pytest.mark.timing
@SIGNS
async def test_a_post_that_is_interrupted_stays_and_ends_with_130(
    sign: signal.Signals, desk: Desk, tmp_path: Path
) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    log = tmp_path / "post.log"
    async with python_process(
        "-m", "roost", "post", "Hello", settings=desk.runtime.settings, log=log
    ) as process:
        await desk.answered("create_post", 1)
        process.send_signal(sign)
        async with asyncio.timeout(120):
            assert await process.wait() == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    assert "Post 1 stays planned. No worker is alive: it goes out once" in log.read_text()
    assert "`roost posts 1` shows it, `roost cancel 1` takes it back." in log.read_text()
    await desk.work_through()
    assert await desk.on_x() == ["Hello"]


@pytest.mark.timing
@SIGNS
async def test_a_post_whose_request_is_on_its_way_when_interrupted_is_said_to_be_published(
    sign: signal.Signals, desk: Desk, tmp_path: Path
) -> None:
    await desk.emulator.fail("create_post", "before", "delay", seconds=2)
    log = tmp_path / "post.log"
    async with python_process(
        "-m", "roost", "post", "Hello", settings=desk.runtime.settings, log=log
    ) as process:
        await desk.under_way("create_post")
        process.send_signal(sign)
        async with asyncio.timeout(120):
            assert await process.wait() == 0, log.read_text()
    assert "Post 1 was published all the same; `roost posts 1` shows it." in log.read_text()
    assert "Post 1 is published." in log.read_text()
    assert await desk.on_x() == ["Hello"]


@pytest.mark.timing
@SIGNS
async def test_a_worker_that_is_interrupted_says_what_became_of_what_it_was_sending(
    sign: signal.Signals, desk: Desk, tmp_path: Path
) -> None:
    await desk.emulator.fail("create_post", "before", "delay", seconds=2)
    await desk.plan("Hello")
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=desk.runtime.settings, log=log
    ) as process:
        await desk.under_way("create_post")
        process.send_signal(sign)
        async with asyncio.timeout(120):
            assert await process.wait() == 0, log.read_text()
    assert "Requests to X that are finished first: 1." in log.read_text()
    assert "Post 1 was published all the same; `roost posts 1` shows it." in log.read_text()
    assert await desk.on_x() == ["Hello"]


@pytest.mark.timing
@pytest.mark.parametrize(
    "scope", [PauseScope.ACCOUNT, PauseScope.TENANT, PauseScope.EVERYTHING], ids=str
)
async def test_a_post_of_what_is_paused_says_so_at_once(
    scope: PauseScope, desk: Desk, tmp_path: Path
) -> None:
    match scope:
        case PauseScope.ACCOUNT:
            await pause.pause_account(desk.runtime, desk.account)
        case PauseScope.TENANT:
            await pause.pause_tenant(desk.runtime, desk.tenant)
        case _:
            await pause.pause_everything(desk.runtime)
    ended = await post(desk, tmp_path, "Hello", "--json")
    assert (ended.code, ended.answer["state"]) == (4, "scheduled")
    assert ended.answer["held_by"] == [scope]
    flags = {"account": "--account @larkbooks", "tenant": "--whole-tenant", "everything": "--all"}
    assert f"`roost resume {flags[scope]}` lets it go out." in ended.err
    assert "Post 1 stays planned; do not post it again." in ended.err
    assert await desk.on_x() == []


async def test_a_planned_post_says_that_no_worker_is_alive(desk: Desk, tmp_path: Path) -> None:
    ended = await post(desk, tmp_path, "Hello", "--at", "+1h", "--json")
    assert (ended.code, ended.answer["state"]) == (0, "scheduled")
    assert "No worker is alive: it goes out once `roost worker` runs." in ended.err


async def test_a_dry_run_says_when_as_whom_and_for_how_much_and_stores_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    now = await post(desk, tmp_path, "Hello", "--dry-run")
    assert now.code == 0
    assert "It would be published now as @larkbooks (emulator, connected)." in now.out
    assert "! No worker is alive: this command would publish it." in now.out
    assert "X charges $0.015" in now.out
    later = await post(desk, tmp_path, "Hello", "--dry-run", "--at", "+1h", "--json")
    assert later.code == 0
    due_at = desk.runtime.clock.now() + timedelta(hours=1)
    assert later.answer["due_at"] == due_at.isoformat()
    assert (later.answer["problems"], later.answer["held_by"]) == ([], [])
    ended = await run_roost("posts", "--json", settings=desk.runtime.settings, folder=tmp_path)
    assert ended.answer == {"posts": []}


async def test_a_dry_run_finds_what_the_post_would_be_refused_for_or_wait_for(
    desk: Desk, tmp_path: Path
) -> None:
    past = await post(desk, tmp_path, "Hello", "--dry-run", "--at", "2020-01-01T00:00Z", "--json")
    assert past.code == 2
    assert [one["code"] for one in past.answer["problems"]] == ["time_past"]
    await desk.emulator.fail("create_post", "before", "429")
    await desk.plan("Other")
    await desk.work()
    await pause.pause_everything(desk.runtime)
    waits = await post(desk, tmp_path, "Hello", "--dry-run", "--json")
    until = (await desk.integration()).backoff_until
    assert until is not None
    assert (waits.code, waits.answer["held_by"]) == (0, ["everything"])
    assert waits.answer["wait"]["until"] == until.isoformat()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, desk.account)
    lost = await post(desk, tmp_path, "Hello", "--dry-run", "--json")
    assert lost.code == 5
    assert [one["code"] for one in lost.answer["problems"]] == ["reconnect_needed"]


async def test_a_waiting_post_says_for_what_and_is_cancelled(desk: Desk, tmp_path: Path) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    await desk.plan("Hello")
    await desk.work()
    until = (await desk.integration()).backoff_until
    assert until is not None

    async def roost(*arguments: str) -> Ended:
        return await run_roost(*arguments, settings=desk.runtime.settings, folder=tmp_path)

    shown, listed, told = await asyncio.gather(
        roost("posts", "1", "--json"), roost("posts", "--json"), roost("posts", "1")
    )
    for one in (shown.answer["post"], *listed.answer["posts"]):
        assert one["wait"]["until"] == until.isoformat()
        assert one["wait"]["reason"]
    assert f"It waits until {until.isoformat(timespec='seconds')}: " in told.out
    assert "Nothing of it is on X: `roost cancel 1` takes it back" in told.out
    doctor = await roost("doctor", "--json")
    late = [one for one in doctor.answer["findings"] if one["what"] == "posts"]
    assert [one["health"] for one in late] == ["well"]
    cancelled = await roost("cancel", "1", "--json")
    assert (cancelled.code, cancelled.answer["state"]) == (0, "cancelled")
    assert cancelled.answer["wait"] is None
    await desk.work_through()
    assert await desk.on_x() == []


@pytest.mark.timing
async def test_connect_ends_when_consent_is_given(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, settings: Settings, tmp_path: Path
) -> None:
    origin = f"http://127.0.0.1:{_free_port()}"
    callback = f"{origin}/api/auth/callback/twitter"
    app = await emulator.control("apps", callbacks=[callback])
    given = environment_of(settings) | {
        "TWITTER_CLIENT_ID": app["client_id"],
        "TWITTER_CLIENT_SECRET": app["client_secret"],
        "TWITTER_CALLBACK_URL": callback,
    }
    command = ("-m", "roost", "connect", "--no-browser", "--json")
    async with (
        piped_python(*command, environment=given, folder=tmp_path) as process,
        asyncio.timeout(120),
    ):
        assert process.stderr is not None
        line = ""
        while f"{origin}/api/auth/twitter/start" not in line:
            line = (await process.stderr.readline()).decode()
            assert line, "it ended before it showed an address"
        await give_consent(line.strip(), "larkbooks")
        ended = await end_of(process)
    assert (ended.code, ended.answer["username"]) == (0, "larkbooks")
    assert ended.answer["environment"] == "emulator"
    assert "oken" not in ended.out.replace("token_expires_at", "")


def _free_port() -> int:
    """A port below the range from which the system assigns ports to other processes meanwhile."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
