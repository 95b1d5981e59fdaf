"""Which tenant, which account, which instant a command means."""

from datetime import datetime, timedelta

from roost import store
from roost.errors import AccountNotFound, InvalidInput
from roost.models import Integration, Tenant
from roost.planfile import parse_due
from roost.runtime import Runtime


class AccountUnclear(InvalidInput):
    """The tenant has several accounts and the command names none."""


async def choose_account(runtime: Runtime, tenant: Tenant, name: str | None) -> Integration:
    """The account of this @name; without a name, the tenant's only one.

    Raises: AccountNotFound, AccountUnclear.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        accounts = await store.integrations.list_all(transaction)
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
        f"Tenant {tenant.name!r} has several accounts: {names}.", next="Say which with --account."
    )


def choose_instant(at: str | None, tenant: Tenant, now: datetime) -> datetime:
    """The instant that `--at` means; without it, now. Raises: InvalidInput."""
    return now if at is None else parse_due(at, time_zone=tenant.time_zone, now=now)


def ago(instant: datetime, now: datetime) -> str:
    """`3 h ago`, `in 5 min`: roughly how far away an instant is."""
    distance = abs(now - instant)
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1))):
        if distance >= size:
            told = f"{distance // size} {unit}"
            break
    else:
        told = f"{int(distance.total_seconds() // 60)} min"
    return f"{told} ago" if instant <= now else f"in {told}"
