"""One request to X for one account: credential, send, decode, and the error where it failed.

A create is sent once: the client repeats one only after X has refused the credential (401, or a
grant that does not cover it) or, where it was asked to wait, after a 429; X answers all of these
before it does anything. A refusal counts only with X's own problem document as its body. Every
exchange is told before its result is handed out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

import aiohttp
import msgspec

from roost.clock import Clock, SystemClock
from roost.endpoint import XEndpoint, XUrl
from roost.prices import Operation
from roost.x import answers, errors, problems, refusals, retries, signing, spans
from roost.x.receipt import Receipt
from roost.x.request import Credential, Exchange, Host, Request
from roost.x.server_time import ServerTime
from roost.x.signing import OAuth1
from roost.x.tokens import TokenSource
from roost.x.wire import NOT_DECODABLE, Answer, Patience, Silence, boot_seconds, exchange

_USER_AGENT: Final = "roost"
_DEFAULT_PATIENCE: Final = Patience()

A = TypeVar("A", bound=answers.Wire)


class Client:
    """The X API as one account. Cheap to make; the session belongs to the caller.

    `tokens` and `oauth1` are of the same account, and requests go to the endpoint that both belong
    to. `tokens` carry what OAuth 2.0 can; `oauth1` all
    else: a client without tokens, the API 1.1, and an operation that X says the grant does not
    cover. `clock` tells domain time, in which X's rate limits end; with `wait` a request that
    meets one sleeps and is sent again, unless it has a deadline. `on_exchange` is awaited after
    every exchange, also a failed one. What it raises goes to the caller in place of X's answer.
    `server_time` notes the `Date` of every answer that is X's. `names` are those of the account,
    which X may quote in a refusal.
    Raises: UnsafeHost (`tokens` and `oauth1` belong to different endpoints).
    """

    def __init__(
        self,
        tokens: TokenSource | None,
        *,
        session: aiohttp.ClientSession,
        oauth1: OAuth1 | None = None,
        on_exchange: Callable[[Exchange], Awaitable[None]] | None = None,
        clock: Clock | None = None,
        patience: Patience = _DEFAULT_PATIENCE,
        wait: bool = False,
        server_time: ServerTime | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self._tokens = tokens
        self._oauth1 = oauth1
        self._endpoint = _endpoint_of(tokens, oauth1)
        self._session = session
        self._on_exchange = on_exchange
        self._clock = clock or SystemClock()
        self._patience = patience
        self._wait = wait
        self._server_time = server_time
        self._names = names
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

        A read that X does not answer is tried three times, within its patience.

        Raises: roost.x.errors.XFailure, and what the token source raises.
        """
        span = spans.begin(request)
        try:
            told, receipt = await self._try(request, answer_as)
        except errors.XFailure as error:
            spans.fail(span, error)
            raise
        else:
            spans.succeed(span, receipt)
            return told, receipt
        finally:
            span.end()

    async def _try(self, request: Request, answer_as: msgspec.json.Decoder[A]) -> tuple[A, Receipt]:
        """As often as may be; see `retries`."""
        tried = limited = 0
        until = self._ends_at(request)
        while True:
            try:
                outcome = await self._outcome(request, until)
                return await self._read(request, outcome, answer_as, limited)
            except errors.RateLimited as error:
                if not self._wait or request.deadline is not None:
                    raise
                limited += 1
                await self._clock.sleep_until(self._clock.now() + error.wait)
                until = self._ends_at(request)
            except errors.XUnavailable as error:
                tried += 1
                if until is None or not retries.may_repeat(request, error, tried=tried):
                    raise
                pause = retries.pause(tried)
                if boot_seconds() + pause >= until:
                    raise
                await asyncio.sleep(pause)

    def _ends_at(self, request: Request) -> float | None:
        """When its time is over: at its deadline; of a read, when patience for all tries is."""
        if request.method != "GET":
            return request.deadline
        patience = request.patience or self._patience
        ends_at = boot_seconds() + patience.total.total_seconds()
        return ends_at if request.deadline is None else min(ends_at, request.deadline)

    async def _read(
        self,
        request: Request,
        outcome: Answer | Silence,
        answer_as: msgspec.json.Decoder[A],
        limited: int,
    ) -> tuple[A, Receipt]:
        """What the outcome says, told to the ledger first."""
        operation = request.operation
        if isinstance(outcome, Silence):
            await self._tell(request, outcome, None)
            raise _with(Receipt(request, outcome), refusals.judge_silence(outcome, operation))
        if not outcome.is_success:
            self._note_time(outcome, is_of_x=problems.read_problem(outcome.body) is not None)
            await self._tell(request, outcome, None)
            raise self._refusal(request, outcome, limited)
        try:
            decoded = answer_as.decode(outcome.body or answer_as.type.for_empty)
        except NOT_DECODABLE:
            await self._tell(request, outcome, None)
            error = refusals.judge_unreadable(outcome, operation)
            raise _with(Receipt(request, outcome), error) from None
        if operation is Operation.READ_TIMELINE and self._is_old(outcome):
            # A timeline of before says nothing about what was posted since.
            await self._tell(request, outcome, None)
            error = errors.XUnavailable(
                "What answered for X had kept an earlier answer.", operation=operation.value
            )
            raise _with(Receipt(request, outcome), error)
        self._note_time(outcome, is_of_x=bool(outcome.body))
        await self._tell(request, outcome, decoded)
        receipt = Receipt(request, outcome, decoded.resources())
        if (reason := decoded.refusal()) is not None:
            raise _with(receipt, refusals.judge_absence(reason, outcome, operation))
        return decoded, receipt

    def _note_time(self, answer: Answer, *, is_of_x: bool) -> None:
        """Note X's time, unless a proxy may have answered: by a body that is not X's, or none."""
        if self._server_time is not None and is_of_x and not self._is_old(answer):
            self._server_time.note(answer.headers)

    def _is_old(self, answer: Answer) -> bool:
        """Whether it was made before now; an emulator's clock that stands still cannot tell."""
        if self._server_time is None or not self._clock.is_wall_time:
            return False
        return self._server_time.is_old(answer.headers)

    def _refusal(self, request: Request, answer: Answer, limited: int = 0) -> errors.XFailure:
        error = refusals.judge_answer(
            answer,
            request.operation,
            now=self._clock.now(),
            post_text=request.text,
            carried=[*request.words(), *self._names],
            limited=limited + 1,
        )
        return _with(Receipt(request, answer), error)

    async def _outcome(self, request: Request, until: float | None) -> Answer | Silence:
        """The last answer to a request, by the credential that X takes for it."""
        if self._is_for_signature(request):
            return await self._send(request, None, until)
        outcome = await self._ask_with_token(request, until)
        if self._is_beyond_grant(request, outcome):
            await self._tell(request, outcome, None)
            self._beyond_grant.add(request.operation)
            return await self._send(request, None, until)
        return outcome

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

    def _is_beyond_grant(self, request: Request, outcome: Answer | Silence) -> bool:
        """Whether a signature may get what X has just refused to this kind of token."""
        return (
            self._oauth1 is not None
            and isinstance(outcome, Answer)
            and outcome.status == 403
            and request.credential is Credential.ANY
            and refusals.is_about_the_grant(outcome)
        )

    async def _ask_with_token(self, request: Request, until: float | None) -> Answer | Silence:
        """With the token there is; after a 401 of X's once more, with a fresh one.

        Raises: Reauthorize, XUnavailable (a second 401); what the token source raises.
        """
        token = await self.tokens.get()
        outcome = await self._send(request, token, until)
        if isinstance(outcome, Silence) or not refusals.refuses_token(outcome):
            return outcome
        await self._tell(request, outcome, None)
        fresh = await self.tokens.refresh(token)
        if fresh == token:
            raise self._refusal(request, outcome)
        outcome = await self._send(request, fresh, until)
        if isinstance(outcome, Answer) and refusals.refuses_token(outcome):
            await self._tell(request, outcome, None)
            # A grant that still gives tokens is alive: X's own log-in is what fails (it did,
            # for a day, in 2026), and no account must be disconnected for it.
            error = errors.XUnavailable(
                "X does not accept even a token it has just given.",
                operation=request.operation.value,
                request_id=outcome.request_id,
            )
            raise _with(Receipt(request, outcome), error)
        return outcome

    async def _send(
        self, request: Request, token: str | None, until: float | None
    ) -> Answer | Silence:
        """Send it once: with the token, or without one signed."""
        url = self._url(request)
        shown = f"Bearer {token}" if token is not None else self._sign(request, url)
        return await exchange(
            self._session,
            request.method,
            url,
            headers={"Authorization": shown, "User-Agent": _USER_AGENT},
            params=request.params,
            body=request.new_body(),
            patience=request.patience or self._patience,
            deadline=until,
        )

    def _url(self, request: Request) -> XUrl:
        if request.host is Host.UPLOAD:
            return self._endpoint.upload_url(request.path)
        return self._endpoint.url(request.path)

    def _sign(self, request: Request, url: str) -> str:
        assert self._oauth1 is not None, "it was looked for before"
        return signing.authorization(
            self._oauth1, request.method, url, params=request.params, form=request.form
        )

    async def _tell(
        self, request: Request, outcome: Answer | Silence, decoded: answers.Wire | None
    ) -> None:
        if self._on_exchange is None:
            return
        known = outcome if isinstance(outcome, Answer) else None
        told = Exchange(
            operation=request.operation,
            status=known.status if known else None,
            posts_read=decoded.posts_read() if decoded else (),
            users_read=decoded.users_read() if decoded else (),
            created=decoded.created() if decoded else None,
            text=request.text,
            headers=known.limits if known else {},
            request_id=known.request_id if known else None,
        )
        await self._on_exchange(told)


def _with(receipt: Receipt, error: errors.XFailure) -> errors.XFailure:
    error.receipt = receipt
    return error


def _endpoint_of(tokens: TokenSource | None, oauth1: OAuth1 | None) -> XEndpoint:
    """Where requests go: to the X of the credentials. Raises: CredentialMissing, UnsafeHost."""
    if tokens is None:
        if oauth1 is None:
            raise errors.CredentialMissing("an OAuth 2.0 token")
        return oauth1.endpoint
    if oauth1 is not None:
        tokens.endpoint.require_same(oauth1.endpoint)
    return tokens.endpoint
