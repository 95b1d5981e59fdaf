"""The database itself prevents a tenant from seeing another tenant's rows."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from fix_emulator import Emulator
from fix_runtime import ACTOR, connect_account, make_tenant
from roost import store
from roost.models import Tenant
from roost.publishing.part_input import PartInput
from roost.runtime import Runtime

#: Tables whose rows belong to no tenant, such as those of the job engine.
_WITHOUT_TENANT = {
    "alembic_version",
    "app_backoffs",
    "billed_reads",
    "installation",
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
    "rate_windows",
    "global_pause",
    "dispatch_cursor",
}
_TABLES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
    FROM pg_class c
    WHERE c.relnamespace = 'roost'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
"""
#: Lists every column `…_id` of a table with a `tenant_id`, and whether a foreign key contains that
#: column together with `tenant_id`.
_REFERENCES = """
    SELECT c.relname || '.' || a.attname,
           EXISTS (SELECT FROM pg_constraint k
                   WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY(k.conkey)
                     AND (SELECT attnum FROM pg_attribute
                          WHERE attrelid = c.oid AND attname = 'tenant_id') = ANY(k.conkey))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'roost'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND NOT a.attisdropped
      AND a.atttypid = 'bigint'::regtype AND a.attname LIKE '%\\_id' AND a.attname <> 'tenant_id'
      AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
"""
#: Lists foreign keys to a table with a `tenant_id` that do not contain `tenant_id`: such a key
#: could refer to a row of another tenant.
_LOOSE_KEYS = """
    SELECT k.conrelid::regclass::text || ': ' || k.conname
    FROM pg_constraint k
    WHERE k.contype = 'f' AND k.connamespace = 'roost'::regnamespace
      AND k.confrelid <> 'roost.tenants'::regclass
      AND EXISTS (SELECT FROM pg_attribute t
                  WHERE t.attrelid = k.confrelid AND t.attname = 'tenant_id')
      AND NOT EXISTS (
          SELECT FROM unnest(k.conkey, k.confkey) AS pair (mine, theirs)
          JOIN pg_attribute m ON m.attrelid = k.conrelid AND m.attnum = pair.mine
          JOIN pg_attribute t ON t.attrelid = k.confrelid AND t.attnum = pair.theirs
          WHERE m.attname = 'tenant_id' AND t.attname = 'tenant_id')
"""


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_every_table_of_tenants_forces_row_security(admin_url: str) -> None:
    found = {name: (forced, has_tenant) for name, forced, has_tenant in ask(admin_url, _TABLES)}
    of_nobody = {name for name, (_, has_tenant) in found.items() if not has_tenant} - {"tenants"}
    assert of_nobody == _WITHOUT_TENANT
    assert [name for name in found.keys() - of_nobody if not found[name][0]] == []


def test_every_reference_between_tenants_tables_names_the_tenant(admin_url: str) -> None:
    references = ask(admin_url, _REFERENCES)
    assert len(references) >= 13
    assert [column for column, has_key in references if not has_key] == []
    assert ask(admin_url, _LOOSE_KEYS) == []


async def test_a_snapshot_of_another_tenants_part_is_refused(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "acmeplumbing")
    now = runtime.clock.now()
    async with runtime.database.for_tenant(tenant.id) as transaction:
        await store.posts.add(
            transaction, tenant.id, account.id, [PartInput("Mine")], due_at=now, now=now,
            detail={}, actor=ACTOR, upload_lead=timedelta(),
        )  # fmt: skip
        (part,) = await (await transaction.raw.execute("SELECT id FROM parts")).fetchall()
    neighbour = await make_tenant(runtime, "neighbour")
    theirs = await connect_account(runtime, neighbour, emulator, "larkbooks")
    async with runtime.database.for_tenant(neighbour.id) as transaction:
        await transaction.raw.execute("SELECT ensure_snapshot_partitions(%s)", [now])
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            await transaction.raw.execute(
                "INSERT INTO post_snapshots (tenant_id, integration_id, part_id, at, likes)"
                " VALUES (%s, %s, %s, %s, 1)",
                [neighbour.id, theirs.id, part[0], now],
            )
        await transaction.raw.rollback()


async def test_the_application_has_no_rights_on_partitions(runtime: Runtime) -> None:
    async with runtime.database.unscoped() as transaction:
        await transaction.raw.execute(
            "SELECT ensure_snapshot_partitions(%s)", [runtime.clock.now()]
        )
        found = await transaction.raw.execute(
            "SELECT c.relname, has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')"
            " FROM pg_class c WHERE c.relispartition AND c.relkind = 'r'"
            " AND c.relnamespace = 'roost'::regnamespace"
        )
        rows = await found.fetchall()
    assert len(rows) >= 2
    assert [name for name, may in rows if may] == []


async def test_a_tenant_cannot_read_or_change_another_tenants_posts(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "acmeplumbing")
    now = runtime.clock.now()
    async with runtime.database.for_tenant(tenant.id) as transaction:
        mine = await store.posts.add(
            transaction, tenant.id, account.id, [PartInput("Mine")], due_at=now, now=now,
            detail={}, actor=ACTOR, upload_lead=timedelta(),
        )  # fmt: skip
    neighbour = await make_tenant(runtime, "neighbour")
    async with runtime.database.for_tenant(neighbour.id) as transaction:
        assert await store.posts.list_all(transaction) == []
        assert await store.integrations.list_all(transaction) == []
        changed = await transaction.raw.execute("UPDATE parts SET text = 'Theirs'")
        assert changed.rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await transaction.raw.execute(
                "INSERT INTO posts (tenant_id, integration_id, state) VALUES (%s, %s, 'draft')",
                [tenant.id, account.id],
            )
        await transaction.raw.rollback()
    assert mine is not None


async def test_without_a_tenant_no_rows_are_visible(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    await connect_account(runtime, tenant, emulator, "acmeplumbing")
    async with runtime.database.unscoped() as transaction:
        rows = await (await transaction.raw.execute("SELECT count(*) FROM integrations")).fetchone()
    assert rows == (0,)


async def test_an_autocommit_statement_sees_its_tenant_and_leaves_none_on_the_connection(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "acmeplumbing")
    neighbour = await make_tenant(runtime, "neighbour")
    async with runtime.database.for_tenant(tenant.id) as transaction:
        await transaction.raw.execute(
            "INSERT INTO posts (tenant_id, integration_id, state, due_at)"
            " VALUES (%s, %s, 'publishing', now())",
            [tenant.id, account.id],
        )
    autocommit = runtime.database.autocommit
    for tenant_id, is_seen in ((tenant.id, True), (neighbour.id, False)):
        loaded = await store.publishing.load_next_post(autocommit, tenant_id, account.id, [])
        assert (loaded is not None) is is_seen
        assert await autocommit.run("find_tenant_key") == []


async def test_an_account_of_another_tenant_cannot_be_referenced(
    runtime: Runtime, tenant: Tenant, emulator: Emulator
) -> None:
    account = await connect_account(runtime, tenant, emulator, "acmeplumbing")
    neighbour = await make_tenant(runtime, "neighbour")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        async with runtime.database.for_tenant(neighbour.id) as transaction:
            await transaction.raw.execute(
                "INSERT INTO posts (tenant_id, integration_id, state) VALUES (%s, %s, 'draft')",
                [neighbour.id, account.id],
            )
