"""`MemoryTokens`: all callers share one refresh, and a new grant is stored before its use."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from fix_emulator import SCOPES, Emulator
from roost import x
from roost.emulator_clock import EmulatorClock
from roost.x.auth import TokenGrant

from .conftest import Account

Make = Callable[..., Any]


@pytest.fixture
def grants() -> list[TokenGrant]:
    """The grants with which the test's token sources were created."""
    return []


@pytest.fixture
def make(
    emulator: Emulator,
    session: aiohttp.ClientSession,
    clock: EmulatorClock,
    grants: list[TokenGrant],
) -> Make:
    """A function that creates a token source with a new grant of `larkbooks`."""

    async def make(scope: str = SCOPES, **more: Any) -> x.MemoryTokens:
        tokens = await emulator.connect("larkbooks", scope)
        grant = TokenGrant(
            tokens["access_token"],
            tokens.get("refresh_token"),
            timedelta(seconds=tokens["expires_in"]),
            tuple(tokens["scope"].split()),
            emulator.endpoint,
        )
        grants.append(grant)
        return x.MemoryTokens(
            grant,
            app=emulator.x_app,
            session=session,
            clock=clock,
            **more,
        )

    return make


async def refreshes(emulator: Emulator) -> int:
    requests = (await emulator.ground_truth())["requests"]
    return [request["operation"] for request in requests].count("refresh")


async def test_memory_tokens_send_one_refresh_for_twenty_rejections(
    make: Make, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    tokens = await make()
    client = x.Client(tokens, session=session)
    await emulator.fail("read_me", "before", "401", times=20)
    users = await asyncio.gather(*(x.users.read_me(client) for _ in range(20)))

    assert {user.username for user in users} == {"larkbooks"}
    assert await refreshes(emulator) == 1


async def test_memory_tokens_refresh_a_token_that_is_about_to_expire(
    make: Make, emulator: Emulator
) -> None:
    tokens = await make()
    first = await tokens.get()
    await emulator.jump(hours=1.99)
    assert await tokens.get() == first
    await emulator.jump(hours=0.01)
    assert await tokens.get() != first
    assert await refreshes(emulator) == 1


async def test_memory_tokens_store_a_new_grant_before_its_use(
    make: Make, emulator: Emulator
) -> None:
    stored: list[TokenGrant] = []
    in_use_when_stored: list[str] = []

    async def store(grant: TokenGrant) -> None:
        in_use_when_stored.append(await tokens.get())
        stored.append(grant)

    tokens = await make(on_rotated=store)
    first = await tokens.get()
    fresh = await tokens.refresh(first)
    assert in_use_when_stored == [first]
    assert [grant.access_token for grant in stored] == [fresh]


async def test_memory_tokens_store_a_grant_again_after_a_failure_without_a_request(
    make: Make, emulator: Emulator
) -> None:
    passed: list[str] = []

    async def store(grant: TokenGrant) -> None:
        passed.append(grant.access_token)
        if len(passed) == 1:
            raise OSError("the disk is full")

    tokens = await make(on_rotated=store)
    first = await tokens.get()
    with pytest.raises(OSError, match="disk"):
        await tokens.refresh(first)
    assert await tokens.get() == first
    fresh = await tokens.refresh(first)
    assert passed == [fresh, fresh]
    assert await refreshes(emulator) == 1


@pytest.mark.timing
async def test_memory_tokens_finish_a_refresh_whose_caller_is_cancelled(
    make: Make, emulator: Emulator
) -> None:
    stored = asyncio.Event()

    async def store(grant: TokenGrant) -> None:
        stored.set()

    tokens = await make(on_rotated=store)
    first = await tokens.get()
    await emulator.fail("refresh", "before", "delay", seconds=0.2)
    caller = asyncio.create_task(tokens.refresh(first))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait_for(stored.wait(), 10)
    assert await tokens.refresh(first) != first
    assert await refreshes(emulator) == 1


async def test_memory_tokens_report_an_invalid_grant_to_every_caller(
    make: Make, emulator: Emulator, session: aiohttp.ClientSession, grants: list[TokenGrant]
) -> None:
    tokens = await make()
    await x.auth.oauth2.revoke(
        session,
        emulator.endpoint,
        app=emulator.x_app,
        token=grants[0].refresh_token or "",
    )
    rejected = await tokens.get()
    outcomes = await asyncio.gather(
        *(tokens.refresh(rejected) for _ in range(5)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [x.errors.RefreshTokenInvalid] * 5
    assert await refreshes(emulator) == 1


async def test_memory_tokens_do_not_refresh_without_offline_access(
    make: Make, emulator: Emulator
) -> None:
    tokens = await make("tweet.read users.read")
    first = await tokens.get()
    assert await tokens.refresh(first) == first
    assert await refreshes(emulator) == 0


async def test_client_reports_each_rejected_exchange_once(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    await emulator.fail("read_me", "before", "401", times=None)
    with pytest.raises(x.errors.XUnavailable):
        await x.users.read_me(account.client)
    assert [exchange.status for exchange in account.exchanges] == [401, 401]
    await x.auth.oauth2.revoke(
        session,
        emulator.endpoint,
        app=emulator.x_app,
        token=account.tokens.refresh_token,
    )
    with pytest.raises(x.errors.RefreshTokenInvalid):
        await x.users.read_me(account.client)
    assert [exchange.status for exchange in account.exchanges] == [401] * 3
    client = x.Client(
        x.FixedToken("none", emulator.endpoint),
        session=session,
        on_exchange=record_in(account.exchanges),
    )
    with pytest.raises(x.errors.ReauthorizationRequired):
        await x.users.read_me(client)
    assert [exchange.status for exchange in account.exchanges] == [401] * 4


def record_in(exchanges: list[x.Exchange]) -> Callable[[x.Exchange], Awaitable[None]]:
    async def record(exchange: x.Exchange) -> None:
        exchanges.append(exchange)

    return record


async def test_client_requires_reauthorization_for_a_rejected_fixed_token(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    client = x.Client(x.FixedToken("no such token", emulator.endpoint), session=session)
    with pytest.raises(x.errors.ReauthorizationRequired):
        await x.users.read_me(client)
