"""Token sources: a protocol of two methods, and two implementations without a database.

A refresh token works once. A source that stores tokens must send one refresh at a time to X, and
must store the new tokens before they are used. The source for the accounts in Roost's database is
in `roost.account_client`.
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

#: A token that expires within this time is refreshed before the call (Source: xurl's margin).
EXPIRY_MARGIN: Final = timedelta(seconds=30)


class TokenSource(Protocol):
    """Supplies an account's access token, from a database, a file or memory."""

    @property
    def endpoint(self) -> XEndpoint:
        """The endpoint that the tokens belong to; Roost sends them to no other."""
        ...

    async def get(self) -> str:
        """Return a token that X should accept."""
        ...

    async def refresh(self, rejected: str) -> str:
        """Return a token to replace `rejected`, or `rejected` itself if there is no other.

        Called at most once per request, after a 401.
        """
        ...


class FixedToken:
    """A token that is never refreshed here: an app's own, or one that another program renews."""

    def __init__(self, access_token: str, endpoint: XEndpoint = LIVE_X) -> None:
        self._access_token = access_token
        self.endpoint = endpoint

    async def get(self) -> str:
        """Return the token."""
        return self._access_token

    async def refresh(self, rejected: str) -> str:
        """Return the unchanged token, because there is no other."""
        return self._access_token


class MemoryTokens:
    """A grant kept in this process. Concurrent callers share one refresh request.

    `on_rotated` is awaited with each new grant before the grant is used. Store the grant there,
    because X has already invalidated the old refresh token. If `on_rotated` raises, the callers get
    its exception, and the next refresh calls `on_rotated` again with that grant, without a request
    to X.

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
        """Return the next token. If a caller is cancelled, the request to X still completes.

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
            task.exception()  # asyncio would log the error if all callers have been cancelled
