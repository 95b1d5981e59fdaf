"""Token sources: many callers, one refresh, and the new grant is stored before it is used."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from fix_emulator import SCOPES, Emulator
from roost import x
from roost.clock import EmulatorClock
from roost.x.auth import TokenGrant

from .conftest import Account

Make = Callable[..., Any]


@pytest.fixture
def grants() -> list[TokenGrant]:
    """What the sources of the test began with."""
    return []


@pytest.fixture
def make(
    emulator: Emulator,
    session: aiohttp.ClientSession,
    clock: EmulatorClock,
    grants: list[TokenGrant],
) -> Make:
    """Makes a source with a fresh grant of `larkbooks`."""

    async def make(scope: str = SCOPES, **more: Any) -> x.MemoryTokens:
        told = await emulator.connect("larkbooks", scope)
        grant = TokenGrant(
            told["access_token"],
            told.get("refresh_token"),
            timedelta(seconds=told["expires_in"]),
            tuple(told["scope"].split()),
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
    requests = (await emulator.truth())["requests"]
    return [request["operation"] for request in requests].count("refresh")


async def test_twenty_rejections_make_one_refresh(
    make: Make, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    tokens = await make()
    client = x.Client(tokens, session=session)
    await emulator.fail("read_me", "before", "401", times=20)
    read = await asyncio.gather(*(x.users.read_me(client) for _ in range(20)))

    assert {user.username for user in read} == {"larkbooks"}
    assert await refreshes(emulator) == 1


async def test_token_about_to_end_is_refreshed_before_the_call(
    make: Make, emulator: Emulator
) -> None:
    tokens = await make()
    first = await tokens.get()
    await emulator.jump(hours=1.99)
    assert await tokens.get() == first
    await emulator.jump(hours=0.01)
    assert await tokens.get() != first
    assert await refreshes(emulator) == 1


async def test_new_grant_is_stored_before_anybody_uses_it(make: Make, emulator: Emulator) -> None:
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


async def test_grant_that_could_not_be_stored_is_offered_again_without_asking_x(
    make: Make, emulator: Emulator
) -> None:
    offered: list[str] = []

    async def store(grant: TokenGrant) -> None:
        offered.append(grant.access_token)
        if len(offered) == 1:
            raise OSError("the disk is full")

    tokens = await make(on_rotated=store)
    first = await tokens.get()
    with pytest.raises(OSError, match="disk"):
        await tokens.refresh(first)
    assert await tokens.get() == first
    fresh = await tokens.refresh(first)
    assert offered == [fresh, fresh]
    assert await refreshes(emulator) == 1


@pytest.mark.timing
async def test_refresh_is_finished_though_its_caller_goes_away(
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


async def test_dead_grant_is_told_to_every_caller(
    make: Make, emulator: Emulator, session: aiohttp.ClientSession, grants: list[TokenGrant]
) -> None:
    tokens = await make()
    await x.auth.revoke(
        session,
        emulator.endpoint,
        app=emulator.x_app,
        token=grants[0].refresh_token or "",
    )
    rejected = await tokens.get()
    outcomes = await asyncio.gather(
        *(tokens.refresh(rejected) for _ in range(5)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [x.errors.GrantDead] * 5
    assert await refreshes(emulator) == 1


async def test_grant_without_offline_access_is_what_it_is(make: Make, emulator: Emulator) -> None:
    tokens = await make("tweet.read users.read")
    first = await tokens.get()
    assert await tokens.refresh(first) == first
    assert await refreshes(emulator) == 0


async def test_rejection_is_told_once_though_the_grant_is_dead(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    await emulator.fail("read_me", "before", "401", times=None)
    with pytest.raises(x.errors.XUnavailable):
        await x.users.read_me(account.client)
    assert [exchange.status for exchange in account.exchanges] == [401, 401]
    await x.auth.revoke(
        session,
        emulator.endpoint,
        app=emulator.x_app,
        token=account.tokens.refresh_token,
    )
    with pytest.raises(x.errors.GrantDead):
        await x.users.read_me(account.client)
    assert [exchange.status for exchange in account.exchanges] == [401] * 3
    client = x.Client(
        x.FixedToken("none", emulator.endpoint),
        session=session,
        on_exchange=keep_in(account.exchanges),
    )
    with pytest.raises(x.errors.Reauthorize):
        await x.users.read_me(client)
    assert [exchange.status for exchange in account.exchanges] == [401] * 4


def keep_in(told: list[x.Exchange]) -> Callable[[x.Exchange], Awaitable[None]]:
    async def keep(exchange: x.Exchange) -> None:
        told.append(exchange)

    return keep


async def test_rejected_token_without_another_wants_the_owner(
    emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    client = x.Client(x.FixedToken("no such token", emulator.endpoint), session=session)
    with pytest.raises(x.errors.Reauthorize):
        await x.users.read_me(client)
