"""Reads the input that many commands share: settings, tenant, account, due time and actor."""

import getpass
import re
import socket
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from roost.cli import env_file
from roost.cli.output import print_note
from roost.cli.tenant_option import make_option, set_tenant
from roost.errors import AccountNotFound, InvalidInput, PostNotFound, TenantNotFound
from roost.escaping import one_line
from roost.models import Actor, ActorKind, Integration, PostId, Scope, Tenant, TenantId

# At module level, these modules are imported only for annotations, because they need packages that
# are not part of the base installation.
if TYPE_CHECKING:
    from roost.runtime import Runtime
    from roost.settings import Settings

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
#: The largest number of a post that the database can store.
_MAX_POST_ID: Final = (1 << 63) - 1
#: The maximum number of tenants that an error names.
_MOST_NAMES: Final = 10

Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one JSON object and nothing else.")
]
Port = Annotated[int, Parameter(help="0 uses any free port.", validator=Number(gte=0, lte=65_535))]
PostNumber = Annotated[int, Parameter(help="The post's number, as `roost posts` shows it.")]
DraftNumber = Annotated[int, Parameter(help="The draft's number, as `roost drafts` shows it.")]
TenantName = Annotated[str, Parameter(name="--tenant", help="The tenant, by name.")]
AccountName = Annotated[
    str | None,
    Parameter(name="--account", help="The account, as @name; needed if the tenant has several."),
]
OnlyAccount = Annotated[
    str | None, Parameter(name="--account", help="Only this account, as @name.")
]


class AccountUnclear(InvalidInput):
    """The tenant has several accounts, and the command names none of them."""


def command_settings(*, warn: bool = True) -> "Settings":
    """Return the settings; environment variables have priority over the settings file.

    With `warn`, print a note for each unknown setting, because Roost ignores unknown settings.
    Raises: the errors of `read_settings`.
    """
    from roost.settings import read_settings
    from roost.unknown_settings import find_unknown_settings

    settings = read_settings(env_file.get())
    if warn:
        for unknown in find_unknown_settings(settings_file(settings.home)):
            print_note(one_line(f"! {unknown.message}. {unknown.next}"))
    return settings


def settings_file(home: Path) -> Path:
    """Return the path of the settings file, whether or not the file exists.

    It is the file of `--env-file`, or else `.env` in `home`.
    """
    return env_file.get() or home / ".env"


def command_actor() -> Actor:
    """Return the actor of a command: the operating system's user on this machine."""
    machine = socket.gethostname()
    try:
        return Actor(ActorKind.COMMAND_LINE, f"{getpass.getuser()}@{machine}")
    except (OSError, KeyError):  # The machine has no name for this user id.
        return Actor(ActorKind.COMMAND_LINE, f"?@{machine}")


async def choose_tenant(runtime: "Runtime", name: str) -> tuple[Tenant, Scope]:
    """Return the tenant with this name, and the scope (tenant and actor) of the command.

    Raises: TenantNotFound.
    """
    from roost.services import queries

    try:
        tenant = await queries.get_tenant(runtime, name)
    except TenantNotFound as error:
        names = sorted(tenant.name for tenant in await queries.list_tenants(runtime))
        if not names:
            raise
        shown = ", ".join(names[:_MOST_NAMES]) + (", …" if len(names) > _MOST_NAMES else "")
        raise TenantNotFound(
            error.message,
            next=f"Name a tenant by --tenant: {shown}. `roost init --tenant NAME` creates another.",
        ) from None
    set_tenant(tenant.name, is_only_tenant=await queries.count_tenants(runtime) == 1)
    return tenant, Scope(tenant.id, command_actor())


async def list_tenant_options(runtime: "Runtime") -> dict[TenantId, str]:
    """Return each tenant's `--tenant` option, for the commands that Roost suggests to a user.

    The option is an empty string if commands use this tenant by default.
    """
    from roost.services import queries

    tenants = await queries.list_tenants(runtime)
    is_only = len(tenants) == 1
    return {one.id: make_option(one.name, is_only_tenant=is_only) for one in tenants}


async def choose_account(
    runtime: "Runtime", scope: Scope, tenant: Tenant, name: str | None
) -> Integration:
    """Return the tenant's account with this username; if `name` is None, its only account.

    Raises: AccountNotFound, AccountUnclear.
    """
    from roost.services import queries

    accounts = await queries.list_accounts(runtime, scope)
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
        f"Tenant {tenant.name!r} has several accounts: {names}.",
        next="Name an account with --account.",
    )


def parse_at(at: str | None, tenant: Tenant, now: datetime) -> datetime:
    """Convert the value of `--at` to an instant; None becomes `now`. Raises: InvalidInput."""
    if at is None:
        return now
    from roost.planfile import parse_due

    return parse_due(at, time_zone=tenant.time_zone, now=now)


def parse_bound(
    at: str | None, tenant: Tenant, now: datetime, *, is_end: bool = False
) -> datetime | None:
    """Return the instant that bounds a range of times; None if `at` is None.

    `at` is the beginning of the range or, with `is_end`, its end. A day without a time means the
    midnight that begins the day in the tenant's time zone. As an end, it means the midnight that
    ends the day, so that the range includes the day. Raises: InvalidInput.
    """
    if at is None:
        return None
    if _DAY.fullmatch(at.strip()) is None:
        from roost.planfile import TimeInvalid

        try:
            return parse_at(at, tenant, now)
        except TimeInvalid as error:
            if type(error) is not TimeInvalid or error.next != TimeInvalid.default_next:
                raise
            raise TimeInvalid(
                error.message, next=f"Write a day, such as 2026-12-24, or a time. {error.next}"
            ) from None
    try:
        day = date.fromisoformat(at.strip()) + timedelta(days=is_end)
    except (ValueError, OverflowError):
        raise InvalidInput(f"{at!r} is not a day.", next="Write it as 2026-12-24.") from None
    return parse_at(f"{day.isoformat()}T00:00", tenant, now)


def parse_post_id(number: int) -> PostId:
    """Convert a number to a post's id. Raises: PostNotFound if no post can have this id."""
    if not 0 < number <= _MAX_POST_ID:
        raise PostNotFound(f"There is no post {number}.")
    return PostId(number)
