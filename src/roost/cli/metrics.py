"""`roost metrics`: the latest metrics of accounts and posts."""

from datetime import datetime
from typing import Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from roost.cli.arguments import Json, OnlyAccount, TenantName, choose_account, choose_tenant
from roost.cli.command import open_for_command, run_async
from roost.cli.next_actions import describe_action
from roost.cli.output import print_result
from roost.cli.table import Column, print_table
from roost.escaping import one_line
from roost.formats import format_count, format_local_time, format_time
from roost.insights.labels import shorten
from roost.insights.snapshots import latest_post_snapshots, metric_values
from roost.insights.wording import format_read_time
from roost.models import AccountHistory, Metric, PostSnapshot
from roost.next_actions import ActionCode, NextAction
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
    account: OnlyAccount = None,
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
            from roost.cli.schemas.accounts import MetricsOutput

            shown = {"accounts": [_as_json(one, since) for one in histories]}
            print_result(MetricsOutput.model_validate(shown), as_json=True)
            return
        if not histories:
            advice = describe_action(NextAction(ActionCode.CONNECT_FIRST_ACCOUNT))
            print_result(None, f"No account is connected yet. {advice}", as_json=False)
        for history in histories:
            _print(history, since, owner.time_zone)

    return run_async(work)


def _latest_posts(history: AccountHistory, since: datetime) -> list[PostSnapshot]:
    """Return the latest snapshot of each post that was sent at `since` or later, oldest first."""
    return [one for one in latest_post_snapshots(history)[::-1] if one.sent_at >= since]


def _as_json(history: AccountHistory, since: datetime) -> dict[str, Any]:
    return {
        "account": history.integration.username,
        "snapshots": [one for one in history.account if one.at >= since],
        "posts": _latest_posts(history, since),
        "anomalies": history.anomalies,
        "usd": history.usd,
        "unread": len(history.unread),
        "next_read_at": history.next_read_at,
    }


def _print(history: AccountHistory, since: datetime, zone: str) -> None:
    name = one_line(f"@{history.integration.username}")
    if not history.account:
        when = ""
        if history.next_read_at is not None:
            when = f" They are read {format_read_time(history.next_read_at)}."
        print_result(None, f"{name}: no metrics yet.{when}", as_json=False)
        return
    counts = metric_values(history.account, Metric.FOLLOWERS)
    followers = "followers unknown"
    if counts:
        at, count = counts[-1]
        followers = f"{format_count(int(count), 'follower')} on {format_time(at, zone)}"
    lines = [f"{name}: {followers}; ${history.usd:.3f} paid to X"]
    lines += [one_line(f"  anomaly: {anomaly.message}") for anomaly in history.anomalies]
    if history.unread:
        n = len(history.unread)
        lines.append(f"  {n} {'post is' if n == 1 else 'posts are'} not measured yet")
    print_result(None, "\n".join(lines), as_json=False)
    posts = _latest_posts(history, since)
    if not posts:
        return
    columns = (
        Column(f"sent ({zone})", 0),
        *(Column(metric.replace("_", " "), rank) for rank, metric in enumerate(_COLUMNS, 1)),
        Column("text", len(_COLUMNS) + 1, wraps=True),
    )
    print_table(columns, [_row(snapshot, zone) for snapshot in posts])


def _row(snapshot: PostSnapshot, zone: str) -> tuple[str, ...]:
    values = ("–" if (v := snapshot.metrics[m]) is None else f"{v:,}" for m in _COLUMNS)
    text = shorten(one_line(snapshot.text), _TEXT_WIDTH)
    return format_local_time(snapshot.sent_at, zone), *values, text
