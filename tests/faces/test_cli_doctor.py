"""`roost doctor` and `roost alerts` report pauses, back-offs, stalled workers and alerts."""

import shutil
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from fix_processes import QUICK, python_process, until
from fix_publishing import Publisher, run_roost
from fix_runtime import ACTOR, make_tenant
from fix_web import get
from roost import store
from roost.models import Tenant
from roost.runtime import Runtime
from roost.services import pause, queries
from roost.services.health import get_service_health
from roost.store.locks import find_stale_holders


async def doctor(publisher: Publisher, folder: Path, **more: str) -> dict[str, dict[str, Any]]:
    """Run `roost doctor`; return each finding under the name of its check."""
    settings = publisher.runtime.settings
    result = await run_roost("doctor", "--json", settings=settings, folder=folder, **more)
    findings: list[dict[str, Any]] = result.answer["findings"]
    assert result.code == (5 if any(one["status"] == "error" for one in findings) else 0)
    return {one["what"]: one for one in findings}


async def test_doctor_shows_backoffs_and_pauses(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.emulator.control(f"apps/{publisher.emulator.app.client_id}", credits="0")
    post_id = await publisher.schedule("Out of credits")
    await publisher.run_due_jobs()
    await pause.pause_everything(publisher.runtime, ACTOR)
    await pause.pause_account(publisher.runtime, publisher.scope, publisher.account)
    found = await doctor(publisher, tmp_path)
    app = found[f"X app {publisher.account.client_id[:6]}…"]
    assert app["status"] == "warning"
    assert app["next"] == "Roost tries again in 5 min."
    assert "paused manually" in found["global pause"]["message"]
    assert found["alert"]["status"] == "error"
    assert "has no credits left" in found["alert"]["message"]
    assert found["@larkbooks"]["message"] == "its posts are paused"
    assert (await publisher.get_post(post_id)).state == "publishing"


async def test_doctor_shows_paused_tenants_and_posts(publisher: Publisher, tmp_path: Path) -> None:
    post = await publisher.schedule("Paused", after_s=3600)
    await pause.pause_post(publisher.runtime, publisher.scope, post)
    await pause.pause_tenant(publisher.runtime, publisher.scope)
    result = await run_roost(
        "doctor", "--json", settings=publisher.runtime.settings, folder=tmp_path
    )
    found = [
        (one["message"], one["post_id"]) for one in result.answer["findings"]
        if one["what"] == "pause"
    ]  # fmt: skip
    assert found == [("the tenant's posts are paused", None), (f"post {post} is paused", post)]


async def test_doctor_and_alerts_show_a_post_that_needs_a_decision(
    publisher: Publisher, tmp_path: Path
) -> None:
    await publisher.schedule("Good morning")
    await publisher.emulator.jump(hours=2)
    await publisher.run_to_completion()
    found = await doctor(publisher, tmp_path)
    assert found["alert"]["status"] == "warning"
    assert found["alert"]["next"].startswith("`roost resolve 1 resend`")
    result = await run_roost(
        "alerts", "--json", settings=publisher.runtime.settings, folder=tmp_path
    )
    (alert,) = result.answer["alerts"]
    assert (result.code, alert["tenant"], alert["kind"]) == (0, "default", "missed")


async def test_doctor_names_surplus_rights_of_the_database_role(
    publisher: Publisher, admin_url: str, tmp_path: Path
) -> None:
    assert (await doctor(publisher, tmp_path))["database login"]["status"] == "ok"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"GRANT CONNECT ON DATABASE {admin.info.dbname} TO PUBLIC".encode())
    found = await doctor(publisher, tmp_path, ROOST_ADMIN_DATABASE_URL=admin_url)
    assert found["database login"]["status"] == "warning"
    assert "every role has CONNECT" in found["database login"]["message"]
    assert "only the setup of the database needs it" in found["settings"]["message"]
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {admin.info.dbname}_app BYPASSRLS".encode())
    found = await doctor(publisher, tmp_path)
    assert found["database"]["status"] == "error"
    assert "bypasses row-level security" in found["database"]["message"]


@pytest.mark.parametrize(
    ("keys", "status", "message"),
    [
        ({}, "ok", "not needed unless "),
        (
            {"TWITTER_API_KEY": "the-key", "TWITTER_API_SECRET": "the-secret"},
            "ok",
            "TWITTER_API_KEY and TWITTER_API_SECRET are set; ",
        ),
        ({"TWITTER_API_KEY": "the-key"}, "warning", "TWITTER_API_SECRET is not set, "),
    ],
    ids=["none", "both", "one"],
)
async def test_doctor_reports_whether_the_oauth1_keys_are_set(
    publisher: Publisher, tmp_path: Path, keys: dict[str, str], status: str, message: str
) -> None:
    finding = (await doctor(publisher, tmp_path, **keys))["OAuth 1.0a keys"]
    assert finding["status"] == status
    assert finding["message"].startswith(message)
    assert "media uploads by API v1.1 and TwitterTool with OAuth 1.0a" in finding["message"]
    assert "the-" not in str(finding)


async def test_doctor_shows_the_backoff_of_an_account(publisher: Publisher, tmp_path: Path) -> None:
    await publisher.emulator.fail("create_post", "before", "429")
    await publisher.schedule("Too much")
    await publisher.run_due_jobs()
    found = await doctor(publisher, tmp_path)
    assert found["@larkbooks"]["message"].startswith("X accepts no posts of this account: ")
    assert found["@larkbooks"]["next"].startswith("Roost tries again in ")


@pytest.mark.timing
async def test_doctor_names_a_stalled_worker_and_the_accounts_it_holds(
    publisher: Publisher, tmp_path: Path
) -> None:
    stalled_after = timedelta(seconds=float(QUICK["ROOST_WORKER_TIMEOUT_S"]))
    await publisher.emulator.fail("create_post", "before", "delay", seconds=60)
    log = tmp_path / "worker.log"
    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ) as worker:
        await publisher.schedule("Waiting")
        # Wait until the worker holds the account's lock. A negative `within` also finds a worker
        # that has sent a heartbeat just now.
        await until(lambda: _stalled_holders(publisher, within=-timedelta(hours=1)), within=60)
        worker.send_signal(signal.SIGSTOP)
        await until(lambda: _stalled_holders(publisher, within=stalled_after), within=60)
        found = await doctor(publisher, tmp_path)
        worker.kill()
    (stalled,) = [one for what, one in found.items() if what.startswith("worker ")]
    assert stalled["what"].endswith(f":{worker.pid}")
    assert stalled["status"] == "error"
    assert "holds the lock of @larkbooks, whose posts wait" in stalled["message"]


async def _stalled_holders(
    publisher: Publisher, *, within: timedelta
) -> list[store.locks.StaleHolder]:
    async with publisher.runtime.database.unscoped() as transaction:
        return await find_stale_holders(transaction, [publisher.account], within=within)


async def test_doctor_names_files_without_a_copy(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    await publisher.schedule("With a picture", after_s=3600, media=teal)
    assert (await doctor(publisher, tmp_path))["media"]["status"] == "ok"
    shutil.rmtree(publisher.runtime.media.folder)
    found = (await doctor(publisher, tmp_path))["media"]
    assert found["status"] == "error"
    assert found["message"].endswith(": teal.png")
    assert "roost edit POST --media FILE" in found["next"]


async def test_doctor_reports_a_media_folder_that_others_can_write_to(
    publisher: Publisher, tmp_path: Path, teal: Path
) -> None:
    await publisher.schedule("With a picture", after_s=3600, media=teal)
    publisher.runtime.media.folder.chmod(0o777)
    found = (await doctor(publisher, tmp_path))["media"]
    assert (found["status"], "chmod 700" in found["next"]) == ("error", True)


async def test_doctor_names_the_tenant_and_the_post_of_a_finding(
    publisher: Publisher, tmp_path: Path
) -> None:
    post_id = await publisher.schedule("Late")
    await publisher.emulator.jump(seconds=200)
    late = (await doctor(publisher, tmp_path))["posts"]
    assert (late["tenant"], late["post_id"]) == ("default", post_id)
    assert late["message"] == f"post {post_id} of @larkbooks is 3 min late"
    account = (await doctor(publisher, tmp_path))["@larkbooks"]
    assert (account["tenant"], account["post_id"]) == ("default", None)
    settings = publisher.runtime.settings
    alone = await run_roost("doctor", settings=settings, folder=tmp_path)
    assert "✓ @larkbooks: connected" in alone.out
    await make_tenant(publisher.runtime, "acme")
    result = await run_roost("doctor", settings=settings, folder=tmp_path)
    assert "✗ posts (tenant default): post 1 of @larkbooks is 3 min late" in result.out
    assert "✓ @larkbooks (tenant default): connected" in result.out


async def test_doctor_does_not_fail_without_a_worker_before_an_account_is_connected(
    runtime: Runtime, tenant: Tenant, tmp_path: Path
) -> None:
    result = await run_roost("doctor", "--json", settings=runtime.settings, folder=tmp_path)
    findings = {one["what"]: one["status"] for one in result.answer["findings"]}
    assert (result.code, findings["workers"]) == (0, "warning")


@pytest.mark.timing
async def test_health_counts_each_worker_process_once(publisher: Publisher, tmp_path: Path) -> None:
    settings, log = publisher.runtime.settings, tmp_path / "worker.log"

    async def has_workers(n: int) -> bool:
        return (await get_service_health(publisher.runtime)).live_workers == n

    async with python_process("-m", "roost", "worker", settings=settings, log=log):
        await until(lambda: has_workers(1), within=60)
        found = await doctor(publisher, tmp_path)
        assert found["workers"]["message"] == "1 worker is alive"
        async with python_process("-m", "roost", "worker", settings=settings, log=log):
            await until(lambda: has_workers(2), within=60)


@pytest.mark.timing
async def test_health_does_not_count_a_killed_worker(publisher: Publisher, tmp_path: Path) -> None:
    settings, log = publisher.runtime.settings, tmp_path / "worker.log"
    patient = settings.model_copy(update={"worker_timeout": timedelta(hours=1)})
    runtime = replace(publisher.runtime, settings=patient)

    async def has_workers(n: int) -> bool:
        return (await get_service_health(runtime)).live_workers == n

    async with python_process("-m", "roost", "worker", settings=settings, log=log) as process:
        await until(lambda: has_workers(1), within=60)
        process.kill()
        await until(lambda: has_workers(0), within=60)


async def test_unknown_settings_are_named(publisher: Publisher, tmp_path: Path) -> None:
    settings = publisher.runtime.settings
    result = await run_roost(
        "doctor", "--json", settings=settings, folder=tmp_path, ROOST_X_BASEURL="http://a"
    )
    (unknown,) = [one for one in result.answer["findings"] if "ROOST_X_BASEURL" in one["message"]]
    assert (unknown["status"], unknown["next"]) == ("warning", "Did you mean ROOST_X_BASE_URL?")
    posts = await run_roost("posts", settings=settings, folder=tmp_path, ROOST_X_BASEURL="http://a")
    assert posts.code == 0
    assert posts.err.startswith("! ROOST_X_BASEURL in the environment is not a setting of Roost")


async def test_import_and_page_say_that_no_worker_is_alive(
    publisher: Publisher, web: str, browser: aiohttp.ClientSession, tmp_path: Path
) -> None:
    settings = publisher.runtime.settings
    (tmp_path / "plan.csv").write_text(
        "account,at,text,media,alt,thread\n@larkbooks,+1h,Hello,,,\n", "utf-8"
    )
    dry = await run_roost("import", "plan.csv", "--dry-run", settings=settings, folder=tmp_path)
    result = await run_roost("import", "plan.csv", settings=settings, folder=tmp_path)
    again = await run_roost("import", "plan.csv", settings=settings, folder=tmp_path)
    note = "No worker is alive, so nothing is published: start `roost worker`."
    assert (dry.err, result.err.strip(), again.err) == ("", note, "")
    (post,) = await queries.list_posts(publisher.runtime, publisher.scope)
    for path in ("/", "/posts", f"/posts/{post.id}"):
        _, body = await get(browser, web + path)
        assert "No worker is running." in body
