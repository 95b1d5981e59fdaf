"""`roost doctor` and `roost alarms`: what is stopped, at rest, kept or to be seen to."""

import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fix_processes import QUICK, python_process, until
from fix_publishing import Desk, run_roost
from roost import store
from roost.services import pause
from roost.store.locks import find_silent


async def doctor(desk: Desk, folder: Path) -> dict[str, dict[str, Any]]:
    """The findings, by what they are about."""
    ended = await run_roost("doctor", "--json", settings=desk.house.settings, folder=folder)
    findings: list[dict[str, Any]] = ended.answer["findings"]
    assert ended.code == (5 if any(one["health"] == "ill" for one in findings) else 0)
    return {one["what"]: one for one in findings}


async def test_doctor_tells_what_waits_and_until_when(desk: Desk, tmp_path: Path) -> None:
    await desk.emulator.door(f"apps/{desk.emulator.app.client_id}", credits="0")
    post_id = await desk.plan("Out of credits")
    await desk.work()
    await pause.stop_everything(desk.house)
    await pause.hold_account(desk.house, desk.account, paused=True)
    found = await doctor(desk, tmp_path)
    app = found[f"X app {desk.account.client_id[:6]}…"]
    assert app["health"] == "notice"
    assert app["next"] == "Tried again in 5 min."
    assert "stopped by hand" in found["stop switch"]["told"]
    assert found["alarm"]["health"] == "ill"
    assert "has no credits left" in found["alarm"]["told"]
    assert found["@larkbooks"]["told"] == "its posts are held back by hand"
    assert (await desk.see(post_id)).state == "publishing"


async def test_doctor_and_alarms_tell_of_a_post_that_waits_for_a_person(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.plan("Good morning")
    await desk.emulator.jump(hours=2)
    await desk.work_through()
    found = await doctor(desk, tmp_path)
    assert found["alarm of default"]["health"] == "notice"
    assert found["alarm of default"]["next"].startswith("`roost decide 1 send`")
    ended = await run_roost("alarms", "--json", settings=desk.house.settings, folder=tmp_path)
    (alarm,) = ended.answer["alarms"]
    assert (ended.code, alarm["tenant"], alarm["kind"]) == (0, "default", "missed")


async def test_doctor_tells_of_an_account_that_rests(desk: Desk, tmp_path: Path) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    await desk.plan("Too much")
    await desk.work()
    found = await doctor(desk, tmp_path)
    assert found["@larkbooks"]["told"].startswith("X takes no post of it: ")
    assert found["@larkbooks"]["next"].startswith("Tried again in ")


@pytest.mark.timing
async def test_doctor_finds_a_stopped_worker_and_the_accounts_that_it_keeps(
    desk: Desk, tmp_path: Path
) -> None:
    stalled_after = timedelta(seconds=float(QUICK["ROOST_STALLED_AFTER_S"]))
    await desk.emulator.fail("create_post", "before", "delay", seconds=60)
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=desk.house.settings, log=log
    ) as worker:
        await desk.plan("Kept")
        # Until it has the account, and has sent a heartbeat.
        await until(lambda: _keepers(desk, within=-timedelta(hours=1)), within=60)
        worker.send_signal(signal.SIGSTOP)
        await until(lambda: _keepers(desk, within=stalled_after), within=60)
        found = await doctor(desk, tmp_path)
        worker.kill()
    (silent,) = [one for what, one in found.items() if what.startswith("worker ")]
    assert silent["what"].endswith(f":{worker.pid}")
    assert silent["health"] == "ill"
    assert "keeps @larkbooks, whose posts wait" in silent["told"]


async def _keepers(desk: Desk, *, within: timedelta) -> list[store.locks.Silent]:
    async with desk.house.database.statements(None) as transaction:
        return await find_silent(transaction, [desk.account], within=within)
