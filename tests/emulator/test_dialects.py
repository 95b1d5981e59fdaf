"""The bodies on which X's sources disagree, each by its switch, word for word."""

from typing import Any

import pytest

from emulator.account import Account

ASKED = {"ids": "1", "tweet.fields": "colour"}


@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
async def test_invalid_request_nests_its_errors(account: Account, host: str) -> None:
    await account.emulator.switch(problem_host=host)
    told = await account.get("/2/tweets", **ASKED)
    [error] = told.body["errors"]
    assert (told.status, told.body) == (
        400,
        {
            "errors": [{"parameters": {"tweet.fields": ["colour"]}, "message": error["message"]}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"https://{host}/2/problems/invalid-request",
        },
    )


async def test_invalid_request_may_be_flat(account: Account) -> None:
    await account.emulator.switch(error_format="flat")
    told = await account.get("/2/tweets", **ASKED)
    assert told.body.keys() == {"title", "type", "detail", "status", "value", "parameter"}
    assert (told.body["parameter"], told.body["value"]) == ("tweet.fields", "colour")


async def test_problems_say_what_they_are_in_the_flat_dialect(account: Account) -> None:
    kinds = []
    for errors in ("nested", "flat"):
        await account.emulator.switch(error_format=errors)
        told = await account.create("x" * 281)
        assert told.status == 403
        kinds.append(told.headers["content-type"])
    assert kinds == ["application/json; charset=utf-8", "application/problem+json"]


async def test_weights_are_those_of_the_documentation(account: Account) -> None:
    """Latin letters weigh one, others and emoji two, a link 23; the text is normalized first."""
    for unit, weight in (("a", 1), ("好", 2), ("👩‍👩‍👧", 2), ("e\u0301", 1)):
        fits = unit * (280 // weight)
        assert (await account.create(fits)).status == 201
        assert (await account.create(fits + unit)).status == 403
    link = "https://example.com/" + "long/" * 30
    assert (await account.create("b" * 256 + " " + link)).status == 201
    assert (await account.create("b" * 257 + " " + link)).status == 403


async def test_options_of_the_schema_are_taken(account: Account) -> None:
    body: dict[str, Any] = {
        "made_with_ai": True,
        "paid_partnership": False,
        "nullcast": False,
        "share_with_followers": False,
        "for_super_followers_only": False,
        "reply_settings": "verified",
        "geo": {"place_id": "5a110d312052166f"},
    }
    told = await account.create("With everything", **body)
    assert told.status == 201
    read = await account.get(f"/2/tweets/{told.data['id']}", **{"tweet.fields": "reply_settings"})
    assert read.data["reply_settings"] == "verified"
