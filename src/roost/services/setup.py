"""Creates the data folder, the vault key and tenants, and the demo's temporary database.

`roost.runtime.migrate` creates the roles and tables of the database.
"""

import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from roost import changes, store
from roost.errors import Conflict, SettingInvalid
from roost.file_trust import make_private_folder
from roost.models import Tenant
from roost.planfile.times import get_time_zone
from roost.runtime import Runtime
from roost.settings import Settings
from roost.store.embedded import remove_embedded
from roost.store.embedded_paths import SYSTEM_FOLDER
from roost.store.roles import roles_of
from roost.store.schema import create_database, drop_database
from roost.store.vault import key_file, load_keyring, make_key_line

#: The time zone of a new tenant if none is named.
_DEFAULT_TIME_ZONE: Final = "UTC"


class TimeZoneDiffers(Conflict):
    """The tenant exists, and has another time zone than the one that the command names."""


def validate_setup(settings: Settings, tenant_name: str, time_zone: str | None) -> None:
    """Check the tenant's name, its time zone and the existing vault key.

    Raises: TimeZoneUnknown, TenantNameInvalid, and the errors of `load_keyring`.
    """
    get_time_zone(time_zone or _DEFAULT_TIME_ZONE)
    store.tenants.require_name(tenant_name)
    load_keyring(settings.home, settings.vault_keys)


def vault_key_path(home: Path) -> Path:
    """Return the path of the vault key of a data folder."""
    return key_file(home)


def find_system_folder(settings: Settings) -> Path | None:
    """Return the folder of a private PostgreSQL that root uses; None for any other server.

    PostgreSQL refuses to run as root. If Roost runs as root, PostgreSQL therefore runs as another
    OS user, with its data in this folder.
    """
    is_private = settings.database_url is None and os.geteuid() == 0
    return SYSTEM_FOLDER if is_private else None


def make_home(settings: Settings) -> bool:
    """Create the data folder and, if there is no vault key yet, a key file with mode 600.

    Return whether a key was created.
    """
    home = settings.home
    if not home.exists():
        changes.record()
    make_private_folder(home)
    path = key_file(home)
    if settings.vault_keys is not None or os.path.lexists(path):
        return False
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    changes.record()
    with os.fdopen(descriptor, "w") as file:
        file.write(make_key_line() + "\n")
    return True


async def make_tenant(
    runtime: Runtime, name: str, time_zone: str | None = None
) -> tuple[bool, Tenant]:
    """Create a tenant unless the name is taken; return whether the tenant was created.

    Raises: TimeZoneDiffers (the tenant exists, and `time_zone` is not its time zone).
    """
    async with runtime.database.unscoped() as transaction:
        is_new = await store.tenants.find(transaction, name) is None
        if is_new:
            await store.tenants.make(transaction, name, time_zone=time_zone or _DEFAULT_TIME_ZONE)
    tenant = await store.tenants.get(runtime.database, name)
    if time_zone not in {None, tenant.time_zone}:
        raise TimeZoneDiffers(
            f"Tenant {name!r} exists, and its time zone is {tenant.time_zone}, not {time_zone}."
            " Roost does not change the time zone of an existing tenant.",
            did="The tenant did not change.",
            next="Omit --time-zone, write times with an offset (2026-12-01T10:00+01:00), or create"
            " another tenant with --tenant.",
        )
    return is_new, tenant


@dataclass(frozen=True, slots=True)
class DatabaseAddresses:
    """The addresses of a temporary database; both are None for a private PostgreSQL."""

    app: str | None = None
    admin: str | None = None


@contextlib.asynccontextmanager
async def temporary_database(
    settings: Settings, home: Path, *, keep: bool
) -> AsyncIterator[DatabaseAddresses]:
    """Create a database on the configured server, or use the private PostgreSQL of `home`.

    At the end the database is removed, unless `keep` is set.
    Raises: SettingInvalid if DATABASE_URL is set but ROOST_ADMIN_DATABASE_URL is not.
    """
    if settings.database_url is None:
        try:
            yield DatabaseAddresses()
        finally:
            if not keep:
                await remove_embedded(home)
        return
    if settings.admin_database_url is None:
        raise SettingInvalid(
            "The demo creates a database, but ROOST_ADMIN_DATABASE_URL is not set.",
            next="Set ROOST_ADMIN_DATABASE_URL to an administrator's address of the server, or"
            " unset DATABASE_URL to use a private PostgreSQL.",
            setting="ROOST_ADMIN_DATABASE_URL",
        )
    name = f"roost_demo_{secrets.token_hex(4)}"
    admin = settings.admin_database_url
    await create_database(admin, name)
    try:
        yield DatabaseAddresses(
            app=change_url(
                settings.database_url,
                name,
                login=f"{roles_of(name).app}:{secrets.token_urlsafe()}",
            ),
            admin=change_url(admin, name),
        )
    finally:
        if not keep:
            await drop_database(admin, name)


def change_url(url: str, database: str, login: str | None = None) -> str:
    """Return `url` with another database and, if `login` is given, with another login.

    The format of `login` is `user:password`.
    """
    parts = urlsplit(url)
    server = parts.netloc
    if login is not None:
        server = f"{login}@{server.rpartition('@')[2]}"
    options = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{server}/{database}{options}"
