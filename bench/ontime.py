"""Bench dispatching: fair at a burst, at once for a lone post, and at which price in statements.

    ./dev bench ontime [--json] [--each N] [--waiting N] [--lone N]

Two workers beside PostgreSQL and the emulator, all on this machine, all durable. In turns: no-op
jobs, a burst of posts due at one instant, no-op jobs again (the burst is held against their mean;
each begins with a tidy queue and is of the same number, since the engine slows as its table fills);
a smaller burst whose statements PostgreSQL itself writes down (`log_statement = all`), counted from
there whoever sent them; then very many posts that wait, and single ones that come due among them.
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
from _report import Bar, report
from _town import SIZES, Town, environment_of, open_town, say, workers

from roost import jobs, worker
from roost.models import TenantId
from roost.settings import read_settings

WORKERS = 2
NOOP = "noop"
#: Jobs that do nothing are queued so many at once.
PORTION = 1_000
TENTHS = 10
#: A logged statement, of whichever connection but the bench's own.
_LOGGED = re.compile(
    r"^app={(?!bench})[^}]*} LOG:  (?:statement|execute [^:]+): (.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class Burst:
    """What became of posts that were due at one instant."""

    posts: int
    seconds: float
    receipts: list[TenantId]
    """Whose post it was, in the order in which X got them."""
    cpu_ms: dict[str, float]
    """Milliseconds of CPU a post, by who used them."""

    @property
    def a_second(self) -> float:
        """Posts out and settled, a second."""
        return self.posts / self.seconds


async def burst(town: Town, each: int, name: str) -> Burst:
    """Every account has `each` posts due at one instant; from then until all are settled."""
    known = len(town.played.ground_truth()["posts"])
    async with workers(town, WORKERS) as processes:
        due = town.runtime.clock.now() + timedelta(seconds=5 + each)
        posts = await town.plan(list(town.accounts), each, due, name)
        await town.tidy()
        assert town.runtime.clock.now() < due, "the machine is too slow to plan them in time"
        await town.runtime.clock.sleep_until(due)
        began, before = time.monotonic(), await _cpu_seconds(town, processes)
        await town.settled()
        seconds = time.monotonic() - began
        after = await _cpu_seconds(town, processes)
    receipts = [
        town.tenant_of[post["user"]] for post in town.played.ground_truth()["posts"][known:]
    ]
    assert len(receipts) == posts, f"{len(receipts)} of {posts} posts are on X"
    spent = {who: (after[who] - before[who]) * 1000 / posts for who in after}
    return Burst(posts, seconds, receipts, spent)


async def _cpu_seconds(town: Town, processes: Sequence[psutil.Process]) -> dict[str, float]:
    """What the workers, the emulator and the server (its ended sessions too) have used."""

    def used(process: psutil.Process) -> float:
        return sum(process.cpu_times()[:4]) + sum(map(used, process.children()))

    played = [p for p in psutil.Process().children() if "x_emulator" in p.cmdline()]
    return {
        "workers": sum(map(used, processes)),
        "emulator": sum(map(used, played)),
        "postgres": used(await town.server()),
    }


def least_jain(receipts: Sequence[TenantId]) -> float:
    """The least of Jain's index over the tenths of a drain.

    In each tenth, of the posts that each tenant got out, among tenants that still have some left at
    its end: one that ran dry in between had no use for more turns.
    """
    last = {tenant: place for place, tenant in enumerate(receipts)}
    indices = []
    for tenth in range(TENTHS):
        begin, end = (len(receipts) * (tenth + step) // TENTHS for step in (0, 1))
        got = Counter(receipts[begin:end])
        served = [got[tenant] for tenant, place in last.items() if place >= end]
        if served:
            squares = sum(posts * posts for posts in served)
            indices.append(sum(served) ** 2 / (len(served) * squares) if squares else 0.0)
    return min(indices)


@dataclass(frozen=True)
class Noop:
    """What jobs that do nothing take."""

    a_second: float
    cpu_ms: float
    """Milliseconds of CPU a job, of workers and server."""


async def noop_jobs(town: Town, count: int) -> Noop:
    """So many jobs that do nothing, done by the same engine in as many processes.

    In portions: the engine is slowed by a deep queue of its own, which would flatter the posts.
    """
    await town.tidy()
    portions = max(1, count // PORTION)
    async with contextlib.AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(_noop_worker(town)) for _ in range(WORKERS)]
        before = await _cpu_seconds(town, processes)
        seconds = 0.0
        for _ in range(portions):
            await _queue_noop(town)
            began = time.monotonic()
            await town.until("SELECT NOT EXISTS (SELECT FROM procrastinate_jobs) AS so")
            seconds += time.monotonic() - began
        after = await _cpu_seconds(town, processes)
    spent = sum(after[who] - before[who] for who in after)
    done = portions * PORTION
    return Noop(done / seconds, spent * 1000 / done)


async def _queue_noop(town: Town) -> None:
    await town.ask(
        "SELECT cardinality(procrastinate_defer_jobs_v1(array_agg(ROW(%s, %s, 0, NULL,"
        " 'noop:' || n, '{}', NULL)::procrastinate_job_to_defer_v1)))"
        " FROM generate_series(1, %s) AS n",
        jobs.queue_name(NOOP, town.runtime.settings.environment),
        NOOP,
        PORTION,
    )


@contextlib.asynccontextmanager
async def _noop_worker(town: Town) -> AsyncIterator[psutil.Process]:
    """This file as a worker that knows a task that does nothing."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--noop-worker",
        env=environment_of(town.runtime.settings),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        await process.wait()


async def work_on_nothing() -> None:
    """Be a worker of the engine, set as Roost sets it, for jobs that do nothing."""
    settings = read_settings()
    assert settings.database_url is not None
    async with jobs.open_engine(settings.database_url) as app:

        @app.task(name=NOOP)
        async def noop() -> None:
            pass

        concurrency = worker.CONCURRENCY[jobs.PUBLISH]
        engine = jobs.make_worker(app, NOOP, concurrency, settings, jobs.RunningJobs())
        print("ready", flush=True)
        working = asyncio.create_task(engine.run())  # type: ignore[no-untyped-call]
        while not working.done():
            await worker.heartbeat(settings, app, [engine])


async def count_statements(town: Town, each: int) -> tuple[float, Counter[str], Burst]:
    """Statements a post by PostgreSQL's own log, their kinds (of all posts), and the burst."""
    log = Path((await town.ask("SHOW data_directory"))["data_directory"]) / "server.log"
    await town.owner.execute("ALTER SYSTEM SET log_line_prefix = 'app={%a} '")
    await town.owner.execute("ALTER DATABASE bench SET log_statement = 'all'")
    await town.owner.execute("SELECT pg_reload_conf()")
    try:
        offset = log.stat().st_size
        done = await burst(town, each, "counted")
    finally:
        await town.owner.execute("ALTER DATABASE bench RESET log_statement")
    with log.open("rb") as file:
        file.seek(offset)
        told = file.read().decode(errors="replace")
    kinds = Counter(_kind(found.group(1)) for found in _LOGGED.finditer(told))
    return kinds.total() / done.posts, kinds, done


def _kind(statement: str) -> str:
    """A statement's first words: for a named statement, the comment that says what it does."""
    return " ".join(statement.split())[:70]


async def fill_with_waiting(town: Town, count: int) -> float:
    """So many posts that wait for a later day; the bytes that each of them takes, all included."""
    before = await _bytes(town)
    total = sum(map(len, town.accounts.values()))
    first = town.runtime.clock.now() + timedelta(days=1)
    times = [first + timedelta(days=300) * n * total / count for n in range(count // total)]
    # Checks of foreign keys and triggers are not what is measured.
    await town.owner.execute("SET session_replication_role = replica")
    done = 0
    for tenant_id, accounts in town.accounts.items():
        done += await town.fill(tenant_id, accounts, times, "later")
    await town.owner.execute("SET session_replication_role = origin")
    say(f"{done} posts wait; tidying up after their arrival")
    await town.tidy()
    await town.owner.execute("CHECKPOINT")
    return (await _bytes(town) - before) / done


async def _bytes(town: Town) -> int:
    row = await town.ask(
        "SELECT sum(pg_total_relation_size(oid))::bigint AS bytes FROM pg_class"
        " WHERE relnamespace = 'roost'::regnamespace AND relkind IN ('r', 'p')"
    )
    return int(row["bytes"])


async def lone_posts_ms(town: Town, count: int, chance: random.Random) -> list[float]:
    """How late X got posts that came due one by one, from their instant on; milliseconds."""
    known = len(town.played.ground_truth()["posts"])
    tenants = list(town.accounts)
    async with workers(town, WORKERS):
        due = town.runtime.clock.now() + timedelta(seconds=5)
        planned: dict[str, datetime] = {}
        for number in range(count):
            tenant_id = chance.choice(tenants)
            account = chance.choice(town.accounts[tenant_id])
            due += timedelta(milliseconds=chance.uniform(200, 400))
            await town.fill(tenant_id, [account], [due], f"lone {number} lone")
            planned[f"lone {number} lone"] = due
        await town.announce()
        await town.runtime.clock.sleep_until(due)
        await town.settled()
    late = []
    for post in town.played.ground_truth()["posts"][known:]:
        name = re.search(r"lone \d+ lone", post["text"])
        assert name is not None
        arrived = datetime.fromisoformat(post["created_at"])
        late.append((arrived - planned.pop(name.group())) / timedelta(milliseconds=1))
    assert not planned, f"{len(planned)} lone posts did not go out"
    await _tell_latest(town)
    return sorted(late)


async def _tell_latest(town: Town) -> None:
    """Where the latest of the lone posts lost their time, by their own rows."""
    rows = await town.owner.execute(_LATEST)
    for row in await rows.fetchall():
        told = ", ".join(f"{what} {row[what] * 1000:.0f}" for what in ("queued", "begun", "sent"))
        say(f"  no. {row['turn']}, ms after it was due: {told}")


_LATEST = """
    SELECT turn, queued, begun, sent FROM (
        SELECT row_number() OVER (ORDER BY p.due_at) AS turn,
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
) -> tuple[list[Bar], dict[str, Any]]:
    """Everything, in order."""
    posts = each * sum(SIZES)
    say(f"connecting {sum(SIZES)} accounts of {len(SIZES)} tenants")
    async with open_town() as town:
        say("no-op jobs")
        noop = [await noop_jobs(town, posts)]
        say(f"{noop[0].a_second:.0f} a second; {posts} posts due at once")
        drained = await burst(town, each, "burst")
        say(f"{drained.a_second:.0f} a second; no-op jobs")
        noop.append(await noop_jobs(town, posts))
        say(f"{noop[1].a_second:.0f} a second; counting statements")
        statements, kinds, counted = await count_statements(town, max(1, each // 5))
        for kind, times in kinds.most_common(30):
            say(f"  {times / counted.posts:7.3f}  {kind}")
        say(f"{statements:.2f} a post; {waiting} posts that wait")
        weight = await fill_with_waiting(town, waiting)
        say(f"{weight:.0f} bytes each; {lone} lone posts")
        late = await lone_posts_ms(town, lone, random.Random(seed))
    noop_rate = statistics.mean(each.a_second for each in noop)
    bars = [
        Bar("jain_index_min", least_jain(drained.receipts), ">=", 0.95),
        Bar("lone_post_p99_ms", late[min(len(late) - 1, len(late) * 99 // 100)], "<=", 500),
        Bar("statements_per_post", statements, "<=", 8),
        Bar("publish_rate_vs_noop_jobs", drained.a_second / noop_rate, ">=", 0.3),
    ]
    cores = psutil.cpu_count() or 1
    figures: dict[str, Any] = {
        "posts": drained.posts,
        "accounts_of_tenants": ", ".join(
            f"{SIZES.count(size)} × {size}" for size in sorted(set(SIZES), reverse=True)
        ),
        "workers": WORKERS,
        "cores": cores,
        "posts_a_second": round(drained.a_second, 1),
        "posts_a_second_a_core": round(drained.a_second / cores, 1),
        "noop_jobs_a_second": round(noop_rate, 1),
        "lone_post_median_ms": round(statistics.median(late), 1),
        "lone_post_worst_ms": round(late[-1], 1),
        "bytes_per_waiting_post": round(weight),
    }
    figures["cpu_ms_per_noop_job"] = round(statistics.mean(each.cpu_ms for each in noop), 2)
    figures |= {f"cpu_ms_per_post_{who}": round(ms, 2) for who, ms in drained.cpu_ms.items()}
    figures |= {
        f"statements: {kind}": round(times / counted.posts, 3)
        for kind, times in kinds.most_common()
        if times / counted.posts >= 0.01
    }
    return bars, figures


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description="Bench dispatching and publishing.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--each", type=int, default=10, help="posts an account in the burst")
    parser.add_argument("--waiting", type=int, default=1_000_000, help="posts of the future")
    parser.add_argument("--lone", type=int, default=200, help="posts that come due alone")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--noop-worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.noop_worker:
        asyncio.run(work_on_nothing())
        return 0
    bars, figures = asyncio.run(measure(asked.each, asked.waiting, asked.lone, asked.seed))
    return report("ontime", bars, figures, asked.json)


if __name__ == "__main__":
    raise SystemExit(main())
