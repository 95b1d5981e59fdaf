"""`roost post`, `edit`, `cancel`, `posts`: single posts, from the terminal."""

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from roost import store, worker
from roost.cli.chosen import choose_account, choose_instant
from roost.cli.show import (
    AccountName,
    Json,
    TenantName,
    complete,
    open_for_command,
    say,
    tell,
)
from roost.errors import InvalidInput
from roost.house import House
from roost.models import Post, PostId, PostState, Tenant
from roost.services import schedule
from roost.services.schedule import PlainPart
from roost.text import split_thread

_LOOK_EVERY_S = 0.2
#: States in which a post still moves by itself.
_MOVING = {PostState.SCHEDULED, PostState.PUBLISHING}
_EXIT = {PostState.PUBLISHED: 0, PostState.NEEDS_DECISION: 5}

Media = Annotated[
    list[Path] | None, Parameter(name="--media", negative="", help="A file; may be repeated.")
]
Alt = Annotated[
    list[str] | None,
    Parameter(name="--alt", negative="", help="Alt text of the file at the same place."),
]


def post(
    text: str = "",
    /,
    *,
    media: Media = None,
    alt: Alt = None,
    at: Annotated[
        str | None, Parameter(help="ISO 8601, or `+20m` from now; without it: now.")
    ] = None,
    thread: Annotated[
        Path | None, Parameter(help="A text file that becomes a thread, cut where it reads well.")
    ] = None,
    wait: Annotated[bool, Parameter(negative="--no-wait", help="Wait for the outcome.")] = True,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """Publish a post now and wait for the outcome, or schedule it with --at."""

    async def work() -> int:
        parts = _parts(text, media, alt, thread)
        async with open_for_command() as house:
            whose = await store.tenants.get(house.database, tenant)
            integration = await choose_account(house, whose, account)
            due_at = choose_instant(at, whose, house.clock.now())
            planned = await schedule.schedule_post(
                house, whose, integration, parts, due_at=due_at, why="posted from the terminal"
            )
            if at is None and wait:
                planned = await _outcome(house, whose, planned)
        say(planned, _told(planned), as_json=as_json)
        return _EXIT.get(planned.state, 0 if planned.state in _MOVING else 1)

    return complete(work)


def _parts(
    text: str, media: list[Path] | None, alt: list[str] | None, thread: Path | None
) -> list[PlainPart]:
    files, alts = media or [], alt or []
    if len(alts) > len(files):
        raise InvalidInput("There are more --alt than --media.")
    carried = tuple(
        (file, alts[order] if order < len(alts) else None) for order, file in enumerate(files)
    )
    if thread is None:
        return [PlainPart(text, carried)]
    if text:
        raise InvalidInput("A thread's text comes from its file: leave the text out.")
    try:
        whole = thread.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{thread} cannot be read: {type(error).__name__}.") from None
    texts = split_thread(whole.strip())
    return [PlainPart(one, carried if order == 0 else ()) for order, one in enumerate(texts)]


async def _outcome(house: House, tenant: Tenant, post: Post) -> Post:
    """Wait until the post is settled, with a worker within this process where none is alive."""
    within = None
    if not await worker.is_any_alive(house):
        tell("No worker is alive; this command publishes the post itself.")
        within = asyncio.create_task(worker.run(house, handle_signals=False))
    try:
        while post.state in _MOVING:
            if within is not None and within.done():
                within.result()
            await asyncio.sleep(_LOOK_EVERY_S)
            async with house.database.tenant(tenant.id) as transaction:
                post = await store.posts.get(transaction, post.id)
    finally:
        if within is not None:
            within.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await within
    return post


def _told(post: Post) -> str:
    lines = [f"Post {post.id} is {post.state}."]
    if post.state is PostState.SCHEDULED and post.due_at is not None:
        lines = [f"Post {post.id} is scheduled for {post.due_at.isoformat(timespec='seconds')}."]
    if post.reason:
        lines.append(post.reason)
    lines += [f"https://x.com/i/web/status/{part.sent_as}" for part in post.parts if part.sent_as]
    return "\n".join(lines)


def edit(
    post: int,
    /,
    *,
    text: Annotated[str | None, Parameter(help="Another text (a post of one part).")] = None,
    media: Media = None,
    alt: Alt = None,
    at: Annotated[str | None, Parameter(help="Another time.")] = None,
    thread: Annotated[Path | None, Parameter(help="A text file for a thread.")] = None,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Change a post that has not begun; what is not named stays."""

    async def work() -> None:
        async with open_for_command() as house:
            whose = await store.tenants.get(house.database, tenant)
            parts = None
            if text is not None or thread is not None:
                parts = _parts(text or "", media, alt, thread)
            elif media:
                raise InvalidInput("Say the text again with other media.")
            due_at = None if at is None else choose_instant(at, whose, house.clock.now())
            if parts is None and due_at is None:
                raise InvalidInput("Nothing to change was named: use --text, --thread or --at.")
            changed = await schedule.edit_post(
                house, whose, PostId(post), parts=parts, due_at=due_at
            )
        say(changed, _told(changed), as_json=as_json)

    return complete(work)


def cancel(post: int, /, *, tenant: TenantName = "default", as_json: Json = False) -> int:
    """Take a post back before its time."""

    async def work() -> None:
        async with open_for_command() as house:
            whose = await store.tenants.get(house.database, tenant)
            cancelled = await schedule.cancel_post(house, whose, PostId(post))
        say(cancelled, _told(cancelled), as_json=as_json)

    return complete(work)


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
        async with open_for_command() as house:
            whose = await store.tenants.get(house.database, tenant)
            if post is not None:
                await _show_one(house, whose, PostId(post), history, as_json)
                return
            chosen = await choose_account(house, whose, account) if account else None
            async with house.database.tenant(whose.id) as transaction:
                found = await store.posts.list_all(transaction, chosen.id if chosen else None)
                names = {a.id: a.username for a in await store.accounts.list_all(transaction)}
        if as_json:
            say({"posts": found}, as_json=True)
            return
        table = Table("post", "account", "due (UTC)", "state", "parts", "text")
        for one in found:
            due = one.due_at.strftime("%Y-%m-%d %H:%M:%S") if one.due_at else "–"
            text = one.parts[0].text.replace("\n", " ") if one.parts else ""
            table.add_row(
                str(one.id), f"@{names[one.integration_id]}", due, one.state,
                str(len(one.parts)), text[:60],
            )  # fmt: skip
        Console().print(table)

    return complete(work)


async def _show_one(
    house: House, tenant: Tenant, post_id: PostId, history: bool, as_json: bool
) -> None:
    async with house.database.tenant(tenant.id) as transaction:
        found = await store.posts.get(transaction, post_id)
        events = await store.posts.list_events(transaction, post_id) if history else []
    if as_json:
        say({"post": found} | ({"history": events} if history else {}), as_json=True)
        return
    say(None, _told(found), as_json=False)
    for part in found.parts:
        say(None, f"  part {part.position} ({part.state}): {part.text}", as_json=False)
    for event in events:
        whose = "post" if event.position is None else f"part {event.position}"
        at = event.at.strftime("%Y-%m-%d %H:%M:%S")
        change = f"{event.before} → {event.after}" if event.before else event.after
        say(None, f"  {at}  {whose}: {change}, {event.why}", as_json=False)
