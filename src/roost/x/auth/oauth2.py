"""OAuth 2.0 at X: authorization with PKCE, token exchange, refresh and revocation.

Source: docs.x.com, oauth-2-0/authorization-code, and logged responses of the token endpoint.
A refresh token works once, so store a new grant before you use its access token.
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
from roost.x import error_mapping, errors, problems, schemas
from roost.x.auth.signing import OAuth1
from roost.x.request import form_body
from roost.x.transport import DECODE_ERRORS, Response, Timeouts, exchange

_TIMEOUTS: Final = Timeouts()
_TOKENS: Final = msgspec.json.Decoder(schemas.TokenResponse)
_TOKEN_ERROR: Final = msgspec.json.Decoder(schemas.TokenErrorResponse)
_REVOKED: Final = msgspec.json.Decoder(schemas.RevokeResponse)
#: Possible values of `error` in the token endpoint's response (RFC 6749, 4.1.2.1 and 5.2).
_ERRORS: Final = frozenset(
    {
        *("invalid_request", "invalid_grant", "invalid_client", "invalid_scope"),
        *("unauthorized_client", "unsupported_grant_type", "access_denied", "server_error"),
        "temporarily_unavailable",
    }
)


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """The tokens that X granted; both are secrets."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    """None if `offline.access` was not granted."""
    expires_in: timedelta
    """Lifetime of the access token: domain time, counted from the request."""
    scopes: tuple[str, ...]
    endpoint: XEndpoint = LIVE_X
    """The endpoint that granted the tokens; Roost sends the tokens to no other endpoint."""


def make_verifier() -> str:
    """Return a new PKCE verifier, a secret; keep it until X has sent the authorization code."""
    return secrets.token_urlsafe(32)


def make_challenge(verifier: str) -> str:
    """Return the PKCE challenge of a verifier: its SHA-256, for the method `S256`."""
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
    """Return the URL of X's consent page; `redirect_uri` must be registered with the app."""
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
    """Exchange an authorization code, which is valid for 30 seconds and works once.

    Raises: AuthorizationCodeInvalid, AppMisconfigured, XUnavailable, OutcomeUnknown, UnsafeHost
    (the app belongs to another endpoint).
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return await _request_tokens(session, endpoint, app, form)


async def refresh(
    session: aiohttp.ClientSession,
    endpoint: XEndpoint,
    *,
    app: XApp,
    refresh_token: str,
) -> TokenGrant:
    """Exchange a refresh token for new tokens; this invalidates the old refresh token.

    Raises: RefreshTokenInvalid (the account must be reconnected), AppMisconfigured (X rejects the
    app, not the account), XUnavailable, OutcomeUnknown (the old refresh token may be invalid),
    UnsafeHost (the app and the token belong to different endpoints).
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return await _request_tokens(session, endpoint, app, form)


async def revoke(
    session: aiohttp.ClientSession,
    endpoint: XEndpoint,
    *,
    app: XApp,
    token: str,
) -> None:
    """Revoke a token. Revoking a refresh token ends the whole grant; the call may be repeated.

    Raises: AppMisconfigured, XUnavailable, UnsafeHost (the app and the token belong to different
    endpoints).
    """
    form = {"token": token, "client_id": app.client_id}
    url, credentials = _address(endpoint, app, "/2/oauth2/revoke")
    response = await _post_form(session, url, Operation.REVOKE, credentials, form)
    if not response.is_success:
        raise _error_for(response, Operation.REVOKE, errors.XUnavailable)
    if not _is_revoked(response.body):
        raise error_mapping.error_for_unreadable_body(response, Operation.REVOKE)


async def get_app_token(session: aiohttp.ClientSession, *, app: OAuth1) -> str:
    """Return the app's own token, for reading public data and the app's usage.

    X returns the same token each time. The token does not expire, but X limits how often an app may
    request it.

    Raises: AppMisconfigured (wrong keys, or requested too often), XUnavailable, OutcomeUnknown.
    """
    form = {"grant_type": "client_credentials"}
    url, credentials = app.endpoint.url("/oauth2/token"), (app.api_key, app.api_secret)
    response = await _post_form(session, url, Operation.TOKEN, credentials, form)
    if not response.is_success:
        # This endpoint sends error 99 for every rejection, as API v1.1 does.
        raise _error_for(response, Operation.TOKEN, errors.AppMisconfigured)
    return _decode_tokens(response).access_token


async def _request_tokens(
    session: aiohttp.ClientSession,
    endpoint: XEndpoint,
    app: XApp,
    form: Mapping[str, str],
) -> TokenGrant:
    # The form always contains the client id, even if Basic authentication sends it too.
    form = {**form, "client_id": app.client_id}
    url, credentials = _address(endpoint, app, "/2/oauth2/token")
    response = await _post_form(session, url, Operation.TOKEN, credentials, form)
    if not response.is_success:
        is_refresh = form["grant_type"] == "refresh_token"
        invalid = errors.RefreshTokenInvalid if is_refresh else errors.AuthorizationCodeInvalid
        raise _error_for(response, Operation.TOKEN, invalid)
    tokens = _decode_tokens(response)
    return TokenGrant(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=timedelta(seconds=tokens.expires_in),
        scopes=tuple(tokens.scope.split()),
        endpoint=endpoint,
    )


def _address(endpoint: XEndpoint, app: XApp, path: str) -> tuple[XUrl, tuple[str, str | None]]:
    """Return the URL of an OAuth endpoint and the app's credentials for it.

    Raises: UnsafeHost (the app belongs to another endpoint).
    """
    endpoint.require_same(app.endpoint)
    return endpoint.url(path), (app.client_id, app.client_secret)


def _is_revoked(body: bytes) -> bool:
    """Whether the body of a 2xx response shows that X has revoked the token.

    An empty body is accepted, because X does not document the body. Any other body must be JSON in
    which `revoked` is true, because it may come from a proxy.
    """
    if not body:
        return True
    try:
        return _REVOKED.decode(body).revoked
    except DECODE_ERRORS:
        return False


def _decode_tokens(response: Response) -> schemas.TokenResponse:
    try:
        return _TOKENS.decode(response.body)
    except DECODE_ERRORS:
        raise error_mapping.error_for_unreadable_body(response, Operation.TOKEN) from None


async def _post_form(
    session: aiohttp.ClientSession,
    url: XUrl,
    operation: Operation,
    credentials: tuple[str, str | None],
    form: Mapping[str, str],
) -> Response:
    """Post a form, with Basic authentication if `credentials` (id, secret) has a secret."""
    name, secret = credentials
    headers = {}
    if secret:
        pair = f"{quote(name, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
    body = form_body(form)
    response = await exchange(session, "POST", url, headers=headers, body=body, timeouts=_TIMEOUTS)
    if not isinstance(response, Response):
        raise error_mapping.error_for_no_response(response, operation)
    return response


def _error_for(
    response: Response, operation: Operation, invalid: type[errors.XError]
) -> errors.XError:
    """Return the error for a response; the class is `invalid` if X rejects the token or code.

    All other errors leave the account connected: a wrong client secret, a missing parameter, X's
    own failures, and responses that do not come from X. A proxy's response says nothing about the
    token, which X may have accepted before the proxy responded.
    """
    facts: dict[str, Any] = {"operation": operation.value, "request_id": response.request_id}
    if not 400 <= response.status < 500 or response.status == 408:
        return error_mapping.error_for_server_failure(response, operation)
    try:
        refusal = _TOKEN_ERROR.decode(response.body)
    except DECODE_ERRORS:
        refusal = schemas.TokenErrorResponse()
    error = refusal.error if refusal.error in _ERRORS else ""
    if not error and problems.find_problem(response.body) is None:
        return error_mapping.error_for_foreign_response(response, operation)
    if response.status == 400 and error in {"invalid_request", "invalid_grant"}:
        if "parameter" not in refusal.error_description:
            return invalid("X no longer accepts the token or code.", **facts)
        # A message about a parameter does not show that the account or the app is at fault.
        return errors.XUnavailable("X's token endpoint reports a missing parameter.", **facts)
    if response.status in {401, 403} or error:
        return errors.AppMisconfigured(
            f"X's token endpoint does not accept this app ({error or 'no reason given'}).", **facts
        )
    return errors.XUnavailable("X's token endpoint refused the request.", **facts)
