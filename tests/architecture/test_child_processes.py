"""Roost and the emulator pass an explicit environment to every process that they start."""

import ast
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from fix_postgres import PostgresServer
from roost.child_environment import child_environment, hidden
from roost.cli import browser
from roost.insights.reports import svg
from roost.settings import ENVIRONMENT_NAMES

SOURCE = Path(__file__).parents[2] / "src"
#: Functions that start a process and have a parameter `env`.
STARTS = {"Popen", "run", "call", "check_call", "check_output", "create_subprocess_exec"}
#: Functions that start a process with all environment variables of the current process.
INHERITS = {
    "system", "popen", "create_subprocess_shell", "execv", "execvp", "execl", "spawnv", "Process",
}  # fmt: skip
SECRET = "a-secret-of-this-environment"


def calls() -> list[tuple[str, str, ast.Call]]:
    """Return every call in `src`: the file, the called function's name, and the AST node."""
    return [
        (str(path.relative_to(SOURCE)), ast.unparse(node.func), node)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]


def test_every_start_of_a_process_names_its_environment() -> None:
    starts = [
        (path, name, call)
        for path, name, call in calls()
        if name.rpartition(".")[2] in STARTS
        and name.partition(".")[0] in ("subprocess", "asyncio")
        and name != "asyncio.run"
    ]
    assert len(starts) >= 6
    for path, name, call in starts:
        assert "env" in {word.arg for word in call.keywords}, f"{path}: {name}"


def test_nothing_starts_a_process_with_the_whole_environment() -> None:
    for path, name, _ in calls():
        assert name.rpartition(".")[2] not in INHERITS, f"{path}: {name}"
        if name.startswith("webbrowser."):
            assert path == "roost/cli/browser.py"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Set every environment variable of Roost and one of another program; return their names."""
    names = {*ENVIRONMENT_NAMES.values(), "AWS_SECRET_ACCESS_KEY"}
    for name in names:
        monkeypatch.setenv(name, SECRET)
    return names


def test_child_environment_holds_no_setting(secrets: set[str]) -> None:
    assert SECRET not in str(child_environment())
    assert "PATH" in child_environment()
    assert child_environment("DATABASE_") == child_environment() | {"DATABASE_URL": SECRET}


def test_drawing_process_gets_no_secret(
    secrets: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "draws.py"
    program.write_text("import json, os; print(json.dumps([json.dumps(dict(os.environ))]))")
    monkeypatch.setattr(svg, "_PROGRAM", program)
    (environment,) = svg.draw_svgs([{}])
    assert "PATH" in environment
    assert SECRET not in environment


def test_browser_gets_no_setting(
    secrets: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Roost hides only its own settings from the browser that it opens for the user. The browser may
    # get the variables of other programs, so this test deletes the one that `secrets` has set.
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("roost_vault_keys", SECRET)
    dumped = tmp_path / "environment"
    with hidden(ENVIRONMENT_NAMES.values()):
        ran = os.spawnv(
            os.P_WAIT,
            sys.executable,
            [
                sys.executable,
                "-c",
                f"import os; open({str(dumped)!r}, 'w').write(str(dict(os.environ)))",
            ],
        )
    assert ran == 0
    assert SECRET not in dumped.read_text()
    assert os.environ["DATABASE_URL"] == SECRET
    assert "with hidden(ENVIRONMENT_NAMES.values()):" in Path(browser.__file__).read_text("utf-8")


def test_private_server_gets_no_secret(postgres_server: PostgresServer) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("reads /proc")
    server: Any = postgres_server.embedded
    pid = (server._paths.data / "postmaster.pid").read_text().splitlines()[0]
    names = {
        line.partition("=")[0]
        for line in Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    }
    assert names <= {"PGDATA", "PGCTLTIMEOUT", "LC_ALL", "TZ", "PWD", "SHLVL", "_", "OLDPWD", "",
                     "PG_GRANDPARENT_PID", "PGLOCALEDIR", "PGSYSCONFDIR"}  # fmt: skip


def _children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


@pytest.mark.timing
async def test_emulator_of_the_demo_gets_no_secret(secrets: set[str], tmp_path: Path) -> None:
    from roost.cli.demo.processes import running

    environment, before = child_environment(), _children()
    async with running("emulator", "--port", "0", environment=environment, log=tmp_path / "log"):
        (started,) = _children() - before
        variables = Path(f"/proc/{started}/environ").read_bytes()
    assert b"PATH=" in variables
    assert SECRET.encode() not in variables
