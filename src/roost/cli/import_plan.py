"""`roost import`: schedules a content plan from a CSV file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from roost.cli.arguments import Json, TenantName, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.outcome import warn_if_no_worker
from roost.cli.output import CopyProgress, describe_finding, describe_price, print_result
from roost.escaping import one_line
from roost.formats import format_count, format_time
from roost.models import Tenant
from roost.services import schedule

if TYPE_CHECKING:
    from roost.cli.schemas.plans import ImportOutput

#: The maximum number of scheduled posts that the text output lists; `--json` lists every post.
_MAX_LISTED: Final = 20


def import_plan(
    plan: Annotated[Path, Parameter(help="The plan: a CSV file.")],
    /,
    *,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Show what would happen; store nothing.")
    ] = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Schedule every valid post of a plan; refuse each invalid row, and list all its errors.

    Importing the same file again changes nothing. The exit code is 1 if a row was refused.
    """

    async def work() -> int:
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            imported = await schedule.import_plan(
                runtime, scope, plan, dry_run=dry_run, on_progress=CopyProgress()
            )
            if imported.posts and not dry_run:
                await warn_if_no_worker(runtime)
        result = _as_json(imported) if as_json else None
        print_result(result, _describe(imported, owner, dry_run), as_json=as_json)
        return 1 if imported.refused else 0

    return run_async(work)


def _describe_scheduled(imported: schedule.Imported, dry_run: bool) -> str:
    count = imported.posts
    if not count:
        return "No post would be scheduled." if dry_run else "No post was scheduled."
    verb = "would be" if dry_run else "was" if count == 1 else "were"
    price = describe_price(imported.price)
    return f"{format_count(count, 'post')} {verb} scheduled; X will charge {price}."


def _as_json(imported: schedule.Imported) -> "ImportOutput":
    from roost.cli.schemas.plans import ImportOutput

    posts = [
        {
            "id": row.post_id,
            "line": row.line,
            "account": row.account.username,
            "due_at": row.due_at,
        }
        for row in imported.scheduled
    ]
    own = ("already_imported", "refused", "findings", "price")
    fields = {name: getattr(imported, name) for name in own}
    return ImportOutput.model_validate(fields | {"posts": posts})


def _describe(imported: schedule.Imported, owner: Tenant, dry_run: bool) -> str:
    lines = [one_line(_describe_scheduled(imported, dry_run))]
    if not dry_run:
        lines += [
            f"post {row.post_id}, line {row.line}: {format_time(row.due_at, owner.time_zone)},"
            f" @{one_line(row.account.username)}"
            for row in imported.scheduled[:_MAX_LISTED]
        ]
        if (more := len(imported.scheduled) - _MAX_LISTED) > 0:
            lines.append(f"… and {format_count(more, 'more post')}; `roost posts` lists them.")
    if before := imported.already_imported:
        was = "was" if before == 1 else "were"
        lines.append(f"{format_count(before, 'post')} {was} imported before and did not change.")
    for row in imported.refused:
        lines.append(f"line {row.line} was refused ({row.code}):")
        lines += [
            one_line(f"  · {reason.message} {reason.next}".rstrip()) for reason in row.reasons
        ]
    lines += [f"line {row.line}: {describe_finding(row.finding)}" for row in imported.findings]
    return "\n".join(lines)
