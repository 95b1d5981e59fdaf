"""`roost drafts`, `roost approve`, and the parts of `roost draft` that need a database."""

import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from cyclopts import Parameter

from roost.agents.brief import Brief
from roost.agents.configured_model import open_model
from roost.cli.arguments import DraftNumber, Json, TenantName, choose_tenant, parse_at
from roost.cli.command import open_for_command, run_async
from roost.cli.confirm import confirm
from roost.cli.draft_details import describe_text, print_detail, stored_fields
from roost.cli.draft_output import DraftProgress, note_failed_calls, print_drafts
from roost.cli.outcome import warn_without_worker
from roost.cli.output import describe_price, print_findings, print_note, print_result
from roost.cli.post_status import print_post
from roost.cli.preview import require_connected
from roost.cli.schemas.drafts import StoredDraftListOutput
from roost.cli.table import Column, print_table
from roost.errors import InvalidInput, Refused
from roost.escaping import one_line
from roost.formats import format_local_time, format_time
from roost.insights.labels import shorten
from roost.models import DraftId, DraftState, Scope
from roost.publishing.part_input import PartInput
from roost.runtime import Runtime
from roost.services import drafts as drafting
from roost.services import queries
from roost.services.drafts import DraftImproved

#: A function that changes one draft. It gets the runtime, the scope and the draft's id.
Change = Callable[[Runtime, Scope, DraftId], Awaitable[DraftImproved]]

_TEXT_WIDTH = 60
_MAX_DRAFT_ID = (1 << 63) - 1


class ApprovalHashNeeded(InvalidInput):
    """There is no terminal to ask at, and the command has no approval hash."""


class NotApproved(Refused):
    """The person at the terminal did not approve the draft."""

    default_next = "Improve the draft, or approve it for another time."


def drafts(
    *,
    state: Annotated[DraftState | None, Parameter(help="Only drafts in this state.")] = None,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """List the tenant's drafts, the newest first."""

    async def work() -> None:
        async with open_for_command(logging.WARNING) as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            found = await drafting.list_drafts(runtime, scope, *([state] if state else ()))
        if as_json:
            listed = [stored_fields(each) for each in found]
            print_result(StoredDraftListOutput.model_validate({"drafts": listed}), as_json=True)
            return
        if not found:
            text = "There is no draft yet; `roost draft --brief FILE` writes drafts."
            print_result(None, text if state is None else "No draft matches.", as_json=False)
            return
        columns = (
            Column("draft", 0),
            Column("state", 1),
            Column("account", 3),
            Column(f"changed ({owner.time_zone})", 5),
            Column("by", 4),
            Column("text", 2, wraps=True),
        )
        print_table(
            columns,
            [
                (
                    str(each.id),
                    each.state if each.post_id is None else f"{each.state} as post {each.post_id}",
                    one_line(f"@{each.account.username}"),
                    format_local_time(each.created_at, owner.time_zone),
                    each.origin,
                    shorten(one_line(each.parts[0]), _TEXT_WIDTH),
                )
                for each in found
            ],
        )

    return run_async(work)


def approve(
    draft: DraftNumber,
    /,
    *,
    at: Annotated[str, Parameter(help="Due time: ISO 8601, or `+20m` from now.")],
    approval_hash: Annotated[
        str | None,
        Parameter(
            name="--hash",
            help="The hash of `roost draft --show DRAFT --at TIME`; default: ask at the terminal.",
        ),
    ] = None,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Approve a draft: schedule exactly the text that you have read, for the time of `--at`.

    The approval hash covers the draft's account, parts, media and time. If one of them has changed
    since you read the draft, nothing is scheduled. Without a terminal, the command works only with
    --hash, and only if `roost tenant --drafts-without-person` allows it.
    """

    async def work() -> None:
        async with open_for_command(logging.WARNING, with_secrets=True) as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            read = await drafting.get_draft(runtime, scope, parse_draft_id(draft))
            due_at = parse_at(at, owner, runtime.clock.now())
            require_connected(read.account)
            given, by_person = approval_hash, sys.stdin.isatty()
            if given is None and not by_person:
                raise ApprovalHashNeeded(
                    f"The command does not say which text of draft {draft} it approves.",
                    did="Nothing was scheduled.",
                    next=f"`roost draft --show {draft} --at {due_at.isoformat()}` shows the draft"
                    " and the value of --hash. At a terminal, the command asks instead.",
                )
            if given is None:
                when = format_time(due_at, owner.time_zone)
                statement = (
                    f"{describe_text(read)}\nX charges {describe_price(read.price)}. The post would"
                    f" be published on {when} as @{one_line(read.account.username)}."
                )
                if not await confirm(statement, yes=False):
                    raise NotApproved(
                        f"Draft {draft} was not approved.", did="Nothing was scheduled."
                    )
                given = read.approval_hash(due_at)
            post = await drafting.approve_draft(
                runtime, scope, read.id,
                at=due_at, approval_hash=given, by_person=by_person, on_findings=print_findings,
            )  # fmt: skip
            await warn_without_worker(runtime, post)
            status = await queries.get_status_of(runtime, scope, post)
        print_post(status, owner, as_json=as_json)
        if not as_json:
            print_result(None, describe_text(read), as_json=False)

    return run_async(work)


async def write_and_store(brief: Brief, tenant: str, *, as_json: bool) -> bool:
    """Write and store the drafts of a brief.

    Returns False, and writes nothing, if the account of the brief is not connected.
    """
    async with open_for_command(logging.WARNING) as runtime:
        _, scope = await choose_tenant(runtime, tenant)
        accounts = await queries.list_accounts(runtime, scope)
        environment = runtime.settings.environment
        account = drafting.find_account(accounts, brief, environment=environment)
        if account is None:
            return False
        async with open_model(runtime.settings) as model:
            patterns: tuple[str, ...] = ()
            if model is not None:
                # Imported here because it loads numpy, which other commands do not need.
                from roost.services.report import list_patterns

                patterns = await list_patterns(runtime, scope, account)
            progress = DraftProgress(brief, model)
            written = await drafting.write_drafts(
                runtime,
                scope,
                brief,
                model=model,
                patterns=patterns,
                on_draft=progress.report,
            )
    print_drafts(brief, written, as_json=as_json)
    return True


async def show_draft(number: int, at: str | None, tenant: str, *, as_json: bool) -> None:
    """Print a draft with its evidence; with `at`, also the approval hash for this due time."""
    async with open_for_command(logging.WARNING) as runtime:
        owner, scope = await choose_tenant(runtime, tenant)
        draft = await drafting.get_draft(runtime, scope, parse_draft_id(number))
        due_at = None if at is None else parse_at(at, owner, runtime.clock.now())
    print_detail(draft, owner, due_at=due_at, as_json=as_json)


def improve(instruction: str) -> Change:
    """Return a function that improves a draft by this instruction."""

    async def change(runtime: Runtime, scope: Scope, draft_id: DraftId) -> DraftImproved:
        async with open_model(runtime.settings) as model:
            return await drafting.improve_draft(runtime, scope, draft_id, instruction, model=model)

    return change


def edit(parts: Sequence[PartInput]) -> Change:
    """Return a function that replaces the texts of a draft by those of `parts`."""

    async def change(runtime: Runtime, scope: Scope, draft_id: DraftId) -> DraftImproved:
        before = await drafting.get_draft(runtime, scope, draft_id)
        if len(before.parts) > 1 and len(parts) == 1:
            raise InvalidInput(
                f"Draft {draft_id} is a thread; its parts can only be changed together.",
                did="The draft did not change.",
                next="Give the whole thread with --thread.",
            )
        texts = [part.text for part in parts]
        return await drafting.edit_texts(runtime, scope, draft_id, texts)

    return change


undo: Change = drafting.undo_improvement


async def discard(runtime: Runtime, scope: Scope, draft_id: DraftId) -> DraftImproved:
    """Discard a draft, and return it in the form that every `Change` returns."""
    return DraftImproved(await drafting.discard_draft(runtime, scope, draft_id), (), None)


async def change_draft(number: int, change: Change, tenant: str, *, as_json: bool) -> None:
    """Apply a change to a draft, and print the changed draft."""
    async with open_for_command(logging.WARNING) as runtime:
        owner, scope = await choose_tenant(runtime, tenant)
        result = await change(runtime, scope, parse_draft_id(number))
    print_detail(
        result.draft, owner, calls=result.calls, cancelled=result.cancelled, as_json=as_json
    )
    note_failed_calls(result.calls)
    if result.cancelled is not None:
        print_note(f"Post {result.cancelled} was cancelled: its approval was for the text before.")


def parse_draft_id(number: int) -> DraftId:
    """Convert a number to a draft's id. Raises: DraftNotFound if no draft can have this id."""
    if not 0 < number <= _MAX_DRAFT_ID:
        raise drafting.DraftNotFound(f"There is no draft {number}.")
    return DraftId(number)
