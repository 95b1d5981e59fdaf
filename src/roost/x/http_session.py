"""The HTTP session to X, which is opened on first use.

A command that only reads the database therefore imports no HTTP client, and saves the tenth of a
second that the import takes.
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
        """Return the session; the first call opens it, and needs a running event loop."""
        if self._session is None:
            import aiohttp

            from roost.x.sockets import open_connector

            self._session = aiohttp.ClientSession(
                connector=open_connector(self._user_timeout),
                # Cookies are not stored: otherwise, one tenant's request would send the cookies
                # that X set for another tenant.
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        """Close the session if it was opened."""
        if self._session is not None:
            await self._session.close()
