"""Benchmark dispatch: fairness in a burst, delay of a single post, statements per post.

    ./dev bench ontime [--json] [--each N] [--waiting N] [--lone N]

Two workers, PostgreSQL and the emulator run on this machine, with durable settings. The steps are:

1. No-op jobs, then a burst of posts that are due at one instant, then no-op jobs again. The speed
   of the burst is compared with the mean speed of the no-op jobs. The job engine slows down as its
   table grows, so the three runs have equally many jobs and begin with a vacuumed queue.
2. A smaller burst, of which PostgreSQL logs all statements (`log_statement = all`). The statements
   of all processes are counted in the log.
3. A very large number of waiting posts, among which single posts come due.
"""

import argparse
import asyncio
import contextlib
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from fix_processes import environment_of
from harness.report import Threshold, log_progress, report
from harness.workload import SIZES, Workload, open_workload, run_workers
from roost import jobs, worker
from roost.models import TenantId
from roost.settings import read_settings

WORKERS = 2
NOOP = "noop"
#: The number of no-op jobs that are queued at once.
PORTION = 1_000
TENTHS = 10
#: Matches a logged statement of any connection except the benchmark's own connection.
_LOGGED = re.compile(
    r"^app={(?!bench})[^}]*} LOG:  (?:statement|execute [^:]+): (.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class BurstResult:
    """The result of a burst of posts that were due at one instant."""

    posts: int
    seconds: float
    receipts: list[TenantId]
    """The tenants of the posts, in the order in which X received the posts."""
    cpu_ms: dict[str, float]
    """The milliseconds of CPU time per post, by process."""

    @property
    def per_second(self) -> float:
        """The published posts per second."""
        return self.posts / self.seconds


async def run_burst(workload: Workload, each: int, name: str) -> BurstResult:
    """Publish `each` posts of every account, due at one instant; measure until all are final."""
    known = len(workload.emulator.ground_truth()["posts"])
    async with run_workers(workload, WORKERS) as processes:
        due_at = workload.runtime.clock.now() + timedelta(seconds=5 + each)
        posts = await workload.plan_posts(list(workload.accounts), each, due_at, name)
        await workload.vacuum()
        assert workload.runtime.clock.now() < due_at, (
            "the machine is too slow to plan the posts before they are due"
        )
        await workload.runtime.clock.sleep_until(due_at)
        began, before = time.monotonic(), await _cpu_seconds(workload, processes)
        await workload.wait_settled()
        seconds = time.monotonic() - began
        after = await _cpu_seconds(workload, processes)
    receipts = [
        workload.tenant_of[post["user"]]
        for post in workload.emulator.ground_truth()["posts"][known:]
    ]
    assert len(receipts) == posts, f"{len(receipts)} of {posts} posts are on X"
    cpu_ms = {name: (after[name] - before[name]) * 1000 / posts for name in after}
    return BurstResult(posts, seconds, receipts, cpu_ms)


async def _cpu_seconds(workload: Workload, processes: Sequence[psutil.Process]) -> dict[str, float]:
    """Return the CPU seconds of the workers, of the emulator, and of all server sessions."""

    def used(process: psutil.Process) -> float:
        return sum(process.cpu_times()[:4]) + sum(map(used, process.children()))

    emulators = [p for p in psutil.Process().children() if "x_emulator" in p.cmdline()]
    return {
        "workers": sum(map(used, processes)),
        "emulator": sum(map(used, emulators)),
        "postgres": used(await workload.postgres_process()),
    }


def least_jain(receipts: Sequence[TenantId]) -> float:
    """Return the lowest of Jain's fairness indexes of the tenths of a burst.

    The index of a tenth measures how equally its posts are spread over the tenants. Tenants whose
    posts are all published by the end of the tenth are left out, because they need no more turns.
    """
    last_index = {tenant: index for index, tenant in enumerate(receipts)}
    indices = []
    for tenth in range(TENTHS):
        begin, end = (len(receipts) * (tenth + step) // TENTHS for step in (0, 1))
        received = Counter(receipts[begin:end])
        served = [received[tenant] for tenant, index in last_index.items() if index >= end]
        if served:
            squares = sum(posts * posts for posts in served)
            indices.append(sum(served) ** 2 / (len(served) * squares) if squares else 0.0)
    return min(indices)


@dataclass(frozen=True)
class NoopResult:
    """The result of a run of no-op jobs."""

    per_second: float
    cpu_ms: float
    """The milliseconds of CPU time per job, of workers and server together."""


async def run_noop_jobs(workload: Workload, count: int) -> NoopResult:
    """Run no-op jobs on Roost's job engine, in as many processes as the posts get.

    The jobs are queued in portions. A long queue would slow the engine down, and the posts would
    look fast in comparison.
    """
    await workload.vacuum()
    portions = max(1, count // PORTION)
    async with contextlib.AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(_noop_worker(workload)) for _ in range(WORKERS)
        ]
        before = await _cpu_seconds(workload, processes)
        seconds = 0.0
        for _ in range(portions):
            await _queue_noop(workload)
            began = time.monotonic()
            await workload.wait_until("SELECT NOT EXISTS (SELECT FROM procrastinate_jobs) AS done")
            seconds += time.monotonic() - began
        after = await _cpu_seconds(workload, processes)
    cpu_seconds = sum(after[name] - before[name] for name in after)
    job_count = portions * PORTION
    return NoopResult(job_count / seconds, cpu_seconds * 1000 / job_count)


async def _queue_noop(workload: Workload) -> None:
    await workload.fetch_row(
        "SELECT cardinality(procrastinate_defer_jobs_v1(array_agg(ROW(%s, %s, 0, NULL,"
        " 'noop:' || n, '{}', NULL)::procrastinate_job_to_defer_v1)))"
        " FROM generate_series(1, %s) AS n",
        jobs.queue_name(NOOP, workload.runtime.settings.environment),
        NOOP,
        PORTION,
    )


@contextlib.asynccontextmanager
async def _noop_worker(workload: Workload) -> AsyncIterator[psutil.Process]:
    """Run this file as a worker process that knows only the no-op task."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--noop-worker",
        env=environment_of(workload.runtime.settings, wall={}),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        await process.wait()


async def run_noop_worker() -> None:
    """Run a worker of the job engine with Roost's settings, for no-op jobs only."""
    settings = read_settings()
    assert settings.database_url is not None
    async with jobs.open_engine(settings.database_url) as app:

        @app.task(name=NOOP)
        async def noop() -> None:
            pass

        concurrency = worker.CONCURRENCY[jobs.PUBLISH]
        engine = jobs.make_worker(app, NOOP, concurrency, settings, jobs.RunningJobs())
        print("ready", flush=True)
        engine_task = asyncio.create_task(engine.run())  # type: ignore[no-untyped-call]
        while not engine_task.done():
            await worker.heartbeat(settings, app, [engine])


async def count_statements(
    workload: Workload, each: int
) -> tuple[float, Counter[str], BurstResult]:
    """Return the logged statements per post, their counts by kind, and the burst's result."""
    log = Path((await workload.fetch_row("SHOW data_directory"))["data_directory"]) / "server.log"
    await workload.admin.execute("ALTER SYSTEM SET log_line_prefix = 'app={%a} '")
    await workload.admin.execute("ALTER DATABASE bench SET log_statement = 'all'")
    await workload.admin.execute("SELECT pg_reload_conf()")
    try:
        offset = log.stat().st_size
        result = await run_burst(workload, each, "counted")
    finally:
        await workload.admin.execute("ALTER DATABASE bench RESET log_statement")
    with log.open("rb") as file:
        file.seek(offset)
        logged = file.read().decode(errors="replace")
    kinds = Counter(_kind(match.group(1)) for match in _LOGGED.finditer(logged))
    return kinds.total() / result.posts, kinds, result


def _kind(statement: str) -> str:
    """Return the first 70 characters of a statement. Equal beginnings count as one kind."""
    return " ".join(statement.split())[:70]


async def insert_waiting_posts(workload: Workload, count: int) -> float:
    """Insert posts that are due on a later day; return the bytes per post in all tables."""
    before = await _bytes(workload)
    account_count = sum(map(len, workload.accounts.values()))
    first = workload.runtime.clock.now() + timedelta(days=1)
    due_times = [
        first + timedelta(days=300) * n * account_count / count
        for n in range(count // account_count)
    ]
    # Triggers and checks of foreign keys are switched off, so that the inserts, which are not
    # measured, are faster.
    await workload.admin.execute("SET session_replication_role = replica")
    inserted = 0
    for tenant_id, accounts in workload.accounts.items():
        inserted += await workload.insert_posts(tenant_id, accounts, due_times, "later")
    await workload.admin.execute("SET session_replication_role = origin")
    log_progress(f"{inserted} posts wait; vacuuming")
    await workload.vacuum()
    await workload.admin.execute("CHECKPOINT")
    return (await _bytes(workload) - before) / inserted


async def _bytes(workload: Workload) -> int:
    row = await workload.fetch_row(
        "SELECT sum(pg_total_relation_size(oid))::bigint AS bytes FROM pg_class"
        " WHERE relnamespace = 'roost'::regnamespace AND relkind IN ('r', 'p')"
    )
    return int(row["bytes"])


async def lone_posts_ms(workload: Workload, count: int, chance: random.Random) -> list[float]:
    """Publish single posts; return how many milliseconds late X received each, sorted."""
    known = len(workload.emulator.ground_truth()["posts"])
    tenants = list(workload.accounts)
    async with run_workers(workload, WORKERS):
        due_at = workload.runtime.clock.now() + timedelta(seconds=5)
        planned: dict[str, datetime] = {}
        for number in range(count):
            tenant_id = chance.choice(tenants)
            account = chance.choice(workload.accounts[tenant_id])
            due_at += timedelta(milliseconds=chance.uniform(200, 400))
            await workload.insert_posts(tenant_id, [account], [due_at], f"lone {number} lone")
            planned[f"lone {number} lone"] = due_at
        await workload.notify_dispatchers()
        await workload.runtime.clock.sleep_until(due_at)
        await workload.wait_settled()
    late = []
    for post in workload.emulator.ground_truth()["posts"][known:]:
        name = re.search(r"lone \d+ lone", post["text"])
        assert name is not None
        arrived = datetime.fromisoformat(post["created_at"])
        late.append((arrived - planned.pop(name.group())) / timedelta(milliseconds=1))
    assert not planned, f"{len(planned)} lone posts are not on X"
    await _log_latest(workload)
    return sorted(late)


async def _log_latest(workload: Workload) -> None:
    """Log the times of the steps of the most delayed single posts, from their rows."""
    rows = await workload.admin.execute(_LATEST)
    for row in await rows.fetchall():
        steps = ", ".join(f"{step} {row[step] * 1000:.0f}" for step in ("queued", "begun", "sent"))
        log_progress(f"  no. {row['number']}, ms after its due time: {steps}")


_LATEST = """
    SELECT number, queued, begun, sent FROM (
        SELECT row_number() OVER (ORDER BY p.due_at) AS number,
               extract(epoch FROM e.at - p.due_at) AS queued,
               extract(epoch FROM a.started_at - p.due_at) AS begun,
               extract(epoch FROM t.sent_at - p.due_at) AS sent
        FROM posts p JOIN parts t ON t.post_id = p.id JOIN attempts a ON a.part_id = t.id
        JOIN events e ON e.post_id = p.id AND e.to_state = 'publishing'
        WHERE t.text LIKE '%lone %lone.%') AS lone
    ORDER BY sent DESC LIMIT 8
"""


async def measure(
    each: int, waiting: int, lone: int, seed: int
) -> tuple[list[Threshold], dict[str, Any]]:
    """Run all steps in order."""
    posts = each * sum(SIZES)
    log_progress(f"connecting {sum(SIZES)} accounts of {len(SIZES)} tenants")
    async with open_workload() as workload:
        log_progress("no-op jobs")
        noop = [await run_noop_jobs(workload, posts)]
        log_progress(f"{noop[0].per_second:.0f} a second; {posts} posts due at once")
        burst = await run_burst(workload, each, "burst")
        log_progress(f"{burst.per_second:.0f} a second; no-op jobs")
        noop.append(await run_noop_jobs(workload, posts))
        log_progress(f"{noop[1].per_second:.0f} a second; counting statements")
        statements, kinds, counted = await count_statements(workload, max(1, each // 5))
        for kind, times in kinds.most_common(30):
            log_progress(f"  {times / counted.posts:7.3f}  {kind}")
        log_progress(f"{statements:.2f} per post; inserting {waiting} waiting posts")
        bytes_per_post = await insert_waiting_posts(workload, waiting)
        log_progress(f"{bytes_per_post:.0f} bytes each; {lone} lone posts")
        late = await lone_posts_ms(workload, lone, random.Random(seed))
    noop_rate = statistics.mean(each.per_second for each in noop)
    thresholds = [
        Threshold("jain_index_min", least_jain(burst.receipts), ">=", 0.95),
        Threshold("lone_post_p99_ms", late[min(len(late) - 1, len(late) * 99 // 100)], "<=", 500),
        Threshold("statements_per_post", statements, "<=", 8),
        Threshold("publish_rate_vs_noop_jobs", burst.per_second / noop_rate, ">=", 0.3),
    ]
    cores = psutil.cpu_count() or 1
    figures: dict[str, Any] = {
        "posts": burst.posts,
        "accounts_of_tenants": ", ".join(
            f"{SIZES.count(size)} × {size}" for size in sorted(set(SIZES), reverse=True)
        ),
        "workers": WORKERS,
        "cores": cores,
        "posts_a_second": round(burst.per_second, 1),
        "posts_a_second_a_core": round(burst.per_second / cores, 1),
        "noop_jobs_a_second": round(noop_rate, 1),
        "lone_post_median_ms": round(statistics.median(late), 1),
        "lone_post_worst_ms": round(late[-1], 1),
        "bytes_per_waiting_post": round(bytes_per_post),
    }
    figures["cpu_ms_per_noop_job"] = round(statistics.mean(each.cpu_ms for each in noop), 2)
    figures |= {f"cpu_ms_per_post_{name}": round(ms, 2) for name, ms in burst.cpu_ms.items()}
    figures |= {
        f"statements: {kind}": round(times / counted.posts, 3)
        for kind, times in kinds.most_common()
        if times / counted.posts >= 0.01
    }
    return thresholds, figures


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description="Benchmark dispatching and publishing.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--each", type=int, default=10, help="posts per account in the burst")
    parser.add_argument("--waiting", type=int, default=1_000_000, help="number of posts that wait")
    parser.add_argument("--lone", type=int, default=200, help="number of posts that come due alone")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--noop-worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.noop_worker:
        asyncio.run(run_noop_worker())
        return 0
    thresholds, figures = asyncio.run(
        measure(arguments.each, arguments.waiting, arguments.lone, arguments.seed)
    )
    return report("ontime", thresholds, figures, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
