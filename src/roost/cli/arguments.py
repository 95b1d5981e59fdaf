"""Arguments that many commands share: settings, tenant, account, due time."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from roost.cli import env_file
from roost.errors import AccountNotFound, InvalidInput
from roost.models import Integration, Tenant

if TYPE_CHECKING:  # imported where they are needed: the base installation has no database
    from roost.runtime import Runtime
    from roost.settings import Settings

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one JSON object and nothing else.")
]
TenantName = Annotated[str, Parameter(name="--tenant", help="The tenant, by name.")]
AccountName = Annotated[
    str | None,
    Parameter(name="--account", help="The account, as @name; needed if there are several."),
]


class AccountUnclear(InvalidInput):
    """The tenant has several accounts and the command names none."""


def command_settings() -> "Settings":
    """Return the settings, of the environment and then of the file.

    Raises: what `read_settings` raises.
    """
    from roost.settings import read_settings

    return read_settings(env_file.get())


async def choose_account(runtime: "Runtime", tenant: Tenant, name: str | None) -> Integration:
    """Return the account of this @name; without a name, the tenant's only account.

    Raises: AccountNotFound, AccountUnclear.
    """
    from roost.services import queries

    accounts = await queries.list_accounts(runtime, tenant.id)
    if name is not None:
        wanted = name.lstrip("@").lower()
        for account in accounts:
            if account.username.lower() == wanted:
                return account
        raise AccountNotFound(f"Tenant {tenant.name!r} has no account @{wanted}.")
    if len(accounts) == 1:
        return accounts[0]
    if not accounts:
        raise AccountNotFound(f"Tenant {tenant.name!r} has no account yet.")
    names = ", ".join(f"@{account.username}" for account in accounts)
    raise AccountUnclear(
        f"Tenant {tenant.name!r} has several accounts: {names}.", next="Name one with --account."
    )


def parse_at(at: str | None, tenant: Tenant, now: datetime) -> datetime:
    """Return the instant that `--at` names; without `--at`, now. Raises: InvalidInput."""
    if at is None:
        return now
    from roost.planfile import parse_due

    return parse_due(at, time_zone=tenant.time_zone, now=now)
