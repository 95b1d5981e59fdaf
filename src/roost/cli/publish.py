"""`roost publish`: publishes or schedules a post."""

import logging
import re
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from roost.cli.arguments import (
    AccountName,
    Json,
    TenantName,
    choose_account,
    choose_tenant,
    parse_at,
)
from roost.cli.command import open_for_command, run_async
from roost.cli.confirm import confirm
from roost.cli.outcome import wait_for_outcome, warn_without_worker
from roost.cli.output import CopyProgress, print_findings
from roost.cli.part_arguments import (
    NO_FLAGS,
    AltTexts,
    MediaFiles,
    OptionFlags,
    Text,
    read_parts,
    with_options,
)
from roost.cli.post_status import print_post
from roost.cli.preview import preview, require_connected
from roost.cli.text_input import read_text
from roost.errors import InvalidInput
from roost.models import PostId, Scope
from roost.planfile import parse_span
from roost.runtime import Runtime
from roost.services import queries, schedule

#: Matches a text that can be a post's number: at most 18 digits, which the database can store.
_POST_NUMBER: Final = re.compile(r"\s*#?([0-9]{1,18})\s*")


class TextAmbiguous(InvalidInput):
    """The text to publish is also a post's number, and the user has not confirmed the text."""

    default_next = "To publish the number as a text, add --yes."


def publish(
    text: Text = "",
    /,
    *,
    media: MediaFiles = None,
    alt: AltTexts = None,
    at: Annotated[
        str | None, Parameter(help="Due time: ISO 8601, or `+20m` from now; default: now.")
    ] = None,
    tolerance: Annotated[
        str | None,
        Parameter(
            help="How late the post may be published, such as `30m`; default:"
            " ROOST_LATE_TOLERANCE_S."
        ),
    ] = None,
    thread: Annotated[
        Path | None, Parameter(help="A text file that becomes a thread, split between sentences.")
    ] = None,
    options: OptionFlags = NO_FLAGS,
    wait: Annotated[
        bool, Parameter(negative="--no-wait", help="Without --at: wait for the outcome.")
    ] = True,
    dry_run: Annotated[
        bool,
        Parameter(
            negative="", help="Show whether and when the post would be published, and the price."
        ),
    ] = False,
    yes: Annotated[
        bool, Parameter(negative="", help="Publish a text that is also the number of a post.")
    ] = False,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """Publish a post now and wait for the outcome, or schedule it with --at.

    The command ends at once with exit code 4 if the post is paused, and with 5 if its account has
    to be connected again. In both cases the post stays scheduled.
    """

    text = read_text(text)

    async def work() -> int:
        parts = with_options(read_parts(text, media, alt, thread), options.read())
        late_tolerance = None if tolerance is None else parse_span(tolerance)
        async with open_for_command(logging.WARNING, with_secrets=not dry_run) as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            integration = await choose_account(runtime, scope, owner, account)
            due_at = parse_at(at, owner, runtime.clock.now())
            if dry_run:
                return await preview(
                    runtime, scope, owner, integration, parts, due_at, as_json=as_json
                )
            require_connected(integration)
            await _require_meant(runtime, scope, text, yes=yes)
            post = await schedule.schedule_post(
                runtime, scope, integration, parts,
                due_at=due_at, tolerance=late_tolerance,
                on_findings=print_findings,
                on_progress=CopyProgress(),
            )  # fmt: skip
            code = 0
            if at is None and wait:
                outcome = await wait_for_outcome(runtime, scope, owner, post)
                post, code = outcome.post, outcome.exit_code
            else:
                await warn_without_worker(runtime, post)
            status = await queries.get_status_of(runtime, scope, post)
        print_post(status, owner, as_json=as_json)
        return code

    return run_async(work)


async def _require_meant(runtime: Runtime, scope: Scope, text: str, *, yes: bool) -> None:
    """If the text is the number of a post, ask the user whether to publish this text.

    The user may have meant `roost posts NUMBER`. Raises: TextAmbiguous.
    """
    number = _POST_NUMBER.fullmatch(text)
    if yes or number is None:
        return
    post_id = PostId(int(number[1]))
    if await queries.find_post(runtime, scope, post_id) is None:
        return
    question = f"Post {post_id} exists. This command publishes a new post: {text.strip()!r}."
    if not await confirm(question, yes=False):
        raise TextAmbiguous(
            f"The text {text.strip()!r} is also the number of a post.",
            did="Nothing was published or stored.",
            next=f"`roost posts {post_id}` shows post {post_id}. {TextAmbiguous.default_next}",
        )
