"""`roost pause` and `roost resume`: for a post, an account, a tenant or everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from cyclopts import Parameter

from roost.cli.arguments import (
    Json,
    PostNumber,
    TenantName,
    choose_account,
    choose_tenant,
    command_actor,
    list_tenant_options,
    parse_post_id,
)
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_result
from roost.cli.post_status import describe_pauses
from roost.cli.schemas.health import PauseOutput, ResumeOutput
from roost.cli.tenant_option import name_tenant
from roost.errors import InvalidInput
from roost.escaping import one_line
from roost.models import Integration, PostId, Scope, Tenant
from roost.runtime import Runtime
from roost.services import pause as pauses
from roost.services import queries, restore_check
from roost.services import resume as resuming
from roost.services.pause import PauseScope

#: The maximum number of posts whose numbers a line of output lists.
_LISTED_POSTS: Final = 20

Account = Annotated[
    str | None, Parameter(name="--account", help="All posts of this account, as @name.")
]
AllAccounts = Annotated[bool, Parameter(negative="", help="All posts of the tenant.")]
Everything = Annotated[bool, Parameter(name="--all", negative="", help="All posts of all tenants.")]
Restored = Annotated[
    bool,
    Parameter(
        negative="",
        help="Everything, because the database was restored; `roost resume` then searches X first.",
    ),
]
RealOne = Annotated[
    bool,
    Parameter(
        name="--this-is-the-real-one",
        negative="",
        help="With --all: this database is a copy that replaces the original.",
    ),
]


class ScopeUnclear(InvalidInput):
    """A command must pause or resume one post, account or tenant, or everything."""

    default_next = "Name one scope: POST, --account, --all-accounts, --all or --restored."


def pause(
    post: PostNumber | None = None,
    /,
    *,
    account: Account = None,
    all_accounts: AllAccounts = False,
    everything: Everything = False,
    restored: Restored = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Pause publishing for one scope: a post, an account, a tenant or everything.

    A request to X that is under way completes first. After restoring the database, use `--restored`
    before any worker starts.
    """

    async def work() -> None:
        target_scope = _choose_scope(post, account, all_accounts, everything or restored)
        async with open_for_command() as runtime:
            if target_scope is PauseScope.EVERYTHING:
                result, text = await _pause_everything(runtime, restored)
            else:
                owner, scope = await choose_tenant(runtime, tenant)
                target = await _choose_target(runtime, scope, owner, target_scope, post, account)
                result, text = await _pause(runtime, scope, target)
        print_result(PauseOutput.model_validate(result), text, as_json=as_json)

    return run_async(work)


def resume(
    post: PostNumber | None = None,
    /,
    *,
    account: Account = None,
    all_accounts: AllAccounts = False,
    everything: Everything = False,
    restored: Restored = False,
    real_one: RealOne = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Resume publishing for one scope: a post, an account, a tenant or everything.

    After a restore of the database, Roost first searches X for every scheduled post, and lists the
    posts that it finds.
    """

    async def work() -> None:
        target_scope = _choose_scope(post, account, all_accounts, everything or restored)
        async with open_for_command() as runtime:
            if target_scope is PauseScope.EVERYTHING:
                result, text = await _resume_everything(runtime, accept_copy=real_one)
            else:
                owner, scope = await choose_tenant(runtime, tenant)
                target = await _choose_target(runtime, scope, owner, target_scope, post, account)
                result, text = await _resume(runtime, scope, target)
        print_result(ResumeOutput.model_validate(result), text, as_json=as_json)

    return run_async(work)


def _choose_scope(
    post: int | None, account: str | None, all_accounts: bool, everything: bool
) -> PauseScope:
    is_named = {
        PauseScope.POST: post is not None,
        PauseScope.ACCOUNT: account is not None,
        PauseScope.TENANT: all_accounts,
        PauseScope.EVERYTHING: everything,
    }
    scopes = [scope for scope, named in is_named.items() if named]
    if not scopes:
        raise ScopeUnclear("The command names no scope.")
    if len(scopes) > 1:
        raise ScopeUnclear(f"The command names several scopes: {' and '.join(scopes)}.")
    return scopes[0]


@dataclass(frozen=True, slots=True)
class _Target:
    """The post, account or tenant that a command pauses or resumes."""

    scope: PauseScope
    of: int | str
    """The post's number, or the name of the account or tenant, for `--json`."""
    posts: str
    """The start of a sentence about the posts concerned, such as `Post 7 is`."""
    arguments: str
    """The command-line arguments that name the post, account or tenant."""
    account: Integration | None = None

    def as_json(self, *, paused: bool) -> dict[str, Any]:
        return {"paused": paused, "scope": self.scope, "of": self.of}


async def _choose_target(
    runtime: Runtime,
    scope: Scope,
    tenant: Tenant,
    target_scope: PauseScope,
    post: int | None,
    account_name: str | None,
) -> _Target:
    if target_scope is PauseScope.POST:
        assert post is not None
        return _Target(target_scope, post, f"Post {post} is", str(post))
    if target_scope is PauseScope.ACCOUNT:
        account = await choose_account(runtime, scope, tenant, account_name)
        name = f"@{account.username}"
        shown = one_line(name)
        return _Target(
            target_scope, name, f"All posts of {shown} are", f"--account {shown}", account
        )
    posts = f"All posts of tenant {tenant.name!r} are"
    return _Target(target_scope, tenant.name, posts, "--all-accounts")


async def _pause(runtime: Runtime, scope: Scope, target: _Target) -> tuple[dict[str, Any], str]:
    if target.scope is PauseScope.POST:
        await pauses.pause_post(runtime, scope, parse_post_id(int(target.of)))
    elif target.account is not None:
        await pauses.pause_account(runtime, scope, target.account)
    else:
        await pauses.pause_tenant(runtime, scope)
    resume = name_tenant(f"`roost resume {target.arguments}`")
    text = f"{target.posts} paused. To resume: {resume}."
    return target.as_json(paused=True), text


async def _resume(runtime: Runtime, scope: Scope, target: _Target) -> tuple[dict[str, Any], str]:
    other = ""
    if target.scope is PauseScope.POST:
        post_id = parse_post_id(int(target.of))
        was_paused = await pauses.resume_post(runtime, scope, post_id)
        other = await _describe_other_pauses(runtime, scope, post_id)
    elif target.account is not None:
        was_paused = target.account.paused
        await pauses.resume_account(runtime, scope, target.account)
    else:
        was_paused = await pauses.resume_tenant(runtime, scope)
    text = f"{target.posts} no longer paused." if was_paused else f"{target.posts} not paused."
    return target.as_json(paused=False), text + other


async def _describe_other_pauses(runtime: Runtime, scope: Scope, post_id: PostId) -> str:
    status = await queries.get_post_status(runtime, scope, post_id)
    if not status.paused_by:
        return ""
    return f" Other pauses still keep the post unpublished: {describe_pauses(status.paused_by)}."


async def _pause_everything(runtime: Runtime, restored: bool) -> tuple[dict[str, Any], str]:
    result: dict[str, Any] = {"paused": True, "scope": PauseScope.EVERYTHING, "of": None}
    text = "Everything is paused: no post of any tenant is published."
    if restored:
        known_until = await queries.get_known_until(runtime)
        await restore_check.pause_after_restore(runtime, command_actor(), known_until)
        result["restored_to"] = known_until
        text += (
            " Before Roost publishes posts that came due since the database's last event, it will"
            " search X for them."
        )
    else:
        await pauses.pause_everything(runtime, command_actor())
    return result, f"{text} To resume: `roost resume --all`."


async def _resume_everything(runtime: Runtime, *, accept_copy: bool) -> tuple[dict[str, Any], str]:
    resumed = await resuming.resume_everything(runtime, command_actor(), accept_copy=accept_copy)
    options = await list_tenant_options(runtime)
    result = {
        "paused": False,
        "scope": PauseScope.EVERYTHING,
        "of": None,
        "adopted": resumed.adopted,
        "needs_decision": resumed.needs_decision,
        "searched_again_first": resumed.searched_again,
        "may_have_changed": resumed.may_have_changed,
        "paused_accounts": resumed.paused_accounts,
    }
    lines = [
        "Everything is resumed." if resumed.was_paused else "There was no pause of everything."
    ]
    if resumed.adopted:
        lines.append("These parts were found on X, and recorded as published:")
        lines += [
            one_line(f"  post {one.post_id}, part {one.position}: {one.tweet_id}")
            for one in resumed.adopted
        ]
    if resumed.searched_again:
        lines.append(
            "Due posts that were not found; X is searched again before they are sent:"
            f" {_list_numbers(resumed.searched_again)}"
        )
    if resumed.needs_decision:
        lines.append(
            "Posts that are due later, although X already has an identical post:"
            f" {_list_numbers(resumed.needs_decision)}"
        )
        lines.append("  `roost alerts` says how to decide about each post.")
    if resumed.may_have_changed:
        lines.append(
            "Posts that are scheduled as they were when the copy was made; repeat the changes and"
            f" cancellations made since then: {_list_numbers(resumed.may_have_changed)}"
        )
    for account in resumed.paused:
        name = one_line(f"@{account.username}")
        command = name_tenant(f"`roost resume --account {name}`", options[account.tenant_id])
        lines.append(
            f"X could not be searched for {name} (the account may have to be connected again): its"
            f" posts are paused. To resume: {command}."
        )
    return result, "\n".join(lines)


def _list_numbers(posts: Sequence[PostId]) -> str:
    listed = ", ".join(str(one) for one in posts[:_LISTED_POSTS])
    more = len(posts) - _LISTED_POSTS
    return f"{listed} and {more} more" if more > 0 else listed
