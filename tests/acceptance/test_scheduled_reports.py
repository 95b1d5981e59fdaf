"""Each scheduled report is made exactly once, even if workers are killed meanwhile.

`./dev bench report_schedules` runs the same check over more weeks.
"""

import pytest

from harness.report_schedules import ZONES, run_schedules
from harness.workload import open_workload

pytestmark = pytest.mark.timing


async def test_scheduled_reports_are_made_once_while_workers_are_killed() -> None:
    async with open_workload([1] * len(ZONES)) as workload:
        outcome = await run_schedules(workload, weeks=4, seed=17)
    assert not outcome.problems, "\n".join(outcome.problems)
    assert outcome.expected == 5 * len(ZONES)
    assert outcome.killed >= 4
