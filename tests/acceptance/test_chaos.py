"""A short chaos run: workers die, X fails, clocks are wrong, the database is restored.

`./dev bench chaos` makes a longer run, and also limits the time that recovery may take.
"""

import pytest

from harness.chaos.config import SHORT
from harness.chaos.phases import run_phases
from harness.chaos.results import thresholds
from harness.workers import find_faketime

pytestmark = pytest.mark.timing


async def test_publish_keeps_delivery_guarantee_while_everything_fails() -> None:
    results = await run_phases(SHORT, seed=7)
    histories = "\n".join(
        f"{finding.kind}: {finding.description}\n{result.histories.get(finding.post_id, '')}"
        for result in results
        for finding in result.findings
    )
    assert not histories, histories
    measured = {each.name: each.value for each in thresholds(results)}
    required = ("kills", "stops", "lost_responses", "reconciled")
    assert all(measured[name] for name in required), measured
    assert measured["db_restarts"] == 2
    assert measured["read_only_phases"] == 1
    assert measured["restores"] == 1
    assert measured["shared_accounts"] >= 1
    assert measured["ended_by_themselves"] == 0
    if find_faketime() is not None:
        assert measured["skewed_workers"] >= 1
        assert measured["sent_by_wrong_clock"] == 0
    assert measured["needs_decision_share"] < 0.1
