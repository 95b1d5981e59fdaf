"""The page of an account, which shows its metrics."""

import asyncio
from importlib import resources
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from roost.extras import require_extra
from roost.insights.reports import svg
from roost.insights.reports.figures import Figure
from roost.insights.reports.model import SubjectReport
from roost.insights.reports.periods import last_days
from roost.models import IntegrationId, Metric
from roost.services import queries, report
from roost.web import templating
from roost.web.dependencies import NamedTenant, OpenRuntime, RowId, TenantScope

router = APIRouter()

#: Length in days of the period that an account's page covers.
_DAYS: Final = 30
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
#: The figures of the account that the page shows, by the names of their definitions.
_FIGURES: Final = (
    "followers.end",
    "followers.change",
    "gained.impressions",
    "activity.posts",
    "spent.total",
)


def _draw_charts(subject: SubjectReport) -> list[tuple[str, Markup]]:
    """Return title and SVG of each chart of an account, without the charts that have no values."""
    require_extra("reports", purpose="The page of an account")
    # These modules are imported here, because a server may never be asked for a chart.
    from roost.insights.reports import charts
    from roost.insights.reports.forms.inline_svg import inline_svg
    from roost.insights.reports.words import load_words

    words = load_words("en")
    planned = (charts.followers_chart(subject, words), charts.impressions_chart(subject, words))
    shown = [chart for chart in planned if chart is not None]
    drawn = svg.draw_svgs([chart.spec for chart in shown])
    return [
        (chart.title, inline_svg(picture, f"{chart.name}-", chart.description))
        for chart, picture in zip(shown, drawn, strict=True)
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
    account = await queries.get_account(runtime, scope, IntegrationId(account_id))
    period = last_days(_DAYS, now, ZoneInfo(tenant.time_zone))
    made = await report.make_report(runtime, scope, period, account=account)
    (subject,) = made.subjects
    figures: dict[str, Figure] = {name: subject.figures[name].current for name in _FIGURES}
    return templating.page(
        "account.html.j2",
        tenant=tenant,
        account=account,
        now=now,
        subject=subject,
        figures=figures,
        days=_DAYS,
        charts=await asyncio.to_thread(_draw_charts, subject),
        measured=[post for post in subject.posts if post.read_at is not None],
        columns=_COLUMNS,
        already_connected=already_connected,
        is_shared=await queries.is_shared_account(runtime, scope, account),
    )


@router.get("/static/charts.js")
async def send_charts_script() -> Response:
    """Return the pages' only script, which shows a chart's values under the mouse pointer."""
    return Response(_CHARTS_SCRIPT.read_bytes(), media_type="text/javascript")
