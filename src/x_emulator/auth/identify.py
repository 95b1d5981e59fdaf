"""Who asks, from a request's `Authorization` header: a user through an app, or an app alone."""

from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from x_emulator.auth import oauth1, oauth2
from x_emulator.auth.oauth1 import SignedRequest, Signer
from x_emulator.rules.refusals import Refusal, legacy
from x_emulator.state import App, Grant, Token, World


class Caller(msgspec.Struct, frozen=True):
    """An app, and the grant of the user it asks for; app-only callers have none."""

    app: App
    kind: Literal["oauth2", "oauth1", "app-only"]
    grant: Grant | None
    token: Token | None = None
    """Of OAuth 2.0."""

    @property
    def user_id(self) -> str | None:
        """The user it asks for, if any."""
        return self.grant.user_id if self.grant else None

    def is_current(self, at: datetime) -> bool:
        """Whether who was believed when the request came would be believed now."""
        if self.token is not None:
            return oauth2.is_alive(self.token, at)
        return self.grant is None or self.grant.alive

    def may_write(self) -> bool:
        """Whether it may change anything in the user's name."""
        if self.grant is None:
            return False
        return "tweet.write" in self.grant.scopes or self.grant.access not in (None, "read")

    def access_level(self) -> bytes:
        """The header `x-access-level`."""
        if self.grant is not None and self.grant.access is not None:
            return self.grant.access.encode()
        return b"read-write" if self.may_write() else b"read"


async def identify(world: World, request: Request, at: datetime) -> Caller | Refusal:
    """Who asks; or why nobody is believed, in the words of v1.1 (v2 says only 401)."""
    scheme, _, value = _authorization(request).partition(" ")
    scheme = scheme.lower()
    if scheme == "bearer":
        token = oauth2.find_access(world, value, at)
        if token is not None:
            return Caller(world.apps[token.grant.client_id], "oauth2", token.grant, token)
        client_id = world.bearers.get(value)
        return Caller(world.apps[client_id], "app-only", None) if client_id else oauth1.bad_token()
    if scheme == "oauth":
        try:
            signer = await signer_of(world, request, at)
        except Refusal as refusal:
            return refusal
        if signer.pair is None:
            return oauth1.bad_token()
        return Caller(signer.app, "oauth1", signer.pair.grant)
    return legacy(400, 215, "Bad Authentication data.")


def _authorization(request: Request) -> str:
    """The header, straight from the bytes: it is read in every request."""
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            return str(value, "latin-1")
    return ""


async def signer_of(world: World, request: Request, at: datetime) -> Signer:
    """Verify an OAuth 1.0a request.

    Raises: Refusal (in the words of v1.1).
    """
    parameters = request.query_params.multi_items()
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = (await request.body()).decode("utf-8", "replace")
        parameters += parse_qsl(form, keep_blank_values=True)
    # The raw path: what was escaped is signed as it was escaped.
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    signed = SignedRequest(
        method=request.method,
        url=f"{request.url.scheme}://{request.headers.get('host', '')}{path}",
        path=path,
        authorization=request.headers.get("authorization"),
        parameters=parameters,
    )
    return oauth1.verify(world, signed, at)
