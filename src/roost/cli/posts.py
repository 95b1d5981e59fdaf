"""`roost post`, `edit`, `cancel`: single posts, from the terminal."""

import asyncio
import contextlib
import dataclasses
import logging
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from roost import store, worker
from roost.cli.chosen import choose_account, choose_instant
from roost.cli.processes import worker_signature
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
from roost.cli.standing import see_standing, tell_standing
from roost.errors import InvalidInput, ReconnectNeeded
from roost.escaping import indented, one_line
from roost.house import House
from roost.models import (
    Integration,
    IntegrationStatus,
    Post,
    PostId,
    PostState,
    Tenant,
)
from roost.planfile import parse_span
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
    tolerance: Annotated[
        str | None,
        Parameter(help="How late it may go out, as `30m`; without it: as the settings say."),
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
        late = None if tolerance is None else parse_span(tolerance)
        async with open_for_command(logging.WARNING, with_secrets=not dry_run) as house:
            whose = await store.tenants.get(house.database, tenant)
            integration = await choose_account(house, whose, account)
            if dry_run:
                return await _preview(parts, integration, as_json)
            if integration.status is not IntegrationStatus.CONNECTED:
                raise ReconnectNeeded(f"@{integration.username} is {integration.status}.")
            due_at = choose_instant(at, whose, house.clock.now())
            planned = await schedule.schedule_post(
                house, whose, integration, parts,
                due_at=due_at, why="posted from the terminal", tolerance=late,
            )  # fmt: skip
            if at is None and wait:
                planned = await _outcome(house, whose, planned)
            _, held = await see_standing(house, whose, planned)
        say(planned, tell_standing(planned, whose, integration, held), as_json=as_json)
        return _EXIT.get(planned.state, 0 if planned.state in _MOVING else 1)

    return complete(work)


async def _preview(parts: list[PlainPart], account: Integration, as_json: bool) -> int:
    judged = await schedule.judge(parts, subscription_type=account.subscription_type)
    lines = [
        f"part {order}: {indented(part.text, ' ' * 2)}" for order, part in enumerate(parts, start=1)
    ]
    lines += [one_line(f"✗ {one.code}: {one.message} {one.next}") for one in judged.violations]
    lines.append(one_line(f"X charges {show_price(judged.price)}."))
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
                working = dataclasses.replace(house, who=worker_signature())
                within = asyncio.create_task(worker.run(working, handle_signals=False))
            looks += 1
            await asyncio.sleep(_LOOK_EVERY_S)
            async with house.database.tenant(tenant.id) as transaction:
                post = await store.posts.get(transaction, post.id)
                events = await store.posts.list_events(transaction, post.id)
            if events[-1].why.startswith("waits: ") and events[-1].why != told:
                told = events[-1].why
                tell(one_line(f"Post {post.id} {told} (Ctrl-C leaves it to the workers)"))
    finally:
        if within is not None:
            within.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await within
    return post


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
            account, held = await see_standing(house, whose, changed)
        say(changed, tell_standing(changed, whose, account, held), as_json=as_json)

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
            account, held = await see_standing(house, whose, cancelled)
        say(cancelled, tell_standing(cancelled, whose, account, held), as_json=as_json)

    return complete(work)
