"""What is asked of X, and what is told of each exchange to whoever keeps a ledger."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

import msgspec
from aiohttp.payload import Payload

from roost.models import TweetId, XUserId
from roost.prices import Operation, Price
from roost.x.signing import FORM, Method
from roost.x.wire import GuardedBody, Patience


class Host(StrEnum):
    """Which of X's hosts answers a request."""

    API = "api"
    UPLOAD = "upload"
    """upload.twitter.com: media of the API 1.1."""


class Credential(StrEnum):
    """Which of a client's credentials X takes for a request."""

    ANY = "any"
    """OAuth 2.0 where there is a token that may, OAuth 1.0a else."""
    TOKEN = "token"  # noqa: S105  the name of a kind
    """A bearer token alone: what only an app's own token opens."""
    SIGNED = "signed"
    """OAuth 1.0a alone: the API 1.1."""


class Request(msgspec.Struct, frozen=True):
    """One request; `body` makes a new one for each time it is sent.

    `form` is a body as well, and the only kind that OAuth 1.0a signs.
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
    """Of a create: X may repeat it in a refusal, and no error shall."""
    price: Callable[[], Price] | None = None
    """What it costs if it succeeds, where `roost.prices` cannot tell by the operation alone."""
    resources_at_most: int = 1
    """Of a read: how many things the answer may hold that X bills."""
    deadline: float | None = None
    """A reading of `roost.x.wire.boot_seconds`; see `exchange`."""
    patience: Patience | None = None

    def __repr__(self) -> str:
        return f"Request({self.operation})"

    def words(self) -> list[str]:
        """Everything written into it, which a refusal of X's may quote."""
        written: list[object] = [self.text, self.params, self.form]
        if isinstance(self.body, JsonBody):
            written.append(self.body.value)
        return list(_strings(written))

    def new_body(self) -> Payload | None:
        """The body for one sending."""
        if self.body is not None:
            return self.body()
        return form_body(self.form, self.deadline) if self.form is not None else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP exchange, as a ledger needs it."""

    operation: Operation
    status: int | None
    """None: no answer came."""
    posts_read: tuple[TweetId, ...] = ()
    users_read: tuple[XUserId, ...] = ()
    created: TweetId | None = None
    text: str | None = field(default=None, repr=False)
    """Of a create: its price depends on the links in it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The rate limits alone, as `roost.limits.read_windows` takes them."""
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A JSON body: a payload for each time it is sent, and what it says."""

    value: object = field(repr=False)
    encoded: bytes = field(repr=False)
    deadline: float | None

    def __call__(self) -> Payload:
        """The payload for one sending."""
        return GuardedBody(self.encoded, "application/json", self.deadline)


def json_body(value: object, deadline: float | None = None) -> JsonBody:
    """A JSON body, checked against the deadline in the moment it leaves."""
    return JsonBody(value, msgspec.json.encode(value), deadline)


def form_body(fields: Mapping[str, str], deadline: float | None = None) -> GuardedBody:
    """A form's body, likewise."""
    return GuardedBody(urlencode(fields).encode("ascii"), FORM, deadline)


def _strings(value: object) -> Iterator[str]:
    """Every non-empty string within a value as JSON holds it."""
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
