"""`roost doctor` and `roost alerts`: pauses, back-offs, stalled workers, open alerts."""

import shutil
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fix_processes import QUICK, python_process, until
from fix_publishing import Desk, run_roost
from fix_runtime import ACTOR
from roost import store
from roost.services import pause
from roost.store.locks import find_stale_holders


async def doctor(desk: Desk, folder: Path, **more: str) -> dict[str, dict[str, Any]]:
    """Run `roost doctor`; return its findings by what was checked."""
    settings = desk.runtime.settings
    ended = await run_roost("doctor", "--json", settings=settings, folder=folder, **more)
    findings: list[dict[str, Any]] = ended.answer["findings"]
    assert ended.code == (5 if any(one["status"] == "error" for one in findings) else 0)
    return {one["what"]: one for one in findings}


async def test_doctor_shows_backoffs_and_pauses(desk: Desk, tmp_path: Path) -> None:
    await desk.emulator.control(f"apps/{desk.emulator.app.client_id}", credits="0")
    post_id = await desk.plan("Out of credits")
    await desk.work()
    await pause.pause_everything(desk.runtime, ACTOR)
    await pause.pause_account(desk.runtime, desk.scope, desk.account)
    found = await doctor(desk, tmp_path)
    app = found[f"X app {desk.account.client_id[:6]}…"]
    assert app["status"] == "warning"
    assert app["next"] == "Roost tries again in 5 min."
    assert "paused manually" in found["global pause"]["message"]
    assert found["alert"]["status"] == "error"
    assert "has no credits left" in found["alert"]["message"]
    assert found["@larkbooks"]["message"] == "its posts are paused"
    assert (await desk.see(post_id)).state == "publishing"


async def test_doctor_and_alerts_show_a_post_that_needs_a_decision(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.plan("Good morning")
    await desk.emulator.jump(hours=2)
    await desk.work_through()
    found = await doctor(desk, tmp_path)
    assert found["alert of default"]["status"] == "warning"
    assert found["alert of default"]["next"].startswith("`roost resolve 1 resend`")
    ended = await run_roost("alerts", "--json", settings=desk.runtime.settings, folder=tmp_path)
    (alert,) = ended.answer["alerts"]
    assert (ended.code, alert["tenant"], alert["kind"]) == (0, "default", "missed")


async def test_doctor_names_surplus_rights_of_the_database_role(
    desk: Desk, admin_url: str, tmp_path: Path
) -> None:
    assert (await doctor(desk, tmp_path))["database login"]["status"] == "ok"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"GRANT CONNECT ON DATABASE {admin.info.dbname} TO PUBLIC".encode())
    found = await doctor(desk, tmp_path, ROOST_ADMIN_DATABASE_URL=admin_url)
    assert found["database login"]["status"] == "warning"
    assert "every role has CONNECT" in found["database login"]["message"]
    assert "only the set-up needs it" in found["settings"]["message"]
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {admin.info.dbname}_app BYPASSRLS".encode())
    found = await doctor(desk, tmp_path)
    assert found["database"]["status"] == "error"
    assert "bypasses row-level security" in found["database"]["message"]


async def test_doctor_shows_the_backoff_of_an_account(desk: Desk, tmp_path: Path) -> None:
    await desk.emulator.fail("create_post", "before", "429")
    await desk.plan("Too much")
    await desk.work()
    found = await doctor(desk, tmp_path)
    assert found["@larkbooks"]["message"].startswith("X accepts no post of it: ")
    assert found["@larkbooks"]["next"].startswith("Roost tries again in ")


@pytest.mark.timing
async def test_doctor_names_a_stalled_worker_and_the_accounts_it_holds(
    desk: Desk, tmp_path: Path
) -> None:
    stalled_after = timedelta(seconds=float(QUICK["ROOST_WORKER_TIMEOUT_S"]))
    await desk.emulator.fail("create_post", "before", "delay", seconds=60)
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=desk.runtime.settings, log=log
    ) as worker:
        await desk.plan("Waiting")
        # The worker holds the account and has sent a heartbeat.
        await until(lambda: _stalled_holders(desk, within=-timedelta(hours=1)), within=60)
        worker.send_signal(signal.SIGSTOP)
        await until(lambda: _stalled_holders(desk, within=stalled_after), within=60)
        found = await doctor(desk, tmp_path)
        worker.kill()
    (stalled,) = [one for what, one in found.items() if what.startswith("worker ")]
    assert stalled["what"].endswith(f":{worker.pid}")
    assert stalled["status"] == "error"
    assert "holds the lock of @larkbooks, whose posts wait" in stalled["message"]


async def _stalled_holders(desk: Desk, *, within: timedelta) -> list[store.locks.StaleHolder]:
    async with desk.runtime.database.unscoped() as transaction:
        return await find_stale_holders(transaction, [desk.account], within=within)


async def test_doctor_names_files_without_a_copy(desk: Desk, tmp_path: Path, teal: Path) -> None:
    await desk.plan("With a picture", after_s=3600, media=teal)
    assert (await doctor(desk, tmp_path))["media"]["status"] == "ok"
    shutil.rmtree(desk.runtime.media.folder)
    found = (await doctor(desk, tmp_path))["media"]
    assert found["status"] == "error"
    assert found["message"].endswith(": teal.png")
    assert "roost edit POST --media FILE" in found["next"]


async def test_doctor_reports_a_media_folder_that_others_can_write_to(
    desk: Desk, tmp_path: Path, teal: Path
) -> None:
    await desk.plan("With a picture", after_s=3600, media=teal)
    desk.runtime.media.folder.chmod(0o777)
    found = (await doctor(desk, tmp_path))["media"]
    assert (found["status"], "chmod 700" in found["next"]) == ("error", True)
