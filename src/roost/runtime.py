"""What every use case stands on: settings, clock, database, vault and HTTP, opened together."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import aiohttp
import psycopg
from psycopg.conninfo import conninfo_to_dict

from roost.clock import Clock, open_clock
from roost.errors import (
    AdministratorNeeded,
    Broken,
    DatabaseUnavailable,
    RoostError,
    SchemaOutdated,
    SettingInvalid,
)
from roost.file_trust import require_trusted_folder
from roost.media_store import MediaStore
from roost.next_actions import ActionCode, NextAction
from roost.settings import Settings
from roost.store.away import DATABASE_AWAY, first_line
from roost.store.database import Database, open_database, unavailable
from roost.store.embedded import embedded_postgres
from roost.store.roles import administrator_sql
from roost.store.schema import create_database, prepare_database
from roost.store.vault import Vault, load_keyring
from roost.telemetry import describe_exception
from roost.x.server_time import ServerTime
from roost.x.sockets import open_connector

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Wall seconds between two tries to write, the first and the longest.
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
#: Wall seconds between two tries to open the database at a start at most, and between two log lines
#: that say that it is still waited for.
_LONGEST_START_PAUSE_S = 2.0
_LOG_AGAIN_S = 300.0

#: The embedded server's one database.
EMBEDDED_DATABASE = "roost"


@dataclass(frozen=True)
class Runtime:
    """The open resources of one process."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault = field(repr=False)
    http: aiohttp.ClientSession = field(repr=False)
    server_time: ServerTime = field(default_factory=ServerTime)
    """What X's answers say about X's time."""

    @property
    def media(self) -> MediaStore:
        """The copies of the files that posts carry."""
        return MediaStore(self.settings.roost_home / "media")

    def x_now(self) -> datetime:
        """X's present, as its answers tell it; the domain clock's where they cannot.

        An emulator's clock that was moved, or runs at another rate, is X's time already.
        """
        estimate = self.server_time.estimate() if self.clock.is_wall_time else None
        return estimate or self.clock.now()

    async def retry_until_written(self, what: str, keep: Callable[[], Awaitable[T]]) -> T:
        """Write what must not be lost, again and again while the database is away.

        For X's answers: they are known to this process alone until they are committed.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await keep()
            except (*DATABASE_AWAY, OSError) as error:
                log.warning("%s waits for the database (%s)", what, type(error).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


@contextlib.asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """Where the application logs in: `DATABASE_URL`, or the private server, started if need be.

    Raises: SettingInvalid, UntrustedPath, DatabaseUnavailable.
    """
    if settings.database_url is not None:
        require_known_options(settings.database_url)
        yield settings.database_url
        return
    async with embedded_postgres(settings.roost_home) as server:
        yield server.app_url(EMBEDDED_DATABASE)


@contextlib.asynccontextmanager
async def administrator_url(settings: Settings) -> AsyncIterator[str]:
    """Where roles and tables are made: `ROOST_ADMIN_DATABASE_URL`, or the private server's
    superuser, its database made if it is not there.

    Raises: AdministratorNeeded, DatabaseUnavailable, SettingInvalid.
    """
    if settings.database_url is None:
        if settings.roost_admin_database_url is not None:
            raise SettingInvalid(
                "ROOST_ADMIN_DATABASE_URL is set, and DATABASE_URL is not.",
                next="Set both to addresses of the same database, or neither.",
                setting="DATABASE_URL",
            )
        async with embedded_postgres(settings.roost_home) as server:
            try:
                await create_database(server.url("postgres"), EMBEDDED_DATABASE)
            except DATABASE_AWAY as error:
                raise unavailable(first_line(error), will_pass=True) from None
            yield server.url(EMBEDDED_DATABASE)
        return
    if settings.roost_admin_database_url is None:
        database = conninfo_to_dict(settings.database_url).get("dbname") or "roost"
        raise AdministratorNeeded(
            "The database has to be prepared or brought up to date by an administrator, and"
            " ROOST_ADMIN_DATABASE_URL is not set.",
            next_action=NextAction(ActionCode.PREPARE_DATABASE),
            sql=administrator_sql(str(database)),
        )
    require_known_options(settings.roost_admin_database_url, setting="ROOST_ADMIN_DATABASE_URL")
    yield settings.roost_admin_database_url


def require_known_options(url: str, *, setting: str = "DATABASE_URL") -> None:
    """Raises: SettingInvalid; the client's own words would repeat what it does not know."""
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise SettingInvalid(
            f"{setting}: PostgreSQL's client does not know one of the options in it.",
            setting=setting,
        ) from None


@contextlib.asynccontextmanager
async def open_runtime(settings: Settings, *, wait: bool = False) -> AsyncIterator[Runtime]:
    """Open everything, in order, and close it again.

    `wait` is for processes that run for long: a database that is away is waited for, however long.
    Raises: SettingInvalid, DatabaseUnavailable, PoolerUnsupported, SchemaOutdated,
    UnsafeDatabaseRole, UntrustedPath.
    """
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(FileNotFoundError):
            require_trusted_folder(settings.roost_home)
        if settings.database_url is None and not (settings.roost_home / "postgres").exists():
            raise SchemaOutdated(f"Roost is not set up in {settings.roost_home} yet.")
        ring = load_keyring(settings.roost_home, settings.roost_vault_keys)
        database = await _enter_database(stack, settings, wait=wait)
        clock = await stack.enter_async_context(
            open_clock(settings.roost_clock_url, settings.x_endpoint)
        )
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=open_connector(settings.create_timeout),
                # X sets cookies for guests; no tenant's request may carry another's.
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
        yield Runtime(settings, clock, database, Vault(ring), http)


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings))
        try:
            database = await stack.enter_async_context(open_database(url))
        except DatabaseUnavailable as error:
            if settings.database_url is None and not error.will_pass:
                # The private server lets everybody in whom it knows.
                raise SchemaOutdated(f"{error} It was not made yet.") from None
            raise
        yield database


async def _enter_database(
    stack: contextlib.AsyncExitStack, settings: Settings, *, wait: bool
) -> Database:
    """Open the database, to be closed with the stack; where it is away, after it is back."""
    now = asyncio.get_running_loop().time
    pause_s, logged_at = _FIRST_PAUSE_S, None
    while True:
        try:
            database = await stack.enter_async_context(_database(settings))
        except DatabaseUnavailable as error:
            if not (wait and error.will_pass):
                raise
            if logged_at is None or now() - logged_at > _LOG_AGAIN_S:
                log.warning("waiting for the database: %s", error)
                logged_at = now()
        else:
            if logged_at is not None:
                log.warning("the database is back")
            return database
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_START_PAUSE_S)


async def migrate(settings: Settings) -> bool:
    """Bring the database to this version; whether anything had to be done.

    Raises: DatabaseUnavailable, PoolerUnsupported, AdministratorNeeded, SettingInvalid,
    UnsafeDatabaseRole.
    """
    if settings.database_url is not None:
        require_known_options(settings.database_url)
    if settings.database_url is not None and settings.roost_admin_database_url is None:
        with contextlib.suppress(SchemaOutdated):
            async with open_database(settings.database_url):
                return False  # an administrator has prepared it
    async with administrator_url(settings) as url:
        try:
            return await prepare_database(url, app_url=settings.database_url)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(
                f"The database cannot be used: {first_line(error)}",
                next="See that PostgreSQL runs at ROOST_ADMIN_DATABASE_URL and lets this user in.",
            ) from None


def wrap_unexpected(error: Exception) -> RoostError:
    """The error to show for any exception: Roost's own as it is, another logged with its place.

    The exception's words stay out of both: they may quote a statement's values or a secret.
    """
    if isinstance(error, RoostError):
        return error
    if isinstance(error, DATABASE_AWAY):
        log.warning("the database did not answer (%s)", type(error).__name__)
        return DatabaseUnavailable(
            "The database did not answer.", next_action=NextAction(ActionCode.TRY_AGAIN)
        )
    log.error("not foreseen: %s", describe_exception(error))
    return Broken(
        "Roost met something that it did not expect.",
        next="Its log says where; tell those who run it.",
    )
