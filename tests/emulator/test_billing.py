"""Tests of the prices of requests; the emulator has a price list of its own."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from emulator.account import Account, connect
from fix_emulator import Emulator, RegisteredApp


async def dollars(emulator: Emulator) -> Decimal:
    apps = (await emulator.ground_truth(emulator.app.client_id))["apps"]
    return Decimal(apps[emulator.app.client_id]["dollars"])


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        ("No link", "0.015"),
        ("https://example.com", "0.200"),
        ("See example.com", "0.200"),
        ("README.md is a link", "0.200"),
        ("Node.js is none", "0.015"),
    ],
    ids=["plain", "protocol", "bare", "accidental", "not a domain"],
)
async def test_price_of_a_post(account: Account, text: str, usd: str) -> None:
    await account.post(text)
    assert await dollars(account.emulator) == Decimal(usd)


async def test_summoned_reply_is_cheaper(account: Account, emulator: Emulator) -> None:
    call = await (await connect(emulator, 1)).post("@larkbooks?")
    before = await dollars(emulator)
    await account.post("Yes", reply={"in_reply_to_tweet_id": call})
    assert await dollars(emulator) - before == Decimal("0.010")


async def test_own_thread_has_the_full_price(account: Account, emulator: Emulator) -> None:
    root = await account.post("One")
    await account.post("Two", reply={"in_reply_to_tweet_id": root})
    assert await dollars(emulator) == Decimal("0.030")


async def test_reads_are_charged_once_per_object_and_utc_day(
    account: Account, emulator: Emulator
) -> None:
    tomorrow = datetime.fromisoformat((await emulator.ground_truth())["now"]) + timedelta(days=1)
    await emulator.freeze()
    await emulator.control("clock", to=tomorrow.replace(hour=1).isoformat())
    account.tokens = await emulator.connect(account.username)
    ids = [await account.post(f"Post {number}") for number in range(2)]
    before = await dollars(emulator)
    for _ in range(2):
        await account.get("/2/tweets", ids=",".join(ids))
        await account.get(f"/2/users/{account.id}/tweets")
        await account.get(f"/2/tweets/{ids[0]}")
    assert await dollars(emulator) - before == Decimal("0.010")
    await emulator.jump(hours=23)
    account.tokens = await emulator.connect(account.username)
    await account.get("/2/tweets", ids=ids[0])
    assert await dollars(emulator) - before == Decimal("0.015")


async def test_user_read_costs_a_cent_per_day(account: Account, emulator: Emulator) -> None:
    other = (await emulator.users())[1]["id"]
    await account.get("/2/users/me")
    await account.get("/2/users/me")
    assert await dollars(emulator) == Decimal("0.010")
    await account.get("/2/users", ids=f"{account.id},{other},99")
    assert await dollars(emulator) == Decimal("0.020")


async def test_owned_reads_have_a_lower_price(emulator: Emulator) -> None:
    first = emulator.app
    app = await emulator.control("apps", callbacks=[first.callback], owner="larkbooks")
    emulator.app = RegisteredApp(app["client_id"], app["client_secret"], first.callback)
    owner, tenant = await connect(emulator, 0), await connect(emulator, 1)
    for each in (owner, tenant):
        await each.post(f"Mine: {each.username}")
    before = await dollars(emulator)
    await owner.get("/2/users/me")
    await owner.get(f"/2/users/{owner.id}/tweets")
    assert await dollars(emulator) - before == Decimal("0.002")
    await owner.get(f"/2/users/{tenant.id}/tweets")
    await tenant.get("/2/users/me")
    assert await dollars(emulator) - before == Decimal("0.017")


async def test_refusals_tokens_and_uploads_are_free(account: Account, png: bytes) -> None:
    await account.create("x" * 281)
    await account.get("/2/tweets", ids="99")
    await account.upload_image(png)
    assert await dollars(account.emulator) == 0
    ground_truth = await account.emulator.ground_truth(account.emulator.app.client_id)
    operations = {entry["operation"] for entry in ground_truth["requests"]}
    assert operations == {
        *("token", "create_post", "read_posts"),
        *("media_initialize", "media_append", "media_finalize"),
    }


async def test_delete_and_alt_text_have_prices(account: Account, png: bytes) -> None:
    media_id = await account.upload_image(png)
    body = {"id": media_id, "metadata": {"alt_text": {"text": "Blue"}}}
    await account.request("POST", "/2/media/metadata", json=body)
    assert await dollars(account.emulator) == Decimal("0.005")
    post_id = await account.post("Gone soon")
    await account.request("DELETE", f"/2/tweets/{post_id}")
    assert await dollars(account.emulator) == Decimal("0.030")


async def test_ground_truth_has_totals_by_app(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    media_id = await account.upload_image(png)
    await account.post("Look", media={"media_ids": [media_id]})
    first = emulator.app
    other = await emulator.control("apps", callbacks=[first.callback])
    everything = await emulator.ground_truth()
    assert everything["apps"][first.client_id] | {"requests": 0} == {
        "posts": 1,
        "media": 1,
        "requests": 0,
        "dollars": "0.015",
    }
    assert everything["apps"][other["client_id"]]["posts"] == 0
    alone = await emulator.ground_truth(other["client_id"])
    assert (alone["posts"], alone["media"], alone["requests"]) == ([], [], [])
