"""A request to X, and the record of an exchange (request and response) for the ledger."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlencode

import msgspec
from aiohttp.payload import Payload

from roost.models import TweetId, XUserId
from roost.prices import Operation, Price
from roost.x.transport import FORM, DeadlineBody, Method, Timeouts


class Host(StrEnum):
    """The X host that serves a request."""

    API = "api"
    UPLOAD = "upload"
    """upload.twitter.com: media uploads of API v1.1."""


class Credential(StrEnum):
    """The kind of credential that X accepts for a request."""

    ANY = "any"
    """OAuth 2.0 if the client has a token with the scope, otherwise OAuth 1.0a."""
    TOKEN = "token"  # noqa: S105  the name of a kind
    """A bearer token only: endpoints for the app's own token."""
    SIGNED = "signed"
    """OAuth 1.0a only: API v1.1."""


class Request(msgspec.Struct, frozen=True):
    """One request to X.

    `body` is called each time the request is sent, and returns a new payload. Pass `form` instead
    of `body` for form fields, because the signature of OAuth 1.0a covers form fields but no other
    body.
    """

    operation: Operation
    method: Method
    path: str
    params: Mapping[str, str] | None = None
    body: Callable[[], Payload] | None = None
    form: Mapping[str, str] | None = None
    host: Host = Host.API
    credential: Credential = Credential.ANY
    text: str | None = None
    """The text of the post that the request creates. X may quote the text in an error, but Roost's
    errors must not contain it."""
    price: Callable[[], Price] | None = None
    """The price if the request succeeds; None if the operation alone determines the price."""
    max_resources: int = 1
    """For a read: the maximum number of billed resources in the response."""
    deadline: float | None = None
    """A value of `roost.clock.boot_seconds` after which the request is not started."""
    timeouts: Timeouts | None = None

    def __repr__(self) -> str:
        return f"Request({self.operation})"

    def strings(self) -> list[str]:
        """Return every string in the request, because X may quote these strings in an error."""
        values: list[object] = [self.text, self.params, self.form]
        if isinstance(self.body, JsonBody):
            values.append(self.body.value)
        return list(_strings_in(values))

    def new_body(self) -> Payload | None:
        """Return a new body, because a body can be sent only once."""
        if self.body is not None:
            return self.body()
        return form_body(self.form, self.deadline) if self.form is not None else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the ledger needs to know about one HTTP exchange with X."""

    operation: Operation
    status: int | None
    """The HTTP status; None if no response was received."""
    posts_read: tuple[TweetId, ...] = ()
    users_read: tuple[XUserId, ...] = ()
    created: TweetId | None = None
    text: str | None = field(default=None, repr=False)
    """The text of the post that the request creates; its links determine the price."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The rate-limit headers, in the form that `roost.rate_limits.parse_windows` reads."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A JSON body. Calling the object returns a new payload, which encodes `value`."""

    value: object = field(repr=False)
    encoded: bytes = field(repr=False)
    deadline: float | None

    def __call__(self) -> Payload:
        """Return a new payload, because a payload can be sent only once."""
        return DeadlineBody(self.encoded, "application/json", self.deadline)


def json_body(value: object, deadline: float | None = None) -> JsonBody:
    """Encode a value as a JSON body, which is not sent after the deadline."""
    return JsonBody(value, msgspec.json.encode(value), deadline)


def form_body(fields: Mapping[str, str], deadline: float | None = None) -> DeadlineBody:
    """Encode form fields as a body, which is not sent after the deadline."""
    return DeadlineBody(urlencode(fields).encode("ascii"), FORM, deadline)


def format_instant(at: datetime) -> str:
    """Format an aware datetime for a query parameter: RFC 3339, UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _strings_in(value: object) -> Iterator[str]:
    """Yield every string in a JSON-like value, except blank ones."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings_in(each)
