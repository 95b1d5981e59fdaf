"""X's problem documents: whether an error body is X's own, and what it says. Pure.

X's sentences may quote what the request held: the text of a post, a name. So a sentence says
something only by words that the request does not hold itself (`about`), and never anything that
concerns others than its account: that is for type, code and title alone.

A proxy, a portal or a filter between here and X answers with statuses of its own, also after it
has delivered the request. So the status of a refusal proves nothing; only a body that has the
members of X's problems does. `{}`, `{"status": "ok"}`, HTML, plain text and an empty body do not.
"""

import html
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from roost.x.wire import NOT_DECODABLE

#: X answers with both.
_HOSTS: Final = frozenset({"api.x.com", "api.twitter.com"})
_PATH: Final = "/2/problems/"
_NO_TYPE: Final = "about:blank"
#: What X's bodies without a `type` consist of (API v1.1, and its media endpoints).
_UNTYPED: Final = frozenset({"errors", "title", "detail", "status", "request", "error"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error body says, whatever its shape."""

    slug: str
    """The last segment of `type`; empty for `about:blank` and where there is none."""
    title: str
    sentence: str
    """X's own words: the messages, else the detail."""
    codes: frozenset[int]
    """Numbers of the older API, such as 187."""
    period: str | None
    """Of a usage cap: `Daily` or `Monthly`."""
    reason: str | None
    carried: str = ""
    """What the request held, comparable with the sentence."""

    def about(self, carried: Iterable[str]) -> "Problem":
        """The problem with a request that held these words: X may be quoting them."""
        return replace(self, carried="\n".join(_comparable(words) for words in carried))

    def says(self, *phrases: str) -> bool:
        """Whether X's words hold one of these (in lower case) that the request does not hold.

        Name a whole sentence of X's beside a word of it: a post may well hold the word.
        """
        said = _comparable(self.sentence)
        return any(phrase in said and phrase not in self.carried for phrase in phrases)


def read_problem(body: bytes) -> Problem | None:
    """The problem that a body states; None for anything that is not X's problem document."""
    try:
        payload = msgspec.json.decode(body)
    except NOT_DECODABLE:
        return None
    return problem_of(payload) if isinstance(payload, dict) and is_problem(payload) else None


def is_problem(payload: Mapping[str, Any]) -> bool:
    """Whether a decoded object has the members of X's problems.

    One of: a `type` of X's; `about:blank` with a title or detail; without any type, a list
    `errors` with entries, or title and detail, or the `request` and `error` of v1.1's media, and
    no member besides that X does not use (a gateway's `{"success": false, "errors": [...]}`).
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


def problem_of(payload: Mapping[str, Any]) -> Problem:
    """What a decoded object says, such as one of an answer's `errors`."""
    listed = payload.get("errors")
    entries = listed if isinstance(listed, list) else []
    objects = [entry for entry in entries if isinstance(entry, dict)]
    messages = [entry for entry in entries if isinstance(entry, str)]
    messages += [_text(entry, "message") or _text(entry, "detail") for entry in objects]
    every = [payload, *objects]
    return Problem(
        slug=_first(_slug(_text(each, "type")) for each in every),
        title=_first(_text(each, "title") for each in every),
        sentence=" ".join(filter(None, messages))
        or _text(payload, "detail")
        or _text(payload, "error"),
        codes=frozenset(each["code"] for each in every if isinstance(each.get("code"), int)),
        period=_text(payload, "period") or None,
        reason=_text(payload, "reason") or None,
    )


def _is_type_of_x(kind: str, payload: Mapping[str, Any]) -> bool:
    if kind == _NO_TYPE:
        # `instance` is what frameworks of gateways add (RFC 9457), and X does not.
        named = bool(_text(payload, "title") or _text(payload, "detail"))
        return named and "instance" not in payload
    try:
        url = urlsplit(kind)
    except ValueError:
        return False
    return url.hostname in _HOSTS and url.path.startswith(_PATH)


def _has_entries(listed: object) -> bool:
    """Whether one entry is a message, or an object with a message, a detail or a code."""
    return isinstance(listed, list) and any(
        bool(entry)
        if isinstance(entry, str)
        else isinstance(entry, dict)
        and bool(
            _text(entry, "message") or _text(entry, "detail") or isinstance(entry.get("code"), int)
        )
        for entry in listed
    )


def _comparable(words: str) -> str:
    """Words in one form, however X may have changed them while quoting."""
    plain = unicodedata.normalize("NFKC", html.unescape(words)).casefold()
    seen = (char for char in plain if unicodedata.category(char) != "Cf")
    return " ".join("".join(seen).split())


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _slug(kind: str) -> str:
    return "" if kind == _NO_TYPE else kind.rstrip("/").rpartition("/")[2]


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")
