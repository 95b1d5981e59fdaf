"""Runs data-loss schedules in several test setups in parallel, and checks their outcomes."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.checker import Finding, check_posts
from harness.data_loss.checker import Harm, count_adopted, find_harm
from harness.data_loss.cluster import ClusterHost
from harness.data_loss.environment import LossEnvironment, open_environment
from harness.data_loss.schedules import Schedule
from harness.post_rows import describe_post
from x_emulator.pytest_plugin import run_emulator


@dataclass(frozen=True)
class LossCase:
    """One run of a schedule, on an X that refuses or accepts duplicates."""

    schedule: Schedule
    refuse_duplicates: bool

    @property
    def name(self) -> str:
        """The name of the case in reports."""
        verb = "refuses" if self.refuse_duplicates else "accepts"
        return f"{self.schedule.name} (X {verb} duplicates)"


@dataclass(frozen=True)
class LossResult:
    """What a case has shown: the harm to posts, and what Roost and the operator did."""

    case: LossCase
    harm: tuple[Harm, ...] = ()
    failure: str = ""
    """The reason why the case did not run to its end; empty if it ran to its end."""
    history: str = ""
    """The rows and ground truth of the posts with harm."""
    alerts: Counter[str] = field(default_factory=Counter)
    resumes: int = 0
    adopted: int = 0
    reconnected: int = 0
    needs_decision: int = 0
    exit_logs: tuple[str, ...] = ()
    """The last log lines of each worker that ended by itself."""
    findings: tuple[Finding, ...] = ()
    """Violations that `harness.checker`, which all benchmarks share, has found."""
    seconds: float = 0.0


async def run_cases(
    host: ClusterHost,
    folder: Path,
    cases: Sequence[LossCase],
    parallel: int,
    seed: int,
    on_result: Callable[[LossResult, int], None] = lambda result, done: None,
) -> list[LossResult]:
    """Run cases, `parallel` of them at a time, each in a test setup of its own.

    `on_result` is called with each result and the number of results so far.
    """
    waiting = list(reversed(cases))
    results: list[LossResult] = []

    async def run_waiting(number: int) -> None:
        with run_emulator("--scenario", "steady", "--seed", str(seed + number)) as url:
            while waiting:
                case = waiting.pop()
                case_folder = folder / f"environment-{number}-{len(waiting)}"
                result = await _run_case(host, url, case_folder, case)
                shutil.rmtree(case_folder, ignore_errors=True)
                results.append(result)
                on_result(result, len(results))

    async with asyncio.TaskGroup() as group:
        for number in range(min(parallel, len(cases))):
            group.create_task(run_waiting(number))
    return results


async def _run_case(
    host: ClusterHost, emulator_url: str, folder: Path, case: LossCase
) -> LossResult:
    began = time.monotonic()
    schedule = case.schedule
    try:
        async with open_environment(
            host, emulator_url, folder, wall=schedule.wall, refuse_duplicates=case.refuse_duplicates
        ) as environment:
            try:
                await environment.plan_posts()
                await schedule.run(environment)
                is_settled = await environment.wait_settled()
                return await _check_result(environment, case, is_settled, began)
            except Exception as error:
                logs = "\n".join(each.log_tail() for each in environment.scenario.workers)
                error.add_note(logs)
                raise
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        failure = f"{type(error).__name__}: {error}\n{notes}"
        return LossResult(case, failure=failure, seconds=time.monotonic() - began)


async def _check_result(
    environment: LossEnvironment, case: LossCase, is_settled: bool, began: float
) -> LossResult:
    outcome = await environment.collect_outcome()
    harm = find_harm(outcome)
    harmed = {each.post_id for each in harm}
    lines = [f"  {each.kind.value}: post {each.post_id}: {each.description}" for each in harm]
    for planned in outcome.planned:
        if planned.post_id in harmed and planned.post_id in outcome.rows:
            copies = [
                copy
                for position in range(1, len(planned.texts) + 1)
                for copy in outcome.copies(planned, position)
            ]
            lines.append(describe_post(outcome.rows[planned.post_id], copies))
    if harm:
        operator = environment.operator
        lines += [f"  resume ended with {code}: {output}" for code, output in operator.resumes]
        lines += [f"  then {command}" for command in operator.commands]
    if harm and not is_settled:
        lines += ["  the posts did not all reach a final state"]
        lines += [f"  {each.name}: {each.log_tail()}" for each in environment.scenario.workers]
    return LossResult(
        case,
        tuple(harm),
        history="\n".join(lines),
        alerts=Counter(outcome.alerts),
        resumes=len(environment.operator.resumes),
        reconnected=environment.operator.reconnected,
        adopted=count_adopted(outcome) + environment.operator.adopted,
        needs_decision=sum(row.state == "needs_decision" for row in outcome.rows.values()),
        exit_logs=tuple(log for each in environment.machines for log in each.exit_logs),
        findings=tuple(check_posts(outcome.as_evidence(), all_settled=False)),
        seconds=time.monotonic() - began,
    )
