"""No command prints hostile text that controls the terminal or imitates Roost's output.

The commands are read from the application, so a test fails until `calls_of` covers a new command.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from fix_foreign import (
    HOSTILE,
    HOSTILE_FILE,
    HOSTILE_PLAIN,
    HostileRows,
    acts_on_terminal,
    fill_with_hostile,
)
from fix_processes import environment_of
from fix_publishing import CommandResult, Publisher, piped_python
from roost.cli import app
from roost.cli.demo.output import Progress, show_result

Calls = Sequence[Sequence[str]]


def calls_of(filled: HostileRows, folder: Path) -> Mapping[str, Calls]:
    """Return the lists of arguments with which each command is called.

    Commands that show a post precede the commands that change it.
    """
    one, planned, partly = map(str, (filled.published, filled.planned, filled.partly_published))
    undecided, draft = str(filled.undecided), str(filled.draft)
    user = f"@{HOSTILE.strip()}"
    file = str(folder / HOSTILE_FILE)
    return {
        "posts": [[], ["--account", user], *([n, "--history"] for n in (one, planned, partly)),
                  ["--tenant", HOSTILE]],
        "metrics": [[], ["--account", HOSTILE]],
        "alerts": [[]],
        "doctor": [[]],
        "report": [["--output", file + ".html"], ["--output", f"{file}/r.html"],
                   ["--account", user, "--last", HOSTILE], ["--language", HOSTILE]],
        "reports": [[], ["--schedule", "weekly", "--at", HOSTILE],
                    ["--schedule", "weekly", "--at", "Mon 08:00", "--group", f"{HOSTILE}=@a"]],
        "check": [[HOSTILE], [HOSTILE_PLAIN, "--media", file]],
        "draft": [["--brief", file + ".yaml"], ["--brief", file], ["--show", draft],
                  ["--show", draft, "--at", "+9h"], [draft, "--improve", HOSTILE],
                  [draft, "--improve", "shorter"], [draft, "--undo"]],
        "drafts": [[], ["--state", "draft"], ["--state", HOSTILE]],
        "approve": [[draft, "--at", "+9h"], [draft, "--at", "+9h", "--hash", HOSTILE],
                    [draft, "--at", HOSTILE]],
        "tenant": [[], ["--tenant", HOSTILE], ["--drafts-without-person"],
                   ["--report-title", HOSTILE, "--report-note", HOSTILE],
                   ["--report-logo", file], ["--report-accent", HOSTILE]],
        "import": [[file + ".csv"], [file + ".csv", "--dry-run"], [file]],
        "publish": [[HOSTILE], [HOSTILE_PLAIN, "--dry-run"],
                    ["--thread", file + ".txt", "--dry-run"], ["x", "--media", file],
                    [HOSTILE_PLAIN, "--at", "+9h"], ["x", "--at", HOSTILE]],
        "edit": [[planned, "--text", HOSTILE], [planned, "--at", HOSTILE]],
        "pause": [["--account", user], ["--account", HOSTILE_PLAIN], [planned]],
        "resume": [["--account", user], [planned]],
        "cancel": [[planned]],
        "resolve": [[undecided, "found", HOSTILE], [partly, "continue", "--text", HOSTILE],
                    [partly, "acknowledge"], [undecided, "discard"]],
        "init": [["--tenant", HOSTILE], ["--time-zone", HOSTILE]],
        "connect": [["--tenant", HOSTILE]],
        "serve": [["--host", HOSTILE]],
        "emulator": [["--faults", file], ["--faults", file + ".yaml"], ["--scenario", HOSTILE]],
        # `roost worker` ends at once, because it has no such argument; `test_foreign_log.py` covers
        # its log.
        "worker": [[HOSTILE]],
        # `test_demo_shows_texts_unchanged` covers the demo's output.
        "demo": [["--keep", HOSTILE, "--seed", HOSTILE]],
    }  # fmt: skip


def write_files(folder: Path) -> None:
    """Write a plan file, a brief and other files with hostile names and contents."""
    file = folder / HOSTILE_FILE
    file.write_text(HOSTILE, "utf-8")
    quoted = HOSTILE_PLAIN.replace('"', '""')
    Path(f"{file}.csv").write_text(
        "account,at,text,media,alt,thread\n"
        f'"@{quoted}",2099-03-01T09:00,"{quoted}",,,\n'
        f'@missing,"{quoted}","{quoted}","{quoted}","{quoted}","{quoted}"\n',
        "utf-8",
    )
    text = json.dumps(HOSTILE)
    Path(f"{file}.yaml").write_text(
        f"account: {text}\ntopic: {text}\naudience: {text}\ntone: {text}\nlanguage: en\n"
        f"facts:\n  - {{id: when, text: {text}}}\nn: 1\nfaults: {text}\n",
        "utf-8",
    )
    Path(f"{file}.txt").write_text(f"{HOSTILE_PLAIN}\n\n{HOSTILE}", "utf-8")


def commands() -> set[str]:
    """Return the name of every command."""
    return {name for name in app if not name.startswith("-")}


async def run_all(publisher: Publisher, folder: Path, calls: Calls) -> list[CommandResult]:
    """Run command lines one after the other in one process; return their results."""
    program = str(Path(__file__).with_name("commands_process.py"))
    # In a table that is 80 characters wide, the long texts would be cut.
    environment = environment_of(publisher.runtime.settings) | {"COLUMNS": "400"}
    async with (
        piped_python(program, environment=environment, folder=folder) as process,
        asyncio.timeout(300),
    ):
        out, err = await process.communicate(json.dumps(calls).encode())
    assert process.returncode == 0, err.decode()
    return [CommandResult(*one) for one in json.loads(out)]


@pytest.mark.timing
async def test_no_command_prints_text_that_controls_the_terminal(
    publisher: Publisher, admin_url: str, teal: Path, tmp_path: Path
) -> None:
    filled = await fill_with_hostile(publisher, admin_url, teal)
    write_files(tmp_path)
    calls_by_command = calls_of(filled, tmp_path)
    assert set(calls_by_command) == commands()
    calls = [
        [command, *arguments, *as_json]
        for command, calls in calls_by_command.items()
        for arguments in ([f"--no-such-{HOSTILE}"], *calls)
        for as_json in ([], ["--json"])
    ]
    found = []
    for call, ended in zip(calls, await run_all(publisher, tmp_path, calls), strict=True):
        acting = acts_on_terminal(ended.out) + acts_on_terminal(ended.err)
        if "unexpected error" in ended.out + ended.err:
            acting.append(f"unexpected: {ended.out}{ended.err}")
        if call[-1] == "--json" and ended.out:
            assert ended.answer, "one object on one line"
        found += [f"{call}: {each}" for each in acting]
    assert found == []
    listed, as_json = await run_all(publisher, tmp_path, [["posts"], ["posts", "--json"]])
    assert "[/x][red]hid[/red]\\x1b]52;c;ZQ==\\x07\\x1b[2J\\u202egnp" in listed.out
    texts = [part["text"] for post in as_json.answer["posts"] for part in post["parts"]]
    assert any(text.startswith(HOSTILE) for text in texts)


def test_demo_shows_texts_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    result = {
        "connected": HOSTILE, "published": 1, "parts": 1, "media": 0, "requests": 1, "dollars": 1,
        "ground_truth": {"dollars": 1}, "snapshots": 1, "reports": [HOSTILE], "seconds": 1,
        "refused": [{"row": 1, "message": HOSTILE, "code": "x"}],
        "anomalies": [{"account": HOSTILE, "metric": "followers", "day": "today"}],
    }  # fmt: skip
    show_result(result, [], shown=True)
    with Progress(shown=True) as progress:
        progress.step(HOSTILE)
        progress.count("publishing", 1, 2)
    shown = capsys.readouterr()
    assert "[red]hid[/red]" in shown.out
    assert acts_on_terminal(shown.out) == [], repr(shown.out)
    assert "[red]hid[/red]" in shown.err
