"""The demo's own database: the embedded one, or a fresh one on the server of DATABASE_URL."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from roost.errors import SettingInvalid
from roost.settings import Settings
from roost.store.embedded import remove_embedded
from roost.store.roles import roles_of
from roost.store.schema import create_database, drop_database


@dataclass(frozen=True)
class Addresses:
    """Where the demo's database is; none where it is the embedded one."""

    app: str | None = None
    admin: str | None = None


@contextlib.asynccontextmanager
async def demo_database(given: Settings, home: Path, *, keep: bool) -> AsyncIterator[Addresses]:
    """A database for the demo alone: a fresh one on the given server, or the embedded."""
    if given.database_url is None:
        try:
            yield Addresses()
        finally:
            if not keep:
                await remove_embedded(home)
        return
    if given.roost_admin_database_url is None:
        raise SettingInvalid(
            "The demo makes a database of its own, for which ROOST_ADMIN_DATABASE_URL is not set.",
            next="Set it to an administrator's address, or unset DATABASE_URL to use a private"
            " PostgreSQL.",
            setting="ROOST_ADMIN_DATABASE_URL",
        )
    name = f"roost_demo_{secrets.token_hex(4)}"
    admin = given.roost_admin_database_url
    await create_database(admin, name)
    try:
        password = secrets.token_urlsafe()
        yield Addresses(
            app=change_url(
                given.database_url, name, username=roles_of(name).app, password=password
            ),
            admin=change_url(admin, name),
        )
    finally:
        if not keep:
            await drop_database(admin, name)


def change_url(url: str, database: str, **login: str) -> str:
    """The same server, another database and perhaps another login, as a URL."""
    from sqlalchemy.engine import make_url

    changed = make_url(url).set(database=database, **login)  # type: ignore[arg-type]
    return changed.render_as_string(hide_password=False)
