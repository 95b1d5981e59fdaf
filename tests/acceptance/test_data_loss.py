"""After each of three kinds of data loss, no post is lost and no post is on X twice.

The workers are real processes. `./dev bench data_loss` tests all kinds of data loss, each of them
twice: once X refuses duplicates, and once X accepts duplicates.
"""

from pathlib import Path

import pytest

from harness.data_loss.cluster import open_cluster_host
from harness.data_loss.runner import LossCase, run_cases
from harness.data_loss.schedules import all_schedules

pytestmark = pytest.mark.timing

_SCHEDULES = {
    "failover running, 1 s behind": False,
    "dump recreate, running": True,
    "snapshot after a stop": False,
}
"""Whether X refuses duplicates, for each name of a schedule."""


async def test_publish_neither_repeats_nor_loses_a_post_after_data_loss(tmp_path: Path) -> None:
    cases = [
        LossCase(each, _SCHEDULES[each.name]) for each in all_schedules() if each.name in _SCHEDULES
    ]
    assert len(cases) == len(_SCHEDULES)
    async with open_cluster_host(tmp_path) as host:
        results = await run_cases(host, tmp_path, cases, parallel=3, seed=7)
    problems = [
        f"{each.case.name}: {each.failure or each.history}"
        for each in results
        if each.failure or each.harm
    ]
    assert not problems, "\n".join(problems)
    assert len(results) == len(cases)
