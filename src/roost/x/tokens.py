"""Where an account's access token comes from: a protocol of two methods, and two ready sources.

A refresh token works once. Whoever keeps tokens lets one refresh at a time go to X, and stores
what came before anybody uses it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import aiohttp

from roost.clock import Clock, SystemClock
from roost.endpoint import LIVE_X, XApp, XEndpoint
from roost.x import auth
from roost.x.auth import TokenGrant

#: A token that ends this soon is refreshed before the call (Source: xurl's margin).
_MARGIN: Final = timedelta(seconds=30)


class TokenSource(Protocol):
    """Where an account's access token comes from; how it is kept is its own affair."""

    @property
    def endpoint(self) -> XEndpoint:
        """The X that the tokens belong to: they are sent nowhere else."""
        ...

    async def get(self) -> str:
        """A token that X should accept."""
        ...

    async def refresh(self, rejected: str) -> str:
        """A token in place of one that X rejected; `rejected` itself where there is no other.

        Called at most once a request, after a 401.
        """
        ...


class FixedToken:
    """A token without a refresh: an app's own, or one that somebody else keeps fresh."""

    def __init__(self, access_token: str, endpoint: XEndpoint = LIVE_X) -> None:
        self._access_token = access_token
        self.endpoint = endpoint

    async def get(self) -> str:
        """The token."""
        return self._access_token

    async def refresh(self, rejected: str) -> str:
        """The same: there is no other."""
        return self._access_token


class MemoryTokens:
    """A grant kept in this process, refreshed by as many callers as there are in one request.

    `on_rotated` is awaited with each new grant before anybody uses it: store it there, for the old
    refresh token is dead by then. Where it raises, the callers get what it raised, and the next
    refresh offers it the same grant again, without asking X.
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
        self._ends_at = self._clock.now() + grant.expires_in
        self._fresh: tuple[TokenGrant, datetime] | None = None
        self._flight: asyncio.Task[str] | None = None

    async def get(self) -> str:
        """The access token; where it ends within half a minute, the next one.

        Raises: what `refresh` raises.
        """
        token = self._grant.access_token
        if self._ends_at - _MARGIN > self._clock.now():
            return token
        return await self.refresh(token)

    async def refresh(self, rejected: str) -> str:
        """The next token. Once X has been asked its answer is kept, whoever is cancelled.

        Raises: GrantDead, AppMisconfigured, XUnavailable, OutcomeUnknown; what `on_rotated` raises.
        """
        if self._grant.access_token != rejected or self._grant.refresh_token is None:
            return self._grant.access_token
        if self._flight is None:
            self._flight = asyncio.create_task(self._rotate(), name="token-refresh")
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    async def _rotate(self) -> str:
        if self._fresh is None:
            now = self._clock.now()
            grant = await auth.refresh(
                self._session,
                self.endpoint,
                app=self._app,
                refresh_token=self._grant.refresh_token or "",
            )
            if grant.refresh_token is None:
                grant = replace(grant, refresh_token=self._grant.refresh_token)
            self._fresh = grant, now + grant.expires_in
        grant, ends_at = self._fresh
        if self._on_rotated is not None:
            await self._on_rotated(grant)
        self._grant, self._ends_at, self._fresh = grant, ends_at, None
        return grant.access_token

    def _landed(self, flight: "asyncio.Task[str]") -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # read here too: those who waited may all have gone
