"""One HTTP exchange with X: bytes out, bytes in, and what is known when no answer comes.

The surprise: a body with a deadline is checked in the last moment before the first byte, when the
connection stands; aiohttp holds the headers back until the body begins.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

import aiohttp
import msgspec
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload, Payload

from roost.endpoint import XUrl
from roost.http_body import MAX_BODY_BYTES, BodyTooLarge, read_body
from roost.limits import HEADERS

#: Counts the time that the machine was suspended, too (macOS' monotonic clock does by itself).
_BOOT_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_REQUEST_ID: Final = "x-transaction-id"
#: What decoding JSON raises when a body is not JSON, is of another shape, or is nested too deeply.
NOT_DECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def boot_seconds() -> float:
    """The clock that deadlines are readings of: it never jumps, and runs on in suspension."""
    return time.clock_gettime(_BOOT_CLOCK)


@dataclass(frozen=True, slots=True)
class Patience:
    """Wall time that an exchange may take."""

    connect: timedelta = timedelta(seconds=5)
    """For a new connection to stand."""
    read: timedelta | None = None
    """Without a byte of the answer, once the request has left; None: as long as `total` leaves."""
    total: timedelta = timedelta(seconds=30)
    """From the first attempt to connect to the last byte of the answer."""


class Answer(msgspec.Struct, frozen=True):
    """X answered, whatever it said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status})"

    @property
    def is_success(self) -> bool:
        """Any 2xx: X uses 200, 201, 202 and 204."""
        return 200 <= self.status < 300

    @property
    def limits(self) -> dict[str, str]:
        """The headers that tell of rate limits, as `roost.limits.read_windows` takes them."""
        headers = self.headers
        return {name: headers[name] for name in HEADERS if name in headers}

    @property
    def request_id(self) -> str | None:
        """X's own number for the request."""
        return self.headers.get(_REQUEST_ID)


@dataclass(frozen=True, slots=True)
class Silence:
    """No whole answer came."""

    maybe_sent: bool
    """False: not one byte of the request left this machine."""
    reason: str
    request_id: str | None = None
    """X's own number for the request, where an answer had begun."""


class _PastDeadline(Exception):
    """Raised where aiohttp would write the first byte."""


class GuardedBody(BytesPayload):
    """A small body that notes when it begins to leave, and does not after its deadline."""

    def __init__(self, value: bytes, content_type: str, deadline: float | None) -> None:
        super().__init__(value, content_type=content_type)
        self._deadline = deadline
        self.has_left = False

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the bytes, behind the headers that aiohttp has not sent yet."""
        if self._deadline is not None and boot_seconds() >= self._deadline:
            raise _PastDeadline
        self.has_left = True
        await super().write_with_length(writer, content_length)


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: XUrl,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    body: Payload | None = None,
    patience: Patience,
    deadline: float | None = None,
) -> Answer | Silence:
    """Send one request and read its answer whole; no write is sent twice, nothing redirected.

    (aiohttp sends a GET again when a kept connection turns out to be closed; that is welcome.)
    `deadline` (a reading of `boot_seconds`) also ends the wait for the answer. An answer that has
    come is handed out even when the deadline has passed meanwhile: knowing is better.
    """
    timeout = _whole_timeout(patience)
    if deadline is not None:
        left = deadline - boot_seconds()
        if left <= 0:
            return Silence(maybe_sent=False, reason="its deadline had passed")
        timeout = _timeout_within(patience, min(left, patience.total.total_seconds()))
    request_id = None
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            params=params,
            data=body,
            timeout=timeout,
            allow_redirects=False,
            middlewares=_ONCE if method == "DELETE" else None,
        ) as response:
            request_id = response.headers.get(_REQUEST_ID)
            return Answer(response.status, response.headers, await read_body(response))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return _silence(error, body, request_id)


@lru_cache(maxsize=16)
def _whole_timeout(patience: Patience) -> aiohttp.ClientTimeout:
    """The same in aiohttp's words; a program has a few patiences, and many requests."""
    return _timeout_within(patience, patience.total.total_seconds())


def _timeout_within(patience: Patience, total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=total_s,
        sock_connect=patience.connect.total_seconds(),
        sock_read=None if patience.read is None else patience.read.total_seconds(),
    )


class _ConnectionLost(aiohttp.ClientError):
    """A failure that aiohttp does not answer by sending the request again."""


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a DELETE: the second would be billed, and find nothing."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionLost(type(error).__name__) from error


_ONCE: Final = (_send_once,)


def _silence(error: Exception, body: Payload | None, request_id: str | None) -> Silence:
    not_connected = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    held_back = isinstance(body, GuardedBody) and not body.has_left
    if isinstance(error.__cause__, _PastDeadline):
        reason = "its deadline passed while connecting"
    elif isinstance(error, BodyTooLarge):
        reason = f"the answer is larger than {MAX_BODY_BYTES >> 20} MiB"
    elif isinstance(error, TimeoutError):
        reason = "connecting took too long" if not_connected else "no answer in time"
    else:
        # The class alone: messages of the library hold addresses and what was being written.
        reason = f"the connection failed ({type(error).__name__})"
    maybe_sent = not (not_connected or held_back)
    return Silence(maybe_sent=maybe_sent, reason=reason, request_id=request_id)
