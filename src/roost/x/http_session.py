"""The HTTP session to X, which is opened on first use.

A command that only reads the database then imports no HTTP client; that import takes a tenth of a
second.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp


class HttpSession:
    """A callable that returns the HTTP session of the process."""

    def __init__(self, user_timeout: timedelta) -> None:
        self._user_timeout = user_timeout
        self._session: aiohttp.ClientSession | None = None

    def __call__(self) -> "aiohttp.ClientSession":
        """Return the session; open it at the first call, within a running event loop."""
        if self._session is None:
            import aiohttp

            from roost.x.sockets import open_connector

            self._session = aiohttp.ClientSession(
                connector=open_connector(self._user_timeout),
                # X sets cookies, and one tenant's request must not send another tenant's cookies.
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        """Close the session if it was opened."""
        if self._session is not None:
            await self._session.close()
