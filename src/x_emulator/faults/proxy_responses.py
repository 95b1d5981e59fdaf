"""Responses of proxies, captive portals and filters between a client and X.

These responses lack X's headers. Their `Date` header has the machine's time instead of the
emulated time, because a proxy has its own clock.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from x_emulator.responses import TEXT, ApiResponse, EncodedResponse

_HTML: Final = b"text/html; charset=utf-8"
_JSON: Final = b"application/json"
_PORTAL: Final = "<!DOCTYPE html><title>Welcome</title><p>Accept the terms to use this network."
_BLOCKED: Final = "<!DOCTYPE html><title>Blocked</title><p>The request was filtered."
#: JSON with more levels of nesting than JSON decoders accept.
_DEEP: Final = '{"data":' * 100_000

#: Maps each kind of fault to its response.
RESPONSES: Final = {
    "200empty": ApiResponse(200),
    "200object": ApiResponse(200, {}, content_type=_JSON),
    "200ok": ApiResponse(200, {"status": "ok"}, content_type=_JSON),
    "200deep": ApiResponse(200, _DEEP, content_type=_JSON),
    "200html": ApiResponse(200, _PORTAL, content_type=_HTML),
    "204": ApiResponse(204),
    "401html": ApiResponse(401, _BLOCKED, content_type=_HTML),
    "403html": ApiResponse(403, _BLOCKED, content_type=_HTML),
    "403object": ApiResponse(403, {}, content_type=_JSON),
    "403deep": ApiResponse(403, _DEEP, content_type=_JSON),
    "404empty": ApiResponse(404),
    "404html": ApiResponse(404, _BLOCKED, content_type=_HTML),
    "413html": ApiResponse(413, _BLOCKED, content_type=_HTML),
    "429text": ApiResponse(429, "Too many requests", content_type=TEXT),
}


def with_proxy_headers(response: EncodedResponse) -> EncodedResponse:
    """Return the response with the headers of a proxy instead of X's headers."""
    kept = (b"content-type", b"content-length")
    headers = [each for each in response.raw_headers if each[0] in kept]
    date = format_datetime(datetime.now(UTC), usegmt=True).encode()
    return EncodedResponse(response.status_code, [*headers, (b"date", date)], bytes(response.body))
