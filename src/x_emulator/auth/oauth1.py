"""OAuth 1.0a as X plays it: request tokens, a person's decision, access tokens that do not expire.

Signatures, nonces and timestamps are verified on every request. No page and no HTTP here.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from x_emulator.auth import oauth1_signature
from x_emulator.auth.oauth1_signature import Parameters
from x_emulator.rules import refusals
from x_emulator.state import Access, App, Grant, KeyPair, RequestToken, User, World

#: How far a timestamp may be off. Not documented; X's own text is "within reason".
CLOCK_SKEW = timedelta(minutes=5)
REQUEST_TOKEN_LIFE = timedelta(hours=1)
OUT_OF_BAND = "oob"
#: Clients sign the URL they mean to ask, also where a proxy or an adapter sends them here.
_HOSTS_OF_X = ("api.x.com", "api.twitter.com", "upload.x.com", "upload.twitter.com")


@dataclass(frozen=True)
class SignedRequest:
    """What of a request goes into its signature."""

    method: str
    url: str
    """As the client reached us, without the query."""
    path: str
    authorization: str | None
    parameters: Parameters
    """Of the query, and of the body where that is a form."""

    def urls(self) -> list[str]:
        """Every URL that this request may have been signed for."""
        return [self.url, *(f"https://{host}{self.path}" for host in _HOSTS_OF_X)]


@dataclass(frozen=True)
class Signer:
    """Who signed: an app, and with which token, if any."""

    app: App
    header: dict[str, str]
    pair: KeyPair | None = None
    asked: RequestToken | None = None


def verify(world: World, request: SignedRequest, at: datetime) -> Signer:
    """Check signature, timestamp and nonce; the nonce is used up.

    Raises: Refusal (in the words of v1.1).
    """
    header = oauth1_signature.read_header(request.authorization)
    if header is None:
        raise refusals.legacy(400, 215, "Bad Authentication data.")
    app = world.apps.get(world.app_keys.get(header.get("oauth_consumer_key", ""), ""))
    token = header.get("oauth_token", "")
    pair, asked = world.key_pairs.get(token), world.request_tokens.get(token)
    if app is None or header.get("oauth_signature_method") != "HMAC-SHA1":
        raise not_authenticated()
    if header.get("oauth_version", "1.0") != "1.0" or not _is_timely(
        header.get("oauth_timestamp", ""), at
    ):
        raise not_authenticated()
    known = pair or asked
    if token and (known is None or _client_id_of(known) != app.client_id):
        raise bad_token()
    right = oauth1_signature.is_signed_by(
        header.get("oauth_signature", ""),
        method=request.method,
        urls=request.urls(),
        header=header,
        parameters=request.parameters,
        secrets=(app.api_secret, known.secret if known else ""),
    )
    if not right or not _use_nonce(world, header, at):
        raise not_authenticated()
    if pair is not None and not pair.grant.alive:
        raise bad_token()
    return Signer(app, header, pair, asked)


def not_authenticated() -> refusals.Refusal:
    """Signature, timestamp, nonce or key are wrong."""
    return refusals.legacy(401, 32, "Could not authenticate you.")


def bad_token() -> refusals.Refusal:
    """The token was revoked, or never given out."""
    return refusals.legacy(401, 89, "Invalid or expired token.")


def ask_token(
    world: World, signer: Signer, callback: str | None, access: str | None, at: datetime
) -> RequestToken:
    """A new request token for an app.

    Raises: Refusal (no callback, or one that is not registered).
    """
    if callback is None:
        raise not_authenticated()
    app = signer.app
    if callback != OUT_OF_BAND and callback not in app.callbacks:
        message = (
            "Callback URL not approved for this client application. Approved callback URLs can be"
            " adjusted in your application settings"
        )
        raise refusals.legacy(403, 415, message)
    asked = RequestToken(
        token=secrets.token_urlsafe(20),
        secret=secrets.token_urlsafe(24),
        client_id=app.client_id,
        callback=callback,
        access="read" if access == "read" else app.access,
        expires_at=at + REQUEST_TOKEN_LIFE,
    )
    world.request_tokens[asked.token] = asked
    return asked


def find_asked(world: World, token: str, at: datetime) -> RequestToken | None:
    """A request token that waits for a person; None: X shows its page of regret."""
    asked = world.request_tokens.get(token)
    return asked if asked and asked.verifier is None and at < asked.expires_at else None


def already_granted(world: World, asked: RequestToken, screen_name: str) -> User | None:
    """Who has allowed the app this much before: the user named, or the only one who has."""
    users = [
        world.users[grant.user_id]
        for grant in world.grants
        if grant.alive and grant.client_id == asked.client_id and grant.access == asked.access
    ]
    if screen_name:
        users = [user for user in users if user.username.casefold() == screen_name.casefold()]
    return users[0] if len(users) == 1 else None


def allow(asked: RequestToken, user: User) -> str:
    """The person said yes; the verifier, or the PIN where there is no callback."""
    out_of_band = asked.callback == OUT_OF_BAND
    asked.user_id = user.id
    asked.verifier = (
        f"{secrets.randbelow(9_000_000) + 1_000_000}" if out_of_band else secrets.token_urlsafe(24)
    )
    return asked.verifier


def redeem(world: World, given: Mapping[str, str], at: datetime) -> tuple[App, KeyPair]:
    """An access token for a request token that was allowed; it works once.

    X's documentation says "Authentication: Not required": token and verifier suffice, from the
    header or the parameters. Clients that do not sign with the token's secret rely on it.
    Raises: Refusal.
    """
    asked = world.request_tokens.get(given.get("oauth_token", ""))
    if asked is None or asked.user_id is None or at >= asked.expires_at:
        raise bad_token()
    app, key = world.apps[asked.client_id], given.get("oauth_consumer_key")
    if key is not None and world.app_keys.get(key) != asked.client_id:
        raise not_authenticated()
    if not asked.verifier or given.get("oauth_verifier") != asked.verifier:
        raise not_authenticated()
    del world.request_tokens[asked.token]
    return app, grant(world, app, world.users[asked.user_id], asked.access)


def grant(world: World, app: App, user: User, access: Access) -> KeyPair:
    """The access token of a user for an app: the one there is, if it allows as much."""
    for pair in world.key_pairs.values():
        kept = pair.grant
        if kept.alive and (kept.client_id, kept.user_id) == (app.client_id, user.id):
            kept.access = access
            return pair
    given = Grant(app.client_id, user.id, frozenset(), access)
    pair = KeyPair(f"{user.id}-{secrets.token_hex(20)}", secrets.token_urlsafe(33), given)
    world.grants.append(given)
    world.key_pairs[pair.token] = pair
    return pair


def _is_timely(stamp: str, at: datetime) -> bool:
    """Right by the emulated clock or by the machine's, which is the one most clients have."""
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        return False
    clocks = (at, datetime.now(UTC))
    return any(abs(int(stamp) - each.timestamp()) <= CLOCK_SKEW.total_seconds() for each in clocks)


def _use_nonce(world: World, header: dict[str, str], at: datetime) -> bool:
    """False: this nonce came before with this timestamp, key and token (RFC 5849, 3.3)."""
    stamp, nonce = header["oauth_timestamp"], header.get("oauth_nonce", "")
    used = (header["oauth_consumer_key"], header.get("oauth_token", ""), stamp, nonce)
    if not nonce or used in world.nonces:
        return False
    world.nonces.add(used)
    if len(world.nonces) % 10_000 == 0:
        # What its timestamp alone keeps out needs no memory.
        world.nonces = {each for each in world.nonces if _is_timely(each[2], at)}
    return True


def _client_id_of(known: KeyPair | RequestToken) -> str:
    return known.grant.client_id if isinstance(known, KeyPair) else known.client_id
