"""`roost metrics`: the latest metrics of accounts and posts."""

from typing import Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from roost.cli.arguments import AccountName, Json, TenantName, choose_account, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.output import print_result
from roost.cli.table import Column, print_table
from roost.escaping import one_line
from roost.formats import format_count, format_local_time, format_time
from roost.insights.labels import shorten
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
#: The width of a post's text in the table.
_TEXT_WIDTH: Final = 40
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
            _print(history, owner.time_zone)

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


def _print(history: AccountHistory, zone: str) -> None:
    name = one_line(f"@{history.integration.username}")
    if not history.account:
        print_result(None, f"{name}: no metrics yet.", as_json=False)
        return
    counts = metric_values(history.account, Metric.FOLLOWERS)
    followers = "followers unknown"
    if counts:
        at, count = counts[-1]
        followers = f"{format_count(int(count), 'follower')} on {format_time(at, zone)}"
    lines = [f"{name}: {followers}; ${history.usd:.3f} paid to X"]
    lines += [one_line(f"  anomaly: {anomaly.message}") for anomaly in history.anomalies]
    print_result(None, "\n".join(lines), as_json=False)
    if not history.posts:
        return
    columns = (
        Column(f"sent ({zone})", 0),
        *(Column(metric.replace("_", " "), rank) for rank, metric in enumerate(_COLUMNS, 2)),
        Column("text", 1, wraps=True),
    )
    print_table(columns, [_row(snapshot, zone) for snapshot in _latest_posts(history)])


def _row(snapshot: PostSnapshot, zone: str) -> tuple[str, ...]:
    values = ("–" if (v := snapshot.metrics[m]) is None else f"{v:,}" for m in _COLUMNS)
    text = shorten(one_line(snapshot.text), _TEXT_WIDTH)
    return format_local_time(snapshot.sent_at, zone), *values, text
