"""Benchmark the web server's response times while a report is made and rendered.

    ./dev bench report_service [--json] [--rounds N] [--seconds S]

The web server, PostgreSQL and the emulator run as processes. An account has 1,000 posts that were
published in 30 days, with daily snapshots. Requests for the list of accounts begin at a steady
rate; a response time counts from the planned beginning of its request. Rounds without a report
alternate with rounds in which a report is made and its page is opened.
`p99_ratio_while_rendering` is the 99th percentile of the response times in rounds with a report,
divided by the 99th percentile in rounds without a report.
"""

import argparse
import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import numpy as np

from fix_processes import environment_of
from harness.report import Threshold, log_progress, report
from harness.server import cancel_on_sigterm
from harness.workload import Workload, open_workload
from roost import store
from roost.cli.demo.processes import running

POSTS, DAYS = 1000, 30
#: The number of requests that the benchmark sends per second.
RATE = 50

_INSERT_SENT = """
    WITH numbers AS (
        SELECT n, %(now)s::timestamptz - (n * %(days)s::float / %(posts)s) * interval '1 day' AS at
        FROM generate_series(1, %(posts)s) AS n
    ), planned AS (
        INSERT INTO posts (tenant_id, integration_id, state, due_at, import_key)
        SELECT %(tenant)s, %(account)s, 'published', at, n::text FROM numbers
        RETURNING id, due_at, import_key
    )
    INSERT INTO parts
        (tenant_id, post_id, integration_id, position, text, state, sent_as, sent_at, read_at)
    SELECT %(tenant)s, id, %(account)s, 1, 'Post ' || id || ' says what such posts say. #books',
           'sent', 1800000000000000000 + import_key::bigint, due_at, %(now)s
    FROM planned
"""
_INSERT_SNAPSHOTS = """
    INSERT INTO post_snapshots
        (tenant_id, integration_id, part_id, at, impressions, engagements, likes, replies, reposts,
         quotes, bookmarks, link_clicks, profile_clicks)
    SELECT p.tenant_id, p.integration_id, p.id, day,
           count, count / 20, count / 50, count / 250, count / 300, count / 1000, count / 500,
           count / 100, count / 200
    FROM generate_series(%(now)s::timestamptz - %(days)s * interval '1 day', %(now)s,
                         interval '1 day') AS day
    JOIN parts p ON p.sent_at < day,
    LATERAL (SELECT (1000 + p.id %% 700 * 10)
                    * (1 - exp(-extract(epoch FROM day - p.sent_at) / 86400))) AS c(share),
    LATERAL (SELECT floor(c.share)::bigint) AS f(count)
"""
_INSERT_FOLLOWERS = """
    INSERT INTO account_snapshots (tenant_id, integration_id, at, followers, following, posts)
    SELECT %(tenant)s, %(account)s, day, 5000 + row_number() OVER (ORDER BY day) * 3, 100, 1000
    FROM generate_series(%(now)s::timestamptz - %(days)s * interval '1 day', %(now)s,
                         interval '1 day') AS day
"""


@dataclass
class Timings:
    """Response times in seconds: without a report (`idle`), during a report (`rendering`)."""

    idle: list[float] = field(default_factory=list)
    rendering: list[float] = field(default_factory=list)
    reports: list[float] = field(default_factory=list)
    """The seconds that each report took."""


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark the service while reports are made.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=4, help="rounds of each kind")
    parser.add_argument(
        "--seconds", type=float, default=10, help="length of a round without a report"
    )
    arguments = parser.parse_args()
    timings = asyncio.run(_measure(arguments.rounds, arguments.seconds))
    idle, rendering = _p99(timings.idle), _p99(timings.rendering)
    thresholds = [Threshold("p99_ratio_while_rendering", rendering / idle, "<=", 1.5)]
    figures: dict[str, float | int | str] = {
        "p99_idle_ms": idle * 1000,
        "p99_rendering_ms": rendering * 1000,
        "median_idle_ms": float(np.median(timings.idle)) * 1000,
        "median_rendering_ms": float(np.median(timings.rendering)) * 1000,
        "requests": len(timings.idle) + len(timings.rendering),
        "reports": len(timings.reports),
        "report_s": float(np.median(timings.reports)),
    }
    return report("report_service", thresholds, figures, arguments.json)


def _p99(seconds: list[float]) -> float:
    return float(np.percentile(seconds, 99))


async def _measure(rounds: int, seconds: float) -> Timings:
    cancel_on_sigterm()
    timings = Timings()
    async with open_workload([1]) as workload:
        await _fill(workload)
        environment = environment_of(workload.runtime.settings, wall={})
        log = workload.folder / "serve.log"
        async with (
            running("serve", "--port", "0", environment=environment, log=log) as started,
            aiohttp.ClientSession() as session,
        ):
            url = started["url"]
            await _make_report(session, url)
            await _send_requests(session, url, asyncio.sleep(seconds / 2))
            for number in range(rounds):
                log_progress(f"round {number + 1} of {rounds}")
                timings.idle += await _send_requests(session, url, asyncio.sleep(seconds))
                began = time.perf_counter()
                timings.rendering += await _send_requests(session, url, _make_report(session, url))
                timings.reports.append(time.perf_counter() - began)
    return timings


async def _fill(workload: Workload) -> None:
    """Insert published posts and snapshots of them and the account into the database."""
    ((tenant_id, (account,)),) = workload.accounts.items()
    now = workload.runtime.clock.now()
    values = {"tenant": tenant_id, "account": account, "now": now, "days": DAYS, "posts": POSTS}
    for days in range(0, DAYS + 1, 10):
        at = now - timedelta(days=days)
        await store.snapshots.ensure_partitions(workload.runtime.database, at)
    for statement in (_INSERT_SENT, _INSERT_SNAPSHOTS, _INSERT_FOLLOWERS):
        await workload.admin.execute(statement, values)
    await workload.admin.execute("UPDATE tenants SET name = 'default' WHERE id = %s", [tenant_id])
    await workload.vacuum()


async def _send_requests(
    session: aiohttp.ClientSession, url: str, during: Coroutine[Any, Any, None]
) -> list[float]:
    """Send requests at a steady rate until the coroutine `during` ends; return response times."""
    running_task = asyncio.create_task(during)
    began = time.perf_counter()
    sent: list[asyncio.Task[float]] = []
    while not running_task.done():
        planned = began + len(sent) / RATE
        await asyncio.sleep(max(0, planned - time.perf_counter()))
        sent.append(asyncio.create_task(_send_request(session, url, planned)))
    await running_task
    return await asyncio.gather(*sent)


async def _send_request(session: aiohttp.ClientSession, url: str, planned: float) -> float:
    async with session.get(f"{url}/api/accounts") as response:
        response.raise_for_status()
        await response.read()
    return time.perf_counter() - planned


async def _make_report(session: aiohttp.ClientSession, url: str) -> None:
    """Make a report with the form of the web page, and open the report's page."""
    headers = {"origin": url, "sec-fetch-site": "same-origin"}
    async with session.post(
        f"{url}/reports", data={"period": "30d"}, headers=headers, allow_redirects=False
    ) as made:
        assert made.status == 303, await made.text()
        path = made.headers["location"].partition("?")[0]
    async with session.get(f"{url}{path}/read") as answer:
        answer.raise_for_status()
        assert b"data-key" in await answer.read()


if __name__ == "__main__":
    raise SystemExit(main())
