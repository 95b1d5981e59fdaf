"""Runs all phases of chaos, each with its own emulator and its own database on one server."""

import contextlib
import tempfile
from pathlib import Path

from harness.chaos.config import ChaosConfig
from harness.chaos.incidents import Incidents
from harness.chaos.phase import Phase
from harness.chaos.results import PhaseResult
from harness.report import log_progress
from harness.scenario import open_scenario
from harness.server import open_server
from x_emulator.pytest_plugin import run_emulator

#: The names of the phases, and each phase's percentage of the posts.
SHARES = {"a": 35, "b": 35, "c": 30}


async def run_phases(config: ChaosConfig, seed: int) -> list[PhaseResult]:
    """Run all phases in the order of `SHARES`."""
    phases = {
        "a": Incidents(restart="fast", read_only_s=config.read_only_s),
        "b": Incidents(restart="immediate"),
        "c": Incidents(restore=True),
    }
    results = []
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        server = await stack.enter_async_context(open_server(folder, durable=True))
        for name, incidents in phases.items():
            log_progress(f"phase {name}")
            with run_emulator("--scenario", "steady", "--seed", str(seed)) as url:
                async with (
                    server.database() as database,
                    open_scenario(database, url, folder / name, wall=config.wall) as scenario,
                ):
                    posts = config.posts * SHARES[name] // 100
                    phase = Phase(scenario, config, seed, server, incidents, posts)
                    is_strict = name == "b"
                    result = await phase.run(refuse_duplicates=is_strict, beyond_lag=is_strict)
                    results.append(result)
    return results
