"""Calls to a running emulator's control API: its clock, accounts, X apps and ground truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from roost.errors import Broken


@dataclass(frozen=True)
class EmulatorControl:
    """A client for the control API of a running emulator."""

    url: str
    secret: str | None = field(default=None, repr=False)
    """The control API's secret, which an emulator on an address other than loopback requires."""

    async def jump_to(self, instant: datetime) -> None:
        """Move emulated time to an instant, which must not have passed."""
        await self._call("POST", "clock", {"to": instant.isoformat()})

    async def read_clock(self) -> datetime:
        """Return the current emulated time."""
        reading = await self._call("GET", "clock")
        return datetime.fromisoformat(reading["emulated"])

    async def reset(self, accounts: Sequence[dict[str, Any]], *, starts_at: datetime) -> None:
        """Delete the emulator's state; restart its scenario with `accounts` at `starts_at`."""
        body = {"accounts": list(accounts), "starts_at": starts_at.isoformat()}
        await self._call("POST", "reset", body)

    async def add_app(self, callback: str) -> dict[str, Any]:
        """Register an X app, and return its credentials."""
        app: dict[str, Any] = await self._call("POST", "apps", {"callbacks": [callback]})
        return app

    async def list_apps(self) -> list[dict[str, Any]]:
        """Return the registered X apps with their credentials, in order of registration."""
        apps: list[dict[str, Any]] = await self._call("GET", "apps")
        return apps

    async def read_ground_truth(self, client_id: str) -> dict[str, Any]:
        """Return the ground truth of one app: what the emulator itself has recorded."""
        truth: dict[str, Any] = await self._call("GET", f"ground-truth?app={client_id}")
        return truth

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        url = f"{self.url}/_emulator/{path}"
        login = None if self.secret is None else aiohttp.BasicAuth("roost", self.secret)
        async with (
            aiohttp.ClientSession(auth=login) as session,
            session.request(method, url, json=body) as response,
        ):
            if response.status >= 400:
                raise Broken(f"The emulator returned status {response.status} to {method} {url}.")
            return await response.json()
