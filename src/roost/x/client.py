"""One request to X for one account: token, send, decode, and the error where it failed.

A create is sent once: the client repeats a request only after a 401, which X answers before it
does anything, and only once. Every exchange is told before its result is handed out.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol, TypeVar

import aiohttp
import msgspec
from aiohttp.payload import Payload

from roost.clock import Clock, SystemClock
from roost.models import TweetId, XUserId
from roost.prices import Operation
from roost.x import answers, errors, refusals
from roost.x.wire import Answer, GuardedBody, Patience, Silence, exchange

_USER_AGENT: Final = "roost"
_DEFAULT_PATIENCE: Final = Patience()

A = TypeVar("A", bound=answers.Wire)


class TokenSource(Protocol):
    """Where an account's access token comes from; how it is kept is its own affair."""

    async def get(self) -> str:
        """A token that X should accept."""
        ...

    async def refresh(self, rejected: str) -> str:
        """A token in place of one that X rejected; `rejected` itself where there is no other.

        Called at most once a request, after a 401.
        """
        ...


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
class Request:
    """What is asked of X; `body` makes a new one for each time it is sent."""

    operation: Operation
    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: Callable[[], Payload] | None = None
    text: str | None = field(default=None, repr=False)
    deadline: float | None = None
    """A reading of `roost.x.wire.boot_seconds`; see `exchange`."""
    patience: Patience | None = None


class Client:
    """The X API with one account's token. Cheap to make; the session belongs to the caller.

    `clock` tells domain time, in which X's rate limits end; `on_exchange` is awaited after every
    exchange, also a failed one. What it raises goes to the caller in place of X's answer.
    """

    def __init__(
        self,
        tokens: TokenSource,
        *,
        base_url: str = "https://api.x.com",
        session: aiohttp.ClientSession,
        on_exchange: Callable[[Exchange], Awaitable[None]] | None = None,
        clock: Clock | None = None,
        patience: Patience = _DEFAULT_PATIENCE,
    ) -> None:
        self.tokens = tokens
        self._base_url = base_url.rstrip("/")
        self._session = session
        self._on_exchange = on_exchange
        self._clock = clock or SystemClock()
        self._patience = patience

    def now(self) -> datetime:
        """Domain time, in which limits end and uploads expire."""
        return self._clock.now()

    async def call(self, request: Request, answer_as: msgspec.json.Decoder[A]) -> A:
        """Send a request and decode what X answers.

        Raises: roost.x.errors.XFailure, and what the token source raises.
        """
        token = await self.tokens.get()
        answer = await self._send(request, token)
        if isinstance(answer, Answer) and answer.status == 401:
            await self._tell(request, answer, None)
            fresh = await self.tokens.refresh(token)
            if fresh == token:
                raise self._judge(request, answer)
            answer = await self._send(request, fresh)
            if isinstance(answer, Answer) and answer.status == 401:
                await self._tell(request, answer, None)
                # A grant that still gives tokens is alive: X's own log-in is what fails (it did,
                # for a day, in 2026), and no account must be disconnected for it.
                raise errors.XUnavailable(
                    "X does not accept even a token it has just given.",
                    operation=request.operation.value,
                    request_id=answer.request_id,
                )
        if isinstance(answer, Silence):
            await self._tell(request, answer, None)
            raise refusals.judge_silence(answer, request.operation)
        if not answer.is_success:
            await self._tell(request, answer, None)
            raise self._judge(request, answer)
        try:
            decoded = answer_as.decode(answer.body or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError):
            await self._tell(request, answer, None)
            raise refusals.judge_unreadable(answer, request.operation) from None
        await self._tell(request, answer, decoded)
        if (reason := decoded.refusal()) is not None:
            raise refusals.judge_absence(reason, answer, request.operation)
        return decoded

    def _judge(self, request: Request, answer: Answer) -> errors.XFailure:
        now = self._clock.now()
        return refusals.judge_answer(answer, request.operation, now=now, post_text=request.text)

    async def _send(self, request: Request, token: str) -> Answer | Silence:
        return await exchange(
            self._session,
            request.method,
            self._base_url + request.path,
            headers={"Authorization": f"Bearer {token}", "User-Agent": _USER_AGENT},
            params=request.params,
            body=request.body() if request.body else None,
            patience=request.patience or self._patience,
            deadline=request.deadline,
        )

    async def _tell(
        self, request: Request, answer: Answer | Silence, decoded: answers.Wire | None
    ) -> None:
        if self._on_exchange is None:
            return
        known = answer if isinstance(answer, Answer) else None
        told = Exchange(
            operation=request.operation,
            status=known.status if known else None,
            posts_read=decoded.posts_read() if decoded else (),
            users_read=decoded.users_read() if decoded else (),
            created=decoded.created() if decoded else None,
            text=request.text,
            headers=_limits(known.headers) if known else {},
            request_id=known.request_id if known else None,
        )
        await self._on_exchange(told)


def json_body(value: object, deadline: float | None = None) -> Callable[[], Payload]:
    """A JSON body, checked against the deadline in the moment it leaves."""
    encoded = msgspec.json.encode(value)
    return lambda: GuardedBody(encoded, "application/json", deadline)


def _limits(headers: Mapping[str, str]) -> dict[str, str]:
    named = ((name.lower(), value) for name, value in headers.items())
    return {name: value for name, value in named if name.startswith("x-") and "-limit-" in name}
