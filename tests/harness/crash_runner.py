"""Runs a crash: posts are due, a worker stops at a failpoint, another worker takes over."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from PIL import Image

from fix_processes import QUICK, until
from harness.checker import Evidence, check_posts
from harness.crash_cases import DUPLICATE, CrashCase, CrashSignal, PartKind
from harness.post_rows import describe_post
from harness.records import PlannedPost, PostRow
from harness.scenario import Scenario, open_scenario
from harness.server import Server
from harness.workers import Worker
from roost.models import NO_OPTIONS, Integration, PartOptions, Poll, TweetId
from x_emulator.pytest_plugin import run_emulator

#: The number of emulated seconds that pass in a wall second. With a high rate, X's timeline lag and
#: the waits between reads are short.
RATE = 20
#: The number of workers: one worker crashes while the other runs.
WORKERS = 2


@dataclass(frozen=True)
class CrashResult:
    """What the check of a crash case has found."""

    case: CrashCase
    problems: tuple[str, ...]
    """A description of each violation of the delivery guarantee."""
    needs_decision: int
    """The number of posts that need a decision by a person."""
    lock_held: bool = False
    """Whether the crashed worker still held the account's lock."""
    fault_unused: bool = False
    """Whether the fault of the case was not applied to any request."""
    shutdown_s: float = 0.0
    """The wall seconds from SIGTERM to the end of the resumed worker."""
    history: str = ""
    """The rows and ground truth of the posts. Empty if there is no problem."""


async def run_cases(
    server: Server,
    cases: Sequence[CrashCase],
    parallel: int,
    on_result: Callable[[CrashResult, int], None] = lambda result, done: None,
) -> list[CrashResult]:
    """Run crash cases in `parallel` test setups, each with a database and an emulator.

    Each test setup runs its cases one after the other. `on_result` is called with each result and
    the number of results so far.
    """
    waiting = list(reversed(cases))
    results: list[CrashResult] = []

    async def run_waiting(number: int) -> None:
        async with contextlib.AsyncExitStack() as stack:
            url = stack.enter_context(run_emulator("--scenario", "steady", "--seed", str(number)))
            database = await stack.enter_async_context(server.database())
            folder = server.folder / f"scenario_{number}"
            scenario = await stack.enter_async_context(
                open_scenario(database, url, folder, wall=QUICK)
            )
            await scenario.emulator.control("clock", rate=RATE)
            await scenario.emulator.switch(tier="enterprise")
            while waiting:
                result = await run_case(scenario, waiting.pop())
                results.append(result)
                on_result(result, len(results))

    await asyncio.gather(*(run_waiting(number) for number in range(min(parallel, len(cases)))))
    return results


async def run_case(scenario: Scenario, case: CrashCase) -> CrashResult:
    """Run a crash case and check its result."""
    await scenario.ensure_workers(WORKERS)
    account = await scenario.connect(f"case_{case.number}")
    problems: list[str] = []
    lock_held, crashed, shutdown_s = False, None, 0.0
    planned = await _prepare(scenario, case, account)
    posts = [each.post_id for each in planned]

    async def has_fired_or_settled() -> bool:
        return await scenario.trap.has_fired() or await scenario.are_final(posts)

    await scenario.run_until(has_fired_or_settled, within=60)
    with contextlib.suppress(TimeoutError):
        # The posts are final after the last commit, but the worker may not have reached the
        # failpoint after this commit yet.
        await until(scenario.trap.has_fired, within=5)
    if not await scenario.trap.has_fired():
        scenario.trap.disarm()
        problems.append("no worker reached the failpoint")
    else:
        crashed = await _find_crashed_worker(scenario, case.signal)
        lock_held = case.signal is not CrashSignal.KILL and await scenario.holds_account_lock(
            crashed, account
        )
        match case.signal:
            case CrashSignal.KILL:
                await crashed.wait_ended()
            case CrashSignal.STOP:
                problems += await _check_other_worker(scenario, case, account, lock_held)
                crashed.send(signal.SIGCONT)
            case CrashSignal.STOP_DISCONNECTED:
                if not await scenario.end_sessions(crashed):
                    problems.append("the stopped worker had no session to end")
                if not await scenario.wait_settled(posts):
                    problems.append("no other worker took over from the stopped worker")
                shutdown_s, shutdown_problems = await _resume_and_stop(scenario, crashed)
                problems += shutdown_problems
    if not await scenario.wait_settled(posts):
        problems.append("some posts do not reach a final state")
    problems += [
        f"{worker.name} ended by itself; {worker.log_tail()}"
        for worker in scenario.workers
        if worker.has_ended and worker is not crashed
    ]
    fault_unused = bool(await scenario.count_pending_faults())
    await scenario.emulator.clear_faults()
    result = await _check_result(scenario, case, planned, problems)
    return replace(result, lock_held=lock_held, fault_unused=fault_unused, shutdown_s=shutdown_s)


async def _prepare(scenario: Scenario, case: CrashCase, account: Integration) -> list[PlannedPost]:
    """Arm the failpoint trap, inject the fault, and plan a thread and a single post."""
    name = f"{account.username}:"
    image = scenario.folder / f"{account.username}.png"
    Image.new("RGB", (64, 64), (case.number % 256, case.number // 256, 90)).save(image)
    first, second, delay = f"{name} first of two", f"{name} second of two", timedelta(seconds=2)
    for text, is_on_x in (
        (first, case.response is DUPLICATE),
        (second, case.is_about_final_state),
    ):
        if is_on_x:
            await scenario.post_manually(account, text)
            await scenario.emulator.jump(seconds=3600)
    if case.step == "refresh":
        await scenario.emulator.jump(hours=2)
    if case.step == "read":
        # The response to the create is lost after X's commit, so Roost must read the timeline.
        await scenario.emulator.fail("create_post", "after", "drop")
    if case.response.fault:
        await scenario.emulator.fail(case.operation, case.response.when, case.response.fault)
    sent_signal = signal.SIGKILL if case.signal is CrashSignal.KILL else signal.SIGSTOP
    scenario.trap.arm(case.failpoint.value, sent_signal)
    options = await _make_options(scenario, case, account)
    media = image if case.kind in {PartKind.PLAIN, PartKind.REPLY} else None
    thread = await scenario.plan_post(
        account, first, second, after=delay, media=media, options=options
    )
    single = await scenario.plan_post(
        account, f"{name} on its own", after=delay + timedelta(seconds=1)
    )
    return [thread, single]


async def _make_options(scenario: Scenario, case: CrashCase, account: Integration) -> PartOptions:
    """Return the options of the thread's first part; create the post to reply to or quote."""
    match case.kind:
        case PartKind.PLAIN:
            return NO_OPTIONS
        case PartKind.POLL:
            return PartOptions(poll=Poll(("Yes", "No"), timedelta(days=1)))
        case PartKind.REPLY | PartKind.QUOTE:
            other = (await scenario.emulator.users())[0]["username"]
            text = f"What of it, @{account.username}?"
            post = await scenario.emulator.act("post", username=other, text=text)
            tweet_id = TweetId(post["id"])
            is_reply = case.kind is PartKind.REPLY
            return PartOptions(reply_to=tweet_id) if is_reply else PartOptions(quote_of=tweet_id)


async def _find_crashed_worker(scenario: Scenario, crash_signal: CrashSignal) -> Worker:
    """Wait until a worker has crashed, and return it."""
    crashed: list[Worker] = []

    async def find() -> bool:
        crashed[:] = [
            each
            for each in scenario.workers
            if (each.has_ended if crash_signal is CrashSignal.KILL else each.is_stopped)
        ]
        return bool(crashed)

    await until(find)
    return crashed[0]


async def _check_other_worker(
    scenario: Scenario, case: CrashCase, account: Integration, lock_held: bool
) -> list[str]:
    """Check that the other worker sends for other accounts, but not for a locked account.

    A post of another account shows that the other worker runs. This post is due only after the
    stopped worker counts as dead and the deadline of its attempt is over. By then, the other worker
    has had the time to take over, but must not have taken over if `lock_held`.
    """
    problems = []
    creates_before = await _count_creates(scenario, account)
    other_account = await scenario.connect(f"other_{case.number}")
    wait_s = float(scenario.environment["ROOST_WORKER_TIMEOUT_S"]) + float(
        scenario.environment["ROOST_CREATE_TIMEOUT_S"]
    )
    other_post = await scenario.plan_post(
        other_account,
        f"{other_account.username} is on time",
        after=timedelta(seconds=(wait_s + 0.5) * RATE),
    )
    if not await scenario.wait_settled([other_post.post_id]):
        problems.append("the other worker does not publish for other accounts")
    if lock_held and await _count_creates(scenario, account) != creates_before:
        problems.append("a worker sent for an account whose lock the stopped worker holds")
    return problems


async def _count_creates(scenario: Scenario, account: Integration) -> int:
    requests = (await scenario.read_ground_truth("requests"))["requests"]
    return sum(
        each["operation"] == "create_post" and each["user"] == account.x_user_id
        for each in requests
    )


async def _resume_and_stop(scenario: Scenario, worker: Worker) -> tuple[float, list[str]]:
    """Resume a worker whose sessions were ended, wait until it reconnects, and stop it.

    Returns the wall seconds from SIGTERM to the worker's end, and a list of problems.
    """
    worker.send(signal.SIGCONT)

    async def has_reconnected() -> bool:
        return worker.has_ended or await scenario.count_sessions(worker) > 0

    problem, asked_at = "did not reconnect to the database", time.monotonic()
    try:
        await until(has_reconnected)
        problem, asked_at = "did not end after SIGTERM", time.monotonic()
        worker.send(signal.SIGTERM)
        await worker.wait_ended(within=120)
    except TimeoutError:
        worker.send(signal.SIGKILL)
        await worker.wait_ended()
        return 0.0, [f"the resumed worker {problem}; {worker.log_tail()}"]
    return time.monotonic() - asked_at, []


async def _check_result(
    scenario: Scenario, case: CrashCase, planned: Sequence[PlannedPost], problems: list[str]
) -> CrashResult:
    all_rows = await scenario.read_posts()
    rows = {each.post_id: all_rows[each.post_id] for each in planned}
    user_id = planned[0].user_id
    x_posts = [each for each in await scenario.read_x_posts() if each.user_id == user_id]
    findings = check_posts(Evidence(planned, rows, x_posts))
    problems += [f"{each.kind.value}: {each.description}" for each in findings]
    problems += _check_states(case, rows.values())
    needs_decision = sum(row.state == "needs_decision" for row in rows.values())
    history = "\n".join(describe_post(row, x_posts) for row in rows.values()) if problems else ""
    return CrashResult(case, tuple(problems), needs_decision, history=history)


def _check_states(case: CrashCase, rows: Iterable[PostRow]) -> list[str]:
    """Describe the posts that end in a state that is not expected in this case."""
    if case.response is DUPLICATE:
        return []
    expected = {"published"}
    if case.is_about_final_state:
        # A person has posted the text of the second part. X therefore refuses the second part, or
        # Roost cannot distinguish the person's post from its own attempt.
        expected |= {"partly_published", "needs_decision"}
    return [
        f"post {row.id} is {row.state}, although X was soon available: {row.reason}"
        for row in rows
        if row.state not in expected
    ]
