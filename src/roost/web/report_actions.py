"""The forms of the report pages: make a report, add a schedule, remove a schedule.

Each route redirects the browser (303). If an error occurs, the routes that make a report or add a
schedule instead return the page of reports, which shows the error.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from roost.errors import NotFound, RoostError
from roost.models import ScheduleId, Tenant
from roost.runtime import Runtime
from roost.services import report
from roost.web import error_handlers, report_pages
from roost.web.dependencies import NamedTenant, OpenRuntime, Rendering, RowId, scope_of
from roost.web.report_form import ReportForm

router = APIRouter()


@router.post("/reports")
async def make_report(
    request: Request, runtime: OpenRuntime, tenant: NamedTenant, rendering: Rendering
) -> Response:
    """Make a report, and redirect the browser to its page."""
    form = ReportForm.of(await request.form())

    async def make() -> str:
        zone = ZoneInfo(tenant.time_zone)
        period = form.read_period(runtime.clock.now(), zone)
        async with rendering:
            kept = await report.make_kept_report(
                runtime, scope_of(tenant), period, form.read_options()
            )
        return f"/reports/{kept.number}"

    return await _change(runtime, tenant, form, make)


@router.post("/reports/schedules")
async def add_schedule(request: Request, runtime: OpenRuntime, tenant: NamedTenant) -> Response:
    """Add a schedule, and redirect the browser to the page of reports."""
    form = ReportForm.of(await request.form())

    async def add() -> str:
        await report.add_schedule(runtime, scope_of(tenant), form.read_time(), form.read_options())
        return "/reports"

    return await _change(runtime, tenant, form, add)


@router.post("/reports/schedules/{schedule}/remove")
async def remove_schedule(runtime: OpenRuntime, tenant: NamedTenant, schedule: RowId) -> Response:
    """Remove a schedule, and redirect the browser to the page of reports."""
    await report.remove_schedule(runtime, scope_of(tenant), ScheduleId(schedule))
    return _redirect("/reports", tenant)


async def _change(
    runtime: Runtime, tenant: Tenant, form: ReportForm, change: Callable[[], Awaitable[str]]
) -> Response:
    """Call `change`, and redirect the browser to the path that `change` returns.

    If `change` fails, return the page of reports with the error and the submitted form. A
    `NotFound` error is raised to the caller.
    """
    try:
        path = await change()
    except NotFound:
        raise
    except RoostError as error:
        return await report_pages.reports_page(
            runtime, tenant, form, error=error, status=error_handlers.STATUS[error.kind]
        )
    return _redirect(path, tenant)


def _redirect(path: str, tenant: Tenant) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'tenant': tenant.name})}", 303)
