"""The pages that show metrics: the page of an account, and the report."""

import asyncio
from importlib import resources
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from roost.extras import require_extra
from roost.insights.reports import svg
from roost.insights.reports.report import PageReport, build_report
from roost.insights.snapshots import latest_post_snapshots
from roost.models import IntegrationId, Metric
from roost.services import queries, report
from roost.web import templating
from roost.web.dependencies import NamedTenant, OpenRuntime, RowId, TenantScope

router = APIRouter()

#: Length in days of the period that an account's page covers; also the default for a report.
_DAYS: Final = 30
#: Content security policy for the report's page: it isolates the report from Roost's other pages.
#: The report's HTML contains a policy of its own as well.
_REPORT_POLICY: Final = (
    "sandbox allow-scripts allow-popups; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
#: The script that shows the value of the point or bar under the mouse pointer in a chart. The
#: report uses the same script.
_CHARTS_SCRIPT: Final = resources.files("roost.insights.reports").joinpath("templates/report.js")
#: The columns of the table of posts, in order.
_COLUMNS: Final = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
)


def _draw_charts(built: PageReport) -> list[tuple[str, str, Markup]]:
    """Return title, note and SVG of each chart of the first account, without empty charts."""
    require_extra("charts", purpose="The page of an account")
    # Altair is imported here, because it takes 25 MB, and a server may never be asked for a chart.
    from roost.insights.reports import page_charts

    account = built.accounts[0]
    planned = (
        ("Followers", "at the end of each day", page_charts.followers_chart(account, built)),
        (
            "Impressions",
            "each day; shaded: not measured",
            page_charts.impressions_chart(account, built),
        ),
    )
    drawn = iter(svg.draw_svgs([spec for _, _, spec in planned if spec is not None]))
    # Our own process drew the charts and escaped their texts; no other markup is trusted.
    return [
        (title, note, Markup(next(drawn)))  # noqa: S704
        for title, note, spec in planned
        if spec is not None
    ]


@router.get("/accounts/{account_id}", response_class=HTMLResponse)
async def show_account(
    runtime: OpenRuntime,
    tenant: NamedTenant,
    scope: TenantScope,
    account_id: RowId,
    already_connected: Annotated[bool, Query()] = False,
) -> Response:
    """Show one account: followers, how its posts performed, anomalies and X's bill.

    `already_connected` is set if the browser has loaded the callback's address a second time.
    """
    now = runtime.clock.now()
    since = report.period_start(now, _DAYS)
    account, posts = await queries.get_account_with_posts(runtime, scope, IntegrationId(account_id))
    histories = await report.gather_histories(runtime, scope, [account], since=since)
    built = build_report(histories, since=since, until=now, tenant_name=tenant.name, made_at=now)
    return templating.page(
        "account.html.j2",
        tenant=tenant,
        account=account,
        now=now,
        report=built.accounts[0],
        days=_DAYS,
        charts=await asyncio.to_thread(_draw_charts, built),
        latest=[one for one in latest_post_snapshots(histories[0]) if one.sent_at >= since],
        post_of={part.id: post.id for post in posts for part in post.parts},
        columns=_COLUMNS,
        already_connected=already_connected,
        is_shared=await queries.is_shared_account(runtime, scope, account),
    )


@router.get("/static/charts.js")
async def send_charts_script() -> Response:
    """Return the pages' only script, which shows a chart's values under the mouse pointer."""
    return Response(_CHARTS_SCRIPT.read_bytes(), media_type="text/javascript")


@router.get("/report", response_class=HTMLResponse)
async def show_report(
    runtime: OpenRuntime, scope: TenantScope, days: Annotated[int, Query(ge=1, le=366)] = _DAYS
) -> Response:
    """Show the tenant's report of the last `days` days, as one page that loads nothing else."""
    html = await report.write_report(runtime, [scope], days=days)
    return HTMLResponse(html, headers={"content-security-policy": _REPORT_POLICY})
