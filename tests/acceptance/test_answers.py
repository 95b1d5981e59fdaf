"""Whatever X answers, once each, real workers bring every post out exactly once or say why not."""

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from _ground import Ground
from _judge import Case, Planned, judge
from _rows import tell
from _scene import Scene, open_scene
from _strike import RATE, WORKERS
from PIL import Image

from fix_postgres import PostgresServer
from fix_processes import QUICK
from x_emulator.faults.fault_specs import FaultKind
from x_emulator.pytest_plugin import run_emulator

pytestmark = pytest.mark.timing

#: These strike an answer on its way out, so they have no `before`.
_SPOILING = {"cut", "slow", "wrong_type"}
#: X's word that it refused is believed: after the commit it would be a lie that no client sees.
_REFUSALS = {"401", "402", "429", "429day", "429cap"}
#: Wall seconds of `delay` and `slow`: longer than a create may take.
_SLOW_S = 2.5
#: These refuse a post for good.
_FINAL = {"400quote"}
_ACCOUNTS = 12
_WAVES = 6


def _kinds(operation: str, when: str) -> list[str]:
    left_out = _FINAL | (_SPOILING if when == "before" else _REFUSALS)
    if (operation, when) != ("read_timeline", "before"):
        left_out = left_out | {"stale"}
    return [kind for kind in get_args(FaultKind) if kind not in left_out]


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
async def test_every_answer_of_x_is_lived_through(
    operations: tuple[str, ...], migrated_server: PostgresServer, tmp_path: Path
) -> None:
    ground = Ground(migrated_server.url, tmp_path)
    with run_emulator("--scenario", "steady", "--seed", "7") as url:
        async with (
            ground.database() as database,
            open_scene(database, url, tmp_path / "world", wall=QUICK) as scene,
        ):
            await scene.emulator.control("clock", rate=RATE)
            for operation in operations:
                for when in ("before", "after"):
                    # An upload is four requests: each kind befalls one of them.
                    turn = operations.index(operation)
                    script = _kinds(operation, when)[turn :: len(operations)]
                    await scene.emulator.control(
                        "faults", operation=operation, when=when, script=script, seconds=_SLOW_S
                    )
            planned = await _publish(scene, operations)
            await _all_is_right(scene, planned)


async def _publish(scene: Scene, operations: tuple[str, ...]) -> list[Planned]:
    """Post, wave after wave, until X has answered in each way there is."""
    accounts = [await scene.connect(f"account_{number}") for number in range(_ACCOUNTS)]
    if operations == ("refresh",):
        await scene.emulator.jump(hours=2)
    await scene.fill_up(WORKERS)
    planned: list[Planned] = []
    for wave in range(_WAVES):
        if operations == ("read_timeline",):
            await scene.emulator.fail("create_post", "after", "drop", times=_ACCOUNTS)
        for number, account in enumerate(accounts):
            image = scene.folder / f"{wave}_{number}.png"
            Image.new("RGB", (16, 16), (wave, number, 9)).save(image)
            media = image if operations[0].startswith("media") else None
            text = f"{account.username} & wave {wave}"
            after = timedelta(seconds=2)
            planned.append(await scene.plan(account, text, after=after, media=media))
        assert await scene.settled([each.post_id for each in planned])
        if not await scene.faults_left():
            return planned
        if operations == ("refresh",):
            await scene.emulator.jump(hours=2)
    raise AssertionError(f"{await scene.faults_left()} scripts were not played to their end")


async def _all_is_right(scene: Scene, planned: list[Planned]) -> None:
    rows, on_x = await scene.rows(), await scene.on_x()
    broken = judge(Case(planned, rows, on_x))
    assert not broken, "\n".join([*map(str, broken), *(tell(r, on_x) for r in rows.values())])
    # A window of a day or a month outlasts what a post may be late.
    assert {row.state for row in rows.values()} <= {"published", "missed"}
    published = sum(row.state == "published" for row in rows.values())
    assert published > len(rows) / 2
