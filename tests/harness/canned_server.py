"""An HTTP server that sends one fixed response to each kind of request.

The server runs in a process of its own. It implements just enough of HTTP/1.1 to keep connections
open. Its responses have the headers that X sends, so that a client must read as many bytes as from
X.
"""

import asyncio
import sys
from typing import cast

_HEADERS = (
    b"date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"content-type: application/json; charset=utf-8\r\n"
    b"perf: 7402827104\r\n"
    b"server: cloudflare envoy\r\n"
    b"api-version: 2.165\r\n"
    b"cache-control: no-cache, no-store, max-age=0\r\n"
    b"content-disposition: attachment; filename=json.json\r\n"
    b"x-access-level: read-write\r\n"
    b"x-frame-options: SAMEORIGIN\r\n"
    b"x-xss-protection: 0\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"strict-transport-security: max-age=631138519\r\n"
    b"x-rate-limit-limit: 100\r\n"
    b"x-rate-limit-remaining: 63\r\n"
    b"x-rate-limit-reset: 1795435200\r\n"
    b"x-response-time: 148\r\n"
    b"x-transaction-id: 7f3a9c1d5e2b4a60\r\n"
)
CREATED = (
    b'{"data":{"id":"1985000000000000000","text":"Number 17: the tide turns at nine.",'
    b'"edit_history_tweet_ids":["1985000000000000000"]}}'
)


def _response(status: bytes, body: bytes) -> bytes:
    length = b"content-length: %d\r\n\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + _HEADERS + length + body


class _Connection(asyncio.Protocol):
    def __init__(self, posts: bytes) -> None:
        self._created = _response(b"201 Created", CREATED)
        self._posts = _response(b"200 OK", posts)
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, blank, body = self._buffer.partition(b"\r\n\r\n")
            if not blank:
                return
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line[15:])
            if len(body) < length:
                return
            self._buffer = body[length:]
            self._transport.write(self._created if head.startswith(b"POST") else self._posts)


async def _serve(posts: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(posts), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    # The body for responses to reads comes from standard input. The port is printed on standard
    # output.
    asyncio.run(_serve(sys.stdin.buffer.read()))
