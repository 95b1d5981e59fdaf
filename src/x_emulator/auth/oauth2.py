"""OAuth 2.0 with PKCE: authorization requests, codes, tokens, and X's error messages.

A code can be used once, within 30 seconds. An access token is valid for two hours. A refresh token
can be used once. All durations are in emulated time. The consent page and the HTTP routes are in
`routes.oauth2`.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import unquote

from x_emulator.state import App, Code, Grant, Token, User, World

CODE_LIFE = timedelta(seconds=30)
ACCESS_LIFE = timedelta(hours=2)
#: The lifetime of a refresh token. X does not document the lifetime; two other sources say six
#: months.
REFRESH_LIFE = timedelta(days=180)

_SCOPES = """
tweet.read tweet.write tweet.moderate.write users.email users.read follows.read follows.write
offline.access space.read mute.read mute.write like.read like.write list.read list.write
block.read block.write bookmark.read bookmark.write dm.read dm.write media.write
broadcast.read broadcast.write timeline.read
"""
SCOPES = frozenset(_SCOPES.split())

#: The minimum length of a PKCE challenge by method. With `S256`, the challenge is a SHA-256 in
#: base64url, which has 43 characters. With `plain`, short challenges are accepted, because X's
#: documentation shows one.
_MIN_CHALLENGE_LENGTH = {"S256": 43, "plain": 1}

_BAD_CODE = "Value passed for the authorization code was invalid."
_BAD_VERIFIER = "Value passed for the code verifier did not match the code challenge."
_BAD_TOKEN = "Value passed for the token was invalid."  # noqa: S105 - X's sentence


class TokenRefusal(Exception):
    """An error response of the OAuth 2.0 token endpoints."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


def _bad_request(description: str) -> TokenRefusal:
    return TokenRefusal(400, "invalid_request", description)


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid authorization request, which the user may allow or deny."""

    app: App
    redirect_uri: str
    state: str
    scopes: frozenset[str]
    challenge: str
    method: str


def read_authorization_request(
    world: World, query: Mapping[str, str]
) -> AuthorizationRequest | None:
    """Read the query of the authorize page.

    Returns None if the query is invalid; X shows an error page in that case.
    """
    app = world.apps.get(query.get("client_id", ""))
    redirect_uri = query.get("redirect_uri", "")
    scopes = frozenset(query.get("scope", "").split(" "))
    state = query.get("state", "")
    method = query.get("code_challenge_method", "")
    method = "S256" if method == "s256" else method
    challenge = query.get("code_challenge", "")
    is_valid = (
        app is not None
        and query.get("response_type") == "code"
        and redirect_uri in app.callbacks
        and scopes <= SCOPES
        and 0 < len(state) <= 500
        and method in _MIN_CHALLENGE_LENGTH
        and _MIN_CHALLENGE_LENGTH[method] <= len(challenge) <= 128
    )
    if app is None or not is_valid:
        return None
    return AuthorizationRequest(app, redirect_uri, state, scopes, challenge, method)


def issue_code(world: World, authorization: AuthorizationRequest, user: User, at: datetime) -> str:
    """Issue an authorization code to the app after the user's consent."""
    grant = Grant(authorization.app.client_id, user.id, authorization.scopes)
    code = _opaque_value("ac", at)
    world.codes[code] = Code(
        grant=grant,
        redirect_uri=authorization.redirect_uri,
        challenge=authorization.challenge,
        method=authorization.method,
        expires_at=at + CODE_LIFE,
    )
    return code


def exchange(
    world: World, form: Mapping[str, str], authorization: str | None, at: datetime
) -> dict[str, Any]:
    """Exchange a code or a refresh token for new tokens, as the token endpoint does.

    Raises: TokenRefusal.
    """
    app = _authenticate_app(world, form, authorization)
    grant_type = _required(form, "grant_type")
    if grant_type == "authorization_code":
        grant = _redeem_code(world, app, form, at)
        world.grants.append(grant)
    elif grant_type == "refresh_token":
        grant = _redeem_refresh(world, app, _required(form, "refresh_token"), at)
    else:
        raise TokenRefusal(
            400, "unsupported_grant_type", "Value passed for the grant type was invalid."
        )
    return _issue(world, grant, at)


def revoke(world: World, form: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
    """Revoke the form's token; for a refresh token, revoke the whole grant too.

    Raises: TokenRefusal.
    """
    app = _authenticate_app(world, form, authorization)
    token = world.tokens.get(_required(form, "token"))
    if token is not None and token.grant.client_id == app.client_id:
        token.revoked = True
        if token.kind == "refresh":
            token.grant.alive = False
    return {"revoked": True}


def find_access_token(world: World, value: str, at: datetime) -> Token | None:
    """Find a valid access token by its value."""
    token = world.tokens.get(value)
    return token if token is not None and token.kind == "access" and is_alive(token, at) else None


def token_counts(world: World, client_id: str | None, at: datetime) -> dict[str, int]:
    """Count the valid tokens and grants of one app, or of all apps if `client_id` is None."""
    alive = [t for t in world.tokens.values() if is_alive(t, at)]
    grants = [g for g in world.grants if g.alive]
    if client_id is not None:
        alive = [t for t in alive if t.grant.client_id == client_id]
        grants = [g for g in grants if g.client_id == client_id]
    return {
        "access": sum(t.kind == "access" for t in alive),
        "refresh": sum(t.kind == "refresh" for t in alive),
        "grants": len(grants),
    }


def is_alive(token: Token, at: datetime) -> bool:
    """Return whether a token is neither used nor expired nor revoked, and its grant is valid."""
    is_dead = token.used or token.revoked or not token.grant.alive
    return not is_dead and at < token.expires_at


def _authenticate_app(world: World, form: Mapping[str, str], authorization: str | None) -> App:
    basic = read_basic(authorization)
    client_id = form.get("client_id") or (basic[0] if basic else "")
    if not client_id:
        raise _bad_request("Missing required parameter [client_id].")
    app = world.apps.get(client_id)
    if app is None:
        raise TokenRefusal(400, "invalid_client", "Value passed for the client_id was invalid.")
    if app.confidential:
        secret = app.client_secret or ""
        if basic is None or basic[0] != client_id or not _equal(basic[1], secret):
            raise TokenRefusal(401, "unauthorized_client", "Missing valid authorization header")
    return app


def read_basic(authorization: str | None) -> tuple[str, str] | None:
    """Return the name and secret from an HTTP Basic header; None if the header is invalid."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # The header is not base64, not ASCII, or not UTF-8.
        return None
    return (unquote(name), unquote(secret)) if colon else None


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if not value:
        raise _bad_request(f"Missing required parameter [{name}].")
    return value


def _redeem_code(world: World, app: App, form: Mapping[str, str], at: datetime) -> Grant:
    value = _required(form, "code")
    redirect_uri = _required(form, "redirect_uri")
    verifier = _required(form, "code_verifier")
    code = world.codes.get(value)
    if code is None or code.used or at >= code.expires_at:
        raise _bad_request(_BAD_CODE)
    if code.grant.client_id != app.client_id or code.redirect_uri != redirect_uri:
        raise _bad_request(_BAD_CODE)
    code.used = True
    if not _equal(_challenge_of(verifier, code.method), code.challenge):
        raise _bad_request(_BAD_VERIFIER)
    return code.grant


def _redeem_refresh(world: World, app: App, value: str, at: datetime) -> Grant:
    token = world.tokens.get(value)
    if token is None or token.kind != "refresh" or token.grant.client_id != app.client_id:
        raise _bad_request(_BAD_TOKEN)
    if token.used and world.switches.revoke_on_refresh_reuse:
        token.grant.alive = False
    if not is_alive(token, at):
        raise _bad_request(_BAD_TOKEN)
    token.used = True
    return token.grant


def _challenge_of(verifier: str, method: str) -> str:
    if method == "plain":
        return verifier
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _issue(world: World, grant: Grant, at: datetime) -> dict[str, Any]:
    body: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "access_token": _new_token(world, grant, "access", at),
        "scope": " ".join(sorted(grant.scopes)),
    }
    if "offline.access" in grant.scopes:
        body["refresh_token"] = _new_token(world, grant, "refresh", at)
    return body


def _new_token(world: World, grant: Grant, kind: Literal["access", "refresh"], at: datetime) -> str:
    value = _opaque_value("at" if kind == "access" else "rt", at)
    life = ACCESS_LIFE if kind == "access" else REFRESH_LIFE
    world.tokens[value] = Token(kind, grant, at + life)
    return value


def _opaque_value(kind: str, at: datetime) -> str:
    """Generate a code or token in the format of X's documentation. Clients must not parse it."""
    text = f"{secrets.token_hex(23)[:45]}:{int(at.timestamp() * 1000)}:1:1:{kind}:1"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
