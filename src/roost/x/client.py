"""One request to X for one account: credential, send, decode, and the error where it failed.

A create is sent once: the client repeats a request only after a 401 or a refused grant, which X
answers before it does anything. Every exchange is told before its result is handed out.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from roost.clock import Clock, SystemClock
from roost.models import LIVE_HOSTS
from roost.prices import Operation
from roost.x import answers, errors, refusals, signing
from roost.x.receipt import Receipt
from roost.x.request import Credential, Exchange, Host, Request
from roost.x.signing import OAuth1
from roost.x.wire import Answer, Patience, Silence, exchange

_USER_AGENT: Final = "roost"
_DEFAULT_PATIENCE: Final = Patience()
#: Where the API 1.1 takes media; an emulator has everything at one address.
_UPLOAD_URL: Final = "https://upload.twitter.com"

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


class Client:
    """The X API as one account. Cheap to make; the session belongs to the caller.

    `tokens` carry what OAuth 2.0 can; `oauth1` all else: a client without tokens, the API 1.1, and
    an operation that X says the grant does not cover. `clock` tells domain time, in which X's rate
    limits end; `on_exchange` is awaited after every exchange, also a failed one. What it raises
    goes to the caller in place of X's answer.
    """

    def __init__(
        self,
        tokens: TokenSource | None,
        *,
        base_url: str = "https://api.x.com",
        session: aiohttp.ClientSession,
        oauth1: OAuth1 | None = None,
        on_exchange: Callable[[Exchange], Awaitable[None]] | None = None,
        clock: Clock | None = None,
        patience: Patience = _DEFAULT_PATIENCE,
    ) -> None:
        self._tokens = tokens
        self._oauth1 = oauth1
        self._hosts = _hosts(base_url)
        self._session = session
        self._on_exchange = on_exchange
        self._clock = clock or SystemClock()
        self._patience = patience
        self._beyond_grant: set[Operation] = set()

    @property
    def tokens(self) -> TokenSource:
        """Where its tokens come from. Raises: CredentialMissing (it only signs)."""
        if self._tokens is None:
            raise errors.CredentialMissing("an OAuth 2.0 token")
        return self._tokens

    def now(self) -> datetime:
        """Domain time, in which limits end and uploads expire."""
        return self._clock.now()

    async def call(self, request: Request, answer_as: msgspec.json.Decoder[A]) -> tuple[A, Receipt]:
        """Send a request; what X answers, and the receipt for it.

        Raises: roost.x.errors.XFailure, and what the token source raises.
        """
        answer = await self._outcome(request)
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
        return decoded, Receipt(request, answer, decoded.resources())

    async def _outcome(self, request: Request) -> Answer | Silence:
        """The last answer to a request, by the credential that X takes for it."""
        if self._is_for_signature(request):
            return await self._send(request, None)
        answer = await self._ask_with_token(request)
        if self._is_beyond_grant(request, answer):
            await self._tell(request, answer, None)
            self._beyond_grant.add(request.operation)
            return await self._send(request, None)
        return answer

    def _is_for_signature(self, request: Request) -> bool:
        """Raises: CredentialMissing (a signature is the only way, and there is no credential)."""
        if request.credential is Credential.SIGNED or (
            request.credential is Credential.ANY
            and (self._tokens is None or request.operation in self._beyond_grant)
        ):
            if self._oauth1 is not None:
                return True
            raise errors.CredentialMissing("OAuth 1.0a", operation=request.operation.value)
        return False

    def _is_beyond_grant(self, request: Request, answer: Answer | Silence) -> bool:
        """Whether a signature may get what X has just refused to this kind of token."""
        return (
            isinstance(answer, Answer)
            and answer.status == 403
            and self._oauth1 is not None
            and request.credential is Credential.ANY
            and refusals.is_about_the_grant(answer)
        )

    async def _ask_with_token(self, request: Request) -> Answer | Silence:
        """With the token there is; after a 401 once more, with a fresh one."""
        token = await self.tokens.get()
        answer = await self._send(request, token)
        if isinstance(answer, Silence) or answer.status != 401:
            return answer
        fresh = await self.tokens.refresh(token)
        if fresh == token:
            return answer
        await self._tell(request, answer, None)
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
        return answer

    def _judge(self, request: Request, answer: Answer) -> errors.XFailure:
        now = self._clock.now()
        return refusals.judge_answer(answer, request.operation, now=now, post_text=request.text)

    async def _send(self, request: Request, token: str | None) -> Answer | Silence:
        """Send it once: with the token, or without one signed."""
        url = self._hosts[request.host] + request.path
        shown = f"Bearer {token}" if token is not None else self._sign(request, url)
        return await exchange(
            self._session,
            request.method,
            url,
            headers={"Authorization": shown, "User-Agent": _USER_AGENT},
            params=request.params,
            body=request.new_body(),
            patience=request.patience or self._patience,
            deadline=request.deadline,
        )

    def _sign(self, request: Request, url: str) -> str:
        assert self._oauth1 is not None, "it was looked for before"
        return signing.authorization(
            self._oauth1, request.method, url, params=request.params, form=request.form
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


def _hosts(base_url: str) -> dict[Host, str]:
    api = base_url.rstrip("/")
    live = urlsplit(api).hostname in LIVE_HOSTS
    return {Host.API: api, Host.UPLOAD: _UPLOAD_URL if live else api}


def _limits(headers: Mapping[str, str]) -> dict[str, str]:
    named = ((name.lower(), value) for name, value in headers.items())
    return {name: value for name, value in named if name.startswith("x-") and "-limit-" in name}
