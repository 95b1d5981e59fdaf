"""The README's commands for the emulator work as they are, when a person pastes them."""

import asyncio
import ctypes
import fcntl
import json
import os
import re
import socket
import struct
import sys
from pathlib import Path

import pytest

from roost.child_environment import child_environment
from roost.store.embedded import remove_embedded

ROOT = Path(__file__).parents[2]
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
#: Stops the background commands if a command of the block fails; their open output would otherwise
#: keep the test waiting.
_STOP_ON_EXIT = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"
#: A program that replaces the user's browser. It gives consent on the emulator's page by itself.
_BROWSER = """#!{python}
import asyncio, sys
from roost.cli.demo.browser import give_consent
asyncio.run(give_consent(sys.argv[1], "larkbooks"))
"""


def shell_blocks(title: str) -> list[str]:
    """Return the shell code blocks of the README's section `title`."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", section)


def use_own_network() -> None:
    """Give this process loopback ports of its own, if it runs as root.

    Another user would need a user namespace too, in which root's folders belong to an unknown user,
    and Roost refuses such folders. Ports 8700 and 8710 of the machine must then be free.
    """
    if os.geteuid() != 0 or ctypes.CDLL(None).unshare(_CLONE_NEWNET) != 0:
        return
    with socket.socket() as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


@pytest.mark.timing
async def test_the_block_for_the_emulator_runs_as_it_stands(tmp_path: Path) -> None:
    start, stop = shell_blocks("Use it with the emulator")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    browser = tmp_path / "browser"
    browser.write_text(_BROWSER.format(python=sys.executable))
    browser.chmod(0o700)
    # The README's commands wait 5 s until the worker has read the metrics. A busy machine may need
    # longer, so the test then waits until the metrics are there.
    until_read = (
        "until roost metrics --json > metrics.json && grep -q We.open metrics.json; do :; done"
    )
    try:
        async with asyncio.timeout(300):
            shell = await asyncio.create_subprocess_exec(
                "bash", "-ec", f"{_STOP_ON_EXIT}\n{start}\n{until_read}\n{stop}\nwait",
                cwd=tmp_path,
                env=child_environment() | {"HOME": str(tmp_path), "BROWSER": f"{browser} %s &"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                preexec_fn=use_own_network if sys.platform == "linux" else None,
            )  # fmt: skip
            output = (await shell.communicate())[0].decode()
    finally:
        await remove_embedded(tmp_path / "out" / "try")
    assert shell.returncode == 0, output
    assert ("Roost runs as root" in output) == (os.geteuid() == 0)
    assert "@larkbooks is connected (emulator)" in output
    assert "Post 1 is published." in output
    (account,) = json.loads((tmp_path / "metrics.json").read_text())["accounts"]
    assert account["posts"][0]["metrics"]["impressions"] > 0
    assert "larkbooks" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_no_block_sets_a_variable_to_a_placeholder() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for block in re.findall(r"(?ms)^```sh\n(.*?)^```$", page.read_text("utf-8")):
            assert not re.search(r"\w=['\"]?…", block), page
