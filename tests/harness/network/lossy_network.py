"""A network namespace whose loopback device loses random packets, or all create requests.

The namespace needs root, the command `ip`, and nftables or the kernel's netem. Nothing outside the
namespace changes.
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.network.proxy import bind_loopback

_CLONE_NEWNET = 0x40000000
#: The first bytes of a create. They follow a TCP header with timestamps, which has 32 bytes.
_CREATE = b"POST /2/"
_TCP_HEADER_BITS = 256


@dataclass(frozen=True)
class LossyNetwork:
    """A network namespace with only a loopback device, which can lose packets."""

    name: str
    has_nft: bool
    """Whether nftables works; if not, netem drops packets of the whole loopback device."""

    @property
    def command_prefix(self) -> tuple[str, ...]:
        """The beginning of a command that runs another command in the namespace."""
        return ("ip", "netns", "exec", self.name)

    @property
    def tool(self) -> str:
        """The name of the tool that drops packets."""
        return "nftables" if self.has_nft else "netem"

    def listen(self) -> socket.socket:
        """Open a listening socket on the loopback device of the namespace."""

        def bind() -> socket.socket:
            namespace = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(namespace)
            return bind_loopback()

        # A thread that has entered the namespace cannot leave it. A new thread therefore opens the
        # socket and then ends.
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(bind).result()

    async def drop_packets(self, port: int, percent: int) -> None:
        """Drop a percentage of the packets from and to a port."""
        if not self.has_nft:
            loss = ("loss", f"{percent}%")
            await _run(
                *self.command_prefix, "tc", "qdisc", "add", "dev", "lo", "root", "netem", *loss
            )
            return
        chance = f"numgen random mod 100 < {percent} drop"
        await self._add_rules(port, f"tcp dport {port} {chance}", f"tcp sport {port} {chance}")

    async def drop_creates(self, port: int) -> None:
        """Drop every packet that begins a create.

        Later data of the connection does not arrive either, because TCP delivers data in order.
        """
        size = 8 * len(_CREATE)
        begins = f"@th,{_TCP_HEADER_BITS},{size} 0x{_CREATE.hex()}"
        await self._add_rules(port, f"tcp dport {port} {begins} drop")

    async def _add_rules(self, port: int, *rules: str) -> None:
        chain = f"port_{port}"
        commands = [
            "add table inet roost",
            f"add chain inet roost {chain} {{ type filter hook input priority 0; }}",
            *(f"add rule inet roost {chain} {rule}" for rule in rules),
        ]
        await _run(*self.command_prefix, "nft", "; ".join(commands))

    async def stop_dropping(self, port: int) -> None:
        """Remove the rules that drop packets of a port."""
        chain = f"inet roost port_{port}"
        await _run(*self.command_prefix, "nft", f"flush chain {chain}; delete chain {chain}")


@contextlib.asynccontextmanager
async def open_lossy_network() -> AsyncIterator[LossyNetwork | str]:
    """Yield a new namespace, which is removed at the end.

    If the machine does not allow the namespace, yields the reason as text.
    """
    if os.name != "posix" or os.geteuid() != 0:
        yield "not possible here: it needs root"
        return
    if shutil.which("ip") is None:
        yield "not possible here: there is no `ip` (iproute2)"
        return
    name = f"roost-bench-{os.getpid()}"
    try:
        await _run("ip", "netns", "add", name)
    except OSError as error:
        yield f"not possible here: no network namespace ({error})"
        return
    try:
        await _run("ip", "netns", "exec", name, "ip", "link", "set", "lo", "up")
        yield await _find_tool(name)
    finally:
        with contextlib.suppress(OSError):
            await _run("ip", "netns", "del", name)


async def _find_tool(name: str) -> LossyNetwork | str:
    trial = LossyNetwork(name, has_nft=True)
    if shutil.which("nft") is not None:
        try:
            await trial.drop_packets(1, 20)
            await trial.stop_dropping(1)
        except OSError:
            pass
        else:
            return trial
    if shutil.which("tc") is not None:
        trial = LossyNetwork(name, has_nft=False)
        try:
            await trial.drop_packets(1, 20)
            await _run(*trial.command_prefix, "tc", "qdisc", "del", "dev", "lo", "root")
        except OSError:
            pass
        else:
            return trial
    return "not possible here: the kernel has no netem, and nftables does not work"


async def _run(*command: str) -> None:
    """Run a command, and wait until it ends.

    Raises: OSError (the command failed; the exception has its error output).
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    if process.returncode != 0:
        raise OSError(f"{Path(command[0]).name}: {stderr.decode(errors='replace').strip()}")
