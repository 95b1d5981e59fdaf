"""Tests of faults before and after the commit of a request, and of the fault log."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest

from emulator.account import Account, Response
from fix_emulator import Emulator
from fix_processes import until


async def texts(emulator: Emulator) -> list[str]:
    return [post["text"] for post in (await emulator.ground_truth())["posts"]]


async def fault_log(emulator: Emulator) -> list[dict[str, Any]]:
    async with emulator.http.get(f"{emulator.url}/_emulator/faults") as answer:
        written: list[dict[str, Any]] = (await answer.json())["log"]
        return written


async def test_drop_after_the_commit_creates_the_post(account: Account) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "after", "drop")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await account.create("Did it arrive?")
    assert await texts(emulator) == ["Did it arrive?"]
    assert (await account.create("Did it arrive?")).status == 403
    [entry] = await fault_log(emulator)
    assert (entry["operation"], entry["when"], entry["kind"]) == ("create_post", "after", "drop")
    created = (await emulator.ground_truth())["requests"][entry["request"]]
    assert (created["status"], created["usd"]) == (201, "0.015")


async def test_drop_before_the_commit_creates_nothing(account: Account) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "before", "drop")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await account.create("Did it arrive?")
    assert await texts(emulator) == []
    [entry] = [
        e for e in (await emulator.ground_truth())["requests"] if e["operation"] == "create_post"
    ]
    assert (entry["status"], entry["usd"]) == (None, "0")
    assert (await account.create("Did it arrive?")).status == 201


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("500", 500, "Internal Server Error"),
        ("503", 503, "Service Unavailable"),
        ("502text", 502, "upstream connect error"),
        ("429", 429, "Too Many Requests"),
        ("401", 401, "Unauthorized"),
        ("402", 402, "does not have any credits"),
    ],
)
async def test_inconclusive_error_responses(
    account: Account, when: str, kind: str, status: int, words: str
) -> None:
    await account.emulator.fail("create_post", when, kind)
    response = await account.create("Was it made?")
    assert response.status == status
    assert words in str(response.body)
    assert await texts(account.emulator) == (["Was it made?"] if when == "after" else [])


async def test_injected_429_reports_no_requests_left(account: Account) -> None:
    await account.emulator.fail("create_post", "after", "429")
    response = await account.create("Too often?")
    assert response.headers["x-rate-limit-remaining"] == "0"


@pytest.mark.timing
async def test_delay_before_the_commit_creates_the_post_after_a_client_timeout(
    account: Account,
) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "before", "delay", seconds=1)
    asking = asyncio.create_task(account.create("Late"))
    # An entry in the fault log shows that the request has arrived.
    await until(lambda: fault_log(emulator))
    asking.cancel()
    await asyncio.wait({asking})
    assert await texts(emulator) == []
    await until(lambda: texts(emulator))
    assert await texts(emulator) == ["Late"]


async def test_fault_applies_as_often_as_specified(account: Account) -> None:
    await account.emulator.fail("read_me", "before", "503", times=2)
    statuses = [(await account.get("/2/users/me")).status for _ in range(3)]
    assert statuses == [503, 503, 200]


async def test_faults_can_be_cleared(account: Account) -> None:
    await account.emulator.fail("read_me", "before", "503", times=None)
    assert (await account.get("/2/users/me")).status == 503
    await account.emulator.clear_faults()
    assert (await account.get("/2/users/me")).status == 200
    assert len(await fault_log(account.emulator)) == 1


async def test_probability_is_drawn_from_the_seed(account: Account) -> None:
    async def statuses() -> list[int]:
        await account.emulator.fail("read_me", "before", "503", times=None, probability=0.5)
        account.tokens = await account.emulator.connect(account.username)
        return [(await account.get("/2/users/me")).status for _ in range(20)]

    first = await statuses()
    await account.emulator.reset()
    assert await statuses() == first
    assert {200, 503} == set(first)


async def test_refresh_response_can_be_lost_after_rotation(account: Account) -> None:
    emulator = account.emulator
    await emulator.fail("refresh", "after", "drop")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": account.tokens["refresh_token"],
        "client_id": emulator.app.client_id,
    }
    headers = {"authorization": emulator.app.basic}
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await emulator.http.post(f"{emulator.url}/2/oauth2/token", data=form, headers=headers)
    async with emulator.http.post(
        f"{emulator.url}/2/oauth2/token", data=form, headers=headers
    ) as answer:
        assert answer.status == 400


async def test_invalid_fault_is_refused(emulator: Emulator) -> None:
    for body in ({"operation": "x"}, {"operation": "x", "when": "later", "kind": "drop"}):
        async with emulator.http.post(f"{emulator.url}/_emulator/faults", json=body) as answer:
            assert answer.status == 400
            assert "error" in await answer.json()


UPLOADS = ("media_initialize", "media_append", "media_finalize", "media_status")
KINDS = {"drop": 0, "500": 500, "503": 503, "502text": 502, "429": 429, "401": 401, "402": 402}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_every_upload_step_accepts_every_fault(
    account: Account, gif: bytes, when: str
) -> None:
    emulator = account.emulator
    for kind, status in (KINDS | ({"cut": 0} if when == "after" else {})).items():
        media_id = await account.initialize("tweet_gif", "image/gif", len(gif))
        for operation in UPLOADS:
            await emulator.fail(operation, when, kind)
        found = [
            await status_of(account.request("POST", "/2/media/upload/initialize", json={})),
            await status_of(account.append(media_id, 0, gif)),
            await status_of(account.append(media_id, 0, gif)),
            await status_of(account.finalize(media_id)),
            await status_of(account.finalize(media_id)),
        ]
        # aiohttp repeats a GET whose connection is cut, so the emulator receives two requests.
        await status_of(account.get("/2/media/upload", media_id=media_id))
        refused = status if when == "before" else 400
        assert found == [refused, status, 200, status, 200], kind
        entries = {each["operation"] for each in await fault_log(emulator) if each["kind"] == kind}
        assert entries == set(UPLOADS) - ({"media_initialize"} if when == "after" else set())
        await emulator.clear_faults()


async def status_of(request: Awaitable[Response]) -> int:
    """Return the status of a response, or 0 if the connection was cut."""
    try:
        return (await request).status
    except aiohttp.ClientError:
        return 0


async def test_cut_of_an_empty_response_is_a_drop(account: Account, png: bytes) -> None:
    await account.emulator.switch(append_status=204)
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    await account.emulator.fail("media_append", "after", "cut")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await account.append(media_id, 0, png)
    assert (await account.finalize(media_id)).status == 200


@pytest.mark.timing
async def test_log_has_the_request_number_despite_concurrent_requests(account: Account) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "before", "delay", seconds=1)
    await emulator.fail("create_post", "after", "503")
    slow = asyncio.ensure_future(account.create("Slow"))
    await until(lambda: fault_log(emulator))
    assert (await account.get("/2/users/me")).status == 200
    assert (await slow).status == 503
    entries = await fault_log(emulator)
    requests = (await emulator.ground_truth())["requests"]
    assert [requests[each["request"]]["operation"] for each in entries] == ["create_post"] * 2
    assert [requests[each["request"]]["number"] for each in entries] == [
        each["request"] for each in entries
    ]


async def test_faults_are_drawn_independently_of_each_other(account: Account) -> None:
    emulator = account.emulator

    async def statuses(*kinds: str) -> list[int]:
        await emulator.reset()
        account.tokens = await emulator.connect(account.username)
        for kind in kinds:
            await emulator.fail("read_me", "before", kind, times=None, probability=0.4)
        return [(await account.get("/2/users/me")).status for _ in range(24)]

    alone, beside = await statuses("503"), await statuses("503", "500")
    assert [each == 503 for each in beside] == [each == 503 for each in alone]
    assert 500 in beside
