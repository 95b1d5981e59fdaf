"""The open resources of a process: settings, clock, database, vault and HTTP session."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from roost.clock import Clock, open_clock
from roost.errors import (
    AdministratorNeeded,
    DatabaseUnavailable,
    NotSetUp,
    SchemaOutdated,
    SettingInvalid,
)
from roost.file_trust import require_trusted_folder
from roost.media_store import MediaStore
from roost.next_actions import ActionCode, NextAction
from roost.settings import Settings
from roost.store.availability import DATABASE_AWAY, first_line
from roost.store.database import Database, open_database, unavailable
from roost.store.embedded import embedded_postgres
from roost.store.roles import administrator_sql
from roost.store.schema import create_database, prepare_database
from roost.store.vault import Vault, load_keyring
from roost.x.http_session import HttpSession
from roost.x.server_time import ServerTime

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Wall seconds between two attempts to write: the first pause, and the longest pause.
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
#: Maximum wall seconds between two attempts to open the database at start-up, and wall seconds
#: between two log lines about the wait.
_LONGEST_START_PAUSE_S = 2.0
_LOG_AGAIN_S = 300.0

#: The name of the only database of the private PostgreSQL.
EMBEDDED_DATABASE = "roost"


@dataclass(frozen=True)
class Runtime:
    """The open resources of one process."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault = field(repr=False)
    http: "Callable[[], aiohttp.ClientSession]" = field(repr=False)
    """Returns the HTTP session; the first call opens the session."""
    server_time: ServerTime = field(default_factory=ServerTime)
    """The estimate of X's time, from the `Date` headers of X's responses."""

    @property
    def media(self) -> MediaStore:
        """The copies of the posts' media files."""
        return MediaStore(self.settings.home / "media")

    def x_now(self) -> datetime:
        """Return X's time, estimated from X's responses; without an estimate, the domain time.

        If the emulator's clock was moved or runs at another rate, the result is always the domain
        time, which then is the emulator's own.
        """
        estimate = self.server_time.estimate() if self.clock.is_wall_time else None
        return estimate or self.clock.now()

    async def retry_until_written(self, what: str, write: Callable[[], Awaitable[T]]) -> T:
        """Call `write`, and repeat the call as long as the database is unavailable.

        Use this method to store X's responses, because only this process knows a response until it
        is committed. `what` names the response in the log.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await write()
            except (*DATABASE_AWAY, OSError) as error:
                log.warning("%s waits for the database (%s)", what, type(error).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


@contextlib.asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """Provide the database URL; if DATABASE_URL is not set, start the private PostgreSQL.

    Raises: SettingInvalid, UntrustedPath, DatabaseUnavailable.
    """
    if settings.database_url is not None:
        require_known_options(settings.database_url)
        yield settings.database_url
        return
    async with embedded_postgres(settings.home) as server:
        yield server.app_url(EMBEDDED_DATABASE)


@contextlib.asynccontextmanager
async def administrator_url(settings: Settings) -> AsyncIterator[str]:
    """Provide a database URL with an administrator's login, which may create roles and tables.

    The URL is `ROOST_ADMIN_DATABASE_URL`, or that of the private PostgreSQL's superuser. The
    private PostgreSQL's database is created if it is missing.

    Raises: AdministratorNeeded, DatabaseUnavailable, SettingInvalid.
    """
    if settings.database_url is None:
        if settings.admin_database_url is not None:
            raise SettingInvalid(
                "ROOST_ADMIN_DATABASE_URL is set, but DATABASE_URL is not.",
                next="Set both to URLs of the same database, or neither.",
                setting="DATABASE_URL",
            )
        async with embedded_postgres(settings.home) as server:
            try:
                await create_database(server.url("postgres"), EMBEDDED_DATABASE)
            except DATABASE_AWAY as error:
                raise unavailable(first_line(error), will_pass=True) from None
            yield server.url(EMBEDDED_DATABASE)
        return
    if settings.admin_database_url is None:
        database = conninfo_to_dict(settings.database_url).get("dbname") or "roost"
        raise AdministratorNeeded(
            "An administrator must create or migrate the tables of the database, but"
            " ROOST_ADMIN_DATABASE_URL is not set.",
            next_action=NextAction(ActionCode.PREPARE_DATABASE),
            sql=administrator_sql(str(database)),
        )
    require_known_options(settings.admin_database_url, setting="ROOST_ADMIN_DATABASE_URL")
    yield settings.admin_database_url


def require_known_options(url: str, *, setting: str = "DATABASE_URL") -> None:
    """Check that PostgreSQL's client knows every option of a database URL.

    Raises: SettingInvalid, without the client's message, which would repeat part of the URL.
    """
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise SettingInvalid(
            f"{setting}: PostgreSQL's client does not know one of the URL's options.",
            setting=setting,
        ) from None


def is_set_up(settings: Settings) -> bool:
    """Whether there is a database: that of DATABASE_URL, or the embedded one in ROOST_HOME."""
    return settings.database_url is not None or (settings.home / "postgres").exists()


@contextlib.asynccontextmanager
async def open_runtime(settings: Settings, *, wait: bool = False) -> AsyncIterator[Runtime]:
    """Open all resources in order, and close them at the end.

    With `wait`, for long-running processes, wait without limit until the database is available.
    Raises: NotSetUp, SettingInvalid, DatabaseUnavailable, PoolerUnsupported, SchemaOutdated,
    UnsafeDatabaseRole, UntrustedPath.
    """
    async with contextlib.AsyncExitStack() as stack:
        with contextlib.suppress(FileNotFoundError):
            require_trusted_folder(settings.home)
        if not is_set_up(settings):
            raise NotSetUp(f"Roost is not set up in {settings.home} yet.")
        ring = load_keyring(settings.home, settings.vault_keys)
        database = await _enter_database(stack, settings, wait=wait)
        clock = await stack.enter_async_context(open_clock(settings.clock_url, settings.x_endpoint))
        http = HttpSession(settings.create_timeout)
        stack.push_async_callback(http.close)
        yield Runtime(settings, clock, database, Vault(ring), http)


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings))
        try:
            database = await stack.enter_async_context(open_database(url))
        except DatabaseUnavailable as error:
            if settings.database_url is None and not error.will_pass:
                # The private PostgreSQL refuses a login only if the role or database is missing.
                raise NotSetUp(f"{error} Roost's database is not set up yet.") from None
            raise
        yield database


async def _enter_database(
    stack: contextlib.AsyncExitStack, settings: Settings, *, wait: bool
) -> Database:
    """Open the database, which `stack` closes; with `wait`, retry until it is reachable."""
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
    """Migrate the database to this version; return whether anything was migrated.

    Raises: DatabaseUnavailable, PoolerUnsupported, AdministratorNeeded, SettingInvalid,
    UnsafeDatabaseRole.
    """
    if settings.database_url is not None:
        require_known_options(settings.database_url)
    if settings.database_url is not None and settings.admin_database_url is None:
        with contextlib.suppress(SchemaOutdated):
            async with open_database(settings.database_url):
                return False  # The tables match this version already.
    async with administrator_url(settings) as url:
        try:
            return await prepare_database(url, app_url=settings.database_url)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(
                "The database cannot be set up with ROOST_ADMIN_DATABASE_URL. PostgreSQL reports:"
                f" {first_line(error)}",
                next="Check that PostgreSQL runs at the address in ROOST_ADMIN_DATABASE_URL, and"
                " that it accepts the user and the password in this URL.",
            ) from None
