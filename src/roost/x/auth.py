"""OAuth 2.0 at X: the way to a grant (PKCE), its refresh and its end.

Source: docs.x.com, oauth-2-0/authorization-code, and the token endpoint's answers as logged.
A refresh token works once: whoever gets a new grant stores it before using it.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from roost.endpoint import LIVE_X, XApp, XEndpoint, XUrl
from roost.prices import Operation
from roost.settings import DEFAULT_SCOPES
from roost.x import answers, errors, problems, refusals
from roost.x.request import form_body
from roost.x.signing import OAuth1
from roost.x.wire import NOT_DECODABLE, Answer, Patience, exchange

__all__ = [
    "DEFAULT_SCOPES",
    "OAuth1",
    "TokenGrant",
    "app_token",
    "authorize_url",
    "challenge",
    "exchange_code",
    "make_verifier",
    "refresh",
    "revoke",
]

_PATIENCE: Final = Patience()
_TOKENS: Final = msgspec.json.Decoder(answers.Tokens)
_REFUSALS: Final = msgspec.json.Decoder(answers.TokenRefusal)
_REVOKED: Final = msgspec.json.Decoder(answers.Revoked)
#: What the endpoint's `error` may be (Source: RFC 6749, 4.1.2.1 and 5.2).
_ERRORS: Final = frozenset(
    {
        *("invalid_request", "invalid_grant", "invalid_client", "invalid_scope"),
        *("unauthorized_client", "unsupported_grant_type", "access_denied", "server_error"),
        "temporarily_unavailable",
    }
)


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What X granted; both tokens are secrets."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    """None where `offline.access` was not granted."""
    expires_in: timedelta
    """How long the access token lives, in domain time from the request on."""
    scopes: tuple[str, ...]
    endpoint: XEndpoint = LIVE_X
    """The X that granted it; both tokens are sent nowhere else."""


def make_verifier() -> str:
    """A PKCE secret of 256 bits; keep it until the code comes."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """What X is shown of the verifier: its SHA-256 (the method is `S256`, in capitals)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorize_url(
    page_url: str,
    client_id: str,
    redirect_uri: str,
    scopes: Iterable[str],
    state: str,
    challenge: str,
) -> str:
    """The address of X's consent page; `redirect_uri` is one registered with the app, exactly."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{page_url}?{urlencode(query, quote_via=quote)}"


async def exchange_code(
    session: aiohttp.ClientSession,
    endpoint: XEndpoint,
    *,
    app: XApp,
    code: str,
    redirect_uri: str,
    verifier: str,
) -> TokenGrant:
    """Redeem an authorize code of `endpoint`, which lives 30 seconds and works once.

    Raises: CodeRefused, AppMisconfigured, XUnavailable, OutcomeUnknown, UnsafeHost (the app belongs
    to another endpoint).
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return await _ask_for_tokens(session, endpoint, app, form)


async def refresh(
    session: aiohttp.ClientSession,
    endpoint: XEndpoint,
    *,
    app: XApp,
    refresh_token: str,
) -> TokenGrant:
    """Trade a refresh token for new tokens; the old one is dead as soon as X has answered.

    Raises: GrantDead (only reconnecting helps), AppMisconfigured (disconnects nobody),
    XUnavailable, OutcomeUnknown (the old token may be used up), UnsafeHost (the app belongs to
    another endpoint than the token).
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return await _ask_for_tokens(session, endpoint, app, form)


async def revoke(
    session: aiohttp.ClientSession,
    endpoint: XEndpoint,
    *,
    app: XApp,
    token: str,
) -> None:
    """Take a token back; with a refresh token the whole grant ends. May be repeated.

    Raises: AppMisconfigured, XUnavailable, UnsafeHost (as `refresh`).
    """
    form = {"token": token, "client_id": app.client_id}
    url, shown = _bound(endpoint, app, "/2/oauth2/revoke")
    answer = await _post_form(session, url, Operation.REVOKE, shown, form)
    if not answer.is_success:
        raise _judge(answer, Operation.REVOKE, errors.XUnavailable)
    if not _is_revoked(answer.body):
        raise refusals.judge_unreadable(answer, Operation.REVOKE)


async def app_token(session: aiohttp.ClientSession, *, app: OAuth1) -> str:
    """The app's own token, which reads what is public and the app's usage.

    It is the same, and does not expire, until it is invalidated; X refuses to tell it often.

    Raises: AppMisconfigured (wrong keys, or asked too often), XUnavailable, OutcomeUnknown.
    """
    form = {"grant_type": "client_credentials"}
    url, shown = app.endpoint.url("/oauth2/token"), (app.api_key, app.api_secret)
    answer = await _post_form(session, url, Operation.TOKEN, shown, form)
    if not answer.is_success:
        # X speaks here as its API 1.1 does: 99 is its number for every refusal.
        raise _judge(answer, Operation.TOKEN, errors.AppMisconfigured)
    return _tokens_of(answer).access_token


async def _ask_for_tokens(
    session: aiohttp.ClientSession,
    endpoint: XEndpoint,
    app: XApp,
    form: Mapping[str, str],
) -> TokenGrant:
    # The id goes into the form always, even beside Basic.
    form = {**form, "client_id": app.client_id}
    url, shown = _bound(endpoint, app, "/2/oauth2/token")
    answer = await _post_form(session, url, Operation.TOKEN, shown, form)
    if not answer.is_success:
        is_refresh = form["grant_type"] == "refresh_token"
        refused = errors.GrantDead if is_refresh else errors.CodeRefused
        raise _judge(answer, Operation.TOKEN, refused)
    tokens = _tokens_of(answer)
    return TokenGrant(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=timedelta(seconds=tokens.expires_in),
        scopes=tuple(tokens.scope.split()),
        endpoint=endpoint,
    )


def _bound(endpoint: XEndpoint, app: XApp, path: str) -> tuple[XUrl, tuple[str, str | None]]:
    """Where a token of `endpoint` goes with the app's secret, and what is shown there.

    Raises: UnsafeHost (the app belongs to another endpoint).
    """
    endpoint.require_same(app.endpoint)
    return endpoint.url(path), (app.client_id, app.client_secret)


def _is_revoked(body: bytes) -> bool:
    """Whether a success may be X's: its documents do not show the body, so none will do."""
    if not body:
        return True
    try:
        return _REVOKED.decode(body).revoked
    except NOT_DECODABLE:
        return False


def _tokens_of(answer: Answer) -> answers.Tokens:
    try:
        return _TOKENS.decode(answer.body)
    except NOT_DECODABLE:
        raise refusals.judge_unreadable(answer, Operation.TOKEN) from None


async def _post_form(
    session: aiohttp.ClientSession,
    url: XUrl,
    operation: Operation,
    shown: tuple[str, str | None],
    form: Mapping[str, str],
) -> Answer:
    """`shown`: who asks, and the secret of those who have one, by Basic."""
    name, secret = shown
    headers = {}
    if secret:
        pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
    body = form_body(form)
    answer = await exchange(session, "POST", url, headers=headers, body=body, patience=_PATIENCE)
    if not isinstance(answer, Answer):
        raise refusals.judge_silence(answer, operation)
    return answer


def _judge(answer: Answer, operation: Operation, refused: type[errors.XFailure]) -> errors.XFailure:
    """A refusal of the token endpoint; only a plain verdict on the token or code is `refused`.

    Everything doubtful leaves the account connected: a wrong secret, a missing parameter, X's own
    failures, answers that are not the endpoint's. The latter say nothing about the token either:
    a proxy may answer after X has used it up.
    """
    facts: dict[str, Any] = {"operation": operation.value, "request_id": answer.request_id}
    if not 400 <= answer.status < 500 or answer.status == 408:
        return refusals.judge_failure(answer, operation)
    try:
        refusal = _REFUSALS.decode(answer.body)
    except NOT_DECODABLE:
        refusal = answers.TokenRefusal()
    error = refusal.error if refusal.error in _ERRORS else ""
    if not error and problems.read_problem(answer.body) is None:
        return refusals.judge_foreign(answer, operation)
    if answer.status == 400 and error in {"invalid_request", "invalid_grant"}:
        if "parameter" not in refusal.error_description:
            return refused("X no longer accepts the token or code.", **facts)
        # A sentence alone condemns neither the account nor, before all others, the app.
        return errors.XUnavailable("X's token endpoint misses something in the request.", **facts)
    if answer.status in {401, 403} or error:
        return errors.AppMisconfigured(
            f"X's token endpoint does not accept this app ({error or 'no reason given'}).", **facts
        )
    return errors.XUnavailable("X's token endpoint turned the request away.", **facts)
