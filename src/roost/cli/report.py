"""`roost report` and `roost reports`: make, render and list reports, and schedule them."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from cyclopts import Parameter
from cyclopts.validators import Number

from roost import changes
from roost.cli.arguments import Json, TenantName, choose_tenant
from roost.cli.browser import open_in_browser
from roost.cli.command import open_for_command, run_async
from roost.cli.outcome import warn_if_no_worker
from roost.cli.output import print_result
from roost.cli.report_arguments import ContentFlags, FileFlags, PeriodFlags
from roost.cli.schemas.reports import ReportListOutput, ReportOutput
from roost.cli.table import Column, print_table
from roost.errors import InvalidInput
from roost.escaping import one_line
from roost.formats import format_count, format_local_time, format_time
from roost.insights.reports.rendering import require_form
from roost.insights.reports.schedules import describe_time, parse_report_time
from roost.insights.wording import describe_narratives
from roost.models import Cadence, KeptReport, NarrativeSource, ReportSchedule, ScheduleId, Tenant
from roost.services import queries
from roost.services import report as reporting
from roost.services.report import RenderedReport
from roost.services.tenant import get_report_brand

_MAX_ID = (1 << 31) - 1
_NO_PERIOD, _NO_CONTENT, _NO_FILE = PeriodFlags(), ContentFlags(), FileFlags()
Id = Annotated[int, Parameter(validator=Number(gte=1, lte=_MAX_ID))]


class ReportAlreadyMade(InvalidInput):
    """The options would change the content of a report that is already made."""

    default_next = "Make another report without the number, or leave out these options."


class ScheduleUnclear(InvalidInput):
    """The options of `roost reports` do not describe one schedule."""


def report(
    number: Annotated[
        Id | None, Parameter(help="The number of a report that is rendered again, unchanged.")
    ] = None,
    /,
    *,
    period: PeriodFlags = _NO_PERIOD,
    content: ContentFlags = _NO_CONTENT,
    file: FileFlags = _NO_FILE,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """Make a report, number and keep it, and write it to a file that needs no network.

    With a number, the command writes a report that was made before. Its numbers stay as they were.
    """

    async def work() -> None:
        form, path = file.read()
        require_form(form)
        if number is not None and (period != _NO_PERIOD or content != _NO_CONTENT):
            raise ReportAlreadyMade(
                f"Report {number} is already made: only --format, --output and --open apply."
            )
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            kept_number = number
            if kept_number is None:
                accounts = await queries.list_accounts(runtime, scope)
                brand = await get_report_brand(runtime, scope)
                days = period.read(runtime.clock.now(), ZoneInfo(owner.time_zone))
                options = content.read(accounts, brand.language)
                kept = await reporting.make_kept_report(runtime, scope, days, options)
                kept_number = kept.number
            rendered = await reporting.render_report(runtime, scope, kept_number, form)
        size = _write(path, rendered)
        changes.record()
        result = ReportOutput.model_validate(
            {
                "report": path,
                "number": kept_number,
                "first_day": rendered.report.first_day,
                "last_day": rendered.report.last_day,
                "format": form,
                "bytes": size,
                "files": {name: len(each) for name, each in rendered.files.items()},
                "narratives": [_narrative_fields(each) for each in rendered.report.narratives],
            }
        )
        text = f"Report {kept_number} is {one_line(str(path))}."
        if rendered.report.narratives:
            text += f"\n{one_line(describe_narratives(rendered.report.narratives))}"
        print_result(result, text, as_json=as_json)
        if file.open_file:
            open_in_browser(path.resolve().as_uri())

    return run_async(work)


def _narrative_fields(source: NarrativeSource) -> dict[str, object]:
    return {
        "subject": source.subject,
        "written_by": "model" if source.is_by_model else "roost",
        "model": source.model,
        "prompt_hash": source.prompt_hash,
        "refused": sum(not verdict.ok for verdict in source.verdicts),
        "error": source.error,
    }


def _write(path: Path, rendered: RenderedReport) -> int:
    """Write a rendered report, and return the size of the file."""
    content = rendered.to_file()
    try:
        path.write_bytes(content)
    except OSError as error:
        number = rendered.report.number
        raise InvalidInput(
            f"The report cannot be written to {path}: {error.strerror}.",
            did=f"Report {number} is kept, but no file was written.",
            next=f"Run `roost report {number}` with another file for --output.",
        ) from None
    return len(content)


def reports(
    *,
    schedule: Annotated[
        Cadence | None, Parameter(help="Add a schedule. Workers make its reports.")
    ] = None,
    at: Annotated[
        str | None,
        Parameter(
            help="The time of the schedule in the tenant's time zone: `Mon 08:00`; for a monthly"
            " report `1 08:00`, with a day from 1 to 28."
        ),
    ] = None,
    remove: Annotated[
        Id | None, Parameter(help="Remove the schedule with this number. Its reports are kept.")
    ] = None,
    content: ContentFlags = _NO_CONTENT,
    tenant: TenantName = "default",
    as_json: Json = False,
) -> int:
    """List the reports and their schedules; add or remove a schedule.

    A weekly report is about the last calendar week, and a monthly one about the last month. If no
    worker ran in time, only the latest report is made; it names the periods that were skipped.
    """

    async def work() -> None:
        _require_one_schedule(schedule, at, remove, content)
        async with open_for_command(logging.WARNING) as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            if schedule is not None and at is not None:
                report_time = parse_report_time(schedule, at)
                accounts = await queries.list_accounts(runtime, scope)
                brand = await get_report_brand(runtime, scope)
                options = content.read(accounts, brand.language)
                await reporting.add_schedule(runtime, scope, report_time, options)
                await warn_if_no_worker(runtime)
            if remove is not None:
                await reporting.remove_schedule(runtime, scope, ScheduleId(remove))
            made = await reporting.list_reports(runtime, scope)
            schedules = await reporting.list_schedules(runtime, scope)
        if as_json:
            listed = {
                "reports": [_report_fields(each) for each in made],
                "schedules": [_schedule_fields(each) for each in schedules],
            }
            print_result(ReportListOutput.model_validate(listed), as_json=True)
            return
        _print_schedules(schedules, owner)
        _print_reports(made, owner)

    return run_async(work)


def _require_one_schedule(
    schedule: Cadence | None, at: str | None, remove: int | None, content: ContentFlags
) -> None:
    if (schedule is None) != (at is None):
        raise ScheduleUnclear(
            "A schedule needs both --schedule and --at.",
            next='Write, for example, `roost reports --schedule weekly --at "Mon 08:00"`.',
        )
    if schedule is not None and remove is not None:
        raise ScheduleUnclear(
            "--schedule and --remove cannot be used together.", next="Run two commands."
        )
    if schedule is None and content != _NO_CONTENT:
        raise ScheduleUnclear(
            "Options of a report's content apply only to a new schedule.",
            next="Use them with --schedule, or with `roost report`.",
        )


def _report_fields(kept: KeptReport) -> dict[str, object]:
    return {
        "number": kept.number,
        "first_day": kept.first_day,
        "last_day": kept.last_day,
        "language": kept.options.language,
        "with_costs": kept.options.with_costs,
        "made_at": kept.made_at,
        "made_by": kept.made_by,
        "schedule": kept.schedule_id,
        "skipped": kept.skipped,
    }


def _schedule_fields(schedule: ReportSchedule) -> dict[str, object]:
    return {
        "schedule": schedule.id,
        "cadence": schedule.time.cadence,
        "local_time": describe_time(schedule.time),
        "language": schedule.options.language,
        "with_costs": schedule.options.with_costs,
        "next_at": schedule.next_at,
        "failure": schedule.failure,
    }


def _print_schedules(schedules: Sequence[ReportSchedule], owner: Tenant) -> None:
    lines = [
        f"Schedule {each.id}: {each.time.cadence}, {describe_time(each.time)}"
        f" ({owner.time_zone}); next report {format_time(each.next_at, owner.time_zone)}"
        + (f"; the last attempt failed: {each.failure}" if each.failure else "")
        for each in schedules
    ]
    if lines:
        print_result(None, "\n".join(lines), as_json=False)


def _print_reports(made: Sequence[KeptReport], owner: Tenant) -> None:
    if not made:
        print_result(None, "There is no report yet; `roost report` makes one.", as_json=False)
        return
    columns = (
        Column("report", 0),
        Column("period", 1),
        Column(f"made ({owner.time_zone})", 2),
        Column("by", 3),
        Column("skipped", 4),
    )
    print_table(
        columns,
        [
            (
                str(each.number),
                f"{each.first_day} to {each.last_day}",
                format_local_time(each.made_at, owner.time_zone),
                one_line(each.made_by)
                if each.schedule_id is None
                else f"schedule {each.schedule_id}",
                format_count(len(each.skipped), "period") if each.skipped else "",
            )
            for each in made
        ],
    )
