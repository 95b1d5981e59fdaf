"""Tests of the kinds of faults, and of scripts and files that list faults."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.account import Account
from fix_emulator import Emulator
from x_emulator.faults import fault_specs, proxy_responses
from x_emulator.pytest_plugin import EmulatedX, run_emulator


async def texts(emulator: Emulator) -> list[str]:
    return [post["text"] for post in (await emulator.ground_truth())["posts"]]


async def fault_log(emulator: Emulator) -> list[dict[str, Any]]:
    async with emulator.http.get(f"{emulator.url}/_emulator/faults") as answer:
        entries: list[dict[str, Any]] = (await answer.json())["log"]
        return entries


async def test_cut_sends_half_of_the_announced_bytes(account: Account) -> None:
    await account.emulator.fail("create_post", "after", "cut")
    with pytest.raises(aiohttp.ClientPayloadError):
        await account.create("Was it made?")
    assert await texts(account.emulator) == ["Was it made?"]


@pytest.mark.timing
async def test_slow_sends_the_complete_body_in_pieces(account: Account) -> None:
    await account.emulator.fail("create_post", "after", "slow", seconds=1)
    headers = {"authorization": f"Bearer {account.tokens['access_token']}"}
    async with account.emulator.http.post(
        f"{account.emulator.url}/2/tweets", json={"text": "Slowly"}, headers=headers
    ) as answer:
        pieces = [piece async for piece in answer.content.iter_any()]
    assert len(pieces) > 5
    assert b"Slowly" in b"".join(pieces)


async def test_wrong_type_declares_json_as_html(account: Account) -> None:
    await account.emulator.fail("create_post", "after", "wrong_type")
    response = await account.create("What am I?")
    assert response.status == 201
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert b"What am I?" in response.body


async def test_429_of_each_kind(account: Account) -> None:
    emulator = account.emulator
    for kind in ("429", "429day", "429cap"):
        await emulator.fail("create_post", "before", kind)
    plain, day, cap = [await account.create("Often") for _ in range(3)]
    assert {plain.status, day.status, cap.status} == {429}
    assert plain.body["title"] == "Too Many Requests"
    assert day.headers["x-user-limit-24hour-remaining"] == "0"
    assert "x-rate-limit-remaining" not in day.headers
    assert cap.body["title"] == "UsageCapExceeded"
    assert await texts(emulator) == []


@pytest.mark.parametrize("kind", proxy_responses.RESPONSES)
async def test_proxy_response_replaces_that_of_x(account: Account, kind: str) -> None:
    emulator, expected = account.emulator, proxy_responses.RESPONSES[kind]
    await emulator.jump(days=400)
    tokens = await emulator.connect(account.username)
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    for when in ("before", "after"):
        await emulator.fail("create_post", when, kind)
        async with emulator.http.post(
            f"{emulator.url}/2/tweets",
            json={"text": f"A filter is in the way ({when})"},
            headers=headers,
        ) as answer:
            assert answer.status == expected.status
            assert not {"x-transaction-id", "api-version"} & answer.headers.keys()
            behind = datetime.now(UTC) - parsedate_to_datetime(answer.headers["date"])
            assert behind < timedelta(days=1)
    assert await texts(emulator) == ["A filter is in the way (after)"]


async def test_504_before_the_commit_creates_nothing(account: Account) -> None:
    await account.emulator.fail("create_post", "before", "504")
    assert (await account.create("Late")).status == 504


async def test_burst_of_401_ends(account: Account) -> None:
    await account.emulator.fail("read_me", "before", "401", times=3)
    statuses = [(await account.get("/2/users/me")).status for _ in range(4)]
    assert statuses == [401, 401, 401, 200]


async def test_script_runs_once(account: Account) -> None:
    script = ["ok", "503", "ok", "502text"]
    await account.emulator.control("faults", operation="read_me", when="before", script=script)
    statuses = [(await account.get("/2/users/me")).status for _ in range(6)]
    assert statuses == [200, 503, 200, 502, 200, 200]
    assert [each["kind"] for each in await fault_log(account.emulator)] == ["503", "502text"]


async def test_stale_timeline_omits_posts_younger_than_its_lag(account: Account) -> None:
    emulator = account.emulator
    path = f"/2/users/{account.id}/tweets"
    await emulator.fail("read_timeline", "before", "stale", times=None, seconds=60)
    old = await account.post("Old")
    await emulator.jump(seconds=61)
    new = await account.post("New")
    first = await account.get(path)
    assert [post["id"] for post in first.data] == [old]
    [entry] = await fault_log(emulator)
    assert 0 < entry["seconds"] < 60
    await emulator.jump(seconds=61)
    assert [post["id"] for post in (await account.get(path)).data] == [new, old]


async def test_lag_is_drawn_from_the_seed(account: Account) -> None:
    async def lags() -> list[float]:
        account.tokens = await account.emulator.connect(account.username)
        await account.emulator.fail("read_timeline", "before", "stale", times=None, seconds=60)
        for _ in range(3):
            await account.get(f"/2/users/{account.id}/tweets")
        return [each["seconds"] for each in await fault_log(account.emulator)]

    first = await lags()
    await account.emulator.reset()
    assert await lags() == first
    assert len(set(first)) == 3


async def test_lags_are_drawn_in_addition_to_other_faults(account: Account) -> None:
    emulator = account.emulator
    always = {"operation": "read_timeline", "when": "before", "times": None}
    await emulator.control("faults", **always, kind="stale", seconds=15)
    await emulator.control("faults", **always, kind="stale", seconds=120, probability=0.5)
    await emulator.control("faults", **always, kind="503", probability=0.3)
    await emulator.freeze()
    await account.post("Old")
    await emulator.jump(seconds=121)
    new = await account.post("New")
    await emulator.jump(seconds=20)
    seen = [await account.get(f"/2/users/{account.id}/tweets") for _ in range(30)]
    lags: dict[int, float] = {}
    for each in await fault_log(emulator):
        if each["kind"] == "stale":
            lags[each["request"]] = max(lags.get(each["request"], 0), each["seconds"])
    assert len(lags) == 30
    shown = [
        (drawn.data[0]["id"] == new, lag < 20)
        for drawn, lag in zip(seen, lags.values(), strict=True)
        if drawn.status == 200
    ]
    assert set(shown) == {(True, True), (False, False)}
    refused = [response.status for response in seen if response.status != 200]
    assert set(refused) == {503}
    assert [each["kind"] for each in await fault_log(emulator)].count("503") == len(refused)


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "create_posts", "when": "before", "kind": "drop"},
        {"operation": "create_post", "when": "before", "kind": "cut"},
        {"operation": "create_post", "when": "before", "kind": "stale"},
        {"operation": "create_post", "when": "after"},
        {"operation": "create_post", "when": "after", "kind": "drop", "script": ["drop"]},
        {"operation": "create_post", "when": "before", "script": ["ok", "slow"]},
    ],
    ids=["misspelt", "cut-before", "stale-create", "neither", "both", "slow-in-script"],
)
async def test_contradictory_faults_are_refused(emulator: Emulator, body: dict[str, Any]) -> None:
    async with emulator.http.post(f"{emulator.url}/_emulator/faults", json=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


FILE = """
faults:
  - {operation: read_me, when: before, script: [ok, "503"]}
  - {operation: create_post, when: after, kind: drop, probability: 0.5, times: null}
"""


def test_fault_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(FILE)
    first, second = fault_specs.read_fault_file(file)
    assert (first.script, second.probability, second.times) == (["ok", "503"], 0.5, None)
    for wrong in ("faults: [{operation: x}]", "a: &a [1]\nfaults: *a", "faults: [", "\x01"):
        file.write_text(wrong)
        with pytest.raises(fault_specs.InvalidFaultFile, match=r"faults\.yaml"):
            fault_specs.read_fault_file(file)


@pytest.mark.timing
def test_fault_file_applies_from_the_start_and_after_a_reset(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(FILE)
    with run_emulator("--faults", str(file)) as url:
        emulated = EmulatedX(url)
        for _ in range(2):
            emulated.reset()
            token = emulated.connect("larkbooks")["access_token"]
            headers = {"authorization": f"Bearer {token}"}
            statuses = [emulated.request("GET", "/2/users/me", None, headers)[0] for _ in range(3)]
            assert statuses == [200, 503, 200]


@pytest.mark.timing
async def test_client_timeout_during_a_slow_response(account: Account) -> None:
    await account.emulator.fail("read_me", "after", "slow", seconds=20)
    with pytest.raises(asyncio.TimeoutError):
        await account.request("GET", "/2/users/me", timeout=aiohttp.ClientTimeout(total=0.2))
    assert (await account.get("/2/users/me")).status == 200
