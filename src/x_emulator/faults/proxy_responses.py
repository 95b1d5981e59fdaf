"""Answers that are not X's: what proxies, portals and filters between a client and X send.

They carry none of X's headers; their `Date` is their own clock's, which is the machine's here.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from x_emulator.responses import TEXT, Answer, Written

_HTML: Final = b"text/html; charset=utf-8"
_JSON: Final = b"application/json"
_PORTAL: Final = "<!DOCTYPE html><title>Welcome</title><p>Accept the terms to use this network."
_BLOCKED: Final = "<!DOCTYPE html><title>Blocked</title><p>The request was filtered."
#: More levels than a decoder descends to.
_DEEP: Final = '{"data":' * 100_000

#: By kind of fault.
ANSWERS: Final = {
    "200empty": Answer(200),
    "200object": Answer(200, {}, kind=_JSON),
    "200ok": Answer(200, {"status": "ok"}, kind=_JSON),
    "200deep": Answer(200, _DEEP, kind=_JSON),
    "200html": Answer(200, _PORTAL, kind=_HTML),
    "204": Answer(204),
    "401html": Answer(401, _BLOCKED, kind=_HTML),
    "403html": Answer(403, _BLOCKED, kind=_HTML),
    "403object": Answer(403, {}, kind=_JSON),
    "403deep": Answer(403, _DEEP, kind=_JSON),
    "404empty": Answer(404),
    "404html": Answer(404, _BLOCKED, kind=_HTML),
    "413html": Answer(413, _BLOCKED, kind=_HTML),
    "429text": Answer(429, "Too many requests", kind=TEXT),
}


def written(content: Written) -> Written:
    """The answer with the headers of a proxy in place of X's."""
    kept = [each for each in content.raw_headers if each[0] in (b"content-type", b"content-length")]
    date = format_datetime(datetime.now(UTC), usegmt=True).encode()
    return Written(content.status_code, [*kept, (b"date", date)], bytes(content.body))
