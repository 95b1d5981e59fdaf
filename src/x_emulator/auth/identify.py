"""Identifies the app, and the user if any, by the `Authorization` header of a request."""

from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from x_emulator.auth import oauth1, oauth2
from x_emulator.auth.oauth1 import SignedRequest, Signer
from x_emulator.rules.refusals import Refusal, v1_refusal
from x_emulator.state import App, Grant, Token, World


class Caller(msgspec.Struct, frozen=True):
    """The sender of a request: an app, and the user's grant (None for an app-only token)."""

    app: App
    kind: Literal["oauth2", "oauth1", "app-only"]
    grant: Grant | None
    token: Token | None = None
    """The OAuth 2.0 access token of the request. None for the other kinds of credentials."""

    @property
    def user_id(self) -> str | None:
        """The user on whose behalf the app acts, if any."""
        return self.grant.user_id if self.grant else None

    def is_current(self, at: datetime) -> bool:
        """Return whether the credentials, which were valid on arrival, are still valid."""
        if self.token is not None:
            return oauth2.is_alive(self.token, at)
        return self.grant is None or self.grant.alive

    def may_write(self) -> bool:
        """Return whether the app may change anything on behalf of the user."""
        if self.grant is None:
            return False
        return "tweet.write" in self.grant.scopes or self.grant.access not in (None, "read")

    def access_level(self) -> bytes:
        """Return the value of the response header `x-access-level`."""
        if self.grant is not None and self.grant.access is not None:
            return self.grant.access.encode()
        return b"read-write" if self.may_write() else b"read"


async def identify_caller(world: World, request: Request, at: datetime) -> Caller | Refusal:
    """Return the caller, or a refusal in API v1.1's format if the credentials are invalid.

    For a path of API v2, `pipeline.operation` replaces this refusal by v2's response 401.
    """
    scheme, _, value = _authorization(request).partition(" ")
    scheme = scheme.lower()
    if scheme == "bearer":
        token = oauth2.find_access_token(world, value, at)
        if token is not None:
            return Caller(world.apps[token.grant.client_id], "oauth2", token.grant, token)
        client_id = world.app_tokens.get(value)
        if client_id:
            return Caller(world.apps[client_id], "app-only", None)
        return oauth1.invalid_token()
    if scheme == "oauth":
        try:
            signer = await verify_signer(world, request, at)
        except Refusal as refusal:
            return refusal
        if signer.token is None:
            return oauth1.invalid_token()
        return Caller(signer.app, "oauth1", signer.token.grant)
    return v1_refusal(400, 215, "Bad Authentication data.")


def _authorization(request: Request) -> str:
    """Return the `Authorization` header, or an empty string.

    The function searches the raw bytes, because it runs for every request, and Starlette's own
    lookup is slower.
    """
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            return str(value, "latin-1")
    return ""


async def verify_signer(world: World, request: Request, at: datetime) -> Signer:
    """Verify the signature of an OAuth 1.0a request.

    Raises: Refusal (in the format of X's API v1.1).
    """
    parameters = request.query_params.multi_items()
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = (await request.body()).decode("utf-8", "replace")
        parameters += parse_qsl(form, keep_blank_values=True)
    # The signature covers the path with the percent-escapes that the client sent. Only the raw path
    # still has these escapes.
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    signed = SignedRequest(
        method=request.method,
        url=f"{request.url.scheme}://{request.headers.get('host', '')}{path}",
        path=path,
        authorization=request.headers.get("authorization"),
        parameters=parameters,
    )
    return oauth1.verify(world, signed, at)
