"""`roost posts`: lists posts, upcoming posts first, or shows one post with its history."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Final

from cyclopts import Parameter

from roost.cli.arguments import (
    Json,
    OnlyAccount,
    PostNumber,
    TenantName,
    choose_account,
    choose_tenant,
    parse_bound,
    parse_post_id,
)
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_result
from roost.cli.post_details import describe_cost, describe_missing_files, describe_obstacle
from roost.cli.post_status import (
    describe_pauses,
    describe_post,
    describe_wait,
    post_as_json,
    state_word,
)
from roost.cli.table import Column, is_narrow_terminal, print_table
from roost.errors import InvalidInput
from roost.escaping import indented, one_line
from roost.formats import format_local_time, format_short_time, format_time, in_time_zone
from roost.insights.labels import shorten
from roost.models import Event, PartState, PostState, Scope, Tenant
from roost.post_options import describe_options
from roost.publishing import history as post_history
from roost.publishing.selection import EVERY_POST, Selection
from roost.publishing.state import PartProgress
from roost.runtime import Runtime
from roost.services import media_copies, queries
from roost.services.pause import PauseScope
from roost.services.queries import PostStatus

#: The width of a post's text in the list; `roost posts POST` shows the whole text.
_TEXT_WIDTH: Final = 60


def posts(
    post: PostNumber | None = None,
    /,
    *,
    history: Annotated[
        bool, Parameter(negative="", help="Show every event of the post and every attempt.")
    ] = False,
    state: Annotated[
        list[PostState] | None,
        Parameter(negative="", help="Only posts in this state; may be repeated."),
    ] = None,
    since: Annotated[
        str | None,
        Parameter(name="--from", help="Only posts due from this day or time on: `2026-12-01`."),
    ] = None,
    until: Annotated[
        str | None,
        Parameter(name="--to", help="Only posts due until the end of this day, or before a time."),
    ] = None,
    search: Annotated[
        str, Parameter(help="Only posts whose text contains this; case is ignored.")
    ] = "",
    limit: Annotated[int | None, Parameter(help="At most this many posts.")] = None,
    tenant: TenantName = "default",
    account: OnlyAccount = None,
    as_json: Json = False,
) -> int:
    """List the posts, or show one post.

    Posts that are still to be published come first, the earliest due time first. Then follow posts
    that need attention (the latest due time first), drafts (the newest first), and all other posts
    (the latest due time first).
    """

    async def work() -> None:
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            now = runtime.clock.now()
            selection = Selection(
                states=state or (),
                since=parse_bound(since, owner, now),
                until=parse_bound(until, owner, now, is_end=True),
                search=search,
                limit=limit,
            )
            if post is None:
                _require_list_options(selection, history)
                await _print_list(runtime, scope, owner, account, selection, as_json)
            elif selection != EVERY_POST or account is not None:
                raise InvalidInput(
                    "--account, --state, --from, --to, --search and --limit select the posts of the"
                    " list.",
                    next=f"Omit them, or omit the number {post}.",
                )
            else:
                await _print_one(runtime, scope, owner, post, history, as_json)

    return run_async(work)


def _require_list_options(selection: Selection, history: bool) -> None:
    if history:
        raise InvalidInput("--history shows the events of one post.", next="Give its number too.")
    if selection.limit is not None and selection.limit < 1:
        raise InvalidInput(f"--limit is {selection.limit}.", next="Give a number of at least 1.")
    since, until = selection.since, selection.until
    if since is not None and until is not None and until <= since:
        raise InvalidInput("--to is before --from.", next="Exchange the two.")


async def _print_list(
    runtime: Runtime,
    scope: Scope,
    tenant: Tenant,
    account: str | None,
    selection: Selection,
    as_json: bool,
) -> None:
    only = await choose_account(runtime, scope, tenant, account) if account else None
    groups = await queries.list_post_groups(runtime, scope, selection, only.id if only else None)
    statuses = [one for group in groups for one in group.posts]
    if as_json:
        from roost.cli.schemas.posts import PostListOutput

        shown = tuple(post_as_json(one) for one in statuses)
        print_result(PostListOutput(posts=shown), as_json=True)
        return
    if not statuses:
        is_open = selection == EVERY_POST and only is None
        text = "There is no post yet; `roost publish` and `roost import` schedule posts."
        print_result(None, text if is_open else "No post matches.", as_json=False)
        return
    # A narrow terminal shows short times, and their zone below the table.
    narrow_at = runtime.clock.now() if is_narrow_terminal() else None
    columns = (
        Column("post", 0),
        Column("due" if narrow_at else f"due ({tenant.time_zone})", 2),
        Column("account", 4),
        Column("state", 1, wraps=True),
        Column("parts", 5),
        Column("text", 3, wraps=True),
    )
    print_table(columns, [_row(status, tenant, narrow_at) for status in statuses])
    if narrow_at:
        print_result(None, f"Times are in {tenant.time_zone}.", as_json=False)
    for pause_scope in (PauseScope.TENANT, PauseScope.EVERYTHING):
        if any(pause_scope in status.paused_by for status in statuses):
            print_result(None, f"Paused: {describe_pauses([pause_scope])}.", as_json=False)


def _row(status: PostStatus, tenant: Tenant, narrow_at: datetime | None) -> tuple[str, ...]:
    post = status.post
    if post.due_at is None:
        due = "–"
    elif narrow_at is not None:
        due = format_short_time(post.due_at, tenant.time_zone, narrow_at)
    else:
        due = format_local_time(post.due_at, tenant.time_zone)
    text = shorten(one_line(post.parts[0].text), _TEXT_WIDTH) if post.parts else ""
    account = one_line(f"@{status.account.username}")
    state = one_line(_describe_state(status, tenant))
    return str(post.id), due, account, state, str(len(post.parts)), text


def _describe_state(status: PostStatus, tenant: Tenant) -> str:
    """Return the table cell with a post's state, `paused` if it is paused, and its wait."""
    words = [state_word(status.post.state)]
    if status.paused_by:
        words.append("paused")
    if status.wait is not None:
        words.append(describe_wait(status.wait, tenant))
    return ", ".join(words)


async def _print_one(
    runtime: Runtime,
    scope: Scope,
    tenant: Tenant,
    number: int,
    with_history: bool,
    as_json: bool,
) -> None:
    # The health checks load the X client, which the list of posts does not need.
    from roost.services import health

    details = await queries.get_post_details(runtime, scope, parse_post_id(number))
    parts = details.publish_state.parts
    if as_json:
        from roost.cli.schemas.posts import PostDetailOutput

        print_result(PostDetailOutput.of(details, with_history=with_history), as_json=True)
        return
    zone = tenant.time_zone
    lines = [describe_post(details.status, tenant)]
    worker_alive = await health.is_worker_alive(runtime)
    obstacle = describe_obstacle(details.status, runtime.clock.now(), worker_alive=worker_alive)
    missing = await media_copies.list_missing_of(runtime, details.status.post)
    files = describe_missing_files(details.status, missing)
    lines += [one_line(line) for line in (obstacle, files, describe_cost(details)) if line]
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
        at = format_time(attempt.started_at, zone)
        yield one_line(f"    attempt {attempt.number}, {at}: {'; '.join(filter(None, known))}")
    if (keys := post_history.describe_media(progress)) is not None:
        yield one_line(f"    {keys}")


def _describe_events(events: Sequence[Event], zone: str) -> Iterator[str]:
    """Yield a heading for each day, then a line for each event of the day, with its actor."""
    day = None
    for event in events:
        at = in_time_zone(event.at, zone)
        if at.date() != day:
            day = at.date()
            yield f"{at:%a} {at.day} {at:%b %Y} ({zone})"
        actor = post_history.describe_actor(event.actor)
        yield one_line(f"  {at:%H:%M:%S} {post_history.describe_event(event, zone)} [{actor}]")
