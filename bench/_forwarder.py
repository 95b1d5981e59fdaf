"""A TCP port in front of a PostgreSQL server's socket, as a virtual address or a slow link is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

_CHUNK = 65_536


class Forwarder:
    """Passes connections on to a unix socket that can be exchanged while it runs."""

    def __init__(self, target: Path, delay_s: float) -> None:
        self.port = 0
        """The port on 127.0.0.1."""
        self._target: Path | None = target
        self._delay_s = delay_s
        self._open: set[asyncio.StreamWriter] = set()

    def lead_to(self, target: Path | None) -> None:
        """Pass new connections on to this socket (None: refuse them), and cut all present ones.

        What is still delayed is lost.
        """
        self._target = target
        for writer in tuple(self._open):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either end closes it."""
        self._open.add(writer)
        beyond: asyncio.StreamWriter | None = None
        try:
            if self._target is None:
                return
            back, beyond = await asyncio.open_unix_connection(self._target)
            self._open.add(beyond)
            ways = [
                asyncio.create_task(_pass_on(reader, beyond)),
                asyncio.create_task(_pass_on_late(back, writer, self._delay_s)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the server is away, as the client sees from its connection
        finally:
            for end in filter(None, (writer, beyond)):
                self._open.discard(end)
                end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


async def _pass_on_late(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    """Pass each piece on after the delay, in order."""
    if not delay_s:
        await _pass_on(reader, writer)
        return
    now = asyncio.get_running_loop().time
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send() -> None:
        while True:
            at, data = await pieces.get()
            await asyncio.sleep(at - now())
            writer.write(data)
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                pieces.put_nowait((now() + delay_s, data))
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@contextlib.asynccontextmanager
async def forwarding(target: Path, delay_s: float = 0.0) -> AsyncIterator[Forwarder]:
    """A running forwarder; what the server answers reaches its client after the delay."""
    forwarder = Forwarder(target, delay_s)
    server = await asyncio.start_server(forwarder.serve, "127.0.0.1", 0)
    forwarder.port = server.sockets[0].getsockname()[1]
    try:
        yield forwarder
    finally:
        server.close()
        forwarder.lead_to(None)
