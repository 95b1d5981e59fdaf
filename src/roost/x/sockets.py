"""Sockets to X that discard unsent bytes when an exchange ends.

By default, the kernel keeps sending the bytes that a program has written, even after the program
has stopped waiting: one request reached X 82 seconds after the program wrote it. These sockets make
the kernel discard bytes that are not acknowledged in time (TCP_USER_TIMEOUT). Closing such a socket
resets the connection (SO_LINGER of 0) instead of sending the remaining bytes. Bytes that a proxy
has accepted cannot be recalled.
"""

import socket
import struct
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey

#: The value of SO_LINGER (on, 0 seconds) with which close() sends a reset and discards the send
#: buffer.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
#: None on macOS and Windows, which lack this option; there, the kernel resends unacknowledged bytes
#: until the socket is closed.
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)


def open_connector(user_timeout: timedelta) -> aiohttp.TCPConnector:
    """Open a connector without a connection limit, with aiohttp's default keep-alive.

    `user_timeout` limits how long bytes may stay unacknowledged before the kernel closes the
    connection.
    """
    milliseconds = int(user_timeout / timedelta(milliseconds=1))

    def open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            if _USER_TIMEOUT is not None:
                opened.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, milliseconds)
        except OSError:
            opened.close()
            raise
        return opened

    return _AbortingConnector(limit=0, limit_per_host=0, socket_factory=open_socket)


class _AbortingConnector(aiohttp.TCPConnector):
    """A connector that aborts the connection of a failed exchange.

    No bytes may be sent after the caller has got the error. By default, aiohttp only closes the
    connection: asyncio then still writes its buffer, and TLS waits up to 30 seconds for a close
    notification.
    """

    def _release(
        self, key: "ConnectionKey", protocol: "ResponseHandler", *, should_close: bool = False
    ) -> None:
        is_failed = should_close or protocol.should_close
        if is_failed:
            protocol.abort()
        super()._release(key, protocol, should_close=is_failed)
