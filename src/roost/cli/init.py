"""`roost init`: sets up the data folder, the vault key, the database and a tenant."""

from typing import Annotated, Any

from cyclopts import Parameter

from roost.cli.arguments import Json, TenantName, command_settings
from roost.cli.command import run_async
from roost.cli.output import print_result
from roost.cli.schemas.installation import InitOutput
from roost.runtime import migrate, open_runtime
from roost.services import setup
from roost.settings import Settings


def init(
    *,
    tenant: TenantName = "default",
    time_zone: Annotated[
        str | None,
        Parameter(
            help="The time zone of a new tenant, as an IANA name such as `Europe/Berlin`; default:"
            " UTC. Times without an offset are in this time zone."
        ),
    ] = None,
    as_json: Json = False,
) -> int:
    """Set up Roost, or bring it up to date; safe to run again."""

    async def work() -> None:
        settings = command_settings()
        result = await _init(settings, tenant, time_zone)
        print_result(
            InitOutput.model_validate(result), _describe(result, settings), as_json=as_json
        )

    return run_async(work)


async def _init(settings: Settings, tenant: str, time_zone: str | None) -> dict[str, Any]:
    setup.validate_setup(settings, tenant, time_zone)
    # Migrate first: if the migration fails because it needs a database administrator, nothing else
    # has been changed.
    migrated = await migrate(settings)
    made_key = setup.make_home(settings)
    async with open_runtime(settings) as runtime:
        made_tenant, owner = await setup.make_tenant(runtime, tenant, time_zone)
    unset = [
        name
        for name, value in (
            ("TWITTER_CLIENT_ID", settings.twitter_client_id),
            ("TWITTER_CLIENT_SECRET", settings.twitter_client_secret),
        )
        if not value
    ]
    return {
        "home": settings.home,
        "key_made": made_key,
        "database": "DATABASE_URL" if settings.database_url else "embedded",
        "migrated": migrated,
        "tenant": tenant,
        "tenant_made": made_tenant,
        "time_zone": owner.time_zone,
        "callback_url": settings.twitter_callback_url,
        "to_set": unset,
    }


def _describe(result: dict[str, Any], settings: Settings) -> str:
    home = settings.home
    lines = [f"The data folder is {home}; the database is {result['database']}."]
    # Advice for a new installation is not repeated when Roost is set up again.
    is_new = result["key_made"]
    if is_new and (folder := setup.find_system_folder(settings)):
        lines.append(
            "Roost runs as root, and PostgreSQL refuses to: this database runs as another OS user,"
            f" with its data below {folder}. For more than a trial, run Roost as a plain user, or"
            " set DATABASE_URL."
        )
    if result["key_made"]:
        lines.append(
            f"A vault key was created: {setup.vault_key_path(home)}. Keep a copy of it,"
            " separate from the database's backups: key and backup together give access to the"
            " accounts."
        )
    lines.append(f"Tenant {result['tenant']!r} is ready; its time zone is {result['time_zone']}.")
    if result["to_set"]:
        lines.append(
            f"To connect accounts, set {' and '.join(result['to_set'])} to your X app's values,\n"
            f"and register {result['callback_url']} as the app's callback."
        )
    elif is_new:
        lines.append("Next, start `roost serve` and `roost worker`, then run `roost connect`.")
    elif result["tenant_made"]:
        lines.append(f"Next, run `roost connect --tenant {result['tenant']}`.")
    return "\n".join(lines)
