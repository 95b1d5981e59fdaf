"""A short chaos: workers die, X errs, clocks are wrong, the database restarts and is restored.

`./dev bench chaos` is the whole of it, with bars for how quickly it recovers.
"""

import pytest
from _workers import find_faketime
from chaos import SHORT, bars, run

pytestmark = pytest.mark.timing


async def test_every_promise_is_kept_while_everything_breaks() -> None:
    outcomes = await run(SHORT, seed=7)
    stories = "\n".join(
        f"{finding.wrong}: {finding.what}\n{outcome.stories.get(finding.post_id, '')}"
        for outcome in outcomes
        for finding in outcome.findings
    )
    assert not stories, stories
    measured = {bar.name: bar.value for bar in bars(outcomes)}
    met = ("kills", "stops", "lost_responses", "reconciled")
    assert all(measured[name] for name in met), measured
    assert measured["db_restarts"] == 2
    assert measured["read_only_phases"] == 1
    assert measured["restores"] == 1
    assert measured["shared_accounts"] >= 1
    assert measured["ended_by_themselves"] == 0
    if find_faketime() is not None:
        assert measured["skewed_workers"] >= 1
        assert measured["sent_by_wrong_clock"] == 0
    assert measured["needs_decision_share"] < 0.1
