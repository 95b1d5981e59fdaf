"""Each command's output validates against its JSON Schema.

Times have the same format in all outputs, and accounts are named without `@`.
"""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from fix_processes import environment_of
from fix_publishing import Publisher, piped_python, run_roost
from harness.json_output import validate_output
from roost.cli.schemas.commands import OUTPUTS
from roost.services import collect

#: The schemas of outputs that other tests validate. The commands need a browser, run the demo, or
#: need an emulator that is started separately.
_ELSEWHERE = {"connect", "demo", "emulator-app"}
_TIME_KEY = re.compile(r"(?:^|_)at$|until$|^restored_to$")

PLAN = (
    "account,at,text,media,alt,thread,poll,poll_duration\n"
    "@larkbooks,+60s,Imported,teal.png,A square,,,\n"
    "@larkbooks,+90s,Which?,,,,Yes|No,1d\n"
    f"@larkbooks,+60s,{'x' * 300},,,,,\n"
)
BRIEF = (
    "account: '@larkbooks'\ntopic: The summer sale\naudience: readers\ntone: warm\n"
    "language: en\nfacts:\n  - {id: when, text: The sale begins on Monday.}\nn: 1\n"
)


async def collect_outputs(publisher: Publisher, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Run the commands that end by themselves; return their outputs by the schema's name."""
    found: dict[str, list[dict[str, Any]]] = {}

    async def run(*arguments: str) -> dict[str, Any]:
        result = await run_roost(
            *arguments, "--json", settings=publisher.runtime.settings, folder=folder
        )
        found.setdefault(validate_output(arguments, result.answer), []).append(result.answer)
        return result.answer

    (folder / "plan.csv").write_text(PLAN, "utf-8")
    (folder / "brief.yaml").write_text(BRIEF, "utf-8")
    await run("init")
    await run("check", "See README.md @larkbooks", "--poll", "A", "--poll", "B")
    await run("draft", "--brief", "brief.yaml")
    await run("draft", "--brief", "brief.yaml", "--lint")
    await run("tenant", "--drafts-without-person")
    shown = await run("draft", "--show", "1", "--at", "+1h")
    approval = shown["approval"]
    await run("approve", "1", "--at", approval["at"], "--hash", approval["hash"])
    await run("drafts")
    await run("import", "plan.csv", "--dry-run")
    imported = await run("import", "plan.csv")
    picture, poll = (str(post["id"]) for post in imported["posts"])
    await run("publish", "x" * 300, "--dry-run", "--at", "+1h")
    await run("publish", "Hello", "--at", "+1h")
    await run("edit", poll, "--text", "Which one?")
    await run("cancel", poll)
    await run("pause", picture)
    await run("resume", picture)
    await run("pause", "--restored")
    await run("resume", "--all")
    missed = await publisher.schedule("Too late")
    await publisher.emulator.jump(hours=2)
    await publisher.run_to_completion()
    await publisher.emulator.jump(hours=1)
    await collect.collect_account(publisher.runtime, publisher.scope, publisher.account.id)
    await run("alerts")
    await run("doctor")
    await run("posts")
    await run("posts", str(missed), "--history")
    await run("posts", picture)
    await run("resolve", str(missed), "discard")
    await run("metrics")
    await run("report")
    await run("reports", "--schedule", "weekly", "--at", "Mon 08:00")
    await run("posts", "404")
    return found


async def read_ready_line(publisher: Publisher, folder: Path, *arguments: str) -> None:
    """Start a long-running command, and validate the line that it prints once it is ready."""
    environment = environment_of(publisher.runtime.settings)
    async with (
        piped_python(
            "-m", "roost", *arguments, "--json", environment=environment, folder=folder
        ) as process,
        asyncio.timeout(120),
    ):
        assert process.stdout is not None
        validate_output(arguments, json.loads(await process.stdout.readline()))
        process.terminate()
        await process.communicate()


def list_times(value: Any, key: str = "") -> list[str]:
    """Return all times in an output, also in nested objects.

    Times are the texts under keys such as `due_at`.
    """
    if isinstance(value, dict):
        return [time for name, item in value.items() for time in list_times(item, name)]
    if isinstance(value, list):
        return [time for item in value for time in list_times(item, key)]
    return [value] if isinstance(value, str) and _TIME_KEY.search(key) else []


async def test_output_of_every_command_validates(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    outputs = await collect_outputs(publisher, tmp_path)
    long_running = {"emulator", "serve", "worker"}
    assert set(outputs) | long_running | _ELSEWHERE == set(OUTPUTS)
    times = list_times(list(outputs.values()))
    assert len(times) > 20
    assert [time for time in times if not re.fullmatch(r"[-\dT:.]+Z", time)] == []
    dry, imported = outputs["import"]
    assert [one["id"] for one in dry["posts"]] == [None, None]
    assert [one["account"] for one in imported["posts"]] == ["larkbooks", "larkbooks"]
    assert [one["line"] for one in imported["refused"]] == [4]
    post = outputs["posts-post"][1]["post"]
    assert (post["account"], post["url"], post["environment"]) == ("larkbooks", None, "emulator")


@pytest.mark.timing
@pytest.mark.parametrize("command", ["worker", "serve --port 0", "emulator --port 0"])
async def test_ready_line_of_a_long_running_command_validates(
    publisher: Publisher, tmp_path: Path, command: str
) -> None:
    await read_ready_line(publisher, tmp_path, *command.split())


@pytest.mark.parametrize(
    "answer", [{"worker": "ready", "more": 1}, {}, {"worker": 1}], ids=["more", "less", "other"]
)
def test_schema_refuses_another_shape(answer: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validate_output(["worker"], answer)
