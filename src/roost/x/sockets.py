"""Sockets to X on which unsent bytes are discarded when an exchange ends.

The kernel keeps sending the bytes that a program has written, even after the program has stopped
waiting: one create reached X 82 seconds after the program wrote it. So the kernel discards bytes
that stay unacknowledged for a time (TCP_USER_TIMEOUT), and closing resets the connection (SO_LINGER
of 0) instead of delivering the rest. Bytes that a proxy has accepted cannot be recalled.
"""

import socket
import struct
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey

#: Linger enabled with 0 seconds: close() sends a reset and discards the send buffer.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
#: macOS and Windows lack this option: retransmissions end only when the socket is closed there.
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
    """Aborts the connection of an exchange that failed.

    aiohttp would close the connection: asyncio then still writes its buffer, and TLS waits up to 30
    seconds for a close notification. Bytes must not be sent after the caller has the error.
    """

    def _release(
        self, key: "ConnectionKey", protocol: "ResponseHandler", *, should_close: bool = False
    ) -> None:
        is_failed = should_close or protocol.should_close
        if is_failed:
            protocol.abort()
        super()._release(key, protocol, should_close=is_failed)
