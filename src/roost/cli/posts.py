"""`roost posts`: the posts in the order of their time, or one with its history."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

from roost import store
from roost.cli.arguments import choose_account
from roost.cli.output import (
    AccountName,
    Json,
    TenantName,
    complete,
    make_console,
    open_for_command,
    plain,
    say,
)
from roost.cli.part_options import tell_options
from roost.cli.post_status import (
    Standing,
    describe_wait,
    post_as_json,
    see_standing,
    standing_of,
    tell_held,
    tell_standing,
)
from roost.clock import in_time_zone
from roost.escaping import indented, one_line
from roost.models import Event, PartState, Post, PostId, Tenant
from roost.publishing import history
from roost.publishing.state import PartProgress
from roost.runtime import Runtime
from roost.services import pause


def posts(
    post: int | None = None,
    /,
    *,
    history: Annotated[
        bool, Parameter(negative="", help="What happened to the post, step by step.")
    ] = False,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """List the posts in the order of their time, or show one."""

    async def work() -> None:
        async with open_for_command() as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            if post is None:
                await _list(runtime, whose, account, as_json)
            else:
                await _show_one(runtime, whose, PostId(post), history, as_json)

    return complete(work)


async def _list(runtime: Runtime, tenant: Tenant, account: str | None, as_json: bool) -> None:
    chosen = await choose_account(runtime, tenant, account) if account else None
    async with runtime.database.for_tenant(tenant.id) as transaction:
        found = await store.posts.list_all(transaction, chosen.id if chosen else None)
        accounts = {one.id: one for one in await store.integrations.list_all(transaction)}
        holds = await pause.get_pause_status(transaction)
    now = runtime.clock.now()
    standing = {one.id: standing_of(one, accounts[one.integration_id], holds, now) for one in found}
    if as_json:
        say({"posts": [post_as_json(one, standing[one.id]) for one in found]}, as_json=True)
        return
    zone = tenant.time_zone
    table = Table("post", "account", f"due ({zone})", "state", "parts", "text")
    for one in found:
        due = in_time_zone(one.due_at, zone).strftime("%Y-%m-%d %H:%M:%S") if one.due_at else "–"
        text = one_line(one.parts[0].text) if one.parts else ""
        table.add_row(
            str(one.id), one_line(f"@{accounts[one.integration_id].username}"), due,
            one_line(_state(one, standing[one.id], tenant)), str(len(one.parts)),
            text[:60],
        )  # fmt: skip
    make_console().print(table)
    for scope in (pause.PauseScope.TENANT, pause.PauseScope.EVERYTHING):
        if any(scope in each.held for each in standing.values()):
            say(None, f"Held back: {tell_held([scope])} is paused.", as_json=False)


def _state(post: Post, standing: Standing, tenant: Tenant) -> str:
    """A post's state in the table, with what keeps it."""
    words = [str(post.state)]
    if standing.held:
        words.append("held back")
    if standing.wait is not None:
        words.append(describe_wait(standing.wait, tenant))
    return ", ".join(words)


async def _show_one(
    runtime: Runtime, tenant: Tenant, post_id: PostId, history: bool, as_json: bool
) -> None:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        found = await store.posts.get(transaction, post_id)
        events = await store.posts.list_events(transaction, post_id) if history else []
        journal = await store.publishing.get(transaction, post_id)
    standing = await see_standing(runtime, tenant, found)
    if as_json:
        answer: dict[str, Any] = {"post": post_as_json(found, standing)}
        if history:
            answer |= _history(events, journal.parts)
        say(answer, as_json=True)
        return
    lines = [tell_standing(found, tenant, standing)]
    zone = tenant.time_zone
    for part in journal.parts:
        lines += _part(part, zone, history)
    lines += _story(events, zone)
    say(None, "\n".join(lines), as_json=False)


def _history(events: Sequence[Event], parts: Sequence[PartProgress]) -> dict[str, Any]:
    """Every step with its sentence, and every try at sending a part."""
    return {
        "history": [plain(event) | {"sentence": history.describe_event(event)} for event in events],
        "attempts": [
            {"part": one.part.position} | plain(attempt)
            for one in parts
            for attempt in one.attempts
        ],
    }


def _part(journal: PartProgress, zone: str, with_history: bool) -> Iterator[str]:
    part = journal.part
    yield f"  part {part.position} ({part.state}): {indented(part.text, ' ' * 6)}"
    for line in tell_options(part.options):
        yield one_line(f"    {line}")
    for asset in part.media:
        alt = f', alt text "{asset.alt_text}"' if asset.alt_text else ", no alt text"
        yield one_line(f"    {asset.kind} {asset.path}{alt}")
    if not with_history or part.state is PartState.SENT:
        return
    # What is known of a part that is not out: a person may have to decide about it.
    for attempt in journal.attempts:
        known = [history.describe_outcome(attempt), history.describe_reads(attempt)]
        at = in_time_zone(attempt.started_at, zone).strftime("%H:%M:%S")
        told = "; ".join(filter(None, known))
        yield one_line(f"    attempt {attempt.number} at {at}: {told}")
    if (keys := history.describe_media(journal)) is not None:
        yield one_line(f"    {keys}")


def _story(events: Sequence[Event], zone: str) -> Iterator[str]:
    """A line a step, under the day on which it happened; who did it stands behind."""
    day = None
    for event in events:
        at = in_time_zone(event.at, zone)
        if at.date() != day:
            day = at.date()
            yield f"{at:%a} {at.day} {at:%b %Y} ({zone})"
        yield one_line(f"  {at:%H:%M:%S} {history.describe_event(event)} [{event.actor}]")
