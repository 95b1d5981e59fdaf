"""`roost connect`: a browser, X's page of consent, and back to the callback address."""

import asyncio
import contextlib
import webbrowser
from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from cyclopts import Parameter

from roost import store
from roost.child_environment import hidden
from roost.cli.callback_listener import is_served, port_of
from roost.cli.output import Json, TenantName, complete, open_for_command, say, tell
from roost.errors import Busy
from roost.escaping import one_line
from roost.models import Integration
from roost.runtime import Runtime
from roost.settings import Settings

_LOOK_EVERY_S = 0.5
#: After the connection the browser has this long to fetch the account's page, then its styles.
_PAGE_S, _STYLES_S = 5, 1
#: A person has this long.
_PATIENCE_S = 15 * 60


class ConnectTimedOut(Busy):
    """Nobody finished the connection."""


def connect(
    *,
    tenant: TenantName = "default",
    no_browser: Annotated[
        bool, Parameter(negative="", help="Only print the address to open.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Connect an X account: opens a page, waits for consent, keeps the grant sealed."""

    async def work() -> None:
        async with open_for_command(with_secrets=True) as runtime:
            account = await _connect(runtime, tenant, no_browser)
        told = one_line(f"@{account.username} is connected ({account.environment}).")
        say(account, told, as_json=as_json)

    return complete(work)


async def _connect(runtime: Runtime, tenant_name: str, no_browser: bool) -> Integration:
    runtime.settings.require_x_app()
    tenant = await store.tenants.get(runtime.database, tenant_name)
    callback = urlsplit(runtime.settings.twitter_callback_url)
    origin = f"{callback.scheme}://{callback.netloc}"
    async with runtime.database.for_tenant(tenant.id) as transaction:
        before = {
            one.id: one.connected_at for one in await store.integrations.list_all(transaction)
        }
    async with contextlib.AsyncExitStack() as stack:
        if not await is_served(runtime):
            await stack.enter_async_context(
                _own_server(runtime, callback.hostname or "", port_of(callback))
            )
        query = urlencode({"tenant": tenant.name})
        start = f"{origin}/api/auth/twitter/start?{query}"
        tell(f"Open this page and give consent:\n  {start}")
        if not no_browser:
            # A browser inherits the environment, and outlives this command.
            with hidden(Settings.model_fields):
                webbrowser.open(start)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                while True:
                    async with runtime.database.for_tenant(tenant.id) as transaction:
                        accounts = await store.integrations.list_all(transaction)
                    for account in accounts:
                        if before.get(account.id) != account.connected_at:
                            return account
                    await asyncio.sleep(_LOOK_EVERY_S)
    raise ConnectTimedOut(
        "Nobody gave consent in time.", next="Run `roost connect` again when you are ready."
    )


@contextlib.asynccontextmanager
async def _own_server(runtime: Runtime, host: str, port: int) -> AsyncIterator[None]:
    """Serve for the length of the block, then until the browser has shown the account's page."""
    from roost.web import server

    ready, shown = asyncio.Event(), asyncio.Event()

    def on_answered(path: str) -> None:
        if path.startswith("/accounts/"):
            shown.set()

    server.require_loopback(host)
    serving = asyncio.create_task(
        server.serve(
            runtime,
            host,
            port,
            on_listening=lambda _: ready.set(),
            on_answered=on_answered,
        )
    )
    done, _ = await asyncio.wait(
        {serving, asyncio.create_task(ready.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    if serving in done:
        serving.result()
    try:
        yield
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAGE_S):
                await shown.wait()
            await asyncio.sleep(_STYLES_S)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
