"""Sends requests to X for one account: adds credentials, decodes responses, raises errors.

A request that creates a post is normally sent once. The client repeats it only after X has rejected
the credential (by a 401, or because the grant does not cover the operation) or, with `wait`, after
a 429: X sends these responses before it creates anything. A rejection counts only if its body is
X's own problem document. The caller gets a result only after `on_exchange` has returned for every
exchange.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

import aiohttp
import msgspec

from roost.boot_clock import boot_seconds
from roost.clock import Clock, SystemClock
from roost.endpoint import XEndpoint, XUrl
from roost.prices import Operation
from roost.x import error_mapping, errors, problems, retry, tracing
from roost.x.auth import signing
from roost.x.auth.signing import OAuth1
from roost.x.auth.tokens import TokenSource
from roost.x.receipt import Receipt
from roost.x.request import Credential, Exchange, Host, Request
from roost.x.schemas import ResponseBody
from roost.x.server_time import ServerTime
from roost.x.transport import (
    DECODE_ERRORS,
    NoResponse,
    Response,
    Timeouts,
    exchange,
)

_USER_AGENT: Final = "roost"
_DEFAULT_TIMEOUTS: Final = Timeouts()

B = TypeVar("B", bound=ResponseBody)


class Client:
    """The X API for one account. The caller owns the HTTP session, and closes it.

    `tokens` and `oauth1` belong to the same account and the same endpoint, and requests go to that
    endpoint. The client signs a request with `oauth1` if there are no tokens, if the request
    belongs to API v1.1, or if X responds that the grant does not cover the operation. It uses
    `tokens` for all other requests.

    `clock` gives domain time, which decides when a rate limit ends. With `wait`, a request that
    meets a rate limit waits and is sent again, unless the request has a deadline. `on_exchange` is
    awaited after every exchange, even a failed one; if it raises an exception, the caller gets this
    exception instead of the result. `server_time` records the `Date` of X's responses. `names` are
    the account's names, which X may quote in an error.

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
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
        wait: bool = False,
        server_time: ServerTime | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self._tokens = tokens
        self._oauth1 = oauth1
        self._endpoint = _common_endpoint(tokens, oauth1)
        self._session = session
        self._on_exchange = on_exchange
        self._clock = clock or SystemClock()
        self._timeouts = timeouts
        self._wait = wait
        self._server_time = server_time
        self._names = names
        self._oauth1_only: set[Operation] = set()

    @property
    def tokens(self) -> TokenSource:
        """The token source. Raises: CredentialMissing (the client uses OAuth 1.0a only)."""
        if self._tokens is None:
            raise errors.CredentialMissing("an OAuth 2.0 token")
        return self._tokens

    def now(self) -> datetime:
        """Return domain time, in which rate limits end and uploads expire."""
        return self._clock.now()

    async def call(self, request: Request, decoder: msgspec.json.Decoder[B]) -> tuple[B, Receipt]:
        """Send a request; return the decoded response and its receipt.

        If X is unavailable, a read is attempted up to three times within its total timeout.

        Raises: roost.x.errors.XError, and the errors of the token source.
        """
        span = tracing.start_span(request)
        try:
            decoded, receipt = await self._call_with_retries(request, decoder)
        except errors.XError as error:
            tracing.record_failure(span, error)
            raise
        else:
            tracing.record_success(span, receipt)
            return decoded, receipt
        finally:
            span.end()

    async def _call_with_retries(
        self, request: Request, decoder: msgspec.json.Decoder[B]
    ) -> tuple[B, Receipt]:
        attempts = rate_limited = 0
        until = self._deadline_of(request)
        while True:
            try:
                outcome = await self._send_with_credentials(request, until)
                return await self._read(request, outcome, decoder, rate_limited)
            except errors.RateLimited as error:
                if not self._wait or request.deadline is not None:
                    raise
                rate_limited += 1
                await self._clock.sleep_until(self._clock.now() + error.wait)
                until = self._deadline_of(request)
            except errors.XUnavailable as error:
                attempts += 1
                if until is None or not retry.may_repeat_read(request, error, attempts=attempts):
                    raise
                pause_s = retry.READS.pause_s(attempts)
                if boot_seconds() + pause_s >= until:
                    raise
                await asyncio.sleep(pause_s)

    def _deadline_of(self, request: Request) -> float | None:
        """Return when to give the request up, as a value of `boot_seconds`; None means never.

        This is the request's deadline. For a read, it is the end of the total timeout if the
        timeout ends before the deadline.
        """
        if request.method != "GET":
            return request.deadline
        timeouts = request.timeouts or self._timeouts
        ends_at = boot_seconds() + timeouts.total.total_seconds()
        return ends_at if request.deadline is None else min(ends_at, request.deadline)

    async def _read(
        self,
        request: Request,
        outcome: Response | NoResponse,
        decoder: msgspec.json.Decoder[B],
        rate_limited: int,
    ) -> tuple[B, Receipt]:
        """Call `on_exchange`; then return the decoded response, or raise the error for it."""
        operation = request.operation
        if isinstance(outcome, NoResponse):
            await self._report(request, outcome, None)
            error = error_mapping.error_for_no_response(outcome, operation)
            raise _with_receipt(Receipt(request, outcome), error)
        if not outcome.is_success:
            self._record_time(outcome, is_from_x=problems.find_problem(outcome.body) is not None)
            await self._report(request, outcome, None)
            raise self._error_for(request, outcome, rate_limited)
        try:
            decoded = decoder.decode(outcome.body or decoder.type.empty_body)
        except DECODE_ERRORS:
            await self._report(request, outcome, None)
            error = error_mapping.error_for_unreadable_body(outcome, operation)
            raise _with_receipt(Receipt(request, outcome), error) from None
        if operation is Operation.READ_TIMELINE and self._is_cached(outcome):
            # A cached timeline lacks newer posts, so it cannot prove that a post is not on X.
            await self._report(request, outcome, None)
            error = errors.XUnavailable(
                "A proxy sent a cached response instead of X's current response.",
                operation=operation.value,
            )
            raise _with_receipt(Receipt(request, outcome), error)
        self._record_time(outcome, is_from_x=bool(outcome.body))
        await self._report(request, outcome, decoded)
        receipt = Receipt(request, outcome, decoded.billed_resources())
        if (reason := decoded.refusal()) is not None:
            error = error_mapping.error_for_missing_data(reason, outcome, operation)
            raise _with_receipt(receipt, error)
        return decoded, receipt

    def _record_time(self, response: Response, *, is_from_x: bool) -> None:
        """Record X's time from a response, unless the response may come from a proxy or cache."""
        if self._server_time is not None and is_from_x and not self._is_cached(response):
            self._server_time.record(response.headers)

    def _is_cached(self, response: Response) -> bool:
        """Whether a cache sent the response.

        Without `server_time`, or if domain time is not wall time, this is not known, and the
        result is False.
        """
        if self._server_time is None or not self._clock.is_wall_time:
            return False
        return self._server_time.is_cached(response.headers)

    def _error_for(
        self, request: Request, response: Response, rate_limited: int = 0
    ) -> errors.XError:
        error = error_mapping.error_for_response(
            response,
            request.operation,
            now=self._clock.now(),
            post_text=request.text,
            request_strings=[*request.strings(), *self._names],
            rate_limited=rate_limited + 1,
        )
        return _with_receipt(Receipt(request, response), error)

    async def _send_with_credentials(
        self, request: Request, until: float | None
    ) -> Response | NoResponse:
        """Send the request with a token or a signature; return the outcome.

        If X responds that the token does not cover the operation, the request is sent again with a
        signature, and the second outcome is returned.
        """
        if self._needs_signature(request):
            return await self._send(request, None, until)
        outcome = await self._send_with_token(request, until)
        if self._may_sign_instead(request, outcome):
            await self._report(request, outcome, None)
            self._oauth1_only.add(request.operation)
            return await self._send(request, None, until)
        return outcome

    def _needs_signature(self, request: Request) -> bool:
        """Whether the request must be signed by OAuth 1.0a.

        Raises: CredentialMissing if a signature is needed, but the client has no `oauth1`.
        """
        if request.credential is Credential.SIGNED or (
            request.credential is Credential.ANY
            and (self._tokens is None or request.operation in self._oauth1_only)
        ):
            if self._oauth1 is not None:
                return True
            raise errors.CredentialMissing("OAuth 1.0a", operation=request.operation.value)
        return False

    def _may_sign_instead(self, request: Request, outcome: Response | NoResponse) -> bool:
        """Whether to send the request again, signed, because X does not accept the token for it."""
        return (
            self._oauth1 is not None
            and isinstance(outcome, Response)
            and outcome.status == 403
            and request.credential is Credential.ANY
            and error_mapping.is_grant_insufficient(outcome)
        )

    async def _send_with_token(
        self, request: Request, until: float | None
    ) -> Response | NoResponse:
        """Send the request with the current token; after a 401, once more with a fresh token.

        Raises: ReauthorizationRequired; XUnavailable after a second 401; the token source's errors.
        """
        token = await self.tokens.get()
        outcome = await self._send(request, token, until)
        if isinstance(outcome, NoResponse) or not error_mapping.is_token_rejected(outcome):
            return outcome
        await self._report(request, outcome, None)
        fresh = await self.tokens.refresh(token)
        if fresh == token:
            raise self._error_for(request, outcome)
        outcome = await self._send(request, fresh, until)
        if isinstance(outcome, Response) and error_mapping.is_token_rejected(outcome):
            await self._report(request, outcome, None)
            # X has just issued this token, so the grant is valid, and the fault is in X's own
            # authentication (as happened for a day in 2026). The account must stay connected.
            error = errors.XUnavailable(
                "X rejects even a token that it has just issued.",
                operation=request.operation.value,
                request_id=outcome.request_id,
            )
            raise _with_receipt(Receipt(request, outcome), error)
        return outcome

    async def _send(
        self, request: Request, token: str | None, until: float | None
    ) -> Response | NoResponse:
        """Send the request once, with the token; without a token, sign the request."""
        url = self._url(request)
        authorization = f"Bearer {token}" if token is not None else self._sign(request, url)
        return await exchange(
            self._session,
            request.method,
            url,
            headers={"Authorization": authorization, "User-Agent": _USER_AGENT},
            params=request.params,
            body=request.new_body(),
            timeouts=request.timeouts or self._timeouts,
            deadline=until,
        )

    def _url(self, request: Request) -> XUrl:
        if request.host is Host.UPLOAD:
            return self._endpoint.upload_url(request.path)
        return self._endpoint.url(request.path)

    def _sign(self, request: Request, url: str) -> str:
        assert self._oauth1 is not None, "`_needs_signature` has checked the credential"
        return signing.authorization_header(
            self._oauth1, request.method, url, params=request.params, form=request.form
        )

    async def _report(
        self, request: Request, outcome: Response | NoResponse, decoded: ResponseBody | None
    ) -> None:
        """Pass a record of the exchange to `on_exchange`."""
        if self._on_exchange is None:
            return
        response = outcome if isinstance(outcome, Response) else None
        record = Exchange(
            operation=request.operation,
            status=response.status if response else None,
            posts_read=decoded.posts_read() if decoded else (),
            users_read=decoded.users_read() if decoded else (),
            created=decoded.created_post() if decoded else None,
            text=request.text,
            headers=response.rate_limit_headers if response else {},
            request_id=response.request_id if response else None,
        )
        await self._on_exchange(record)


def _with_receipt(receipt: Receipt, error: errors.XError) -> errors.XError:
    error.receipt = receipt
    return error


def _common_endpoint(tokens: TokenSource | None, oauth1: OAuth1 | None) -> XEndpoint:
    """Return the endpoint of the credentials.

    Raises: CredentialMissing if there is none, UnsafeHost if the endpoints differ.
    """
    if tokens is None:
        if oauth1 is None:
            raise errors.CredentialMissing("an OAuth 2.0 token")
        return oauth1.endpoint
    if oauth1 is not None:
        tokens.endpoint.require_same(oauth1.endpoint)
    return tokens.endpoint
