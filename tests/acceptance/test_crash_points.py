"""A worker crashes at every failpoint, and every post is still on X exactly once.

The workers are real processes; `harness.crash_cases` lists the crashes. `./dev bench crashpoints`
also combines each crash with every response of X.
"""

from pathlib import Path

import pytest

from fix_postgres import PostgresServer
from harness.crash_cases import CrashSignal, kind_cases, plain_cases
from harness.crash_runner import run_cases
from harness.server import Server

pytestmark = pytest.mark.timing


@pytest.mark.parametrize("signal", list(CrashSignal), ids=[each.value for each in CrashSignal])
async def test_publish_is_exactly_once_after_worker_crash_at_each_failpoint(
    signal: CrashSignal, migrated_server: PostgresServer, tmp_path: Path
) -> None:
    cases = [*plain_cases(signal), *(kind_cases() if signal is CrashSignal.KILL else ())]
    results = await run_cases(Server(migrated_server.url, tmp_path), cases, parallel=3)
    problems = [
        f"{each.case.name}: {'; '.join(each.problems)}\n{each.history}"
        for each in results
        if each.problems
    ]
    assert not problems, "\n".join(problems)
    assert len(results) == len(cases)
    if signal is not CrashSignal.KILL:
        assert any(result.lock_held for result in results)
