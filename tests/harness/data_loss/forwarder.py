"""A TCP port in front of a PostgreSQL socket; it acts as a virtual address or a slow link."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

_CHUNK_BYTES = 65_536


class Forwarder:
    """Forwards connections to a unix socket, which can change while the forwarder runs."""

    def __init__(self, target: Path, delay_s: float) -> None:
        self.port = 0
        """The port on 127.0.0.1 that accepts connections."""
        self._target: Path | None = target
        self._delay_s = delay_s
        self._open_writers: set[asyncio.StreamWriter] = set()

    def retarget(self, target: Path | None) -> None:
        """Forward new connections to another socket, or refuse them if `target` is None.

        All open connections are cut, and data that is still delayed is lost.
        """
        self._target = target
        for writer in tuple(self._open_writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward a connection until one of its ends closes the connection."""
        self._open_writers.add(writer)
        server_writer: asyncio.StreamWriter | None = None
        try:
            if self._target is None:
                return
            server_reader, server_writer = await asyncio.open_unix_connection(self._target)
            self._open_writers.add(server_writer)
            directions = [
                asyncio.create_task(_forward(reader, server_writer)),
                asyncio.create_task(_forward_later(server_reader, writer, self._delay_s)),
            ]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in directions:
                    task.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
        except OSError:
            pass  # The server does not accept connections. The client's connection is closed below.
        finally:
            for each in filter(None, (writer, server_writer)):
                self._open_writers.discard(each)
                each.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()


async def _forward_later(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    """Forward each piece of data after the delay, in the order of arrival."""
    if not delay_s:
        await _forward(reader, writer)
        return
    now = asyncio.get_running_loop().time
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def send() -> None:
        while True:
            send_at, data = await pieces.get()
            await asyncio.sleep(send_at - now())
            writer.write(data)
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK_BYTES):
                pieces.put_nowait((now() + delay_s, data))
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


@contextlib.asynccontextmanager
async def open_forwarder(target: Path, delay_s: float = 0.0) -> AsyncIterator[Forwarder]:
    """Run a forwarder that delays the server's data by `delay_s` wall seconds."""
    forwarder = Forwarder(target, delay_s)
    server = await asyncio.start_server(forwarder.serve, "127.0.0.1", 0)
    forwarder.port = server.sockets[0].getsockname()[1]
    try:
        yield forwarder
    finally:
        server.close()
        forwarder.retarget(None)
