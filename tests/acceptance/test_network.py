"""A few schedules of `./dev bench network`: portals, held and repeated creates, a wrong clock."""

from pathlib import Path

import pytest
from _ground import Ground
from network import run_short, thresholds

from fix_postgres import PostgresServer


@pytest.mark.timing
async def test_every_post_is_on_x_once_behind_a_network_that_lies(
    migrated_server: PostgresServer, tmp_path: Path
) -> None:
    outcome = await run_short(Ground(migrated_server.url, tmp_path))
    stories = "\n".join(
        f"{verdict.name}: {', '.join(verdict.wrong)}\n{verdict.story}"
        for verdict in outcome.verdicts
        if verdict.wrong
    )
    assert not stories, stories
    fallen = [bar for bar in thresholds(outcome, least=16) if not bar.holds]
    assert not fallen, fallen
    assert any(verdict.adopted for verdict in outcome.verdicts)
    assert any(verdict.resends for verdict in outcome.verdicts)
    assert any(verdict.proxy_duplicates for verdict in outcome.verdicts)
