"""Who may do what: OAuth 2.0 with PKCE as X plays it, down to the words of its refusals.

Codes live 30 seconds and work once, access tokens two hours, refresh tokens once; all in emulated
time. No page and no HTTP here.
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
#: Not documented; two sources say six months.
REFRESH_LIFE = timedelta(days=180)

_SCOPES = """
tweet.read tweet.write tweet.moderate.write users.email users.read follows.read follows.write
offline.access space.read mute.read mute.write like.read like.write list.read list.write
block.read block.write bookmark.read bookmark.write dm.read dm.write media.write
broadcast.read broadcast.write timeline.read
"""
SCOPES = frozenset(_SCOPES.split())

#: X's own documentation shows a short challenge with `plain`; a SHA-256 has 43 characters.
_SHORTEST_CHALLENGE = {"S256": 43, "plain": 1}

_BAD_CODE = "Value passed for the authorization code was invalid."
_BAD_VERIFIER = "Value passed for the code verifier did not match the code challenge."
_BAD_TOKEN = "Value passed for the token was invalid."  # noqa: S105 - X's sentence


class TokenRefusal(Exception):
    """What the token endpoint says instead of a token."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": description}


def _bad_request(description: str) -> TokenRefusal:
    return TokenRefusal(400, "invalid_request", description)


@dataclass(frozen=True)
class Consent:
    """A well-formed wish of an app, which its user may now grant or deny."""

    app: App
    redirect_uri: str
    state: str
    scopes: frozenset[str]
    challenge: str
    method: str


def find_consent(world: World, asked: Mapping[str, str]) -> Consent | None:
    """Read the query of the authorize page; None where X shows its page of regret instead."""
    app = world.apps.get(asked.get("client_id", ""))
    redirect_uri = asked.get("redirect_uri", "")
    scopes = frozenset(asked.get("scope", "").split(" "))
    state = asked.get("state", "")
    method = asked.get("code_challenge_method", "")
    method = "S256" if method == "s256" else method
    challenge = asked.get("code_challenge", "")
    right = (
        app is not None
        and asked.get("response_type") == "code"
        and redirect_uri in app.callbacks
        and scopes <= SCOPES
        and 0 < len(state) <= 500
        and method in _SHORTEST_CHALLENGE
        and _SHORTEST_CHALLENGE[method] <= len(challenge) <= 128
    )
    if app is None or not right:
        return None
    return Consent(app, redirect_uri, state, scopes, challenge, method)


def grant_code(world: World, consent: Consent, user: User, at: datetime) -> str:
    """The user said yes: a code for the app."""
    grant = Grant(consent.app.client_id, user.id, consent.scopes)
    code = _opaque("ac", at)
    world.codes[code] = Code(
        grant=grant,
        redirect_uri=consent.redirect_uri,
        challenge=consent.challenge,
        method=consent.method,
        expires_at=at + CODE_LIFE,
    )
    return code


def exchange(
    world: World, form: Mapping[str, str], authorization: str | None, at: datetime
) -> dict[str, Any]:
    """The token endpoint: a code or a refresh token for new tokens.

    Raises: TokenRefusal.
    """
    app = _authenticated_app(world, form, authorization)
    kind = _required(form, "grant_type")
    if kind == "authorization_code":
        grant = _redeem_code(world, app, form, at)
        world.grants.append(grant)
    elif kind == "refresh_token":
        grant = _redeem_refresh(world, app, _required(form, "refresh_token"), at)
    else:
        raise TokenRefusal(
            400, "unsupported_grant_type", "Value passed for the grant type was invalid."
        )
    return _issue(world, grant, at)


def revoke(world: World, form: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
    """The revoke endpoint: an access token alone, or with its refresh token the whole grant.

    Raises: TokenRefusal.
    """
    app = _authenticated_app(world, form, authorization)
    token = world.tokens.get(_required(form, "token"))
    if token is not None and token.grant.client_id == app.client_id:
        token.revoked = True
        if token.kind == "refresh":
            token.grant.alive = False
    return {"revoked": True}


def find_access(world: World, value: str, at: datetime) -> Token | None:
    """The access token of this value; None where it opens nothing (any more)."""
    token = world.tokens.get(value)
    return token if token is not None and token.kind == "access" and is_alive(token, at) else None


def token_counts(world: World, client_id: str | None, at: datetime) -> dict[str, int]:
    """How many tokens and grants are alive, of one app or of all."""
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
    """Neither used up, revoked, expired, nor of a grant that is."""
    used_up = token.used or token.revoked or not token.grant.alive
    return not used_up and at < token.expires_at


def _authenticated_app(world: World, form: Mapping[str, str], authorization: str | None) -> App:
    basic = read_basic(authorization)
    client_id = form.get("client_id") or (basic[0] if basic else "")
    if not client_id:
        raise _bad_request("Missing required parameter [client_id].")
    app = world.apps.get(client_id)
    if app is None:
        raise TokenRefusal(400, "invalid_client", "Value passed for the client_id was invalid.")
    if app.confidential:
        secret = app.client_secret or ""
        if basic is None or basic[0] != client_id or not _same(basic[1], secret):
            raise TokenRefusal(401, "unauthorized_client", "Missing valid authorization header")
    return app


def read_basic(authorization: str | None) -> tuple[str, str] | None:
    """Name and secret of an HTTP Basic header; None: it is none."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:  # no base64, not ASCII, not UTF-8
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
    if not _same(_challenge_of(verifier, code.method), code.challenge):
        raise _bad_request(_BAD_VERIFIER)
    return code.grant


def _redeem_refresh(world: World, app: App, value: str, at: datetime) -> Grant:
    token = world.tokens.get(value)
    if token is None or token.kind != "refresh" or token.grant.client_id != app.client_id:
        raise _bad_request(_BAD_TOKEN)
    if token.used and world.switches.family_revocation:
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
    answer: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "access_token": _new_token(world, grant, "access", at),
        "scope": " ".join(sorted(grant.scopes)),
    }
    if "offline.access" in grant.scopes:
        answer["refresh_token"] = _new_token(world, grant, "refresh", at)
    return answer


def _new_token(world: World, grant: Grant, kind: Literal["access", "refresh"], at: datetime) -> str:
    value = _opaque("at" if kind == "access" else "rt", at)
    life = ACCESS_LIFE if kind == "access" else REFRESH_LIFE
    world.tokens[value] = Token(kind, grant, at + life)
    return value


def _opaque(kind: str, at: datetime) -> str:
    """A value of the shape that X's documentation shows; clients must not read it."""
    text = f"{secrets.token_hex(23)[:45]}:{int(at.timestamp() * 1000)}:1:1:{kind}:1"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
