"""What `roost doctor` says about the database's login: that it can do its work, and no more."""

from roost.cli.findings import Finding, Health
from roost.runtime import Runtime
from roost.store.privileges import Login, find_login


async def look_at_login(runtime: Runtime) -> list[Finding]:
    """Whom Roost logs in as, what that login or others could do too much, and the other address."""
    async with runtime.database.unscoped() as transaction:
        login = await find_login(transaction.raw)
    return [*judge_login(login), *_admin_address(runtime)]


def judge_login(login: Login) -> list[Finding]:
    """A line for each thing too much, or one that there is none."""
    if not login.excesses:
        told = f"{login.name}, which owns nothing and sees one tenant at a time"
        return [Finding("database login", Health.WELL, told)]
    return [
        Finding(
            "database login",
            Health.NOTICE,
            f"{login.name} {each.description}",
            "Have an administrator of the database take that away; `roost init` with"
            " ROOST_ADMIN_DATABASE_URL closes the database to other roles.",
        )
        for each in login.excesses
    ]


def _admin_address(runtime: Runtime) -> list[Finding]:
    if runtime.settings.roost_admin_database_url is None:
        return []
    return [
        Finding(
            "settings",
            Health.NOTICE,
            "ROOST_ADMIN_DATABASE_URL is set here, and only `roost init` needs it",
            "Set it for that command alone: whoever reads it may change every table.",
        )
    ]
