"""`roost metrics` and `roost report`: what accounts and posts earned."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.table import Table

from roost import store
from roost.cli.arguments import choose_account
from roost.cli.output import (
    AccountName,
    Json,
    TenantName,
    complete,
    make_console,
    open_for_command,
    say,
)
from roost.errors import InvalidInput
from roost.escaping import one_line
from roost.insights.snapshots import latest_post_snapshots, metric_values
from roost.models import AccountHistory, Metric, PostSnapshot
from roost.services import report as reporting

_SHOWN = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
    Metric.LINK_CLICKS,
)
Days = Annotated[int, Parameter(help="How far back, in days.", validator=Number(gte=1, lte=366))]


def metrics(
    *,
    days: Days = 30,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """The latest figures kept of accounts and posts; reads nothing from X and costs nothing."""

    async def work() -> None:
        async with open_for_command() as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            if account is not None:
                integrations = [await choose_account(runtime, whose, account)]
            else:
                async with runtime.database.for_tenant(whose.id) as transaction:
                    integrations = await store.integrations.list_all(transaction)
            since = reporting.period_start(runtime.clock.now(), days)
            histories = await reporting.gather_histories(runtime, whose, integrations, since=since)
        if as_json:
            say({"accounts": [_plain(history) for history in histories]}, as_json=True)
            return
        for history in histories:
            _print(history)

    return complete(work)


def _latest(history: AccountHistory) -> list[PostSnapshot]:
    return latest_post_snapshots(history)[::-1]


def _plain(history: AccountHistory) -> dict[str, Any]:
    return {
        "account": history.integration.username,
        "readings": history.account,
        "posts": _latest(history),
        "anomalies": history.anomalies,
        "usd": history.usd,
    }


def _print(history: AccountHistory) -> None:
    console = make_console()
    name = one_line(f"@{history.integration.username}")
    if not history.account:
        console.print(f"{name}: nothing has been read yet.")
        return
    readings = metric_values(history.account, Metric.FOLLOWERS)
    followers = "followers unknown"
    if readings:
        at, count = readings[-1]
        followers = f"{count:.0f} followers at {at:%Y-%m-%d %H:%M} UTC"
    console.print(f"{name}: {followers}; ${history.usd:.3f} paid to X")
    for anomaly in history.anomalies:
        console.print(one_line(f"  anomaly: {anomaly.message}"))
    if not history.posts:
        return
    table = Table("sent (UTC)", *(metric.replace("_", " ") for metric in _SHOWN), "text")
    for snapshot in _latest(history):
        figures = ("–" if (v := snapshot.metrics[m]) is None else f"{v:,}" for m in _SHOWN)
        sent = snapshot.sent_at.strftime("%m-%d %H:%M")
        table.add_row(sent, *figures, one_line(snapshot.text)[:40])
    console.print(table)


def report(
    *,
    out: Annotated[Path, Parameter(help="Where the file goes.")] = Path("report.html"),
    days: Days = 30,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """Write the report as one HTML file that opens without a network."""

    async def work() -> None:
        if not out.parent.is_dir():
            raise InvalidInput(f"There is no folder {out.parent}.", next="Make it, or use --out.")
        async with open_for_command() as runtime:
            whose = await store.tenants.get(runtime.database, tenant)
            chosen = await choose_account(runtime, whose, account) if account else None
            html = await reporting.write_report(runtime, [whose], account=chosen, days=days)
        out.write_text(html, "utf-8")
        say({"report": out}, f"The report is {one_line(str(out))}.", as_json=as_json)

    return complete(work)
