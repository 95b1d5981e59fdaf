"""`roost edit` and `roost cancel`: change or cancel a post of which no part is on X."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from roost.cli.arguments import Json, PostNumber, TenantName, choose_tenant, parse_at, parse_post_id
from roost.cli.command import open_for_command, run_async
from roost.cli.outcome import warn_without_worker
from roost.cli.output import CopyProgress, print_findings
from roost.cli.part_arguments import (
    NO_FLAGS,
    AltTexts,
    MediaFiles,
    OptionFlags,
    PartFile,
    pair_files,
    read_parts,
    with_options,
)
from roost.cli.post_status import print_post
from roost.cli.text_input import read_text
from roost.errors import InvalidInput
from roost.models import NO_OPTIONS, Part, Post
from roost.publishing.part_input import MediaInput
from roost.services import queries, schedule
from roost.services.schedule import PartInput

#: The value of `--media` that removes all files; `./none` is a file with this name.
_NO_MEDIA: Final = Path("none")


class ThreadNotReplaceable(InvalidInput):
    """A new text file for the thread would remove files or options of a part after the first."""

    default_next = (
        "Cancel the post, and import the thread from a plan, which names each part's files."
    )


def edit(
    post: PostNumber,
    /,
    *,
    text: Annotated[
        str | None,
        Parameter(help="A new text, for a post of one part; `-` reads it from standard input."),
    ] = None,
    media: MediaFiles = None,
    alt: AltTexts = None,
    at: Annotated[str | None, Parameter(help="A new due time: ISO 8601, or `+20m`.")] = None,
    thread: Annotated[
        Path | None, Parameter(help="A text file with the new thread; part 1 keeps its media.")
    ] = None,
    options: OptionFlags = NO_FLAGS,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Change a post, as long as no part of it is on X; omitted options keep their values.

    A post whose publishing has begun but waits, for example for the end of a back-off, can be
    changed too. `--media none` removes the files, and `--reply-to none`,
    `--quote none` and `--poll none` remove an option; `--reply-settings everyone` lets everyone
    reply.
    """

    text = None if text is None else read_text(text)
    media = [] if media == [_NO_MEDIA] else media

    async def work() -> None:
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            before = await queries.get_post(runtime, scope, parse_post_id(post))
            parts = _change_parts(before, text, media, alt, thread, options)
            due_at = None if at is None else parse_at(at, owner, runtime.clock.now())
            if parts is None and due_at is None:
                raise InvalidInput(
                    "The command names nothing to change.",
                    next="Use --text, --media, --alt, --thread, --at, --reply-to, --quote, --poll,"
                    " --poll-duration or --reply-settings.",
                )
            changed = await schedule.edit_post(
                runtime,
                scope,
                before.id,
                parts=parts,
                due_at=due_at,
                on_findings=print_findings,
                on_progress=CopyProgress(),
            )
            await warn_without_worker(runtime, changed)
            status = await queries.get_status_of(runtime, scope, changed)
        print_post(status, owner, as_json=as_json)

    return run_async(work)


def _change_parts(
    before: Post,
    text: str | None,
    media: list[Path] | None,
    alt: list[str] | None,
    thread: Path | None,
    flags: OptionFlags,
) -> list[PartInput] | None:
    """Return the post's parts with the requested changes; None if no change is requested."""
    options = flags.read(before.parts[0].options) if before.parts else flags.read()
    if text is None and media is None and alt is None and thread is None:
        return with_options(_unchanged_parts(before), options) if flags.is_given else None
    if thread is not None:
        return with_options(_replace_thread(before, media, alt, thread), options)
    if len(before.parts) > 1:
        raise InvalidInput(
            f"Post {before.id} is a thread; its parts can only be changed together.",
            next="Give the whole thread with --thread.",
        )
    (part,) = before.parts
    new_text = part.text if text is None else text
    if media is not None:
        return with_options(read_parts(new_text, media, alt, None), options)
    return [PartInput(new_text, _kept_files(part, alt), options)]


def _kept_files(part: Part, alt: list[str] | None) -> tuple[PartFile, ...]:
    """Return a part's stored files, with the new alt texts on the first files.

    Files for which there is no new alt text keep their alt texts.
    """
    alt_texts = alt or []
    kept = [file.alt_text for file in part.media[len(alt_texts) :]]
    return pair_files(part.media, [*alt_texts, *kept])


def _replace_thread(
    before: Post, media: list[Path] | None, alt: list[str] | None, thread: Path
) -> list[PartInput]:
    """Return the parts for a thread's new text file.

    Part 1 gets the new media files; if there are none, it keeps its files.

    Raises: ThreadNotReplaceable if a later part has files or options, because a text file cannot
    assign files or options to a part.
    """
    for part in before.parts[1:]:
        if part.media or part.options != NO_OPTIONS:
            what = "files" if part.media else "a poll or other options"
            raise ThreadNotReplaceable(
                f"Part {part.position} of post {before.id} has {what}, and a text file cannot say"
                " which new part gets them.",
                did="The post did not change.",
            )
    parts = read_parts("", media, alt if media is not None else None, thread)
    if media is None and before.parts:
        parts[0] = replace(parts[0], media=_kept_files(before.parts[0], alt))
    return parts


def _unchanged_parts(post: Post) -> list[PartInput]:
    return [
        PartInput(
            part.text,
            tuple(MediaInput(asset, asset.alt_text) for asset in part.media),
            part.options,
        )
        for part in post.parts
    ]


def cancel(post: PostNumber, /, *, tenant: TenantName = "default", as_json: Json = False) -> int:
    """Cancel a post, as long as no part of it is on X.

    A post whose publishing has begun but waits, for example for the end of a back-off, can be
    cancelled too.
    """

    async def work() -> None:
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            cancelled = await schedule.cancel_post(runtime, scope, parse_post_id(post))
            status = await queries.get_status_of(runtime, scope, cancelled)
        print_post(status, owner, as_json=as_json)

    return run_async(work)
