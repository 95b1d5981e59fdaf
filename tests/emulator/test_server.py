"""Tests of the server process: start, stop by a signal, pages and control API."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest

from emulator.account import Account
from fix_emulator import Emulator


@contextmanager
def run_emulator(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "x_emulator", "--port", "0", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield process, json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timing
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
async def test_signal_stops_the_server_during_a_long_poll(kind: signal.Signals) -> None:
    with run_emulator("--scenario", "steady", "--seed", "3") as (process, url):
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{url}/_emulator/ground-truth") as answer:
                ground_truth = await answer.json()
            assert (ground_truth["scenario"], ground_truth["seed"], ground_truth["anomalies"]) == (
                "steady",
                3,
                [],
            )
            at = urlsplit(url)
            reader, writer = await asyncio.open_connection(at.hostname, at.port)
            writer.write(b"GET /_emulator/clock?after=1&wait=60 HTTP/1.1\r\n\r\n")
            await writer.drain()
            async with http.get(f"{url}/_emulator/clock"):
                process.send_signal(kind)
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            writer.close()
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert errors == b""


async def test_dashboard_escapes_posts(account: Account) -> None:
    await account.post("<script>alert(1)</script> & more")
    async with account.emulator.http.get(account.emulator.url) as answer:
        page = await answer.text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    me = await account.get("/2/users/me", **{"user.fields": "public_metrics"})
    assert f"{me.data['public_metrics']['followers_count']:,}" in page
    assert "would have cost $0.015" in page
    assert "http://" not in page.replace(account.emulator.url, "")


async def test_reset_keeps_only_scenario_and_seed(account: Account) -> None:
    emulator = account.emulator
    await account.post("Gone")
    await emulator.jump(days=3)
    await emulator.switch(refuse_duplicates=False)
    await emulator.fail("*", "before", "503")
    await emulator.control("reset")
    ground_truth = await emulator.ground_truth()
    assert (ground_truth["posts"], ground_truth["requests"], ground_truth["apps"]) == ([], [], {})
    assert (ground_truth["scenario"], ground_truth["seed"]) == ("purge", 7)
    async with emulator.http.get(f"{emulator.url}/_emulator/switches") as answer:
        assert (await answer.json())["refuse_duplicates"] is True
    assert (await account.get("/2/users/me")).status == 401


async def test_reset_starts_the_scenario_at_a_later_instant(emulator: Emulator) -> None:
    starts_at = datetime.now(UTC) + timedelta(days=5)
    await emulator.control("reset", starts_at=starts_at.isoformat())
    truth = await emulator.ground_truth()
    started_at, now = (datetime.fromisoformat(truth[name]) for name in ("started_at", "now"))
    assert starts_at <= started_at <= now < starts_at + timedelta(days=1)


@pytest.mark.parametrize("starts_at", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
async def test_reset_at_an_impossible_instant_deletes_nothing(
    account: Account, starts_at: str
) -> None:
    await account.post("Kept")
    emulator = account.emulator
    async with emulator.http.post(
        f"{emulator.url}/_emulator/reset", json={"starts_at": starts_at}
    ) as answer:
        assert answer.status == 400
    assert [post["text"] for post in (await emulator.ground_truth())["posts"]] == ["Kept"]


async def test_unknown_switch_is_refused(emulator: Emulator) -> None:
    async with emulator.http.post(
        f"{emulator.url}/_emulator/switches", json={"gravity": False}
    ) as answer:
        assert answer.status == 400
        assert "gravity" in (await answer.json())["error"]


async def test_users_and_apps_are_created_with_the_given_fields(emulator: Emulator) -> None:
    user = await emulator.control(
        "users", username="newcomer", followers=77, subscription_type="PremiumPlus"
    )
    assert (user["followers"], user["verified"]) == (77, True)
    app = await emulator.control("apps", client_id="mine", client_secret="known", callbacks=["a:b"])
    assert (app["client_id"], app["client_secret"]) == ("mine", "known")
    async with emulator.http.post(
        f"{emulator.url}/_emulator/users", json={"username": "NewComer"}
    ) as answer:
        assert answer.status == 400
