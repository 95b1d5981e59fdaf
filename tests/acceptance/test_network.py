"""A short run of `./dev bench network`: captive portals, late requests, a wrong clock."""

from pathlib import Path

import pytest

from fix_postgres import PostgresServer
from harness.network.suite import run_short_suite, thresholds
from harness.server import Server


@pytest.mark.timing
async def test_publish_is_exactly_once_on_faulty_network(
    migrated_server: PostgresServer, tmp_path: Path
) -> None:
    suite = await run_short_suite(Server(migrated_server.url, tmp_path))
    problems = "\n".join(
        f"{result.name}: {', '.join(result.problems)}\n{result.history}"
        for result in suite.results
        if result.problems
    )
    assert not problems, problems
    missed = [each for each in thresholds(suite, min_schedules=16) if not each.is_met]
    assert not missed, missed
    assert any(result.adopted for result in suite.results)
    assert any(result.resends for result in suite.results)
    assert any(result.proxy_duplicates for result in suite.results)
