"""`roost connect`: connects an X account through the browser and X's consent screen."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode, urlsplit

import aiohttp
from cyclopts import Parameter

from roost.cli.arguments import Json, TenantName, choose_tenant
from roost.cli.browser import open_in_browser
from roost.cli.callback_listener import is_served, port_of, require_own_address
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_note, print_result
from roost.cli.schemas.accounts import ConnectedAccountOutput
from roost.errors import Busy, Refused
from roost.escaping import one_line
from roost.models import Integration, Scope, Tenant
from roost.next_actions import ActionCode, NextAction
from roost.runtime import Runtime
from roost.services import queries

#: Wall seconds between two checks of whether the account is connected.
_POLL_INTERVAL_S: Final = 0.5
#: Wall seconds for which the command's own web server still runs after the account is connected:
#: at most `_PAGE_TIMEOUT_S` until the browser has loaded the account's page, and then
#: `_STYLES_DELAY_S`, so that the browser can load the page's style sheet.
_PAGE_TIMEOUT_S: Final = 5
_STYLES_DELAY_S: Final = 1
#: The timeout of a request that asks the web server whether the OAuth flow has failed, in wall
#: seconds.
_REQUEST_TIMEOUT_S: Final = 5
#: Wall seconds within which a person must give consent.
_CONSENT_TIMEOUT_S: Final = 15 * 60


class ConnectTimedOut(Busy):
    """The user did not give consent on X's consent screen in time."""


class ConnectFailed(Refused):
    """Connecting the account failed in the browser, which shows the error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        action = error.get("next_action")
        super().__init__(
            error["message"],
            did=error["did"],
            next=error["next"],
            next_action=action and NextAction(ActionCode(action["code"]), action["facts"]),
            **error.get("facts", {}),
        )
        self._code = str(error["code"])

    @property
    def code(self) -> str:
        """The code of the error that the browser shows."""
        return self._code


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
            owner, scope = await choose_tenant(runtime, tenant)
            account = await _connect(runtime, owner, scope, no_browser)
            is_shared = await queries.is_shared_account(runtime, scope, account)
        text = one_line(f"@{account.username} is connected ({account.environment}).")
        if is_shared:
            text += one_line(
                f"\nAnother tenant has connected @{account.username} too: posts of both tenants are"
                " published in turn, and each tenant sees only its own posts."
            )
        result = ConnectedAccountOutput.of(account, is_shared=is_shared)
        print_result(result, text, as_json=as_json)

    return run_async(work)


async def _connect(runtime: Runtime, tenant: Tenant, scope: Scope, no_browser: bool) -> Integration:
    runtime.settings.require_x_app()
    callback = urlsplit(runtime.settings.twitter_callback_url)
    origin = f"{callback.scheme}://{callback.netloc}"
    before = await queries.list_accounts(runtime, scope)
    async with contextlib.AsyncExitStack() as stack:
        if not await is_served(runtime):
            require_own_address(callback)
            print_note(
                f"No web server of Roost runs at {origin}; this command runs one until the account"
                " is connected."
            )
            await stack.enter_async_context(
                _own_server(runtime, callback.hostname or "", port_of(callback))
            )
        attempt_id = secrets.token_urlsafe(32)
        query = urlencode({"tenant": tenant.name, "attempt": attempt_id})
        start = f"{origin}/api/auth/twitter/start?{query}"
        print_note(f"Open this page and give consent:\n  {start}")
        print_note(
            "If X shows an error instead of its consent page, check that the X app has the callback"
            f" {runtime.settings.twitter_callback_url} exactly."
        )
        if not no_browser:
            open_in_browser(start)
        find_failure = await stack.enter_async_context(_watching(f"{origin}/api/auth", attempt_id))
        try:
            async with asyncio.timeout(_CONSENT_TIMEOUT_S):
                return await _wait_for_account(runtime, scope, before, find_failure)
        except TimeoutError:
            raise ConnectTimedOut(
                "Consent was not given in time.", next="Run `roost connect` again."
            ) from None


async def _wait_for_account(
    runtime: Runtime,
    scope: Scope,
    before: list[Integration],
    find_failure: Callable[[], Awaitable[ConnectFailed | None]],
) -> Integration:
    """Wait until an account is connected or reconnected, and return the account.

    `before` has the tenant's accounts as they were when the command began. Raises: ConnectFailed.
    """
    connected_at = {account.id: account.connected_at for account in before}
    while True:
        for account in await queries.list_accounts(runtime, scope):
            if connected_at.get(account.id) != account.connected_at:
                return account
        if (failure := await find_failure()) is not None:
            raise failure
        await asyncio.sleep(_POLL_INTERVAL_S)


@contextlib.asynccontextmanager
async def _watching(
    url: str, attempt_id: str
) -> AsyncIterator[Callable[[], Awaitable[ConnectFailed | None]]]:
    """Yield a function that asks the web server whether the OAuth flow has failed.

    The function returns the error, or None if there is none. It prints a note when the web server
    no longer listens.
    """
    is_gone = False
    timeout = aiohttp.ClientTimeout(total=_REQUEST_TIMEOUT_S)

    async def find_failure() -> ConnectFailed | None:
        nonlocal is_gone
        try:
            async with session.get(f"{url}/attempts/{attempt_id}") as response:
                is_gone = False
                error = (await response.json())["error"] if response.status == 200 else None
        except aiohttp.ClientConnectorError:
            if not is_gone:
                print_note(
                    f"Nothing listens at {url.removesuffix('/api/auth')} any more, so X cannot send"
                    " the browser back: start `roost serve` again, or end this command."
                )
            is_gone = True
            return None
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError):
            return None
        return None if error is None else ConnectFailed(error)

    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout
    ) as session:
        yield find_failure


@contextlib.asynccontextmanager
async def _own_server(runtime: Runtime, host: str, port: int) -> AsyncIterator[None]:
    """Run a web server in the command's process during the block.

    After the block, the server still runs for a few seconds, so that the browser can load the
    account's page.
    """
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
        try:
            yield
        except ConnectFailed:
            await asyncio.sleep(_STYLES_DELAY_S)
            raise
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PAGE_TIMEOUT_S):
                await is_page_sent.wait()
            await asyncio.sleep(_STYLES_DELAY_S)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
