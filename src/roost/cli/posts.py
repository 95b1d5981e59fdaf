"""`roost post`, `edit`, `cancel`, `posts`: single posts, from the terminal."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

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
    show_price,
    tell,
)
from roost.errors import InvalidInput, ReconnectNeeded
from roost.house import House
from roost.models import (
    Environment,
    Integration,
    IntegrationStatus,
    Post,
    PostId,
    PostState,
    Tenant,
)
from roost.services import schedule
from roost.services.schedule import PlainPart
from roost.text import split_thread

_LOOK_EVERY_S = 0.2
#: Every so many looks, whether a worker is alive.
_LOOK_FOR_WORKER = 15
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
    wait: Annotated[
        bool, Parameter(negative="--no-wait", help="Without --at: wait for the outcome.")
    ] = True,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Only show the parts, what is wrong, and the price.")
    ] = False,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """Publish a post now and wait for the outcome, or schedule it with --at."""

    async def work() -> int:
        parts = _parts(text, media, alt, thread)
        async with open_for_command(logging.WARNING, with_secrets=not dry_run) as house:
            whose = await store.tenants.get(house.database, tenant)
            integration = await choose_account(house, whose, account)
            if dry_run:
                return await _preview(parts, integration, as_json)
            if integration.status is not IntegrationStatus.CONNECTED:
                raise ReconnectNeeded(f"@{integration.username} is {integration.status}.")
            due_at = choose_instant(at, whose, house.clock.now())
            planned = await schedule.schedule_post(
                house, whose, integration, parts, due_at=due_at, why="posted from the terminal"
            )
            if at is None and wait:
                planned = await _outcome(house, whose, planned)
        say(planned, _told(planned, whose, integration), as_json=as_json)
        return _EXIT.get(planned.state, 0 if planned.state in _MOVING else 1)

    return complete(work)


async def _preview(parts: list[PlainPart], account: Integration, as_json: bool) -> int:
    judged = await schedule.judge(parts, subscription_type=account.subscription_type)
    lines = [f"part {order}: {part.text}" for order, part in enumerate(parts, start=1)]
    lines += [f"✗ {one.code}: {one.message} {one.next}" for one in judged.violations]
    lines.append(f"X charges {show_price(judged.price)}.")
    answer = {
        "parts": [part.text for part in parts],
        "violations": judged.violations,
        "price": judged.price,
    }
    say(answer, "\n".join(lines), as_json=as_json)
    return 2 if judged.violations else 0


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
    """Wait until the post is settled, with a worker within this process while none is alive."""
    within: asyncio.Task[None] | None = None
    told, looks = "", 0
    try:
        while post.state in _MOVING:
            if within is not None and within.done():
                within.result()
            look = within is None and looks % _LOOK_FOR_WORKER == 0
            if look and not await worker.is_any_alive(house):
                tell("No worker is alive; until this post is settled, this command is one.")
                within = asyncio.create_task(worker.run(house, handle_signals=False))
            looks += 1
            await asyncio.sleep(_LOOK_EVERY_S)
            async with house.database.tenant(tenant.id) as transaction:
                post = await store.posts.get(transaction, post.id)
                events = await store.posts.list_events(transaction, post.id)
            if events[-1].why.startswith("waits: ") and events[-1].why != told:
                told = events[-1].why
                tell(f"Post {post.id} {told} (Ctrl-C leaves it to the workers)")
    finally:
        if within is not None:
            within.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await within
    return post


def _told(post: Post, tenant: Tenant, account: Integration) -> str:
    lines = [f"Post {post.id} is {post.state}."]
    if post.state is PostState.SCHEDULED and post.due_at is not None:
        due = post.due_at.astimezone(ZoneInfo(tenant.time_zone))
        lines = [f"Post {post.id} is scheduled for {due.isoformat(timespec='seconds')}."]
    if post.reason:
        lines.append(post.reason)
    for part in post.parts:
        if part.sent_as is None:
            continue
        if account.environment is Environment.LIVE:
            lines.append(f"https://x.com/i/web/status/{part.sent_as}")
        else:
            lines.append(f"on the emulator as {part.sent_as}")
    return "\n".join(lines)


async def _account_of(house: House, tenant: Tenant, post: Post) -> Integration:
    async with house.database.tenant(tenant.id) as transaction:
        return await store.accounts.get(transaction, post.integration_id)


def edit(
    post: int,
    /,
    *,
    text: Annotated[str | None, Parameter(help="Another text (a post of one part).")] = None,
    media: Media = None,
    alt: Alt = None,
    at: Annotated[str | None, Parameter(help="Another time, as for `roost post`.")] = None,
    thread: Annotated[Path | None, Parameter(help="A text file for a thread.")] = None,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Change a post that has not begun; what is not named stays."""

    async def work() -> None:
        async with open_for_command() as house:
            whose = await store.tenants.get(house.database, tenant)
            async with house.database.tenant(whose.id) as transaction:
                before = await store.posts.get(transaction, PostId(post))
            parts = _changed(before, text, media, alt, thread)
            due_at = None if at is None else choose_instant(at, whose, house.clock.now())
            if parts is None and due_at is None:
                raise InvalidInput(
                    "Nothing to change was named.", next="Use --text, --media, --thread or --at."
                )
            changed = await schedule.edit_post(house, whose, before.id, parts=parts, due_at=due_at)
            account = await _account_of(house, whose, changed)
        say(changed, _told(changed, whose, account), as_json=as_json)

    return complete(work)


def _changed(
    before: Post,
    text: str | None,
    media: list[Path] | None,
    alt: list[str] | None,
    thread: Path | None,
) -> list[PlainPart] | None:
    """The post's parts with what was named changed; None where nothing was."""
    if text is None and media is None and alt is None and thread is None:
        return None
    if thread is not None:
        return _parts("", media, alt, thread)
    if len(before.parts) > 1:
        raise InvalidInput(
            f"Post {before.id} is a thread; its parts are changed together.",
            next="Give the whole thread with --thread.",
        )
    (part,) = before.parts
    kept = [(Path(asset.path), asset.alt_text) for asset in part.media]
    files = media if media is not None else [path for path, _ in kept]
    alts = alt
    if alts is None and media is None:
        return [PlainPart(part.text if text is None else text, tuple(kept))]
    return _parts(part.text if text is None else text, files, alts, None)


def cancel(post: int, /, *, tenant: TenantName = "default", as_json: Json = False) -> int:
    """Take a post back before its time."""

    async def work() -> None:
        async with open_for_command() as house:
            whose = await store.tenants.get(house.database, tenant)
            cancelled = await schedule.cancel_post(house, whose, PostId(post))
            account = await _account_of(house, whose, cancelled)
        say(cancelled, _told(cancelled, whose, account), as_json=as_json)

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
    account = await _account_of(house, tenant, found)
    say(None, _told(found, tenant, account), as_json=False)
    for part in found.parts:
        say(None, f"  part {part.position} ({part.state}): {part.text}", as_json=False)
        for asset in part.media:
            alt = f', alt text "{asset.alt_text}"' if asset.alt_text else ", no alt text"
            say(None, f"    {asset.kind} {asset.path}{alt}", as_json=False)
    for event in events:
        whose = "post" if event.position is None else f"part {event.position}"
        at = event.at.strftime("%Y-%m-%d %H:%M:%S")
        change = f"{event.before} → {event.after}" if event.before else event.after
        say(None, f"  {at}  {whose}: {change}, {event.why}", as_json=False)
