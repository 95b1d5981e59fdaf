"""X's problem documents: whether an error body is X's own, and what it says. Pure.

X's messages may quote the request, such as the text of a post or a name. A phrase in a message
therefore counts only if the request does not contain the phrase (`with_request_strings`). Problems
that affect other accounts are recognized only by type, code and title, never by a phrase.

A proxy, a portal or a filter between Roost and X may send a status of its own, even after it has
delivered the request. An error is therefore X's only if its body has the members of X's problem
documents, whatever the status. `{}`, `{"status": "ok"}`, HTML, plain text and an empty body have no
such members.
"""

import html
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from roost.x.transport import DECODE_ERRORS

#: The URIs of X's problem types have one of these hosts.
_HOSTS: Final = frozenset({"api.x.com", "api.twitter.com"})
_PATH: Final = "/2/problems/"
_NO_TYPE: Final = "about:blank"
#: The members of X's error bodies without a `type`, which API v1.1 and its media endpoints send.
#: Such a body has no other members.
_UNTYPED: Final = frozenset({"errors", "title", "detail", "status", "request", "error"})


@dataclass(frozen=True, slots=True)
class Problem:
    """The content of an error body of X, which may have one of several formats."""

    slug: str
    """The last segment of `type`; empty for `about:blank` or without a type."""
    title: str
    message: str
    """X's messages; the `detail` if the body has no messages."""
    codes: frozenset[int]
    """Error numbers of the older API, such as 187."""
    period: str | None
    """The period of a usage cap: `Daily` or `Monthly`."""
    reason: str | None
    request_text: str = ""
    """All strings of the request, normalized for comparison with the message."""

    def with_request_strings(self, strings: Iterable[str]) -> "Problem":
        """Return the problem together with the strings of its request.

        `mentions` then ignores phrases that X's message may have quoted from the request.
        """
        return replace(self, request_text="\n".join(_normalize(each) for each in strings))

    def mentions(self, *phrases: str) -> bool:
        """Whether the message contains one of these lower-case phrases and the request does not.

        Pass a whole sentence of X's message as well as a word. If a post contains the word, the
        word no longer counts, but the sentence does.
        """
        message = _normalize(self.message)
        return any(phrase in message and phrase not in self.request_text for phrase in phrases)


def find_problem(body: bytes) -> Problem | None:
    """Return the problem in a response body; None if the body is not X's problem document."""
    try:
        payload = msgspec.json.decode(body)
    except DECODE_ERRORS:
        return None
    return parse_problem(payload) if isinstance(payload, dict) and is_problem(payload) else None


def is_problem(payload: Mapping[str, Any]) -> bool:
    """Whether a decoded object has the members of X's problems.

    If the object has a `type`, this must be a type of X, or `about:blank` together with a title or
    a detail.

    If the object has no `type`, it must have only members that X uses, and one of these: a list
    `errors` with entries; a title and a detail; the `request` and `error` of v1.1's media
    endpoints. A gateway's `{"success": false, "errors": [...]}`, for example, is not X's, because X
    does not use `success`.
    """
    kind = payload.get("type")
    if kind is not None:
        return isinstance(kind, str) and _is_type_of_x(kind, payload)
    if not payload.keys() <= _UNTYPED:
        return False
    return (
        _has_entries(payload.get("errors"))
        or bool(_text(payload, "title") and _text(payload, "detail"))
        or bool(_text(payload, "request") and _text(payload, "error"))
    )


def parse_problem(payload: Mapping[str, Any]) -> Problem:
    """Read a decoded problem, such as an entry of a response's `errors`."""
    listed = payload.get("errors")
    entries = listed if isinstance(listed, list) else []
    objects = [entry for entry in entries if isinstance(entry, dict)]
    messages = [entry for entry in entries if isinstance(entry, str)]
    messages += [_text(entry, "message") or _text(entry, "detail") for entry in objects]
    every = [payload, *objects]
    return Problem(
        slug=_first(_slug(_text(each, "type")) for each in every),
        title=_first(_text(each, "title") for each in every),
        message=" ".join(filter(None, messages))
        or _text(payload, "detail")
        or _text(payload, "error"),
        codes=frozenset(each["code"] for each in every if isinstance(each.get("code"), int)),
        period=_text(payload, "period") or None,
        reason=_text(payload, "reason") or None,
    )


def _is_type_of_x(kind: str, payload: Mapping[str, Any]) -> bool:
    if kind == _NO_TYPE:
        # The member `instance` (RFC 9457) shows that a gateway sent the problem: X never sends it.
        is_described = bool(_text(payload, "title") or _text(payload, "detail"))
        return is_described and "instance" not in payload
    try:
        url = urlsplit(kind)
    except ValueError:
        return False
    return url.hostname in _HOSTS and url.path.startswith(_PATH)


def _has_entries(listed: object) -> bool:
    """Whether a list contains a message, or an object with a message, a detail or a code."""
    return isinstance(listed, list) and any(
        bool(entry)
        if isinstance(entry, str)
        else isinstance(entry, dict)
        and bool(
            _text(entry, "message") or _text(entry, "detail") or isinstance(entry.get("code"), int)
        )
        for entry in listed
    )


def _normalize(text: str) -> str:
    """Normalize a text for comparison, because X may change a text that X quotes."""
    plain = unicodedata.normalize("NFKC", html.unescape(text)).casefold()
    visible = (char for char in plain if unicodedata.category(char) != "Cf")
    return " ".join("".join(visible).split())


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _slug(kind: str) -> str:
    return "" if kind == _NO_TYPE else kind.rstrip("/").rpartition("/")[2]


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")
