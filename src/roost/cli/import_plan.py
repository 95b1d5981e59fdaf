"""`roost import`: a whole content plan from a CSV file."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from roost import store
from roost.cli.copy_notes import CopyNotes
from roost.cli.output import (
    Json,
    TenantName,
    complete,
    describe_finding,
    open_for_command,
    say,
    show_price,
)
from roost.escaping import one_line
from roost.services import schedule


def import_plan(
    plan: Path,
    /,
    *,
    dry_run: Annotated[bool, Parameter(negative="", help="Only say what would happen.")] = False,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Schedule every valid post of a plan; a wrong row is refused alone, with every reason.

    Importing the same file again changes nothing. Ends with 1 where a row was refused.
    """

    async def work() -> int:
        async with open_for_command() as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            imported = await schedule.import_plan(
                runtime, whose, plan, dry_run=dry_run, on_progress=CopyNotes()
            )
        say(imported, _told(imported, dry_run), as_json=as_json)
        return 1 if imported.refused else 0

    return complete(work)


def _told(imported: schedule.Imported, dry_run: bool) -> str:
    verb = "would be scheduled" if dry_run else "scheduled"
    price = one_line(show_price(imported.price))
    lines = [f"{imported.posts} posts {verb}; X will charge {price}."]
    if imported.already_imported:
        lines.append(
            f"{imported.already_imported} posts were imported before; nothing changed for them."
        )
    for row in imported.refused:
        lines.append(f"line {row.line} was refused ({row.code}):")
        lines += [
            one_line(f"  · {reason.message} {reason.next}".rstrip()) for reason in row.reasons
        ]
    lines += [f"line {row.line}: {describe_finding(row.finding)}" for row in imported.findings]
    return "\n".join(lines)
