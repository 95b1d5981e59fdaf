"""`roost emulator --app`: the settings for a running emulator and an X app of it."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fix_emulator import Emulator
from fix_publishing import run_roost

CALLBACK = "http://127.0.0.1:8700/api/auth/callback/twitter"


def port_of(emulator: Emulator) -> str:
    return str(urlsplit(emulator.url).port)


def evaluate(lines: str) -> dict[str, str]:
    """Return the variables that a shell exports after it has evaluated lines."""
    shell = subprocess.run(
        ["sh", "-c", 'eval "$1" && exec env -0', "sh", lines],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in shell.stdout.strip("\0").split("\0"))


async def test_emulator_app_prints_lines_for_the_shell(emulator: Emulator, tmp_path: Path) -> None:
    result = await run_roost("emulator", "--app", "--port", port_of(emulator), folder=tmp_path)
    assert result.code == 0, result.err
    exported = evaluate(result.out)
    (app,) = [one for one in await emulator.list_apps() if CALLBACK in one["callbacks"]]
    assert {name: exported[name] for name in exported if name.startswith(("ROOST", "TWI"))} == {
        "ROOST_X_BASE_URL": emulator.url,
        "ROOST_CLOCK_URL": f"{emulator.url}/_emulator/clock",
        "TWITTER_CALLBACK_URL": CALLBACK,
        "TWITTER_CLIENT_ID": app["client_id"],
        "TWITTER_CLIENT_SECRET": app["client_secret"],
        "TWITTER_API_KEY": app["api_key"],
        "TWITTER_API_SECRET": app["api_secret"],
    }


async def test_emulator_app_registers_one_app_for_each_callback(
    emulator: Emulator, tmp_path: Path
) -> None:
    async def client_id(callback: str) -> str:
        result = await run_roost(
            "emulator", "--app", "--port", port_of(emulator), "--json",
            folder=tmp_path, TWITTER_CALLBACK_URL=callback,
        )  # fmt: skip
        assert result.answer["TWITTER_CALLBACK_URL"] == callback
        found: str = result.answer["TWITTER_CLIENT_ID"]
        return found

    before = len(await emulator.list_apps())
    first = await client_id(CALLBACK)
    other = await client_id("http://127.0.0.1:8701/api/auth/callback/twitter")
    assert [await client_id(CALLBACK), first == other] == [first, False]
    assert len(await emulator.list_apps()) == before + 2


@pytest.mark.timing
async def test_emulator_app_waits_for_an_emulator_and_sends_its_secret(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    asking = asyncio.create_task(
        run_roost(
            "emulator",
            "--app",
            "--port",
            port,
            "--json",
            folder=tmp_path,
            X_EMULATOR_SECRET="a-secret",
        )
    )
    emulator = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "roost",
        "emulator",
        "--port",
        port,
        env=dict(os.environ) | {"X_EMULATOR_SECRET": "a-secret"},
    )
    try:
        result = await asking
    finally:
        emulator.terminate()
        await emulator.wait()
    assert result.answer["ROOST_X_BASE_URL"] == f"http://127.0.0.1:{port}"


async def test_emulator_app_says_that_no_emulator_runs(tmp_path: Path) -> None:
    with socket.socket() as bound:  # The socket does not listen, so connections are refused.
        bound.bind(("127.0.0.1", 0))
        port = str(bound.getsockname()[1])
        result = await run_roost("emulator", "--app", "--port", port, folder=tmp_path)
    assert (result.code, result.out) == (4, "")
    assert f"No emulator responds at http://127.0.0.1:{port}." in result.err


@pytest.mark.parametrize("option", [("--seed", "3"), ("--host", "192.0.2.1")])
async def test_emulator_app_refuses_options_without_effect(
    option: tuple[str, str], tmp_path: Path
) -> None:
    result = await run_roost("emulator", "--app", *option, "--json", folder=tmp_path)
    assert (result.code, result.answer["error"]["code"]) == (2, "usage_invalid")
    assert "--app" in json.dumps(result.answer)


async def test_emulator_says_that_its_port_is_taken(emulator: Emulator, tmp_path: Path) -> None:
    port = port_of(emulator)
    result = await run_roost("emulator", "--port", port, "--json", folder=tmp_path)
    assert (result.code, result.error) == (5, "port_taken")
    error = result.answer["error"]
    assert error["message"] == f"Another program listens on port {port} of 127.0.0.1."
    assert error["did"] == "The emulator did not start."
    assert "--port 0" in error["next"]


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--faults", "none.yaml", "none.yaml cannot be read: No such file or directory."),
        ("--faults", "wrong.yaml", "wrong.yaml is not a valid fault file: "),
        ("--secret-file", "none.txt", "none.txt cannot be read: No such file or directory."),
        ("--state", "none/state", "The folder none of the state file does not exist."),
        ("--state", "wrong.yaml", "wrong.yaml is not a state file of this version"),
    ],
)
async def test_emulator_names_a_file_that_it_cannot_use(
    option: str, value: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "wrong.yaml").write_text("faults: 1")
    result = await run_roost("emulator", "--port", "0", option, value, "--json", folder=tmp_path)
    assert (result.code, result.error) == (2, "emulator_file_invalid")
    error = result.answer["error"]
    assert error["message"].startswith(reason)
    assert error["did"] == "The emulator did not start."
    assert option in error["next"]


async def test_emulator_on_an_address_of_the_network_needs_a_secret(tmp_path: Path) -> None:
    result = await run_roost(
        "emulator", "--port", "0", "--host", "0.0.0.0", "--json", folder=tmp_path
    )
    assert (result.code, result.error) == (2, "usage_invalid")
    assert "--secret-file" in result.answer["error"]["next"]
