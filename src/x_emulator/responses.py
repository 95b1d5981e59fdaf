"""Responses of the API, and their encoding with the headers that every response has."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from x_emulator import billing

API_VERSION = b"2.167"
TEXT, FORM = b"text/plain", b"application/x-www-form-urlencoded"
PROBLEM = b"application/problem+json"

#: The exceptions that msgspec's decoder raises if bytes are not JSON, do not match the type or nest
#: too deeply.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Headers = tuple[tuple[bytes, bytes], ...]

_COMMON_HEADERS: Headers = (
    (b"api-version", API_VERSION),
    (b"cache-control", b"no-cache, no-store, max-age=0"),
    (b"server", b"x-emulator"),
)
_DISPOSITION = (b"content-disposition", b"attachment; filename=json.json")
_JSON_HEADERS: Headers = ((b"content-type", b"application/json; charset=utf-8"), _DISPOSITION)


class ApiResponse(msgspec.Struct, frozen=True):
    """The response that the client receives, and the price of its request in dollars."""

    status: int
    body: Any = None
    """The body: a `str` is sent unchanged, None gives an empty body, other values become JSON."""
    usd: Decimal = billing.FREE
    headers: Headers = ()
    content_type: bytes = b""
    """The content type; if empty, it is `text/plain` for a `str`, else `application/json`."""


class EncodedResponse(Response):
    """A response whose headers are already bytes.

    Starlette's own class encodes header strings, which takes twice as long.
    """

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code = status
        self.raw_headers = headers
        self.body = body
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await send({"type": "http.response.body", "body": self.body})


def encode(
    response: ApiResponse,
    request_headers: list[tuple[bytes, bytes]],
    at: datetime,
    took_ms: int,
) -> EncodedResponse:
    """Encode a response, and add the headers that X's responses have.

    `request_headers` are additional headers that depend on the request, such as the rate limits.
    """
    type_headers: Headers
    if response.body is None:
        content, type_headers = b"", ()
    elif isinstance(response.body, str):
        content = response.body.encode()
        type_headers = ((b"content-type", response.content_type or TEXT),)
    else:
        content, type_headers = msgspec.json.encode(response.body), _JSON_HEADERS
        if response.content_type:
            type_headers = ((b"content-type", response.content_type), _DISPOSITION)
    headers = [
        *_COMMON_HEADERS,
        (b"content-length", b"%d" % len(content)),
        (b"date", _http_date(int(at.timestamp()))),
        (b"x-response-time", b"%d" % took_ms),
        (b"x-transaction-id", b"%016x" % random.getrandbits(64)),
        *response.headers,
        *request_headers,
        *type_headers,
    ]
    return EncodedResponse(response.status, headers, content)


@lru_cache(maxsize=64)
def _http_date(epoch: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(epoch, UTC), usegmt=True).encode()
