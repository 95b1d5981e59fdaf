"""The pages of reports: the list with its forms, one report, and its files."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from roost.errors import RoostError
from roost.insights.reports.rendering import FORMS, Form
from roost.models import Scope, Tenant
from roost.runtime import Runtime
from roost.services import queries, report, tenant
from roost.web import templating
from roost.web.dependencies import (
    NamedTenant,
    OpenRuntime,
    Rendering,
    RowId,
    TenantScope,
    scope_of,
)
from roost.web.report_form import ReportForm

router = APIRouter()

#: Content security policy of a report's HTML page. `sandbox` isolates the page from Roost's other
#: pages. The HTML itself contains a second policy.
_REPORT_POLICY: Final = (
    "sandbox allow-scripts allow-popups; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
#: The displayed name of each form of a report, in the order in which a report's page offers them.
_FORM_NAMES: Final[Mapping[Form, str]] = {
    Form.PDF: "PDF",
    Form.XLSX: "Excel",
    Form.HTML: "HTML",
    Form.MD: "Markdown",
    Form.CSV: "CSV files",
    Form.PNG: "Pictures of the charts",
    Form.PARQUET: "Parquet files",
    Form.JSON: "JSON",
}


@router.get("/reports", response_class=HTMLResponse)
async def show_reports(runtime: OpenRuntime, tenant: NamedTenant) -> Response:
    """Show the tenant's reports and schedules, and the form that makes a report."""
    brand = await _get_brand_language(runtime, scope_of(tenant))
    return await reports_page(runtime, tenant, ReportForm(language=brand))


async def _get_brand_language(runtime: Runtime, scope: Scope) -> str:
    return (await tenant.get_report_brand(runtime, scope)).language


async def reports_page(
    runtime: Runtime,
    owner: Tenant,
    form: ReportForm,
    *,
    error: RoostError | None = None,
    status: int = 200,
) -> Response:
    """Return the page of reports. If a submitted form was refused, the page shows `error`."""
    scope = scope_of(owner)
    return templating.page(
        "reports.html.j2",
        status=status,
        tenant=owner,
        form=form,
        error=error,
        accounts=await queries.list_accounts(runtime, scope),
        reports=await report.list_reports(runtime, scope),
        schedules=await report.list_schedules(runtime, scope),
        brand=await tenant.get_report_brand(runtime, scope),
        languages=report.list_languages(),
    )


@router.get("/reports/{number}", response_class=HTMLResponse)
async def show_report(
    runtime: OpenRuntime, tenant: NamedTenant, scope: TenantScope, number: RowId
) -> Response:
    """Show one report: its period, who made it, and links to its files in each form."""
    return templating.page(
        "report.html.j2",
        tenant=tenant,
        report=await report.get_report(runtime, scope, number),
        forms={form.value: name for form, name in _FORM_NAMES.items()},
    )


@router.get("/reports/{number}/read", response_class=HTMLResponse)
async def read_report(
    runtime: OpenRuntime, scope: TenantScope, number: RowId, rendering: Rendering
) -> Response:
    """Return a report as a single HTML document, which loads no other file."""
    async with rendering:
        rendered = await report.render_report(runtime, scope, number, Form.HTML)
    return HTMLResponse(rendered.to_file(), headers={"content-security-policy": _REPORT_POLICY})


@router.get("/reports/{number}/files/{form}")
async def download_report(
    runtime: OpenRuntime, scope: TenantScope, number: RowId, form: Form, rendering: Rendering
) -> Response:
    """Return a report as a file; if its form has several files, return a zip archive."""
    async with rendering:
        rendered = await report.render_report(runtime, scope, number, form)
    name, media_type = f"report-{number}.{form.value}", FORMS[form].media_type
    if FORMS[form].has_files:
        name, media_type = f"report-{number}-{form.value}.zip", "application/zip"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(rendered.to_file(), media_type=media_type, headers=headers)
