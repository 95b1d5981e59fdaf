"""A migrated database of its own per test, and a runtime that stands on it and on the emulator."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from fix_emulator import SCOPES, Emulator
from fix_postgres import PostgresServer, app_url
from roost import store
from roost.models import Actor, ActorKind, Integration, Scope, Tenant
from roost.runtime import Runtime, open_runtime
from roost.settings import Settings
from roost.store.integrations import Identity, Tokens
from roost.store.schema import create_database, drop_database, prepare_database
from roost.store.vault import make_key_line

#: Who acts in the tests.
ACTOR = Actor(ActorKind.COMMAND_LINE, "tester@here")

_TEMPLATE = "roost_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated_server(postgres_server: PostgresServer) -> PostgresServer:
    """The session's server with a migrated template database."""
    with asyncio.Runner() as runner:
        runner.run(create_database(postgres_server.url("postgres"), _TEMPLATE))
        runner.run(prepare_database(postgres_server.url(_TEMPLATE)))
    return postgres_server


@pytest.fixture
async def admin_url(migrated_server: PostgresServer) -> AsyncIterator[str]:
    """A fresh database, cloned from the migrated template: the superuser's way to it."""
    name, server = f"test_{next(_numbers)}", migrated_server.url("postgres")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
    await prepare_database(migrated_server.url(name))
    yield migrated_server.url(name)
    await drop_database(server, name)


@pytest.fixture
def database_url(admin_url: str) -> str:
    """The same database as the application logs in to it."""
    return app_url(admin_url)


@pytest.fixture
def settings(database_url: str, emulator: Emulator, tmp_path: Path) -> Settings:
    """Settings that point at the test's database and emulator, its clock included."""
    return Settings(
        _env_file=None,
        roost_home=tmp_path / "home",
        database_url=database_url,
        roost_vault_keys=make_key_line(),
        roost_x_base_url=emulator.url,
        roost_clock_url=f"{emulator.url}/_emulator/clock",
        twitter_client_id=emulator.app.client_id,
        twitter_client_secret=emulator.app.client_secret,
        twitter_callback_url=emulator.app.callback,
    )


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """An open runtime on the test's own database and emulator."""
    async with open_runtime(settings) as opened:
        yield opened


@pytest.fixture
async def tenant(runtime: Runtime) -> Tenant:
    """A tenant named `default`."""
    return await make_tenant(runtime, "default")


async def make_tenant(runtime: Runtime, name: str) -> Tenant:
    """A tenant of this name, in UTC."""
    async with runtime.database.unscoped() as transaction:
        await store.tenants.make(transaction, name, time_zone="UTC")
    return await store.tenants.get(runtime.database, name)


def scope_of(tenant: Tenant) -> Scope:
    """The scope of the tests for this tenant."""
    return Scope(tenant.id, ACTOR)


async def connect_account(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, username: str
) -> Integration:
    """Connect an emulator's user through the real token endpoint, without a browser."""
    known = {user["username"]: user for user in await emulator.users()}
    user = known.get(username) or await emulator.control("users", username=username)
    grant = await emulator.connect(username)
    now = runtime.clock.now()
    async with runtime.database.for_tenant(tenant.id) as transaction:
        vault = await runtime.vault.for_tenant(transaction, tenant.id)
        return await store.integrations.upsert(
            transaction,
            vault,
            tenant.id,
            Identity(
                x_user_id=user["id"],
                username=username,
                name=user["name"],
                subscription_type=None,
                environment=runtime.settings.environment,
                client_id=emulator.app.client_id,
                scopes=tuple(SCOPES.split()),
            ),
            Tokens(
                grant["access_token"],
                grant["refresh_token"],
                now + timedelta(seconds=grant["expires_in"]),
            ),
            now=now,
        )
