"""Whatever X responds, real workers publish every post exactly once, or mark it missed."""

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from PIL import Image

from fix_postgres import PostgresServer
from fix_processes import QUICK
from harness.checker import Evidence, check_posts
from harness.crash_runner import RATE, WORKERS
from harness.post_rows import describe_post
from harness.records import PlannedPost
from harness.scenario import Scenario, open_scenario
from harness.server import Server
from x_emulator.faults.fault_specs import FaultKind
from x_emulator.pytest_plugin import run_emulator

pytestmark = pytest.mark.timing

#: Faults that change a response. They are injected only `after` X has carried out the request.
_RESPONSE_FAULTS = {"cut", "slow", "wrong_type"}
#: Refusals that are injected only `before` X carries out the request. After it, they would be
#: false, and no client could know this.
_REFUSALS = {"401", "402", "429", "429day", "429cap"}
#: Wall seconds that the faults `delay` and `slow` last: longer than the timeout of a create.
_SLOW_S = 2.5
#: The faults after which a post is never published, so that the test does not inject them.
_FINAL_REFUSALS = {"400quote"}
_ACCOUNTS = 12
_WAVES = 6


def _kinds(operation: str, when: str) -> list[str]:
    excluded = _FINAL_REFUSALS | (_RESPONSE_FAULTS if when == "before" else _REFUSALS)
    if (operation, when) != ("read_timeline", "before"):
        excluded = excluded | {"stale"}
    return [kind for kind in get_args(FaultKind) if kind not in excluded]


@pytest.mark.parametrize(
    "operations",
    [
        ("create_post",),
        ("read_timeline",),
        ("refresh",),
        ("media_initialize", "media_append", "media_finalize", "media_metadata"),
    ],
    ids=["create", "read", "refresh", "upload"],
)
async def test_publish_is_exactly_once_for_every_response_of_x(
    operations: tuple[str, ...], migrated_server: PostgresServer, tmp_path: Path
) -> None:
    server = Server(migrated_server.url, tmp_path)
    with run_emulator("--scenario", "steady", "--seed", "7") as url:
        async with (
            server.database() as database,
            open_scenario(database, url, tmp_path / "scenario", wall=QUICK) as scenario,
        ):
            await scenario.emulator.control("clock", rate=RATE)
            for operation in operations:
                for when in ("before", "after"):
                    # An upload consists of four requests; the faults are distributed among them.
                    index = operations.index(operation)
                    script = _kinds(operation, when)[index :: len(operations)]
                    await scenario.emulator.control(
                        "faults", operation=operation, when=when, script=script, seconds=_SLOW_S
                    )
            planned = await _publish(scenario, operations)
            await _check_posts(scenario, planned)


async def _publish(scenario: Scenario, operations: tuple[str, ...]) -> list[PlannedPost]:
    """Publish one post per account in each wave, until every injected fault has occurred."""
    accounts = [await scenario.connect(f"account_{number}") for number in range(_ACCOUNTS)]
    if operations == ("refresh",):
        await scenario.emulator.jump(hours=2)
    await scenario.ensure_workers(WORKERS)
    planned: list[PlannedPost] = []
    for wave in range(_WAVES):
        if operations == ("read_timeline",):
            await scenario.emulator.fail("create_post", "after", "drop", times=_ACCOUNTS)
        for number, account in enumerate(accounts):
            image = scenario.folder / f"{wave}_{number}.png"
            Image.new("RGB", (16, 16), (wave, number, 9)).save(image)
            media = image if operations[0].startswith("media") else None
            text = f"{account.username} & wave {wave}"
            after = timedelta(seconds=2)
            planned.append(await scenario.plan_post(account, text, after=after, media=media))
        assert await scenario.wait_settled([each.post_id for each in planned])
        if not await scenario.count_pending_faults():
            return planned
        if operations == ("refresh",):
            await scenario.emulator.jump(hours=2)
    raise AssertionError(f"{await scenario.count_pending_faults()} faults were not applied")


async def _check_posts(scenario: Scenario, planned: list[PlannedPost]) -> None:
    rows, x_posts = await scenario.read_posts(), await scenario.read_x_posts()
    findings = check_posts(Evidence(planned, rows, x_posts))
    assert not findings, "\n".join(
        [*map(str, findings), *(describe_post(row, x_posts) for row in rows.values())]
    )
    # A daily or monthly limit of X lasts longer than a post may be late, so Roost may mark a post
    # as missed.
    assert {row.state for row in rows.values()} <= {"published", "missed"}
    published = sum(row.state == "published" for row in rows.values())
    assert published > len(rows) / 2
