"""Fixtures: a migrated database per test, and a runtime that uses it and the emulator."""

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

#: The actor of every change that a test makes.
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
    """The superuser's URL of a fresh database, cloned from the migrated template."""
    name, server = f"test_{next(_numbers)}", migrated_server.url("postgres")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
    await prepare_database(migrated_server.url(name))
    yield migrated_server.url(name)
    await drop_database(server, name)


@pytest.fixture
def database_url(admin_url: str) -> str:
    """The application's URL of the database."""
    return app_url(admin_url)


@pytest.fixture
def settings(database_url: str, emulator: Emulator, tmp_path: Path) -> Settings:
    """Settings with the test's database, its emulator and the emulator's clock."""
    return Settings(
        _env_file=None,
        home=tmp_path / "home",
        database_url=database_url,
        vault_keys=make_key_line(),
        x_base_url=emulator.url,
        clock_url=f"{emulator.url}/_emulator/clock",
        twitter_client_id=emulator.app.client_id,
        twitter_client_secret=emulator.app.client_secret,
        twitter_callback_url=emulator.app.callback,
    )


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """An open runtime with the test's database and emulator."""
    async with open_runtime(settings) as runtime:
        yield runtime


@pytest.fixture
async def tenant(runtime: Runtime) -> Tenant:
    """A tenant named `default`."""
    return await make_tenant(runtime, "default")


async def make_tenant(runtime: Runtime, name: str) -> Tenant:
    """Create a tenant with this name and the time zone UTC."""
    async with runtime.database.unscoped() as transaction:
        await store.tenants.make(transaction, name, time_zone="UTC")
    return await store.tenants.get(runtime.database, name)


def scope_of(tenant: Tenant) -> Scope:
    """Return the `Scope` for calls of use cases: this tenant, and the tests' actor."""
    return Scope(tenant.id, ACTOR)


async def connect_account(
    runtime: Runtime, tenant: Tenant, emulator: Emulator, username: str
) -> Integration:
    """Connect a user of the emulator through its token endpoint, without a browser."""
    known = {user["username"]: user for user in await emulator.users()}
    user = known.get(username) or await emulator.control("users", username=username)
    tokens = await emulator.connect(username)
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
                tokens["access_token"],
                tokens["refresh_token"],
                now + timedelta(seconds=tokens["expires_in"]),
            ),
            now=now,
        )
