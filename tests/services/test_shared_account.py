"""One X account in two tenants: the setting, the shared lock, and one claim per post."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fix_emulator import Emulator
from fix_publishing import Desk, reason_of
from fix_runtime import connect_account, make_tenant, scope_of
from roost import store
from roost.errors import AccountConnectedElsewhere
from roost.models import PostState, Tenant
from roost.runtime import Runtime
from roost.services import connect, dispatch
from roost.store.locks import open_account_locks


@pytest.fixture
async def bakery(desk: Desk) -> Tenant:
    """A second tenant."""
    return await make_tenant(desk.runtime, "bakery")


@pytest.fixture
async def theirs(desk: Desk, bakery: Tenant) -> AsyncIterator[Desk]:
    """The X account, connected to the second tenant too, with a worker of its own."""
    account = await connect_account(desk.runtime, bakery, desk.emulator, "larkbooks")
    async with open_account_locks(desk.runtime.database) as locks:
        other = Desk(desk.runtime, bakery, account, desk.emulator, locks)
        await other.read_figures_at(desk.runtime.clock.now() + timedelta(days=365))
        yield other


async def connect_by_browser(runtime: Runtime, emulator: Emulator, tenant: Tenant) -> None:
    """Run the whole flow as the account's owner."""
    departure = await connect.start(runtime, scope_of(tenant))
    query = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    back = await emulator.consent("larkbooks", **query)
    await connect.complete(
        runtime, state=back["state"], code=back["code"], error=None, browser=departure.browser
    )


async def test_second_tenant_cannot_connect_the_account(desk: Desk, bakery: Tenant) -> None:
    with pytest.raises(AccountConnectedElsewhere) as refused:
        await connect_by_browser(desk.runtime, desk.emulator, bakery)
    assert refused.value.code == "account_connected_elsewhere"
    async with desk.runtime.database.for_tenant(bakery.id) as transaction:
        assert await store.integrations.list_all(transaction) == []
    # Its own tenant can reconnect it.
    await connect_by_browser(desk.runtime, desk.emulator, desk.tenant)


async def test_second_tenant_can_connect_the_account__setting(desk: Desk, bakery: Tenant) -> None:
    shared = desk.with_settings(roost_shared_accounts=True)
    await connect_by_browser(shared.runtime, desk.emulator, bakery)
    async with desk.runtime.database.for_tenant(bakery.id) as transaction:
        (account,) = await store.integrations.list_all(transaction)
    assert account.x_user_id == desk.account.x_user_id


async def publish_all(*desks: Desk) -> None:
    """Two workers at once, until no post of any tenant moves."""
    for _ in range(60):
        await asyncio.gather(*(desk.work() for desk in desks))
        await dispatch.dispatch_stranded(desks[0].runtime)
        await asyncio.gather(*(desk.work() for desk in desks))
        steps = [at for desk in desks if (at := await desk.next_step()) is not None]
        if not steps:
            return
        await desks[0].move_to(min(steps))
    raise AssertionError("the posts do not come to rest")


@pytest.mark.parametrize("faults", [[], ["drop", "ok", "ok", "503"] * 4], ids=["clean", "lost"])
async def test_identical_posts_of_two_tenants_are_each_claimed_once(
    desk: Desk, theirs: Desk, faults: list[str]
) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    if faults:
        await desk.emulator.control("faults", operation="create_post", when="after", script=faults)
        await desk.emulator.fail("read_timeline", "before", "stale", seconds=10, times=3)
    posts = [
        (one, await one.plan(f"Number {number}", after_s=number))
        for number in range(20)
        for one in (desk, theirs)
    ]
    await desk.emulator.jump(seconds=30)
    await publish_all(desk, theirs)
    on_x = (await desk.emulator.ground_truth())["posts"]
    assert len(on_x) == 40
    seen = [await one.see(post_id) for one, post_id in posts]
    claimed = [post.parts[0].sent_as for post in seen if post.state is PostState.PUBLISHED]
    assert len(claimed) == len(set(claimed))
    by_id = {post["id"]: post["text"] for post in on_x}
    for post in seen:
        assert post.state in {PostState.PUBLISHED, PostState.NEEDS_DECISION}, post.reason
        if post.state is PostState.PUBLISHED:
            assert by_id[post.parts[0].sent_as or ""] == post.parts[0].text
    assert faults or len(claimed) == 40


async def test_tenant_waits_while_the_other_sends(desk: Desk, theirs: Desk) -> None:
    await desk.plan("Ours")
    await theirs.plan("Theirs")
    assert await desk.locks.acquire(desk.account.x_user_id)
    await theirs.work()
    assert await desk.on_x() == []
    await desk.locks.release(desk.account.x_user_id, desk.account.id, ())
    await dispatch.dispatch_stranded(desk.runtime)
    await theirs.work()
    assert sorted(await desk.on_x()) == ["Ours", "Theirs"]


async def test_tenants_share_the_rate_windows_of_the_account(desk: Desk, theirs: Desk) -> None:
    await desk.plan("Ours")
    await desk.work()
    post_id = await theirs.plan("Theirs", after_s=60)
    windows = []
    for one in (desk, theirs):
        async with one.runtime.database.for_tenant(one.tenant.id) as transaction:
            rows = await transaction.run("list_posts", integration=None)
            windows.append((await store.publishing.get(transaction, rows[0]["id"])).windows)
    assert windows[0] == windows[1] != ()
    assert (await theirs.see(post_id)).state is PostState.SCHEDULED


async def test_duplicate_of_the_other_tenant_fails_without_its_post_id(
    desk: Desk, theirs: Desk
) -> None:
    await desk.plan("The same")
    await desk.work()
    post_id = await theirs.plan("The same")
    await theirs.work_through()
    post = await theirs.see(post_id)
    (there,) = (await desk.emulator.ground_truth())["posts"]
    assert (post.state, post.parts[0].sent_as) == (PostState.FAILED, None)
    assert there["id"] in reason_of(post)
    assert "(post " not in reason_of(post)


async def test_lost_duplicate_of_the_other_tenant_is_not_adopted(desk: Desk, theirs: Desk) -> None:
    """X has the first, its timeline lags, and X refuses the other tenant's as a duplicate."""
    await desk.plan("Ours")
    await desk.work()
    await desk.emulator.jump(seconds=30)
    await desk.emulator.fail("create_post", "after", "drop")
    await desk.emulator.fail("read_timeline", "before", "stale", seconds=14)
    first = await desk.plan("The same")
    await desk.work()
    second = await theirs.plan("The same")
    await publish_all(desk, theirs)
    _, there = (await desk.emulator.ground_truth())["posts"]
    assert (await desk.see(first)).parts[0].sent_as == there["id"]
    assert (await theirs.see(second)).parts[0].sent_as is None


# What one tenant can see of another's.


async def columns(desk: Desk, query: str, sight: Tenant, **values: Any) -> list[dict[str, Any]]:
    """Rows as the application's role sees them with this tenant set."""
    async with desk.runtime.database.for_tenant(sight.id) as transaction:
        cursor = await transaction.raw.execute(query.encode(), values)
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]


async def test_other_tenant_sees_only_ids_times_and_counts(desk: Desk, bakery: Tenant) -> None:
    await desk.plan("A private text")
    await desk.work()
    (there,) = (await desk.emulator.ground_truth())["posts"]
    tweet = {"tweet": there["id"]}
    claimed = await columns(desk, "SELECT * FROM list_claimed(ARRAY[%(tweet)s])", bakery, **tweet)
    assert claimed == [{"sent_as": there["id"]}]
    found = await columns(desk, "SELECT is_claimed(%(tweet)s)", bakery, **tweet)
    assert found == [{"is_claimed": True}]
    ids = {"tenant": desk.tenant.id, "account": desk.account.id}
    user = await columns(
        desk, "SELECT get_x_user_id(%(tenant)s, %(account)s, 'emulator')", bakery, **ids
    )
    assert user == [{"get_x_user_id": desk.account.x_user_id}]
    (mark,) = await columns(desk, "SELECT * FROM read_watermark()", bakery)
    assert set(mark) == {
        "system_identifier", "database_oid", "timeline", "registered_system", "registered_oid",
        "generation", "generation_tag", "event_id", "event_tag", "event_at", "alive_at",
        "checked_at", "clean_stop_tag", "at",
    }  # fmt: skip
    windows = await columns(desk, "SELECT * FROM rate_windows", bakery)
    assert {name for row in windows for name in row} == {
        "environment", "x_user_id", "family", "max_requests", "remaining", "resets_at",
    }  # fmt: skip
    for table in ("posts", "parts", "attempts", "events", "integrations", "ledger"):
        assert await columns(desk, f"SELECT * FROM {table}", bakery) == []


async def test_get_x_user_id_needs_an_account_of_the_tenant(desk: Desk) -> None:
    """The id of another tenant's account with one's own tenant finds nothing."""
    other = await make_tenant(desk.runtime, "neighbour")
    assert await desk.locks.find_user(other.id, desk.account.id, desk.account.environment) is None
    changed = replace(desk, tenant=other)
    assert (
        await changed.locks.find_user(desk.tenant.id, desk.account.id, desk.account.environment)
        is not None
    )
