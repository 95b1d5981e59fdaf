"""The pages of what was earned: one account's figures, and the report."""

import asyncio
from importlib import resources
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from roost import store
from roost.insights.reports import charts, svg
from roost.insights.reports.report import Report, build_report
from roost.insights.snapshots import latest_post_snapshots
from roost.models import IntegrationId, Metric
from roost.services import report
from roost.web import templating
from roost.web.dependencies import NamedTenant, OpenRuntime, RowId

router = APIRouter()

#: What an account's page looks back on, and a report that is not asked for another span.
_DAYS: Final = 30
#: A report's own policy travels inside it; from outside it is kept from everything of Roost's.
_REPORT_POLICY: Final = (
    "sandbox allow-scripts allow-popups; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
#: Shows what a mark of a chart says when it is pointed at: the same in the report and here.
_CHARTS_SCRIPT: Final = resources.files("roost.insights.reports").joinpath("templates/report.js")
#: What the table of posts shows, in this order.
_COLUMNS: Final = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
)


def _draw_charts(told: Report) -> list[tuple[str, str, Markup]]:
    """The first account's charts, each with title and note; none of what was never measured."""
    account = told.accounts[0]
    planned = (
        ("Followers", "at the end of each day", charts.followers_chart(account, told)),
        ("Impressions", "each day; shaded: not measured", charts.impressions_chart(account, told)),
    )
    drawn = iter(svg.draw_svgs([spec for _, _, spec in planned if spec is not None]))
    # Our own process drew them and escaped their texts: the only markup taken as it is.
    return [
        (title, note, Markup(next(drawn)))  # noqa: S704
        for title, note, spec in planned
        if spec is not None
    ]


@router.get("/accounts/{account_id}", response_class=HTMLResponse)
async def show_account(
    runtime: OpenRuntime,
    tenant: NamedTenant,
    account_id: RowId,
    already_connected: Annotated[bool, Query()] = False,
) -> Response:
    """One account: what it has, what its posts earned, what was odd and what X billed.

    `already_connected`: the browser asked once more to finish the connection.
    """
    now = runtime.clock.now()
    since = report.period_start(now, _DAYS)
    async with runtime.database.for_tenant(tenant.id) as transaction:
        account = await store.integrations.get(transaction, IntegrationId(account_id))
        posts = await store.posts.list_all(transaction, account.id)
    histories = await report.gather_histories(runtime, tenant, [account], since=since)
    told = build_report(histories, since=since, until=now, tenant_name=tenant.name, made_at=now)
    return templating.page(
        "account.html.j2",
        tenant=tenant,
        account=account,
        now=now,
        told=told.accounts[0],
        days=_DAYS,
        charts=await asyncio.to_thread(_draw_charts, told),
        latest=latest_post_snapshots(histories[0]),
        post_of={part.id: post.id for post in posts for part in post.parts},
        columns=_COLUMNS,
        already_connected=already_connected,
    )


@router.get("/static/charts.js")
async def send_charts_script() -> Response:
    """The one script of the pages; without it they miss nothing but what pointing shows."""
    return Response(_CHARTS_SCRIPT.read_bytes(), media_type="text/javascript")


@router.get("/report", response_class=HTMLResponse)
async def show_report(
    runtime: OpenRuntime, tenant: NamedTenant, days: Annotated[int, Query(ge=1, le=366)] = _DAYS
) -> Response:
    """The tenant's report of the last days, one page that needs nothing else."""
    told = await report.write_report(runtime, [tenant], days=days)
    return HTMLResponse(told, headers={"content-security-policy": _REPORT_POLICY})
