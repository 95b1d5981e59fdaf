"""`roost init`: data folder, vault key, database and the tenant `default`."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from roost.cli.command_settings import command_settings
from roost.cli.output import Json, TenantName, actor_name, complete, say
from roost.file_trust import make_private_folder
from roost.planfile.times import get_time_zone
from roost.runtime import migrate, open_runtime
from roost.settings import Settings
from roost.store import tenants, vault


def init(
    *,
    tenant: TenantName = "default",
    time_zone: Annotated[str, Parameter(help="IANA name; plan files are read in it.")] = "UTC",
    as_json: Json = False,
) -> int:
    """Make what Roost needs, or bring it up to date; safe to run again."""
    return complete(lambda: _init(tenant, time_zone, as_json))


def make_home(settings: Settings) -> bool:
    """Make the data folder and, where none is set, a vault key (mode 600); whether one was."""
    home = settings.roost_home
    make_private_folder(home)
    path = vault.key_file(home)
    if settings.roost_vault_keys is not None or os.path.lexists(path):
        return False
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(vault.make_key_line() + "\n")
    return True


async def make_tenant(settings: Settings, name: str, time_zone: str) -> bool:
    """Make a tenant unless it is there; whether it was made."""
    async with (
        open_runtime(settings, actor=actor_name()) as runtime,
        runtime.database.unscoped() as transaction,
    ):
        if await tenants.find(transaction, name) is not None:
            return False
        await tenants.make(transaction, name, time_zone=time_zone)
        return True


async def _init(tenant: str, time_zone: str, as_json: bool) -> int:
    settings = command_settings()
    get_time_zone(time_zone)
    tenants.require_name(tenant)
    # A key that is no key, first.
    vault.load_keyring(settings.roost_home, settings.roost_vault_keys)
    # The database first: where its administrator has to act, nothing was changed.
    migrated = await migrate(settings)
    made_key = make_home(settings)
    made_tenant = await make_tenant(settings, tenant, time_zone)
    to_set = [
        name
        for name, value in (
            ("TWITTER_CLIENT_ID", settings.twitter_client_id),
            ("TWITTER_CLIENT_SECRET", settings.twitter_client_secret),
        )
        if not value
    ]
    answer = {
        "home": settings.roost_home,
        "key_made": made_key,
        "database": "DATABASE_URL" if settings.database_url else "embedded",
        "migrated": migrated,
        "tenant": tenant,
        "tenant_made": made_tenant,
        "callback_url": settings.twitter_callback_url,
        "to_set": to_set,
    }
    say(answer, _told(answer, settings.roost_home), as_json=as_json)
    return 0


def _told(answer: dict[str, object], home: Path) -> str:
    lines = [f"Roost lives in {home}; its database is {answer['database']}."]
    if answer["key_made"]:
        lines.append(
            f"A vault key was made: {vault.key_file(home)}. Keep a copy of it apart from the"
            " database's backups: whoever has both has the accounts."
        )
    lines.append(f"Tenant {answer['tenant']!r} is ready.")
    if answer["to_set"]:
        names = " and ".join(answer["to_set"])  # type: ignore[arg-type]  # a list of names
        lines.append(f"To connect accounts, set {names} of your X app,")
        lines.append(f"and register {answer['callback_url']} with it as callback.")
    else:
        lines.append("Next: `roost serve` and `roost worker`, then `roost connect`.")
    return "\n".join(lines)
