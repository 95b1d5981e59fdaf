"""Sockets to X on which a request dies with its exchange.

The kernel goes on sending what a program has written, also after the program has given up: a
create was delivered 82 seconds after it was sent. So unacknowledged bytes are dropped after a
time (TCP_USER_TIMEOUT), and closing aborts the connection (SO_LINGER of 0) instead of delivering
what is left. What a proxy has taken over is beyond reach.
"""

import socket
import struct
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey

#: On, and 0 seconds: close() sends a reset and discards the send buffer.
_ABORT: Final = struct.pack("ii", 1, 0)
#: Absent on macOS and Windows, where only closing ends the attempts.
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)


def open_connector(user_timeout: timedelta) -> aiohttp.TCPConnector:
    """Connections without a limit on their number; kept alive as aiohttp does by default.

    `user_timeout`: how long bytes may stay unacknowledged before the kernel ends the connection.
    """
    milliseconds = int(user_timeout / timedelta(milliseconds=1))

    def open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            if _USER_TIMEOUT is not None:
                opened.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, milliseconds)
        except OSError:
            opened.close()
            raise
        return opened

    return _AbortingConnector(limit=0, limit_per_host=0, socket_factory=open_socket)


class _AbortingConnector(aiohttp.TCPConnector):
    """Aborts the connection of an exchange that did not end well.

    aiohttp closes it: asyncio then still writes what it holds back, and TLS says goodbye for up
    to 30 seconds. Neither may happen once the caller knows the request as over.
    """

    def _release(
        self, key: "ConnectionKey", protocol: "ResponseHandler", *, should_close: bool = False
    ) -> None:
        is_over = should_close or protocol.should_close
        if is_over:
            protocol.abort()
        super()._release(key, protocol, should_close=is_over)
