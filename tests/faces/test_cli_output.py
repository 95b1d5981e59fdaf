"""A command that changes data completes even if its output cannot be written.

The error about the output then says what the command has changed.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix_processes import environment_of
from fix_publishing import CommandResult, Publisher, run_roost
from roost import changes
from roost.errors import PostNotFound, PostRefused, RoostError
from roost.models import PostId
from roost.services import queries, schedule
from roost.services.schedule import PartInput

NO_WORKER = "No worker is alive, so nothing is published: start `roost worker`."
PLAN = "account,at,text,media,alt,thread\n@larkbooks,+1h,Grüße ✨,,,\n@larkbooks,+2h,Two,,,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a plan file of two posts."""
    (tmp_path / "plan.csv").write_text(PLAN, "utf-8")
    return tmp_path


@pytest.fixture
def full() -> Iterator[int]:
    """A file descriptor to which every write fails, because the device has no space left."""
    with Path("/dev/full").open("w") as file:
        yield file.fileno()


async def count_posts(publisher: Publisher) -> int:
    return len(await queries.list_posts(publisher.runtime, publisher.scope))


async def run_into(
    publisher: Publisher, folder: Path, stdout: int, *arguments: str, **environment: str
) -> CommandResult:
    """Run a command in its own process, with `stdout` as its standard output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "roost", *arguments,
        env=environment_of(publisher.runtime.settings) | environment, cwd=folder,
        stdin=asyncio.subprocess.DEVNULL, stdout=stdout, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return CommandResult(process.returncode, (out or b"").decode(), err.decode())


@pytest.mark.timing
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
async def test_import_completes_on_a_terminal_that_lacks_a_character(
    publisher: Publisher, folder: Path, options: tuple[str, ...]
) -> None:
    (folder / "plan.csv").write_text(PLAN + "@nobody✨,+1h,Three,,,\n", "utf-8")
    result = await run_into(
        publisher, folder, asyncio.subprocess.PIPE, "import", "plan.csv", *options,
        PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert (result.code, await count_posts(publisher)) == (1, 2)
    assert result.out.isascii()
    if options:
        assert "@nobody✨" in json.dumps(json.loads(result.out), ensure_ascii=False)
    else:
        assert "@nobody\\u2728" in result.out
    assert "Nothing was changed" not in result.err


@pytest.mark.timing
async def test_import_completes_although_its_reader_is_gone(
    publisher: Publisher, folder: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = await run_into(publisher, folder, writer, "import", "plan.csv")
    os.close(writer)
    assert (result.code, result.err) == (0, f"{NO_WORKER}\n")
    assert await count_posts(publisher) == 2


@pytest.mark.timing
async def test_import_says_that_only_its_result_is_lost__full_device(
    publisher: Publisher, folder: Path, full: int
) -> None:
    result = await run_into(publisher, folder, full, "import", "plan.csv")
    assert (result.code, await count_posts(publisher)) == (0, 2)
    assert result.err.splitlines() == [
        NO_WORKER,
        "output_failed: The result cannot be written: No space left on device.",
        "The command has done its work; only its result is lost.",
        "Look at the present state; do not run the command again.",
    ]


@pytest.mark.timing
@pytest.mark.parametrize("arguments", [("posts",), ("posts", "--json"), ("--help",)], ids=" ".join)
async def test_command_that_only_reads_fails_without_its_result__full_device(
    publisher: Publisher, folder: Path, full: int, arguments: tuple[str, ...]
) -> None:
    await publisher.schedule("Hello", after_s=60)
    result = await run_into(publisher, folder, full, *arguments)
    assert result.code == 5
    assert "Nothing was changed." in result.err


async def test_command_completes_without_standard_output(
    publisher: Publisher, folder: Path
) -> None:
    command = f"{sys.executable} -m roost import plan.csv >&- 2>&-"
    process = await asyncio.create_subprocess_shell(
        command, env=environment_of(publisher.runtime.settings), cwd=folder
    )
    assert (await process.wait(), await count_posts(publisher)) == (0, 2)


async def test_command_that_only_reads_fails_without_its_result__closed_output(
    publisher: Publisher, folder: Path
) -> None:
    process = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m roost posts >&-",
        env=environment_of(publisher.runtime.settings), cwd=folder, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()
    assert process.returncode == 5
    assert b"output_failed: The result cannot be written: it is closed." in err


async def test_report_that_cannot_be_written_is_an_error(
    publisher: Publisher, folder: Path
) -> None:
    settings = publisher.runtime.settings
    result = await run_roost("report", "--output", "/dev/full", settings=settings, folder=folder)
    assert result.code == 2
    assert "Report 1 is kept, but no file was written." in result.err


async def test_error_says_nothing_was_changed_only_if_nothing_was_committed(
    publisher: Publisher,
) -> None:
    runtime, scope = publisher.runtime, publisher.scope
    due_at = runtime.clock.now()

    async def publish(text: str) -> None:
        await schedule.schedule_post(
            runtime, scope, publisher.account, [PartInput(text)], due_at=due_at
        )

    with changes.recording():
        await queries.list_post_statuses(runtime, scope)
        with pytest.raises(PostNotFound) as missing:
            await schedule.cancel_post(runtime, scope, PostId(404))
        with pytest.raises(PostRefused):
            await publish("x" * 300)
        assert missing.value.did == "Nothing was changed."
        await publish("Hello")
        assert RoostError("It failed.").did.startswith("Roost had already changed something")
    assert RoostError("It failed.").did == ""
