"""`roost pause`, `roost resume`: posts held back at four scopes, and the stop switch."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from roost import store
from roost.cli.arguments import choose_account
from roost.cli.output import Json, TenantName, complete, open_for_command, say
from roost.cli.post_status import see_standing, tell_held
from roost.errors import InvalidInput
from roost.escaping import one_line
from roost.models import PostId, Tenant
from roost.runtime import Runtime
from roost.services import pause as pauses
from roost.services import restore_check
from roost.services import resume as resuming
from roost.services.pause import PauseScope

Account = Annotated[
    str | None, Parameter(name="--account", help="All posts of this account, as @name.")
]
WholeTenant = Annotated[bool, Parameter(negative="", help="All posts of the tenant.")]
Everything = Annotated[
    bool, Parameter(name="--all", negative="", help="Everything of everybody: the stop switch.")
]
Restored = Annotated[
    bool,
    Parameter(negative="", help="The database was restored: everything, until X has been asked."),
]
RealOne = Annotated[
    bool,
    Parameter(
        name="--this-is-the-real-one",
        negative="",
        help="With --all: this database is a copy, and the original is no longer used.",
    ),
]


class ScopeUnclear(InvalidInput):
    """No scope was named, or several were."""

    default_next = "Name one: POST, --account, --whole-tenant, --all or --restored."


def pause(
    post: int | None = None,
    /,
    *,
    account: Account = None,
    whole_tenant: WholeTenant = False,
    everything: Everything = False,
    restored: Restored = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Hold posts back; a request that is on its way to X now is finished. Name one scope.

    After a restore of the database, say `--restored` before any worker starts.
    """

    async def work() -> None:
        scope = _scope(post, account, whole_tenant, everything or restored)
        async with open_for_command() as runtime:
            if scope is PauseScope.EVERYTHING:
                answer, told = await _stop(runtime, restored)
            else:
                whose = await store.tenants.get(runtime.database, tenant)
                answer, told = await _hold(runtime, whose, scope, post, account, paused=True)
        say(answer, told, as_json=as_json)

    return complete(work)


def resume(
    post: int | None = None,
    /,
    *,
    account: Account = None,
    whole_tenant: WholeTenant = False,
    everything: Everything = False,
    restored: Restored = False,
    real_one: RealOne = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Let posts go on that were held back. Name one scope.

    After a restore, X is searched first for every post on the calendar; what is found is listed.
    """

    async def work() -> None:
        scope = _scope(post, account, whole_tenant, everything or restored)
        async with open_for_command() as runtime:
            if scope is PauseScope.EVERYTHING:
                answer, told = await _resume_everything(runtime, accept_copy=real_one)
            else:
                whose = await store.tenants.get(runtime.database, tenant)
                answer, told = await _hold(runtime, whose, scope, post, account, paused=False)
        say(answer, told, as_json=as_json)

    return complete(work)


def _scope(
    post: int | None, account: str | None, whole_tenant: bool, everything: bool
) -> PauseScope:
    named = {
        PauseScope.POST: post is not None,
        PauseScope.ACCOUNT: account is not None,
        PauseScope.TENANT: whole_tenant,
        PauseScope.EVERYTHING: everything,
    }
    scopes = [scope for scope, is_named in named.items() if is_named]
    if len(scopes) != 1:
        several = " and ".join(scopes)
        raise ScopeUnclear(f"Several scopes were named: {several}." if several else "Of what?")
    return scopes[0]


async def _hold(
    runtime: Runtime,
    tenant: Tenant,
    scope: PauseScope,
    post: int | None,
    name: str | None,
    *,
    paused: bool,
) -> tuple[dict[str, Any], str]:
    of: int | str = tenant.name
    what, again = f"All posts of tenant {tenant.name!r}", "--whole-tenant"
    rest = ""
    if scope is PauseScope.POST:
        assert post is not None
        of, what, again = post, f"Post {post}", str(post)
        await (pauses.pause_post if paused else pauses.resume_post)(runtime, tenant, PostId(post))
        rest = await _still_held(runtime, tenant, PostId(post)) if not paused else ""
    elif scope is PauseScope.ACCOUNT:
        account = await choose_account(runtime, tenant, name)
        of, shown = f"@{account.username}", one_line(f"@{account.username}")
        what, again = f"All posts of {shown}", f"--account {shown}"
        await (pauses.pause_account if paused else pauses.resume_account)(runtime, account)
    else:
        await (pauses.pause_tenant if paused else pauses.resume_tenant)(runtime, tenant)
    verb = "is" if scope is PauseScope.POST else "are"
    told = f"{what} {verb} held back; `roost resume {again}` ends that."
    if not paused:
        told = f"{what} {verb} no longer held back.{rest}"
    return {"paused": paused, "scope": scope, "of": of}, told


async def _still_held(runtime: Runtime, tenant: Tenant, post_id: PostId) -> str:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        post = await store.posts.get(transaction, post_id)
    held = (await see_standing(runtime, tenant, post)).held
    return f" It still waits: {tell_held(held)} is paused." if held else ""


async def _stop(runtime: Runtime, restored: bool) -> tuple[dict[str, Any], str]:
    answer: dict[str, Any] = {"paused": True, "scope": PauseScope.EVERYTHING, "of": None}
    told = "Everything is stopped: nothing of anybody goes out."
    if restored:
        last_at = (await store.installation.read(runtime.database.autocommit)).known_until
        await restore_check.pause_after_restore(runtime, last_at)
        answer["restored_to"] = last_at
        told += (
            " Posts that came due since the database's last line are looked for on X before they"
            " are sent."
        )
    else:
        await pauses.pause_everything(runtime)
    return answer, f"{told} `roost resume --all` lets it go on."


async def _resume_everything(runtime: Runtime, *, accept_copy: bool) -> tuple[dict[str, Any], str]:
    resumed = await resuming.resume_everything(runtime, accept_copy=accept_copy)
    answer = {
        "paused": False,
        "scope": PauseScope.EVERYTHING,
        "of": None,
        "adopted": resumed.adopted,
        "asked": resumed.asked,
        "looked_for_first": resumed.searched_again,
        "may_have_changed": resumed.may_have_changed,
        "paused_accounts": resumed.paused_accounts,
    }
    lines = ["Everything goes on."]
    if resumed.adopted:
        lines.append("Found on X, and kept as published:")
        lines += [
            one_line(f"  post {one.post_id}, part {one.position}: {one.tweet_id}")
            for one in resumed.adopted
        ]
    if resumed.searched_again:
        lines.append(
            f"Due and not found, looked for again first: {_numbers(resumed.searched_again)}"
        )
    if resumed.asked:
        lines.append(f"Due later, yet X has an identical post: {_numbers(resumed.asked)}")
        lines.append("  `roost resolve POST found ID` or `send` settles each.")
    if resumed.may_have_changed:
        lines.append(
            "On the calendar as they were when the copy was made; what was edited, moved or"
            f" cancelled since has to be done again: {_numbers(resumed.may_have_changed)}"
        )
    lines += [
        f"@{username} could not be searched (connect it again if need be): its posts are paused."
        f" `roost resume --account @{username}` lets them go on."
        for username in map(one_line, resumed.paused_accounts)
    ]
    return answer, "\n".join(lines)


def _numbers(posts: Sequence[PostId]) -> str:
    shown = ", ".join(str(one) for one in posts[:20])
    return shown if len(posts) <= 20 else f"{shown} and {len(posts) - 20} more"
