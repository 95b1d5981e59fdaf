"""OAuth 1.0a: request tokens, the user's decision, and access tokens, which do not expire.

`verify` checks the signature, nonce and timestamp of every signed request. The consent pages and
the HTTP routes are in `routes.oauth1`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from x_emulator.auth import oauth1_signature
from x_emulator.auth.oauth1_signature import Parameters
from x_emulator.rules import refusals
from x_emulator.state import Access, App, Grant, OAuth1Token, RequestToken, User, World

#: The largest accepted difference between a timestamp and the clock. X's documentation states no
#: number, but says only "within reason".
CLOCK_SKEW = timedelta(minutes=5)
REQUEST_TOKEN_LIFE = timedelta(hours=1)
OUT_OF_BAND = "oob"
#: X's hosts. A client that a proxy or an adapter redirects to the emulator still signs a URL with
#: X's host, so signatures of such URLs are accepted too.
_HOSTS_OF_X = ("api.x.com", "api.twitter.com", "upload.x.com", "upload.twitter.com")


@dataclass(frozen=True)
class SignedRequest:
    """The parts of a request that its signature covers."""

    method: str
    url: str
    """The URL at which the client reached the emulator, without the query string."""
    path: str
    authorization: str | None
    parameters: Parameters
    """The parameters of the query, and of the body if it is a form."""

    def urls(self) -> list[str]:
        """List the URLs that the client may have signed: the emulator's, and those of X's hosts."""
        return [self.url, *(f"https://{host}{self.path}" for host in _HOSTS_OF_X)]


@dataclass(frozen=True)
class Signer:
    """The app that signed a request, and the access or request token in the request, if any."""

    app: App
    header: dict[str, str]
    token: OAuth1Token | None = None
    request_token: RequestToken | None = None


def verify(world: World, request: SignedRequest, at: datetime) -> Signer:
    """Verify a request's signature, timestamp and nonce, and record the nonce as used.

    Raises: Refusal (in the format of X's API v1.1).
    """
    header = oauth1_signature.read_header(request.authorization)
    if header is None:
        raise refusals.v1_refusal(400, 215, "Bad Authentication data.")
    app = world.apps.get(world.app_keys.get(header.get("oauth_consumer_key", ""), ""))
    value = header.get("oauth_token", "")
    token, request_token = world.oauth1_tokens.get(value), world.request_tokens.get(value)
    if app is None or header.get("oauth_signature_method") != "HMAC-SHA1":
        raise not_authenticated()
    if header.get("oauth_version", "1.0") != "1.0" or not _is_timely(
        header.get("oauth_timestamp", ""), at
    ):
        raise not_authenticated()
    known = token or request_token
    if value and (known is None or _client_id_of(known) != app.client_id):
        raise invalid_token()
    is_signed = oauth1_signature.is_signed_by(
        header.get("oauth_signature", ""),
        method=request.method,
        urls=request.urls(),
        header=header,
        parameters=request.parameters,
        secrets=(app.api_secret, known.secret if known else ""),
    )
    if not is_signed or not _use_nonce(world, header, at):
        raise not_authenticated()
    if token is not None and not token.grant.alive:
        raise invalid_token()
    return Signer(app, header, token, request_token)


def not_authenticated() -> refusals.Refusal:
    """Return the refusal for a wrong signature, timestamp, nonce or key."""
    return refusals.v1_refusal(401, 32, "Could not authenticate you.")


def invalid_token() -> refusals.Refusal:
    """Return the refusal for a token that was revoked or never issued."""
    return refusals.v1_refusal(401, 89, "Invalid or expired token.")


def issue_request_token(
    world: World, signer: Signer, callback: str | None, access: str | None, at: datetime
) -> RequestToken:
    """Issue a request token to an app.

    Raises: Refusal (the callback is missing or not registered).
    """
    if callback is None:
        raise not_authenticated()
    app = signer.app
    if callback != OUT_OF_BAND and callback not in app.callbacks:
        message = (
            "Callback URL not approved for this client application. Approved callback URLs can be"
            " adjusted in your application settings"
        )
        raise refusals.v1_refusal(403, 415, message)
    request_token = RequestToken(
        token=secrets.token_urlsafe(20),
        secret=secrets.token_urlsafe(24),
        client_id=app.client_id,
        callback=callback,
        access="read" if access == "read" else app.access,
        expires_at=at + REQUEST_TOKEN_LIFE,
    )
    world.request_tokens[request_token.token] = request_token
    return request_token


def find_request_token(world: World, value: str, at: datetime) -> RequestToken | None:
    """Find a request token that awaits a decision; None if X would show an error page."""
    token = world.request_tokens.get(value)
    return token if token and token.verifier is None and at < token.expires_at else None


def find_previous_user(world: World, request_token: RequestToken, screen_name: str) -> User | None:
    """Find a user who has already granted the app the access that `request_token` asks for.

    If `screen_name` is empty and several users have granted this access, returns None.
    """
    users = [
        world.users[grant.user_id]
        for grant in world.grants
        if grant.alive
        and grant.client_id == request_token.client_id
        and grant.access == request_token.access
    ]
    if screen_name:
        users = [user for user in users if user.username.casefold() == screen_name.casefold()]
    return users[0] if len(users) == 1 else None


def allow(request_token: RequestToken, user: User) -> str:
    """Record the user's consent; return the verifier, or a PIN if there is no callback."""
    is_out_of_band = request_token.callback == OUT_OF_BAND
    pin = f"{secrets.randbelow(9_000_000) + 1_000_000}"
    request_token.user_id = user.id
    request_token.verifier = pin if is_out_of_band else secrets.token_urlsafe(24)
    return request_token.verifier


def exchange(world: World, parameters: Mapping[str, str], at: datetime) -> tuple[App, OAuth1Token]:
    """Exchange a request token for an access token, after the user has allowed access.

    A request token can be exchanged once. `parameters` must have `oauth_token` and
    `oauth_verifier`. The signature is not verified, because X's documentation says "Authentication:
    Not required", and some clients do not sign with the request token's secret. Raises: Refusal.
    """
    request_token = world.request_tokens.get(parameters.get("oauth_token", ""))
    if request_token is None or request_token.user_id is None or at >= request_token.expires_at:
        raise invalid_token()
    app, key = world.apps[request_token.client_id], parameters.get("oauth_consumer_key")
    if key is not None and world.app_keys.get(key) != request_token.client_id:
        raise not_authenticated()
    verifier = request_token.verifier
    if not verifier or parameters.get("oauth_verifier") != verifier:
        raise not_authenticated()
    del world.request_tokens[request_token.token]
    user = world.users[request_token.user_id]
    return app, issue_token(world, app, user, request_token.access)


def issue_token(world: World, app: App, user: User, access: Access) -> OAuth1Token:
    """Return the access token of a user for an app, and set its access level.

    If the app already has a valid access token for the user, that token is returned.
    """
    for token in world.oauth1_tokens.values():
        grant = token.grant
        if grant.alive and (grant.client_id, grant.user_id) == (app.client_id, user.id):
            grant.access = access
            return token
    grant = Grant(app.client_id, user.id, frozenset(), access)
    token = OAuth1Token(f"{user.id}-{secrets.token_hex(20)}", secrets.token_urlsafe(33), grant)
    world.grants.append(grant)
    world.oauth1_tokens[token.token] = token
    return token


def _is_timely(timestamp: str, at: datetime) -> bool:
    """Return whether a timestamp is close to the emulated time or to the machine's time.

    The machine's time is accepted because most clients do not know the emulated time.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    return any(
        abs(int(timestamp) - now.timestamp()) <= CLOCK_SKEW.total_seconds()
        for now in (at, datetime.now(UTC))
    )


def _use_nonce(world: World, header: dict[str, str], at: datetime) -> bool:
    """Record a request's nonce as used; return False if the nonce is missing or already used.

    A nonce may be used once for each combination of timestamp, key and token (RFC 5849, 3.3).
    """
    timestamp, nonce = header["oauth_timestamp"], header.get("oauth_nonce", "")
    entry = (header["oauth_consumer_key"], header.get("oauth_token", ""), timestamp, nonce)
    if not nonce or entry in world.nonces:
        return False
    world.nonces.add(entry)
    if len(world.nonces) % 10_000 == 0:
        # A request with an older timestamp is refused because of the timestamp, so its nonce
        # need not be kept.
        world.nonces = {each for each in world.nonces if _is_timely(each[2], at)}
    return True


def _client_id_of(known: OAuth1Token | RequestToken) -> str:
    return known.grant.client_id if isinstance(known, OAuth1Token) else known.client_id
