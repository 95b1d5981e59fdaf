"""Token sources: the protocol, and two implementations that need no database.

A refresh token works once. A token source that stores tokens must therefore send only one refresh
at a time to X, and must store the new tokens before they are used. `roost.account_client` has the
token source for the accounts in Roost's database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import aiohttp

from roost.clock import Clock, SystemClock
from roost.endpoint import LIVE_X, XApp, XEndpoint
from roost.x.auth import oauth2
from roost.x.auth.oauth2 import TokenGrant

#: A token that expires within this time is refreshed before the request. Source: X's tool xurl uses
#: the same time.
EXPIRY_MARGIN: Final = timedelta(seconds=30)


class TokenSource(Protocol):
    """Supplies an account's access token, from a database, a file or memory."""

    @property
    def endpoint(self) -> XEndpoint:
        """The endpoint that the tokens belong to; Roost sends them to no other endpoint."""
        ...

    async def get(self) -> str:
        """Return a token that X should accept."""
        ...

    async def refresh(self, rejected: str) -> str:
        """Return a token to replace `rejected`, or `rejected` itself if there is no other token.

        The client calls this method at most once per request, after a 401.
        """
        ...


class FixedToken:
    """A token that this process never refreshes.

    Examples are an app's own token, or a token that another program refreshes.
    """

    def __init__(self, access_token: str, endpoint: XEndpoint = LIVE_X) -> None:
        self._access_token = access_token
        self.endpoint = endpoint

    async def get(self) -> str:
        """Return the token."""
        return self._access_token

    async def refresh(self, rejected: str) -> str:
        """Return the unchanged token, because there is no other token."""
        return self._access_token


class MemoryTokens:
    """A grant that is kept in memory. Concurrent callers share one refresh request.

    `on_rotated` is awaited with each new grant before the grant is used. The function should store
    the grant, because X has already invalidated the old refresh token. If the function raises an
    exception, the callers get this exception, and the next refresh calls the function again with
    the same grant, without a request to X.

    Raises: UnsafeHost (the grant and the app belong to different endpoints).
    """

    def __init__(
        self,
        grant: TokenGrant,
        *,
        app: XApp,
        session: aiohttp.ClientSession,
        on_rotated: Callable[[TokenGrant], Awaitable[None]] | None = None,
        clock: Clock | None = None,
    ) -> None:
        grant.endpoint.require_same(app.endpoint)
        self.endpoint = grant.endpoint
        self._app, self._session = app, session
        self._on_rotated = on_rotated
        self._clock = clock or SystemClock()
        self._grant = grant
        self._expires_at = self._clock.now() + grant.expires_in
        self._unstored: tuple[TokenGrant, datetime] | None = None
        self._refreshing: asyncio.Task[str] | None = None

    async def get(self) -> str:
        """Return the access token. A token that expires within `EXPIRY_MARGIN` is refreshed first.

        Raises: the errors of `refresh`.
        """
        token = self._grant.access_token
        if self._expires_at - EXPIRY_MARGIN > self._clock.now():
            return token
        return await self.refresh(token)

    async def refresh(self, rejected: str) -> str:
        """Return a new token. If a caller is cancelled, the request to X still completes.

        Raises: RefreshTokenInvalid, AppMisconfigured, XUnavailable, OutcomeUnknown; the errors of
        `on_rotated`.
        """
        if self._grant.access_token != rejected or self._grant.refresh_token is None:
            return self._grant.access_token
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._rotate(), name="token-refresh")
            self._refreshing.add_done_callback(self._on_refreshed)
        return await asyncio.shield(self._refreshing)

    async def _rotate(self) -> str:
        if self._unstored is None:
            now = self._clock.now()
            grant = await oauth2.refresh(
                self._session,
                self.endpoint,
                app=self._app,
                refresh_token=self._grant.refresh_token or "",
            )
            if grant.refresh_token is None:
                grant = replace(grant, refresh_token=self._grant.refresh_token)
            self._unstored = grant, now + grant.expires_in
        grant, expires_at = self._unstored
        if self._on_rotated is not None:
            await self._on_rotated(grant)
        self._grant, self._expires_at, self._unstored = grant, expires_at, None
        return grant.access_token

    def _on_refreshed(self, task: "asyncio.Task[str]") -> None:
        self._refreshing = None
        if not task.cancelled():
            task.exception()  # Otherwise asyncio logs the error if all callers were cancelled.
