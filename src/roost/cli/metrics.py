"""`roost metrics`: the latest metrics of accounts and posts."""

from typing import Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.table import Table

from roost.cli.arguments import AccountName, Json, TenantName, choose_account, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.output import make_console, print_result
from roost.escaping import one_line
from roost.insights.snapshots import latest_post_snapshots, metric_values
from roost.models import AccountHistory, Metric, PostSnapshot
from roost.services import queries
from roost.services import report as reporting

_COLUMNS: Final = (
    Metric.IMPRESSIONS,
    Metric.ENGAGEMENTS,
    Metric.LIKES,
    Metric.REPLIES,
    Metric.REPOSTS,
    Metric.LINK_CLICKS,
)
#: The number of characters of a post's text that the table shows.
_TEXT_LENGTH: Final = 40
Days = Annotated[
    int, Parameter(help="Length of the period, in days.", validator=Number(gte=1, lte=366))
]


def metrics(
    *,
    days: Days = 30,
    tenant: TenantName = "default",
    account: AccountName = None,
    as_json: Json = False,
) -> int:
    """Show the latest stored metrics of accounts and posts, without a request to X."""

    async def work() -> None:
        async with open_for_command() as runtime:
            owner, scope = await choose_tenant(runtime, tenant)
            if account is not None:
                accounts = [await choose_account(runtime, scope, owner, account)]
            else:
                accounts = await queries.list_accounts(runtime, scope)
            since = reporting.period_start(runtime.clock.now(), days)
            histories = await reporting.gather_histories(runtime, scope, accounts, since=since)
        if as_json:
            print_result({"accounts": [_as_json(one) for one in histories]}, as_json=True)
            return
        for history in histories:
            _print(history)

    return run_async(work)


def _latest_posts(history: AccountHistory) -> list[PostSnapshot]:
    """Return the latest snapshot of each post, newest post first."""
    return latest_post_snapshots(history)[::-1]


def _as_json(history: AccountHistory) -> dict[str, Any]:
    return {
        "account": history.integration.username,
        "snapshots": history.account,
        "posts": _latest_posts(history),
        "anomalies": history.anomalies,
        "usd": history.usd,
    }


def _print(history: AccountHistory) -> None:
    console = make_console()
    name = one_line(f"@{history.integration.username}")
    if not history.account:
        console.print(f"{name}: no metrics yet.")
        return
    counts = metric_values(history.account, Metric.FOLLOWERS)
    followers = "followers unknown"
    if counts:
        at, count = counts[-1]
        followers = f"{count:.0f} followers at {at:%Y-%m-%d %H:%M} UTC"
    console.print(f"{name}: {followers}; ${history.usd:.3f} paid to X")
    for anomaly in history.anomalies:
        console.print(one_line(f"  anomaly: {anomaly.message}"))
    if not history.posts:
        return
    table = Table("sent (UTC)", *(metric.replace("_", " ") for metric in _COLUMNS), "text")
    for snapshot in _latest_posts(history):
        values = ("–" if (v := snapshot.metrics[m]) is None else f"{v:,}" for m in _COLUMNS)
        sent_at = snapshot.sent_at.strftime("%m-%d %H:%M")
        table.add_row(sent_at, *values, one_line(snapshot.text)[:_TEXT_LENGTH])
    console.print(table)
