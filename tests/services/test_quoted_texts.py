"""If X's error quotes a post's text, other tenants neither wait nor see the text."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from fix_publishing import Publisher
from fix_runtime import connect_account, make_tenant, scope_of
from roost import store
from roost.models import PostState
from roost.services.schedule import PartInput, schedule_post

SECRET = "Project Falcon"
TEXT = f"{SECRET} (secret till Monday) has no spending limit"
_TABLES = """
    SELECT n.nspname, c.relname, EXISTS (SELECT FROM pg_attribute a
                              WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def _rows_of_others(admin_url: str, tenant: int) -> Iterator[tuple[str, str]]:
    """Return every row that does not belong to the tenant, with its table."""
    with psycopg.connect(admin_url) as connection:
        for schema, table, has_tenant in connection.execute(_TABLES).fetchall():
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            if has_tenant:
                query += sql.SQL(" WHERE tenant_id IS DISTINCT FROM {}").format(tenant)
            for (row,) in connection.execute(query).fetchall():
                yield table, row


@pytest.mark.parametrize(
    "kind", ["400quote", "401", "402", "429", "429day", "429cap", "503", "duplicate", "too_long"]
)
async def test_quoted_text_stays_with_its_tenant(
    publisher: Publisher, admin_url: str, kind: str
) -> None:
    runtime = publisher.runtime
    await publisher.emulator.switch(quote_request_in_errors=True)
    other = await make_tenant(runtime, "neighbour")
    theirs = await connect_account(runtime, other, publisher.emulator, "tidewatcher")
    if kind == "duplicate":
        await publisher.post_manually(TEXT)
    elif kind == "too_long":
        await publisher.emulator.switch(too_long_error="403-text", quote_request_in_errors=True)
    else:
        await publisher.emulator.fail("create_post", "before", kind)
    post_id = await publisher.schedule(TEXT)
    await publisher.run_due_jobs()
    if kind == "400quote":
        assert (await publisher.get_post(post_id)).state is PostState.FAILED
    found = [
        table for table, row in _rows_of_others(admin_url, publisher.tenant.id) if SECRET in row
    ]
    assert found == []
    assert list(_rows_of_others(admin_url, publisher.tenant.id)), "something was read"
    neighbours = await schedule_post(
        runtime, scope_of(other), theirs, [PartInput("the neighbour's post")],
        due_at=runtime.clock.now(),
    )  # fmt: skip
    await publisher.run_due_jobs()
    async with runtime.database.for_tenant(other.id) as transaction:
        state = (await store.posts.get(transaction, neighbours.id)).state
        events = await store.posts.list_events(transaction, neighbours.id)
        alerts = await store.alerts.list_open(transaction)
    # 402 and the monthly cap concern the whole X app, so all posts of the app wait.
    waits = {"402", "429cap"}
    assert state is (PostState.PUBLISHING if kind in waits else PostState.PUBLISHED)
    assert SECRET not in f"{events}{alerts}"


async def test_quoted_name_is_not_taken_for_a_reason_of_x(publisher: Publisher) -> None:
    await publisher.emulator.control("users", username="pays", name="Any Credits Ltd")
    account = await connect_account(publisher.runtime, publisher.tenant, publisher.emulator, "pays")
    await publisher.emulator.switch(quote_request_in_errors=True)
    post_id = await publisher.schedule("$ACME and Low tide", account=account)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute("UPDATE parts SET text = '$ACME and $LUNE'")
    await publisher.run_due_jobs()
    assert (await publisher.get_post(post_id)).state is PostState.FAILED
    assert await publisher.list_statuses("create_post") == [403]
