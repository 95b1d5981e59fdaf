"""`roost doctor` and `roost alerts`: what is stopped, at rest, kept or to be seen to."""

import shutil
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fix_processes import QUICK, python_process, until
from fix_publishing import Desk, run_roost
from roost import store
from roost.services import pause
from roost.store.locks import find_stale_holders


async def doctor(desk: Desk, folder: Path, **more: str) -> dict[str, dict[str, Any]]:
    """The findings, by what they are about."""
    settings = desk.runtime.settings
    ended = await run_roost("doctor", "--json", settings=settings, folder=folder, **more)
    findings: list[dict[str, Any]] = ended.answer["findings"]
    assert ended.code == (5 if any(one["health"] == "ill" for one in findings) else 0)
    return {one["what"]: one for one in findings}


async def test_doctor_tells_what_waits_and_until_when(desk: Desk, tmp_path: Path) -> None:
    await desk.emulator.control(f"apps/{desk.emulator.app.client_id}", credits="0")
    post_id = await desk.plan("Out of credits")
    await desk.work()
    await pause.pause_everything(desk.runtime)
    await pause.pause_account(desk.runtime, desk.account)
    found = await doctor(desk, tmp_path)
    app = found[f"X app {desk.account.client_id[:6]}…"]
    assert app["health"] == "notice"
    assert app["next"] == "Tried again in 5 min."
    assert "paused manually" in found["stop switch"]["told"]
    assert found["alert"]["health"] == "ill"
    assert "has no credits left" in found["alert"]["told"]
    assert found["@larkbooks"]["told"] == "its posts are held back by hand"
    assert (await desk.see(post_id)).state == "publishing"


async def test_doctor_and_alarms_tell_of_a_post_that_waits_for_a_person(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.plan("Good morning")
    await desk.emulator.jump(hours=2)
    await desk.work_through()
    found = await doctor(desk, tmp_path)
    assert found["alert of default"]["health"] == "notice"
    assert found["alert of default"]["next"].startswith("`roost resolve 1 resend`")
    ended = await run_roost("alerts", "--json", settings=desk.runtime.settings, folder=tmp_path)
    (alert,) = ended.answer["alerts"]
    assert (ended.code, alert["tenant"], alert["kind"]) == (0, "default", "missed")


async def test_doctor_tells_what_the_login_may_do_too_much(
    desk: Desk, admin_url: str, tmp_path: Path
) -> None:
    assert (await doctor(desk, tmp_path))["database login"]["health"] == "well"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"GRANT CONNECT ON DATABASE {admin.info.dbname} TO PUBLIC".encode())
    found = await doctor(desk, tmp_path, ROOST_ADMIN_DATABASE_URL=admin_url)
    assert found["database login"]["health"] == "notice"
    assert "every role has CONNECT" in found["database login"]["told"]
    assert "only `roost init` needs it" in found["settings"]["told"]
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {admin.info.dbname}_app BYPASSRLS".encode())
    found = await doctor(desk, tmp_path)
    assert found["database"]["health"] == "ill"
    assert "bypasses row-level security" in found["database"]["told"]


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
    stalled_after = timedelta(seconds=float(QUICK["ROOST_WORKER_TIMEOUT_S"]))
    await desk.emulator.fail("create_post", "before", "delay", seconds=60)
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=desk.runtime.settings, log=log
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


async def _keepers(desk: Desk, *, within: timedelta) -> list[store.locks.StaleHolder]:
    async with desk.runtime.database.unscoped() as transaction:
        return await find_stale_holders(transaction, [desk.account], within=within)


async def test_doctor_names_the_files_whose_copy_is_lost(
    desk: Desk, tmp_path: Path, teal: Path
) -> None:
    await desk.plan("With a picture", after_s=3600, media=teal)
    assert (await doctor(desk, tmp_path))["media"]["health"] == "well"
    shutil.rmtree(desk.runtime.media.folder)
    found = (await doctor(desk, tmp_path))["media"]
    assert found["health"] == "ill"
    assert found["told"].endswith(": teal.png")
    assert "roost edit POST --media FILE" in found["next"]


async def test_doctor_tells_of_a_media_folder_that_others_may_write_to(
    desk: Desk, tmp_path: Path, teal: Path
) -> None:
    await desk.plan("With a picture", after_s=3600, media=teal)
    desk.runtime.media.folder.chmod(0o777)
    found = (await doctor(desk, tmp_path))["media"]
    assert (found["health"], "chmod 700" in found["next"]) == ("ill", True)
