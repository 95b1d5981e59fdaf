"""`roost connect`: connects an X account through the browser and X's consent screen."""

import asyncio
import contextlib
import webbrowser
from collections.abc import AsyncIterator
from typing import Annotated, Final
from urllib.parse import urlencode, urlsplit

from cyclopts import Parameter

from roost.child_environment import hidden
from roost.cli.arguments import Json, TenantName, choose_tenant
from roost.cli.callback_listener import is_served, port_of
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_note, print_result
from roost.errors import Busy
from roost.escaping import one_line
from roost.models import Integration, Scope
from roost.runtime import Runtime
from roost.services import queries
from roost.settings import ENVIRONMENT_NAMES

#: Wall seconds between two checks of whether the account is connected.
_POLL_INTERVAL_S: Final = 0.5
#: Once the account is connected, the server still runs for these wall seconds at most: until the
#: browser has loaded the account's page, and then for the page's styles.
_PAGE_TIMEOUT_S: Final = 5
_STYLES_DELAY_S: Final = 1
#: Wall seconds within which a person must give consent.
_CONSENT_TIMEOUT_S: Final = 15 * 60


class ConnectTimedOut(Busy):
    """Consent was not given in time."""


def connect(
    *,
    tenant: TenantName = "default",
    no_browser: Annotated[
        bool, Parameter(negative="", help="Print the address instead of opening a browser.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Connect an X account: open X's consent screen and store the tokens encrypted."""

    async def work() -> None:
        async with open_for_command(with_secrets=True) as runtime:
            account = await _connect(runtime, tenant, no_browser)
        text = one_line(f"@{account.username} is connected ({account.environment}).")
        print_result(account, text, as_json=as_json)

    return run_async(work)


async def _connect(runtime: Runtime, tenant_name: str, no_browser: bool) -> Integration:
    runtime.settings.require_x_app()
    tenant, scope = await choose_tenant(runtime, tenant_name)
    callback = urlsplit(runtime.settings.twitter_callback_url)
    origin = f"{callback.scheme}://{callback.netloc}"
    before = await queries.list_accounts(runtime, scope)
    async with contextlib.AsyncExitStack() as stack:
        if not await is_served(runtime):
            await stack.enter_async_context(
                _own_server(runtime, callback.hostname or "", port_of(callback))
            )
        query = urlencode({"tenant": tenant.name})
        start = f"{origin}/api/auth/twitter/start?{query}"
        print_note(f"Open this page and give consent:\n  {start}")
        if not no_browser:
            # The browser inherits the environment and outlives this command, so hide the settings.
            with hidden(ENVIRONMENT_NAMES.values()):
                webbrowser.open(start)
        try:
            async with asyncio.timeout(_CONSENT_TIMEOUT_S):
                return await _wait_for_account(runtime, scope, before)
        except TimeoutError:
            raise ConnectTimedOut(
                "Consent was not given in time.", next="Run `roost connect` again."
            ) from None


async def _wait_for_account(
    runtime: Runtime, scope: Scope, before: list[Integration]
) -> Integration:
    """Wait until an account is new or reconnected, compared to `before`; return the account."""
    connected_at = {account.id: account.connected_at for account in before}
    while True:
        for account in await queries.list_accounts(runtime, scope):
            if connected_at.get(account.id) != account.connected_at:
                return account
        await asyncio.sleep(_POLL_INTERVAL_S)


@contextlib.asynccontextmanager
async def _own_server(runtime: Runtime, host: str, port: int) -> AsyncIterator[None]:
    """Run the web server during the block, and until the browser has the account's page."""
    from roost.web import server

    is_ready, is_page_sent = asyncio.Event(), asyncio.Event()

    def on_answered(path: str) -> None:
        if path.startswith("/accounts/"):
            is_page_sent.set()

    server.require_loopback(host)
    serving = asyncio.create_task(
        server.serve(
            runtime,
            host,
            port,
            on_listening=lambda _: is_ready.set(),
            on_answered=on_answered,
        )
    )
    done, _ = await asyncio.wait(
        {serving, asyncio.create_task(is_ready.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    if serving in done:
        serving.result()
    try:
        yield
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAGE_TIMEOUT_S):
                await is_page_sent.wait()
            await asyncio.sleep(_STYLES_DELAY_S)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
