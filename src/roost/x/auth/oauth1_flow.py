"""Three-legged OAuth 1.0a: request token, consent, access token, invalidation.

The access tokens do not expire. Without a callback URL, X shows the user a PIN, which is the
verifier. Source: docs.x.com, oauth-1-0a/obtaining-user-access-tokens and api-reference.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal
from urllib.parse import parse_qs, quote, urlencode

import aiohttp
import msgspec

from roost.endpoint import XEndpoint
from roost.models import XUserId
from roost.prices import Operation
from roost.x import error_mapping, errors, problems, transport
from roost.x.auth import signing
from roost.x.auth.signing import OAuth1
from roost.x.transport import DECODE_ERRORS, Response, Timeouts

_TIMEOUTS: Final = Timeouts()
#: With this value of `callback`, X shows the user a PIN instead of redirecting the browser.
OUT_OF_BAND: Final = "oob"


@dataclass(frozen=True, slots=True)
class RequestToken:
    """A request token of OAuth 1.0a; keep it until X has sent the verifier."""

    token: str
    secret: str = field(repr=False)
    endpoint: XEndpoint = field(repr=False)
    """The endpoint that issued the token."""


@dataclass(frozen=True, slots=True)
class OAuth1Grant:
    """A user's credential, with the user's id and name."""

    credential: OAuth1
    user_id: XUserId
    username: str


async def get_request_token(
    session: aiohttp.ClientSession,
    *,
    app: OAuth1,
    callback: str = OUT_OF_BAND,
    access: Literal["read", "write"] | None = None,
) -> RequestToken:
    """Get a request token with the app's keys; `callback` must be registered with the app.

    `access` limits the permissions of the access token; by default, the token gets the
    app's permissions.

    Raises: AppMisconfigured (X rejects the app's keys or the callback), XUnavailable,
    OutcomeUnknown.
    """
    params: dict[str, str] | None = {"x_auth_access_type": access} if access else None
    fields = await _request_token(session, "/oauth/request_token", app, params, callback=callback)
    return RequestToken(fields["oauth_token"], fields["oauth_token_secret"], app.endpoint)


def authorize_url(
    request_token: RequestToken,
    *,
    force_consent: bool = True,
    force_login: bool = False,
    screen_name: str | None = None,
) -> str:
    """Return the URL of the consent page.

    After consent, X redirects the browser to the callback with the parameters `oauth_token` and
    `oauth_verifier`; after a denial, with the parameter `denied`. Without `force_consent`, X skips
    the page for a user who has consented before.
    """
    query = {"oauth_token": request_token.token}
    if force_login:
        query["force_login"] = "true"
    if screen_name:
        query["screen_name"] = screen_name
    page = "authorize" if force_consent else "authenticate"
    return f"{request_token.endpoint.url(f'/oauth/{page}')}?{urlencode(query, quote_via=quote)}"


async def exchange(
    session: aiohttp.ClientSession,
    *,
    app: OAuth1,
    request_token: RequestToken,
    verifier: str,
) -> OAuth1Grant:
    """Exchange an authorized request token for the user's credential.

    `verifier` is the verifier from the redirect, or the PIN.

    Raises: AuthorizationCodeInvalid (the verifier is wrong, or the token has been used or is too
    old), XUnavailable, OutcomeUnknown, UnsafeHost (the token and the app belong to different
    endpoints).
    """
    app.endpoint.require_same(request_token.endpoint)
    signer = replace(app, token=request_token.token, token_secret=request_token.secret)
    fields = await _request_token(session, "/oauth/access_token", signer, None, verifier=verifier)
    credential = replace(
        app, token=fields["oauth_token"], token_secret=fields["oauth_token_secret"]
    )
    return OAuth1Grant(credential, XUserId(fields["user_id"]), fields["screen_name"])


async def invalidate(session: aiohttp.ClientSession, *, credential: OAuth1) -> None:
    """Invalidate a user's credential; if it is invalid already, do nothing.

    Raises: XUnavailable, AppMisconfigured.
    """
    path = "/1.1/oauth/invalidate_token.json"
    response = await _post(session, path, credential, None, Operation.REVOKE)
    if response.is_success:
        if _names_token(response.body):
            return
        raise error_mapping.error_for_unreadable_body(response, Operation.REVOKE)
    problem = problems.find_problem(response.body)
    # X's error 89 means an invalid or expired token, so the credential is invalid already.
    if problem is not None and 89 in problem.codes:
        return
    raise _error_for(response, Operation.REVOKE, verifier=None)


def _names_token(body: bytes) -> bool:
    """Whether a response names the invalidated token; a proxy's response does not."""
    try:
        payload = msgspec.json.decode(body)
    except DECODE_ERRORS:
        return False
    return isinstance(payload, dict) and isinstance(payload.get("access_token"), str)


async def _request_token(
    session: aiohttp.ClientSession,
    path: str,
    signer: OAuth1,
    params: dict[str, str] | None,
    *,
    callback: str | None = None,
    verifier: str | None = None,
) -> dict[str, str]:
    """Send a request to a token endpoint; return the fields of its form-encoded response."""
    response = await _post(
        session,
        path,
        signer,
        params,
        Operation.TOKEN,
        callback=callback,
        verifier=verifier,
    )
    if not response.is_success:
        raise _error_for(response, Operation.TOKEN, verifier=verifier)
    body = response.body.decode("utf-8", "replace")
    fields = {name: values[0] for name, values in parse_qs(body).items()}
    required = {"oauth_token", "oauth_token_secret"} | (
        {"user_id", "screen_name"} if verifier else set()
    )
    if not required <= fields.keys():
        raise error_mapping.error_for_unreadable_body(response, Operation.TOKEN)
    return fields


async def _post(
    session: aiohttp.ClientSession,
    path: str,
    signer: OAuth1,
    params: dict[str, str] | None,
    operation: Operation,
    *,
    callback: str | None = None,
    verifier: str | None = None,
) -> Response:
    url = signer.endpoint.url(path)
    header = signing.authorization_header(
        signer, "POST", url, params=params, callback=callback, verifier=verifier
    )
    response = await transport.exchange(
        session,
        "POST",
        url,
        headers={"Authorization": header},
        params=params,
        timeouts=_TIMEOUTS,
    )
    if not isinstance(response, Response):
        raise error_mapping.error_for_no_response(response, operation)
    return response


def _error_for(response: Response, operation: Operation, *, verifier: str | None) -> errors.XError:
    """Return the error for a response.

    A 401 means that X rejects the verifier if one was sent, and otherwise the app's keys.
    """
    if not 400 <= response.status < 500 or response.status == 408:
        return error_mapping.error_for_server_failure(response, operation)
    facts: dict[str, Any] = {"operation": operation.value, "request_id": response.request_id}
    if (problem := problems.find_problem(response.body)) is None:
        return error_mapping.error_for_foreign_response(response, operation)
    if response.status == 429:
        return errors.XUnavailable("X's token endpoint refused the request.", **facts)
    if verifier is not None and response.status == 401:
        return errors.AuthorizationCodeInvalid(
            "X does not accept the verifier or the request token.", **facts
        )
    if 415 in problem.codes or problem.mentions("callback url not approved"):
        return errors.AppMisconfigured(
            "X does not accept the callback URL.",
            next="Register exactly the URL in TWITTER_CALLBACK_URL with the app.",
            **facts,
        )
    return errors.AppMisconfigured("X does not accept this app's keys.", **facts)
