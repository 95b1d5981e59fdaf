"""A network namespace whose loopback loses packets: all of them by chance, or every create's.

It needs root, `ip` and either nftables or the kernel's netem; nothing outside it is touched.
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

from _proxy import bind_loopback

_CLONE_NEWNET = 0x40000000
#: The first bytes of a create; they stand behind a TCP header with time stamps (32 bytes).
_CREATE = b"POST /2/"
_TCP_HEADER_BITS = 256


@dataclass(frozen=True)
class LossyNetwork:
    """A namespace of its own, with a loopback device only."""

    name: str
    has_nft: bool
    """Without it all of the loopback loses packets (netem), and creates cannot be picked out."""

    @property
    def before(self) -> tuple[str, ...]:
        """What a command has before it in order to run inside."""
        return ("ip", "netns", "exec", self.name)

    @property
    def how(self) -> str:
        """By what packets are lost."""
        return "nftables" if self.has_nft else "netem"

    def listen(self) -> socket.socket:
        """A listening socket on the loopback inside."""

        def bind() -> socket.socket:
            namespace = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(namespace)
            return bind_loopback()

        # A thread of its own, which ends: it stays in the namespace.
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(bind).result()

    async def lose(self, port: int, percent: int) -> None:
        """Lose this share of the packets from and to a port."""
        if not self.has_nft:
            loss = ("loss", f"{percent}%")
            await _run(*self.before, "tc", "qdisc", "add", "dev", "lo", "root", "netem", *loss)
            return
        chance = f"numgen random mod 100 < {percent} drop"
        await self._add(port, f"tcp dport {port} {chance}", f"tcp sport {port} {chance}")

    async def lose_creates(self, port: int) -> None:
        """Lose every packet that begins a create, and so all that its connection sends after."""
        size = 8 * len(_CREATE)
        begins = f"@th,{_TCP_HEADER_BITS},{size} 0x{_CREATE.hex()}"
        await self._add(port, f"tcp dport {port} {begins} drop")

    async def _add(self, port: int, *rules: str) -> None:
        chain = f"port_{port}"
        lines = [
            "add table inet roost",
            f"add chain inet roost {chain} {{ type filter hook input priority 0; }}",
            *(f"add rule inet roost {chain} {rule}" for rule in rules),
        ]
        await _run(*self.before, "nft", "; ".join(lines))

    async def lose_nothing(self, port: int) -> None:
        """Take back what was done to a port."""
        chain = f"inet roost port_{port}"
        await _run(*self.before, "nft", f"flush chain {chain}; delete chain {chain}")


@contextlib.asynccontextmanager
async def open_lossy_network() -> AsyncIterator[LossyNetwork | str]:
    """The namespace, gone with the block; or why this machine does not allow it."""
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
        yield await _find_means(name)
    finally:
        with contextlib.suppress(OSError):
            await _run("ip", "netns", "del", name)


async def _find_means(name: str) -> LossyNetwork | str:
    trial = LossyNetwork(name, has_nft=True)
    if shutil.which("nft") is not None:
        try:
            await trial.lose(1, 20)
            await trial.lose_nothing(1)
        except OSError:
            pass
        else:
            return trial
    if shutil.which("tc") is not None:
        trial = LossyNetwork(name, has_nft=False)
        try:
            await trial.lose(1, 20)
            await _run(*trial.before, "tc", "qdisc", "del", "dev", "lo", "root")
        except OSError:
            pass
        else:
            return trial
    return "not possible here: the kernel has no netem, and nftables does not work"


async def _run(*command: str) -> None:
    """Run a command. Raises: OSError with what it says, where it fails."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode != 0:
        raise OSError(f"{Path(command[0]).name}: {said.decode(errors='replace').strip()}")
