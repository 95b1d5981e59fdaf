"""Injected faults: before and after the commit, and the journal that tells of them."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest

from emulator.account import Account, Told
from fix_emulator import Emulator
from fix_processes import until


async def texts(emulator: Emulator) -> list[str]:
    return [post["text"] for post in (await emulator.ground_truth())["posts"]]


async def journal(emulator: Emulator) -> list[dict[str, Any]]:
    async with emulator.http.get(f"{emulator.url}/_emulator/faults") as answer:
        written: list[dict[str, Any]] = (await answer.json())["log"]
        return written


async def test_drop_after_the_commit_leaves_a_post_behind(account: Account) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "after", "drop")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await account.create("Did it arrive?")
    assert await texts(emulator) == ["Did it arrive?"]
    assert (await account.create("Did it arrive?")).status == 403
    [entry] = await journal(emulator)
    assert (entry["operation"], entry["when"], entry["kind"]) == ("create_post", "after", "drop")
    created = (await emulator.ground_truth())["requests"][entry["request"]]
    assert (created["status"], created["usd"]) == (201, "0.015")


async def test_drop_before_the_commit_leaves_nothing(account: Account) -> None:
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
async def test_answers_that_prove_nothing(
    account: Account, when: str, kind: str, status: int, words: str
) -> None:
    await account.emulator.fail("create_post", when, kind)
    told = await account.create("Was it made?")
    assert told.status == status
    assert words in str(told.body)
    assert await texts(account.emulator) == (["Was it made?"] if when == "after" else [])


async def test_injected_429_says_that_nothing_is_left(account: Account) -> None:
    await account.emulator.fail("create_post", "after", "429")
    told = await account.create("Too often?")
    assert told.headers["x-rate-limit-remaining"] == "0"


@pytest.mark.timing
async def test_delay_before_the_commit_creates_behind_an_impatient_clients_back(
    account: Account,
) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "before", "delay", seconds=1)
    asking = asyncio.create_task(account.create("Late"))
    await until(lambda: journal(emulator))  # The request has arrived.
    asking.cancel()
    await asyncio.wait({asking})
    assert await texts(emulator) == []
    await until(lambda: texts(emulator))
    assert await texts(emulator) == ["Late"]


async def test_fault_strikes_as_often_as_told(account: Account) -> None:
    await account.emulator.fail("read_me", "before", "503", times=2)
    statuses = [(await account.get("/2/users/me")).status for _ in range(3)]
    assert statuses == [503, 503, 200]


async def test_faults_can_be_cleared(account: Account) -> None:
    await account.emulator.fail("read_me", "before", "503", times=None)
    assert (await account.get("/2/users/me")).status == 503
    await account.emulator.clear_faults()
    assert (await account.get("/2/users/me")).status == 200
    assert len(await journal(account.emulator)) == 1


async def test_chance_is_drawn_from_the_seed(account: Account) -> None:
    async def statuses() -> list[int]:
        await account.emulator.fail("read_me", "before", "503", times=None, probability=0.5)
        account.tokens = await account.emulator.connect(account.username)
        return [(await account.get("/2/users/me")).status for _ in range(20)]

    first = await statuses()
    await account.emulator.reset()
    assert await statuses() == first
    assert {200, 503} == set(first)


async def test_refresh_response_lost_after_rotation(account: Account) -> None:
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


async def test_malformed_fault_is_told_so(emulator: Emulator) -> None:
    for body in ({"operation": "x"}, {"operation": "x", "when": "later", "kind": "drop"}):
        async with emulator.http.post(f"{emulator.url}/_emulator/faults", json=body) as answer:
            assert answer.status == 400
            assert "error" in await answer.json()


UPLOADS = ("media_initialize", "media_append", "media_finalize", "media_status")
KINDS = {"drop": 0, "500": 500, "503": 503, "502text": 502, "429": 429, "401": 401, "402": 402}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_every_step_of_an_upload_may_fail_in_every_way(
    account: Account, gif: bytes, when: str
) -> None:
    emulator = account.emulator
    for kind, status in (KINDS | ({"cut": 0} if when == "after" else {})).items():
        media_id = await account.initialize("tweet_gif", "image/gif", len(gif))
        for operation in UPLOADS:
            await emulator.fail(operation, when, kind)
        found = [
            await told(account.ask("POST", "/2/media/upload/initialize", json={})),
            await told(account.append(media_id, 0, gif)),
            await told(account.append(media_id, 0, gif)),
            await told(account.finalize(media_id)),
            await told(account.finalize(media_id)),
        ]
        await told(account.get("/2/media/upload", media_id=media_id))  # aiohttp asks again itself
        refused = status if when == "before" else 400
        assert found == [refused, status, 200, status, 200], kind
        struck = {each["operation"] for each in await journal(emulator) if each["kind"] == kind}
        assert struck == set(UPLOADS) - ({"media_initialize"} if when == "after" else set())
        await emulator.clear_faults()


async def told(asking: Awaitable[Told]) -> int:
    """The status of an answer; 0: the connection was cut."""
    try:
        return (await asking).status
    except aiohttp.ClientError:
        return 0


async def test_empty_answer_that_is_cut_is_dropped(account: Account, png: bytes) -> None:
    await account.emulator.switch(append_status=204)
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    await account.emulator.fail("media_append", "after", "cut")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await account.append(media_id, 0, png)
    assert (await account.finalize(media_id)).status == 200


@pytest.mark.timing
async def test_journal_names_the_request_although_others_came_meanwhile(account: Account) -> None:
    emulator = account.emulator
    await emulator.fail("create_post", "before", "delay", seconds=1)
    await emulator.fail("create_post", "after", "503")
    slow = asyncio.ensure_future(account.create("Slow"))
    await until(lambda: journal(emulator))
    assert (await account.get("/2/users/me")).status == 200
    assert (await slow).status == 503
    struck = await journal(emulator)
    told = (await emulator.ground_truth())["requests"]
    assert [told[each["request"]]["operation"] for each in struck] == ["create_post"] * 2
    assert [told[each["request"]]["number"] for each in struck] == [
        each["request"] for each in struck
    ]


async def test_faults_draw_whatever_other_faults_do(account: Account) -> None:
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
