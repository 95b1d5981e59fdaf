"""If the setting allows it, two tenants may connect one X account; they share its lock."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fix_emulator import Emulator
from fix_publishing import Publisher, reason_of
from fix_runtime import connect_account, make_tenant, scope_of
from roost import store
from roost.errors import AccountConnectedElsewhere
from roost.models import PostState, Tenant
from roost.runtime import Runtime
from roost.services import connect, dispatch
from roost.store.locks import open_account_locks


@pytest.fixture
async def bakery(publisher: Publisher) -> Tenant:
    """A second tenant."""
    return await make_tenant(publisher.runtime, "bakery")


@pytest.fixture
async def theirs(publisher: Publisher, bakery: Tenant) -> AsyncIterator[Publisher]:
    """A publisher of the second tenant, with the same X account and another worker."""
    account = await connect_account(publisher.runtime, bakery, publisher.emulator, "larkbooks")
    async with open_account_locks(publisher.runtime.database) as locks:
        other = Publisher(publisher.runtime, bakery, account, publisher.emulator, locks)
        await other.set_next_collection(publisher.runtime.clock.now() + timedelta(days=365))
        yield other


async def connect_by_browser(runtime: Runtime, emulator: Emulator, tenant: Tenant) -> None:
    """Connect the account by a whole OAuth flow, as its owner does in a browser."""
    departure = await connect.start(runtime, scope_of(tenant))
    query = {name: values[0] for name, values in parse_qs(urlsplit(departure.url).query).items()}
    back = await emulator.consent("larkbooks", **query)
    await connect.complete(
        runtime, state=back["state"], code=back["code"], error=None, browser=departure.browser
    )


async def test_second_tenant_cannot_connect_the_account(
    publisher: Publisher, bakery: Tenant
) -> None:
    with pytest.raises(AccountConnectedElsewhere) as refused:
        await connect_by_browser(publisher.runtime, publisher.emulator, bakery)
    assert refused.value.code == "account_connected_elsewhere"
    async with publisher.runtime.database.for_tenant(bakery.id) as transaction:
        assert await store.integrations.list_all(transaction) == []
    # The tenant that has connected the account can reconnect it.
    await connect_by_browser(publisher.runtime, publisher.emulator, publisher.tenant)


async def test_second_tenant_can_connect_the_account__setting(
    publisher: Publisher, bakery: Tenant
) -> None:
    shared = publisher.with_settings(shared_accounts=True)
    await connect_by_browser(shared.runtime, publisher.emulator, bakery)
    async with publisher.runtime.database.for_tenant(bakery.id) as transaction:
        (account,) = await store.integrations.list_all(transaction)
    assert account.x_user_id == publisher.account.x_user_id


async def publish_all(*publishers: Publisher) -> None:
    """Run all workers at once until no post of any tenant can proceed."""
    for _ in range(60):
        await asyncio.gather(*(publisher.run_due_jobs() for publisher in publishers))
        await dispatch.dispatch_stranded(publishers[0].runtime)
        await asyncio.gather(*(publisher.run_due_jobs() for publisher in publishers))
        steps = [
            at
            for publisher in publishers
            if (at := await publisher.find_next_step_at()) is not None
        ]
        if not steps:
            return
        await publishers[0].move_clock_to(min(steps))
    raise AssertionError("the posts do not come to rest")


@pytest.mark.parametrize("faults", [[], ["drop", "ok", "ok", "503"] * 4], ids=["clean", "lost"])
async def test_identical_posts_of_two_tenants_are_each_claimed_once(
    publisher: Publisher, theirs: Publisher, faults: list[str]
) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    if faults:
        await publisher.emulator.control(
            "faults", operation="create_post", when="after", script=faults
        )
        await publisher.emulator.fail("read_timeline", "before", "stale", seconds=10, times=3)
    posts = [
        (one, await one.schedule(f"Number {number}", after_s=number))
        for number in range(20)
        for one in (publisher, theirs)
    ]
    await publisher.emulator.jump(seconds=30)
    await publish_all(publisher, theirs)
    on_x = (await publisher.emulator.ground_truth())["posts"]
    assert len(on_x) == 40
    seen = [await one.get_post(post_id) for one, post_id in posts]
    claimed = [post.parts[0].sent_as for post in seen if post.state is PostState.PUBLISHED]
    assert len(claimed) == len(set(claimed))
    by_id = {post["id"]: post["text"] for post in on_x}
    for post in seen:
        assert post.state in {PostState.PUBLISHED, PostState.NEEDS_DECISION}, post.reason
        if post.state is PostState.PUBLISHED:
            assert by_id[post.parts[0].sent_as or ""] == post.parts[0].text
    assert faults or len(claimed) == 40


async def test_tenant_waits_while_the_other_sends(publisher: Publisher, theirs: Publisher) -> None:
    await publisher.schedule("Ours")
    await theirs.schedule("Theirs")
    assert await publisher.locks.acquire(publisher.account.x_user_id)
    await theirs.run_due_jobs()
    assert await publisher.published_texts() == []
    await publisher.locks.release(publisher.account.x_user_id, publisher.account.id, ())
    await dispatch.dispatch_stranded(publisher.runtime)
    await theirs.run_due_jobs()
    assert sorted(await publisher.published_texts()) == ["Ours", "Theirs"]


async def test_tenants_share_the_rate_windows_of_the_account(
    publisher: Publisher, theirs: Publisher
) -> None:
    await publisher.schedule("Ours")
    await publisher.run_due_jobs()
    post_id = await theirs.schedule("Theirs", after_s=60)
    windows = []
    for one in (publisher, theirs):
        async with one.runtime.database.for_tenant(one.tenant.id) as transaction:
            rows = await transaction.run("list_posts", integration=None)
            windows.append((await store.publishing.get(transaction, rows[0]["id"])).windows)
    assert windows[0] == windows[1] != ()
    assert (await theirs.get_post(post_id)).state is PostState.SCHEDULED


async def test_duplicate_of_the_other_tenant_fails_without_its_post_id(
    publisher: Publisher, theirs: Publisher
) -> None:
    await publisher.schedule("The same")
    await publisher.run_due_jobs()
    post_id = await theirs.schedule("The same")
    await theirs.run_to_completion()
    post = await theirs.get_post(post_id)
    (there,) = (await publisher.emulator.ground_truth())["posts"]
    assert (post.state, post.parts[0].sent_as) == (PostState.FAILED, None)
    assert there["id"] in reason_of(post)
    assert "(post " not in reason_of(post)


async def test_lost_duplicate_of_the_other_tenant_is_not_adopted(
    publisher: Publisher, theirs: Publisher
) -> None:
    """X does not yet show the first post, but refuses the other tenant's as a duplicate."""
    await publisher.schedule("Ours")
    await publisher.run_due_jobs()
    await publisher.emulator.jump(seconds=30)
    await publisher.emulator.fail("create_post", "after", "drop")
    await publisher.emulator.fail("read_timeline", "before", "stale", seconds=14)
    first = await publisher.schedule("The same")
    await publisher.run_due_jobs()
    second = await theirs.schedule("The same")
    await publish_all(publisher, theirs)
    _, there = (await publisher.emulator.ground_truth())["posts"]
    assert (await publisher.get_post(first)).parts[0].sent_as == there["id"]
    assert (await theirs.get_post(second)).parts[0].sent_as is None


# Tests of what one tenant can see of another tenant's data.


async def columns(
    publisher: Publisher, query: str, sight: Tenant, **values: Any
) -> list[dict[str, Any]]:
    """Run a query as the tenant `sight`, and return the rows as dictionaries."""
    async with publisher.runtime.database.for_tenant(sight.id) as transaction:
        cursor = await transaction.raw.execute(query.encode(), values)
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]


async def test_other_tenant_sees_only_ids_times_and_counts(
    publisher: Publisher, bakery: Tenant
) -> None:
    await publisher.schedule("A private text")
    await publisher.run_due_jobs()
    (there,) = (await publisher.emulator.ground_truth())["posts"]
    tweet = {"tweet": there["id"]}
    claimed = await columns(
        publisher, "SELECT * FROM list_claimed(ARRAY[%(tweet)s])", bakery, **tweet
    )
    assert claimed == [{"sent_as": there["id"]}]
    found = await columns(publisher, "SELECT is_claimed(%(tweet)s)", bakery, **tweet)
    assert found == [{"is_claimed": True}]
    ids = {"tenant": publisher.tenant.id, "account": publisher.account.id}
    user = await columns(
        publisher, "SELECT get_x_user_id(%(tenant)s, %(account)s, 'emulator')", bakery, **ids
    )
    assert user == [{"get_x_user_id": publisher.account.x_user_id}]
    (mark,) = await columns(publisher, "SELECT * FROM read_watermark()", bakery)
    assert set(mark) == {
        "system_identifier", "database_oid", "timeline", "registered_system", "registered_oid",
        "generation", "generation_tag", "event_id", "event_tag", "event_at", "alive_at",
        "checked_at", "clean_stop_tag", "at",
    }  # fmt: skip
    windows = await columns(publisher, "SELECT * FROM rate_windows", bakery)
    assert {name for row in windows for name in row} == {
        "environment", "x_user_id", "family", "max_requests", "remaining", "resets_at",
    }  # fmt: skip
    for table in ("posts", "parts", "attempts", "events", "integrations", "ledger"):
        assert await columns(publisher, f"SELECT * FROM {table}", bakery) == []


async def test_get_x_user_id_needs_an_account_of_the_tenant(publisher: Publisher) -> None:
    """If the account belongs to another tenant, its X user id is not found."""
    other = await make_tenant(publisher.runtime, "neighbour")
    assert (
        await publisher.locks.find_user(
            other.id, publisher.account.id, publisher.account.environment
        )
        is None
    )
    changed = replace(publisher, tenant=other)
    assert (
        await changed.locks.find_user(
            publisher.tenant.id, publisher.account.id, publisher.account.environment
        )
        is not None
    )
