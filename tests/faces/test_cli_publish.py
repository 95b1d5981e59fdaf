"""`roost publish` and `roost connect` in real processes."""

import asyncio
import os
import signal
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from faces.terminal import question_at_a_terminal
from fix_emulator import Emulator
from fix_processes import environment_of, python_process, until
from fix_publishing import CommandResult, Publisher, piped_python, run_roost, wait_for_result
from fix_runtime import ACTOR, connect_account
from fix_web import free_port
from harness.json_output import validate_output
from roost import store
from roost.cli.demo.browser import give_consent
from roost.formats import format_time
from roost.models import Tenant
from roost.runtime import Runtime
from roost.services import health, pause
from roost.services.pause import PauseScope
from roost.settings import Settings

SIGNS = pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
#: Long limits, so that no worker counts as dead because a busy machine delays its heartbeats.
LONG_TIMEOUTS = {"ROOST_WORKER_TIMEOUT_S": "60", "ROOST_HEARTBEAT_S": "20"}


async def publish(
    publisher: Publisher, folder: Path, *arguments: str, **environment: str
) -> CommandResult:
    """Run `roost publish` for the publisher's tenant."""
    settings = publisher.runtime.settings
    return await run_roost("publish", *arguments, settings=settings, folder=folder, **environment)


async def test_publish_works_alone_while_no_worker_is_alive(
    publisher: Publisher, tmp_path: Path
) -> None:
    result = await publish(publisher, tmp_path, "Hello", "--json")
    assert (result.code, result.answer["state"]) == (0, "published")
    assert "No worker is alive" in result.err
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert result.answer["parts"][0]["sent_as"] == on_x["id"]


async def test_publish_leaves_no_worker_behind(publisher: Publisher, tmp_path: Path) -> None:
    first = await publish(publisher, tmp_path, "One", **LONG_TIMEOUTS)
    second = await publish(publisher, tmp_path, "Two", **LONG_TIMEOUTS)
    assert (first.code, second.code) == (0, 0)
    assert "No worker is alive" in second.err
    assert await publisher.published_texts() == ["One", "Two"]
    # The first worker ended cleanly, so the second worker did not have to read a timeline.
    assert await publisher.list_statuses("read_timeline") == []


@pytest.mark.parametrize("text", ["1", " #1 "])
async def test_publish_refuses_the_number_of_a_post_as_a_text(
    publisher: Publisher, tmp_path: Path, text: str
) -> None:
    await publisher.schedule("Hello", after_s=3600)
    refused = await publish(publisher, tmp_path, text, "--no-wait", "--json")
    assert (refused.code, refused.error) == (2, "text_ambiguous")
    assert "`roost posts 1` shows post 1." in refused.answer["error"]["next"]
    assert "--yes" in refused.answer["error"]["next"]
    listed = await run_roost(
        "posts", "--json", settings=publisher.runtime.settings, folder=tmp_path
    )
    assert [post["id"] for post in listed.answer["posts"]] == [1]
    confirmed = await publish(publisher, tmp_path, text, "--no-wait", "--json", "--yes")
    assert (confirmed.code, confirmed.answer["parts"][0]["text"]) == (0, text)


async def test_publish_accepts_a_number_that_no_post_has(
    publisher: Publisher, tmp_path: Path
) -> None:
    for text in ("17", "9" * 40):
        result = await publish(publisher, tmp_path, text, "--no-wait", "--json")
        assert (result.code, result.answer["parts"][0]["text"]) == (0, text)


@pytest.mark.timing
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2)], ids=["agreed", "declined"])
async def test_publish_asks_about_the_number_of_a_post_at_a_terminal(
    publisher: Publisher, tmp_path: Path, answer: str, code: int
) -> None:
    await publisher.schedule("Hello", after_s=3600)
    async with question_at_a_terminal(publisher, tmp_path, "publish", "1", "--no-wait") as question:
        process, terminal = question
        os.write(terminal, f"{answer}\n".encode())
    assert process.returncode == code
    listed = await run_roost(
        "posts", "--json", settings=publisher.runtime.settings, folder=tmp_path
    )
    assert len(listed.answer["posts"]) == (2 if answer == "y" else 1)


@pytest.mark.timing
async def test_publish_leaves_the_work_to_a_live_worker(
    publisher: Publisher, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log, wall=LONG_TIMEOUTS
    ):
        await until(lambda: health.is_worker_alive(publisher.runtime), within=60)
        result = await publish(publisher, tmp_path, "Hello", **LONG_TIMEOUTS)
    assert result.code == 0
    assert "No worker" not in result.err
    assert result.out.startswith("Post 1 is published.\n")


async def test_publish_no_wait_only_stores(publisher: Publisher, tmp_path: Path) -> None:
    result = await publish(publisher, tmp_path, "Hello", "--no-wait", "--json")
    assert (result.code, result.answer["state"]) == (0, "scheduled")
    assert await publisher.published_texts() == []
    await publisher.run_due_jobs()
    assert await publisher.published_texts() == ["Hello"]


async def test_publish_at_reads_the_time_in_the_tenants_zone(
    runtime: Runtime, emulator: Emulator, tmp_path: Path
) -> None:
    result = await run_roost(
        "init", "--tenant", "abroad", "--time-zone", "Asia/Tokyo", "--json",
        settings=runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert result.answer["tenant_made"] is True
    tenant = await store.tenants.get(runtime.database, "abroad")
    assert tenant.time_zone == "Asia/Tokyo"
    await connect_account(runtime, tenant, emulator, "larkbooks")
    result = await run_roost(
        "publish", "Hello", "--tenant", "abroad", "--at", "2031-01-01T09:00", "--json",
        settings=runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert result.answer["due_at"] == "2031-01-01T00:00:00Z"


async def test_publish_uploads_media_with_alt_texts(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    result = await publish(
        publisher, tmp_path, "Teal", "--media", str(teal), "--alt", "A square", "--json"
    )
    assert (result.code, result.answer["state"]) == (0, "published")
    (on_x,) = (await publisher.emulator.ground_truth())["posts"]
    assert [each["alt_text"] for each in on_x["media"]] == ["A square"]


async def test_publish_makes_a_thread_of_a_file(publisher: Publisher, tmp_path: Path) -> None:
    sentences = [
        f"On day {day} the tide comes in at {day} past six, and then goes out again."
        for day in range(9)
    ]
    (tmp_path / "long.txt").write_text(" ".join(sentences), "utf-8")
    result = await publish(publisher, tmp_path, "--thread", "long.txt", "--json")
    assert (result.code, result.answer["state"]) == (0, "published")
    on_x = (await publisher.emulator.ground_truth())["posts"]
    assert len(on_x) == len(result.answer["parts"]) >= 3
    assert [each["reply_to"] for each in on_x] == [None, *(each["id"] for each in on_x[:-1])]


@pytest.mark.parametrize("command", ["publish", "publish --dry-run", "edit"])
async def test_byte_order_mark_of_a_threads_file_is_ignored(
    publisher: Publisher, tmp_path: Path, command: str
) -> None:
    # Like a file of an editor for Windows, the file has a byte order mark and CRLF line ends.
    words = "The tide comes in, and then it goes out again. "
    text = f"{words * 5}\r\n\r\nThe other day: {words * 5}"
    (tmp_path / "thread.txt").write_bytes(text.encode("utf-8-sig"))
    if command == "edit":
        post_id = await publisher.schedule("Before", after_s=3600)
        arguments = ["edit", str(post_id)]
    else:
        arguments = [*command.split(), "--no-wait"]
    result = await run_roost(
        *arguments, "--thread", "thread.txt", "--json",
        settings=publisher.runtime.settings, folder=tmp_path,
    )  # fmt: skip
    assert result.code == 0, result.err
    parts = [part if isinstance(part, str) else part["text"] for part in result.answer["parts"]]
    assert len(parts) == 2
    assert parts[0].startswith("The tide")
    assert not any("\ufeff" in part for part in parts)


async def test_publish_refuses_an_invalid_post_with_every_violation(
    publisher: Publisher, tmp_path: Path
) -> None:
    result = await publish(publisher, tmp_path, "$AAA $BBB " + "x" * 281, "--json")
    assert (result.code, result.error) == (2, "text_too_long")
    violations = result.answer["error"]["facts"]["violations"]
    assert [one["code"] for one in violations] == ["text_too_long", "too_many_cashtags"]


async def test_publish_exits_with_1_if_x_refuses(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.schedule("Hello")
    await publisher.run_due_jobs()
    result = await publish(publisher, tmp_path, "Hello", "--json")
    assert (result.code, result.answer["state"]) == (1, "failed")
    assert result.answer["reason"]["code"] == "duplicate_post"


async def test_publish_requires_an_account_if_there_are_two(
    publisher: Publisher, emulator: Emulator, tmp_path: Path
) -> None:
    await connect_account(publisher.runtime, publisher.tenant, emulator, "tidewatcher")
    unclear, named = await asyncio.gather(
        publish(publisher, tmp_path, "Hello", "--no-wait", "--json"),
        publish(publisher, tmp_path, "Hello", "--no-wait", "--json", "--account", "@TideWatcher"),
    )
    assert (unclear.code, unclear.error) == (2, "account_unclear")
    assert "@larkbooks, @tidewatcher" in unclear.answer["error"]["message"]
    assert named.code == 0


@pytest.mark.timing
async def test_publish_does_not_wait_for_an_account_that_needs_reconnect(
    publisher: Publisher, tmp_path: Path
) -> None:
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, publisher.account)
    async with asyncio.timeout(120):
        result = await publish(publisher, tmp_path, "Hello", "--json")
    assert result.code == 5
    assert "reconnect" in result.out


@pytest.mark.timing
@SIGNS
async def test_publish_interrupted__post_stays_scheduled(
    sign: signal.Signals, publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    log = tmp_path / "publish.log"
    async with python_process(
        "-m", "roost", "publish", "Hello", settings=publisher.runtime.settings, log=log
    ) as process:
        await publisher.wait_for_responses("create_post", 1)
        process.send_signal(sign)
        async with asyncio.timeout(120):
            assert await process.wait() == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    assert (
        "Post 1 stays scheduled. No worker is alive, so nothing is published: start `roost worker`."
        in log.read_text()
    )
    assert "`roost posts 1` shows it, `roost cancel 1` cancels it." in log.read_text()
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Hello"]


@pytest.mark.timing
@SIGNS
async def test_publish_interrupted__request_under_way_is_finished_and_reported(
    sign: signal.Signals, publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.emulator.fail("create_post", "before", "delay", seconds=2)
    log = tmp_path / "publish.log"
    async with python_process(
        "-m", "roost", "publish", "Hello", settings=publisher.runtime.settings, log=log
    ) as process:
        await publisher.wait_for_request("create_post")
        process.send_signal(sign)
        async with asyncio.timeout(120):
            assert await process.wait() == 0, log.read_text()
    assert "Post 1 was published all the same; `roost posts 1` shows it." in log.read_text()
    assert "Post 1 is published." in log.read_text()
    assert await publisher.published_texts() == ["Hello"]


@pytest.mark.timing
@SIGNS
async def test_worker_interrupted__reports_the_posts_it_was_sending(
    sign: signal.Signals, publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.emulator.fail("create_post", "before", "delay", seconds=2)
    await publisher.schedule("Hello")
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ) as process:
        await publisher.wait_for_request("create_post")
        process.send_signal(sign)
        async with asyncio.timeout(120):
            assert await process.wait() == 0, log.read_text()
    assert "Ending once the requests to X under way (1) have completed." in log.read_text()
    assert "Post 1 was published all the same; `roost posts 1` shows it." in log.read_text()
    assert await publisher.published_texts() == ["Hello"]


@pytest.mark.timing
@pytest.mark.parametrize(
    "scope", [PauseScope.ACCOUNT, PauseScope.TENANT, PauseScope.EVERYTHING], ids=str
)
async def test_publish_ends_at_once_if_the_post_is_paused(
    scope: PauseScope, publisher: Publisher, tmp_path: Path
) -> None:
    match scope:
        case PauseScope.ACCOUNT:
            await pause.pause_account(publisher.runtime, publisher.scope, publisher.account)
        case PauseScope.TENANT:
            await pause.pause_tenant(publisher.runtime, publisher.scope)
        case _:
            await pause.pause_everything(publisher.runtime, ACTOR)
    result = await publish(publisher, tmp_path, "Hello", "--json")
    assert (result.code, result.answer["state"]) == (4, "scheduled")
    assert result.answer["paused_by"] == [scope]
    flags = {"account": "--account @larkbooks", "tenant": "--all-accounts", "everything": "--all"}
    assert f"`roost resume {flags[scope]}` resumes publishing." in result.err
    assert "Post 1 stays scheduled; do not publish it again." in result.err
    assert await publisher.published_texts() == []


async def test_publish_at_notes_that_no_worker_is_alive(
    publisher: Publisher, tmp_path: Path
) -> None:
    result = await publish(publisher, tmp_path, "Hello", "--at", "+1h", "--json")
    assert (result.code, result.answer["state"]) == (0, "scheduled")
    assert "No worker is alive, so nothing is published: start `roost worker`." in result.err


async def test_dry_run_shows_time_account_and_price_and_stores_nothing(
    publisher: Publisher, tmp_path: Path
) -> None:
    now = await publish(publisher, tmp_path, "Hello", "--dry-run")
    assert now.code == 0
    assert "The post would be published now as @larkbooks (emulator, connected)." in now.out
    assert "! No worker is alive: this command would publish the post." in now.out
    assert "X charges $0.015" in now.out
    later = await publish(publisher, tmp_path, "Hello", "--dry-run", "--at", "+1h", "--json")
    assert later.code == 0
    due_at = publisher.runtime.clock.now() + timedelta(hours=1)
    assert datetime.fromisoformat(later.answer["due_at"]) == due_at
    assert (later.answer["problems"], later.answer["paused_by"]) == ([], [])
    result = await run_roost(
        "posts", "--json", settings=publisher.runtime.settings, folder=tmp_path
    )
    assert result.answer == {"posts": []}


async def test_dry_run_shows_reasons_to_refuse_the_post_and_to_wait(
    publisher: Publisher, tmp_path: Path
) -> None:
    past = await publish(
        publisher, tmp_path, "Hello", "--dry-run", "--at", "2020-01-01T00:00Z", "--json"
    )
    assert past.code == 2
    assert [one["code"] for one in past.answer["problems"]] == ["time_past"]
    await publisher.emulator.fail("create_post", "before", "429")
    await publisher.schedule("Other")
    await publisher.run_due_jobs()
    await pause.pause_everything(publisher.runtime, ACTOR)
    waits = await publish(publisher, tmp_path, "Hello", "--dry-run", "--json")
    until = (await publisher.get_integration()).backoff_until
    assert until is not None
    assert (waits.code, waits.answer["paused_by"]) == (0, ["everything"])
    assert datetime.fromisoformat(waits.answer["wait"]["until"]) == until
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, publisher.account)
    lost = await publish(publisher, tmp_path, "Hello", "--dry-run", "--json")
    assert lost.code == 5
    assert [one["code"] for one in lost.answer["problems"]] == ["reconnect_needed"]


async def test_dry_run_with_a_paused_account_names_no_time(
    publisher: Publisher, tmp_path: Path
) -> None:
    await pause.pause_account(publisher.runtime, publisher.scope, publisher.account)
    waits = await publish(publisher, tmp_path, "Hello", "--dry-run")
    assert "would be published once it is resumed as @larkbooks" in waits.out


async def test_a_waiting_post_shows_its_wait_and_can_be_cancelled(
    publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    await publisher.schedule("Hello")
    await publisher.run_due_jobs()
    until = (await publisher.get_integration()).backoff_until
    assert until is not None

    async def roost(*arguments: str) -> CommandResult:
        return await run_roost(*arguments, settings=publisher.runtime.settings, folder=tmp_path)

    shown, listed, text = await asyncio.gather(
        roost("posts", "1", "--json"), roost("posts", "--json"), roost("posts", "1")
    )
    for one in (shown.answer["post"], *listed.answer["posts"]):
        assert datetime.fromisoformat(one["wait"]["until"]) == until
        assert one["wait"]["reason"]
    assert f"It waits until {format_time(until, 'UTC')}: " in text.out
    assert "Nothing of the post is on X: `roost cancel 1` cancels it" in text.out
    doctor = await roost("doctor", "--json")
    late = [one for one in doctor.answer["findings"] if one["what"] == "posts"]
    assert [one["status"] for one in late] == ["ok"]
    cancelled = await roost("cancel", "1", "--json")
    assert (cancelled.code, cancelled.answer["state"]) == (0, "cancelled")
    assert cancelled.answer["wait"] is None
    await publisher.run_to_completion()
    assert await publisher.published_texts() == []


@pytest.mark.timing
async def test_connect_ends_once_consent_is_given(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, settings: Settings, tmp_path: Path
) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    callback = f"{origin}/api/auth/callback/twitter"
    app = await emulator.control("apps", callbacks=[callback])
    environment = environment_of(settings) | {
        "TWITTER_CLIENT_ID": app["client_id"],
        "TWITTER_CLIENT_SECRET": app["client_secret"],
        "TWITTER_CALLBACK_URL": callback,
    }
    command = ("-m", "roost", "connect", "--no-browser", "--json")
    async with (
        piped_python(*command, environment=environment, folder=tmp_path) as process,
        asyncio.timeout(120),
    ):
        assert process.stderr is not None
        line = ""
        while f"{origin}/api/auth/twitter/start" not in line:
            line = (await process.stderr.readline()).decode()
            assert line, "the command ended before it printed an address"
        await give_consent(line.strip(), "larkbooks")
        result = await wait_for_result(process)
    assert (result.code, result.answer["account"]) == (0, "larkbooks")
    assert result.answer["environment"] == "emulator"
    validate_output(["connect"], result.answer)
    assert "oken" not in result.out.replace("token_expires_at", "")
