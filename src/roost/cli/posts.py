"""`roost posts`: lists posts in due order, or shows one post with its history."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from cyclopts import Parameter
from rich.table import Table

from roost.cli.arguments import AccountName, Json, TenantName, choose_account, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.output import make_console, print_result
from roost.cli.post_status import describe_pauses, describe_post, describe_wait, post_as_json
from roost.clock import in_time_zone
from roost.escaping import indented, one_line
from roost.models import Event, PartState, PostId, Scope, Tenant
from roost.post_options import describe_options
from roost.publishing import history as post_history
from roost.publishing.state import PartProgress
from roost.runtime import Runtime
from roost.services import queries
from roost.services.pause import PauseScope
from roost.services.queries import PostStatus

#: The number of characters of a post's text that the table shows.
_TEXT_LENGTH: Final = 60


def posts(
    post: int | None = None,
    /,
    *,
    history: Annotated[
        bool, Parameter(negative="", help="Show every event of the post and every attempt.")
    ] = False,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """List the posts in due order, or show one post."""

    async def work() -> None:
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            if post is None:
                await _print_list(runtime, scope, owner, account, as_json)
            else:
                await _print_one(runtime, scope, owner, PostId(post), history, as_json)

    return run_async(work)


async def _print_list(
    runtime: Runtime, scope: Scope, tenant: Tenant, account: str | None, as_json: bool
) -> None:
    only = await choose_account(runtime, scope, tenant, account) if account else None
    statuses = await queries.list_post_statuses(runtime, scope, only.id if only else None)
    if as_json:
        from roost.cli.schemas.posts import PostListOutput

        shown = tuple(post_as_json(one) for one in statuses)
        print_result(PostListOutput(posts=shown), as_json=True)
        return
    zone = tenant.time_zone
    table = Table("post", "account", f"due ({zone})", "state", "parts", "text")
    for status in statuses:
        post = status.post
        due = "–"
        if post.due_at is not None:
            due = in_time_zone(post.due_at, zone).strftime("%Y-%m-%d %H:%M:%S")
        text = one_line(post.parts[0].text) if post.parts else ""
        table.add_row(
            str(post.id), one_line(f"@{status.account.username}"), due,
            one_line(_describe_state(status, tenant)), str(len(post.parts)),
            text[:_TEXT_LENGTH],
        )  # fmt: skip
    make_console().print(table)
    for pause_scope in (PauseScope.TENANT, PauseScope.EVERYTHING):
        if any(pause_scope in status.paused_by for status in statuses):
            print_result(None, f"Paused: {describe_pauses([pause_scope])}.", as_json=False)


def _describe_state(status: PostStatus, tenant: Tenant) -> str:
    """Return a post's state for the table, and whether it is paused or waits, and why."""
    words = [str(status.post.state)]
    if status.paused_by:
        words.append("paused")
    if status.wait is not None:
        words.append(describe_wait(status.wait, tenant))
    return ", ".join(words)


async def _print_one(
    runtime: Runtime,
    scope: Scope,
    tenant: Tenant,
    post_id: PostId,
    with_history: bool,
    as_json: bool,
) -> None:
    details = await queries.get_post_details(runtime, scope, post_id)
    parts = details.publish_state.parts
    if as_json:
        from roost.cli.schemas.posts import PostDetailOutput

        print_result(PostDetailOutput.of(details, with_history=with_history), as_json=True)
        return
    zone = tenant.time_zone
    lines = [describe_post(details.status, tenant)]
    for part in parts:
        lines += _describe_part(part, zone, with_history)
    if with_history:
        lines += _describe_events(details.events, zone)
    print_result(None, "\n".join(lines), as_json=False)


def _describe_part(progress: PartProgress, zone: str, with_history: bool) -> Iterator[str]:
    part = progress.part
    yield f"  part {part.position} ({part.state}): {indented(part.text, ' ' * 6)}"
    for line in describe_options(part.options):
        yield one_line(f"    {line}")
    for asset in part.media:
        alt = f', alt text "{asset.alt_text}"' if asset.alt_text else ", no alt text"
        yield one_line(f"    {asset.kind} {asset.path}{alt}")
    if not with_history or part.state is PartState.SENT:
        return
    # Show what is known about an unpublished part, because a person may have to decide about it.
    for attempt in progress.attempts:
        known = [post_history.describe_outcome(attempt), post_history.describe_reads(attempt)]
        at = in_time_zone(attempt.started_at, zone).strftime("%H:%M:%S")
        yield one_line(f"    attempt {attempt.number} at {at}: {'; '.join(filter(None, known))}")
    if (keys := post_history.describe_media(progress)) is not None:
        yield one_line(f"    {keys}")


def _describe_events(events: Sequence[Event], zone: str) -> Iterator[str]:
    """Yield a line for each day, and below it a line for each event with its actor."""
    day = None
    for event in events:
        at = in_time_zone(event.at, zone)
        if at.date() != day:
            day = at.date()
            yield f"{at:%a} {at.day} {at:%b %Y} ({zone})"
        actor = post_history.describe_actor(event.actor)
        yield one_line(f"  {at:%H:%M:%S} {post_history.describe_event(event)} [{actor}]")
