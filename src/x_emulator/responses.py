"""An answer of X's, and how it goes out: its bytes, and the headers that every answer carries."""

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

#: What decoding raises when bytes are no JSON, of another shape, or nested too deeply.
NOT_DECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Headers = tuple[tuple[bytes, bytes], ...]

_ALWAYS: Headers = (
    (b"api-version", API_VERSION),
    (b"cache-control", b"no-cache, no-store, max-age=0"),
    (b"server", b"x-emulator"),
)
_DISPOSITION = (b"content-disposition", b"attachment; filename=json.json")
_JSON: Headers = ((b"content-type", b"application/json; charset=utf-8"), _DISPOSITION)


class Answer(msgspec.Struct, frozen=True):
    """What a client gets, and what X charges for it."""

    status: int
    body: Any = None
    """JSON; None: no bytes. A `str` goes out as it is."""
    usd: Decimal = billing.FREE
    headers: Headers = ()
    kind: bytes = b""
    """The content type, where it is not JSON's for JSON and plain text's for a `str`."""


class Written(Response):
    """An answer in bytes. Starlette's own makes its headers from strings, at twice the price."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code = status
        self.raw_headers = headers
        self.body = body
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send(
            {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
        )
        await send({"type": "http.response.body", "body": self.body})


def write(answer: Answer, told: list[tuple[bytes, bytes]], at: datetime, took_ms: int) -> Written:
    """The answer in bytes; `told` are headers of this request, beside the answer's own."""
    kind: Headers
    if answer.body is None:
        content, kind = b"", ()
    elif isinstance(answer.body, str):
        content, kind = answer.body.encode(), ((b"content-type", answer.kind or TEXT),)
    else:
        content = msgspec.json.encode(answer.body)
        kind = ((b"content-type", answer.kind), _DISPOSITION) if answer.kind else _JSON
    headers = [
        *_ALWAYS,
        (b"content-length", b"%d" % len(content)),
        (b"date", _date(int(at.timestamp()))),
        (b"x-response-time", b"%d" % took_ms),
        (b"x-transaction-id", b"%016x" % random.getrandbits(64)),
        *answer.headers,
        *told,
        *kind,
    ]
    return Written(answer.status, headers, content)


@lru_cache(maxsize=64)
def _date(epoch: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(epoch, UTC), usegmt=True).encode()
