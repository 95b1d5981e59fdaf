"""One HTTP exchange with X: send a request, read the response, classify failures.

The deadline of a body is checked when the connection is open, immediately before the first byte is
written. This covers the whole request, because aiohttp sends the headers together with the first
byte of the body.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal

import aiohttp
import msgspec
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload, Payload

from roost.boot_clock import boot_seconds
from roost.endpoint import XUrl
from roost.http_body import MAX_BODY_BYTES, BodyTooLarge, read_body
from roost.rate_limits import HEADERS

_REQUEST_ID: Final = "x-transaction-id"
#: The exceptions that decoding raises if a body is not JSON, has other fields, or is nested too
#: deeply.
DECODE_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
#: The content type of an HTML form.
FORM: Final = "application/x-www-form-urlencoded"
Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Wall-time limits of one exchange."""

    connect: timedelta = timedelta(seconds=5)
    """Limit for opening a connection."""
    read: timedelta | None = None
    """Limit between two reads once the request has been sent; None if only `total` applies."""
    total: timedelta = timedelta(seconds=30)
    """Limit from the first connection attempt to the last byte of the response."""


class Response(msgspec.Struct, frozen=True):
    """A complete HTTP response, of any status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Response({self.status})"

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx; X uses 200, 201, 202 and 204."""
        return 200 <= self.status < 300

    @property
    def rate_limit_headers(self) -> dict[str, str]:
        """The headers that `roost.rate_limits.parse_windows` reads."""
        headers = self.headers
        return {name: headers[name] for name in HEADERS if name in headers}

    @property
    def request_id(self) -> str | None:
        """X's id of the request."""
        return self.headers.get(_REQUEST_ID)


@dataclass(frozen=True, slots=True)
class NoResponse:
    """The outcome of an exchange without a complete response."""

    maybe_sent: bool
    """False if no byte of the request was sent, so that X cannot have carried it out."""
    reason: str
    request_id: str | None = None
    """X's id of the request, if the headers of a response were received."""


class _PastDeadline(Exception):
    """Raised if the deadline has passed when aiohttp is about to write the first byte."""


class DeadlineBody(BytesPayload):
    """A small body that is not sent after its deadline, and records when sending starts."""

    def __init__(self, value: bytes, content_type: str, deadline: float | None) -> None:
        super().__init__(value, content_type=content_type)
        self._deadline = deadline
        self.is_started = False

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the body, unless its deadline has passed. Raises: _PastDeadline.

        aiohttp sends the headers only with the first byte of the body, so X has received nothing of
        the request if this method raises.
        """
        if self._deadline is not None and boot_seconds() >= self._deadline:
            raise _PastDeadline
        self.is_started = True
        await super().write_with_length(writer, content_length)


async def exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: XUrl,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    body: Payload | None = None,
    timeouts: Timeouts,
    deadline: float | None = None,
) -> Response | NoResponse:
    """Send one request, and read the whole response. Redirects are not followed.

    A request that changes something is sent once. aiohttp repeats a GET if a kept-alive connection
    turns out to be closed, which is harmless. `deadline` (a value of `boot_seconds`) also ends the
    wait for the response. A response that has been received is returned even if the deadline has
    passed in the meantime.
    """
    timeout = _client_timeout(timeouts)
    if deadline is not None:
        left = deadline - boot_seconds()
        if left <= 0:
            return NoResponse(maybe_sent=False, reason="its deadline had passed")
        timeout = _limit_total(timeouts, min(left, timeouts.total.total_seconds()))
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
            middlewares=_SEND_ONCE if method == "DELETE" else None,
        ) as response:
            request_id = response.headers.get(_REQUEST_ID)
            return Response(response.status, response.headers, await read_body(response))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return _no_response(error, body, request_id)


@lru_cache(maxsize=16)
def _client_timeout(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    """Convert timeouts to aiohttp's form. The result is cached, because few values are in use."""
    return _limit_total(timeouts, timeouts.total.total_seconds())


def _limit_total(timeouts: Timeouts, total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=total_s,
        sock_connect=timeouts.connect.total_seconds(),
        sock_read=None if timeouts.read is None else timeouts.read.total_seconds(),
    )


class _ConnectionLost(aiohttp.ClientError):
    """A lost connection. aiohttp does not repeat a request that fails with this error."""


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a DELETE, and keep aiohttp from repeating it after a lost connection.

    X would bill the second DELETE, too.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionLost(type(error).__name__) from error


_SEND_ONCE: Final = (_send_once,)


def _no_response(error: Exception, body: Payload | None, request_id: str | None) -> NoResponse:
    not_connected = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    not_started = isinstance(body, DeadlineBody) and not body.is_started
    if isinstance(error.__cause__, _PastDeadline):
        reason = "its deadline passed while connecting"
    elif isinstance(error, BodyTooLarge):
        reason = f"the response is larger than {MAX_BODY_BYTES >> 20} MiB"
    elif isinstance(error, TimeoutError):
        reason = "connecting took too long" if not_connected else "no response in time"
    else:
        # The reason names only the error's class, because aiohttp's messages contain addresses and
        # parts of the response.
        reason = f"the connection failed ({type(error).__name__})"
    maybe_sent = not (not_connected or not_started)
    return NoResponse(maybe_sent=maybe_sent, reason=reason, request_id=request_id)
