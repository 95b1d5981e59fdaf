"""`roost post`, `edit`, `cancel`: single posts, from the terminal."""

import itertools
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from roost import store
from roost.cli.arguments import choose_account, choose_instant
from roost.cli.copy_notes import CopyNotes
from roost.cli.outcome import note_without_worker, wait_for_outcome
from roost.cli.output import (
    AccountName,
    Json,
    TenantName,
    complete,
    open_for_command,
    say,
    show_findings,
)
from roost.cli.part_options import OptionFlags, with_options
from roost.cli.post_status import post_as_json, see_standing, tell_standing
from roost.cli.preview import preview, require_connected
from roost.errors import InvalidInput
from roost.input_file import read_input
from roost.models import NO_OPTIONS, MediaAsset, Part, Post, PostId
from roost.planfile import parse_span
from roost.publishing.part_input import MediaInput
from roost.services import schedule
from roost.services.schedule import PartInput
from roost.text import split_thread

#: For a file that becomes a thread: 25 parts of the longest text that X takes.
_MAX_THREAD_BYTES = 4 << 20
NO_FLAGS = OptionFlags()
Media = Annotated[
    list[Path] | None, Parameter(name="--media", negative="", help="A file; may be repeated.")
]
Alt = Annotated[
    list[str] | None,
    Parameter(name="--alt", negative="", help="Alt text of the file at the same place."),
]


class ThreadNotReplaceable(InvalidInput):
    """A thread's text file would take files or options off a later part."""

    default_next = "Cancel it, and import the thread from a plan, which names each part's files."


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
    options: OptionFlags = NO_FLAGS,
    wait: Annotated[
        bool, Parameter(negative="--no-wait", help="Without --at: wait for the outcome.")
    ] = True,
    dry_run: Annotated[
        bool,
        Parameter(negative="", help="Only show what would become of it, when, and the price."),
    ] = False,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """Publish a post now and wait for the outcome, or schedule it with --at.

    Where a pause holds it back, this ends at once with 4, and where its account has to be connected
    again, with 5: the post stays planned.
    """

    async def work() -> int:
        parts = with_options(_parts(text, media, alt, thread), options.read())
        late = None if tolerance is None else parse_span(tolerance)
        async with open_for_command(logging.WARNING, with_secrets=not dry_run) as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            integration = await choose_account(runtime, whose, account)
            due_at = choose_instant(at, whose, runtime.clock.now())
            if dry_run:
                return await preview(runtime, whose, integration, parts, due_at, as_json=as_json)
            require_connected(integration)
            planned = await schedule.schedule_post(
                runtime, whose, integration, parts,
                due_at=due_at, why="posted from the terminal", tolerance=late,
                on_findings=show_findings,
                on_progress=CopyNotes(),
            )  # fmt: skip
            code = 0
            if at is None and wait:
                outcome = await wait_for_outcome(runtime, whose, planned)
                planned, code = outcome.post, outcome.exit_code
            else:
                await note_without_worker(runtime, planned)
            standing = await see_standing(runtime, whose, planned)
        told = tell_standing(planned, whose, standing)
        say(post_as_json(planned, standing), told, as_json=as_json)
        return code

    return complete(work)


def _parts(
    text: str, media: list[Path] | None, alt: list[str] | None, thread: Path | None
) -> list[PartInput]:
    carried = _carried(media or [], alt or [])
    if thread is None:
        return [PartInput(text, carried)]
    if text:
        raise InvalidInput("A thread's text comes from its file: leave the text out.")
    try:
        # A byte order mark is how some editors begin a UTF-8 file; it is not part of the text.
        whole = read_input(thread, max_bytes=_MAX_THREAD_BYTES, error=InvalidInput).decode(
            "utf-8-sig"
        )
    except UnicodeDecodeError:
        raise InvalidInput(f"{thread} is not UTF-8.", next="Save it as UTF-8.") from None
    texts = split_thread(whole.strip())
    if not texts:
        raise InvalidInput(f"{thread} holds no text.", next="Write the thread into it.")
    return [PartInput(one, carried if order == 0 else ()) for order, one in enumerate(texts)]


def _carried(
    files: Sequence[Path | MediaAsset], alts: Sequence[str | None]
) -> tuple[MediaInput, ...]:
    """Each file with the alt text at its place."""
    if len(alts) > len(files):
        raise InvalidInput("There are more --alt than --media.")
    return tuple(itertools.starmap(MediaInput, itertools.zip_longest(files, alts)))


def edit(
    post: int,
    /,
    *,
    text: Annotated[str | None, Parameter(help="Another text (a post of one part).")] = None,
    media: Media = None,
    alt: Alt = None,
    at: Annotated[str | None, Parameter(help="Another time, as for `roost post`.")] = None,
    thread: Annotated[
        Path | None, Parameter(help="A text file for a thread; part 1 keeps its files.")
    ] = None,
    options: OptionFlags = NO_FLAGS,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Change a post of which X has nothing, also while it waits; what is not named stays.

    `none` takes off what the post replies to, quotes or asks; `--reply-settings everyone` lets
    everybody reply.
    """

    async def work() -> None:
        async with open_for_command() as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            async with runtime.database.for_tenant(whose.id) as transaction:
                before = await store.posts.get(transaction, PostId(post))
            parts = _changed(before, text, media, alt, thread, options)
            due_at = None if at is None else choose_instant(at, whose, runtime.clock.now())
            if parts is None and due_at is None:
                raise InvalidInput(
                    "Nothing to change was named.",
                    next="Use --text, --media, --thread, --at, --reply-to, --quote or --poll.",
                )
            changed = await schedule.edit_post(
                runtime,
                whose,
                before.id,
                parts=parts,
                due_at=due_at,
                on_findings=show_findings,
                on_progress=CopyNotes(),
            )
            await note_without_worker(runtime, changed)
            standing = await see_standing(runtime, whose, changed)
        told = tell_standing(changed, whose, standing)
        say(post_as_json(changed, standing), told, as_json=as_json)

    return complete(work)


def _changed(
    before: Post,
    text: str | None,
    media: list[Path] | None,
    alt: list[str] | None,
    thread: Path | None,
    flags: OptionFlags,
) -> list[PartInput] | None:
    """The post's parts with what was named changed; None where nothing was."""
    options = flags.read(before.parts[0].options) if before.parts else flags.read()
    if text is None and media is None and alt is None and thread is None:
        return with_options(_same(before), options) if flags.is_given else None
    if thread is not None:
        return with_options(_rethreaded(before, media, alt, thread), options)
    if len(before.parts) > 1:
        raise InvalidInput(
            f"Post {before.id} is a thread; its parts are changed together.",
            next="Give the whole thread with --thread.",
        )
    (part,) = before.parts
    wanted = part.text if text is None else text
    if media is not None:
        return with_options(_parts(wanted, media, alt, None), options)
    return [PartInput(wanted, _kept_files(part, alt), options)]


def _kept_files(part: Part, alt: list[str] | None) -> tuple[MediaInput, ...]:
    """The files that a part carries already, the first of them with these alt texts."""
    named = alt or []
    return _carried(part.media, [*named, *(one.alt_text for one in part.media[len(named) :])])


def _rethreaded(
    before: Post, media: list[Path] | None, alt: list[str] | None, thread: Path
) -> list[PartInput]:
    """The parts of a thread's file; the first keeps the first part's files, or has those named.

    Raises: ThreadNotReplaceable where a later part has files or options, which no text file places.
    """
    for part in before.parts[1:]:
        if part.media or part.options != NO_OPTIONS:
            what = "files" if part.media else "a poll or other options"
            raise ThreadNotReplaceable(
                f"Part {part.position} of post {before.id} has {what}, and a text file cannot say"
                " which part is to have them.",
                did="The post is as it was.",
            )
    parts = _parts("", media, alt if media is not None else None, thread)
    if media is None and before.parts:
        parts[0] = replace(parts[0], media=_kept_files(before.parts[0], alt))
    return parts


def _same(post: Post) -> list[PartInput]:
    """The post's parts as they are."""
    return [
        PartInput(
            part.text,
            tuple(MediaInput(asset, asset.alt_text) for asset in part.media),
            part.options,
        )
        for part in post.parts
    ]


def cancel(post: int, /, *, tenant: TenantName = "default", as_json: Json = False) -> int:
    """Take a post back while X has nothing of it, also while it waits."""

    async def work() -> None:
        async with open_for_command() as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            cancelled = await schedule.cancel_post(runtime, whose, PostId(post))
            standing = await see_standing(runtime, whose, cancelled)
        told = tell_standing(cancelled, whose, standing)
        say(post_as_json(cancelled, standing), told, as_json=as_json)

    return complete(work)
