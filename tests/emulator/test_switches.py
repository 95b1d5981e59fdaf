"""Tests of switches that select between responses on which sources disagree."""

from typing import Any

import pytest

from emulator.account import Account

ASKED = {"ids": "1", "tweet.fields": "colour"}


@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
async def test_invalid_request_has_nested_errors_by_default(account: Account, host: str) -> None:
    await account.emulator.switch(problem_host=host)
    response = await account.get("/2/tweets", **ASKED)
    [error] = response.body["errors"]
    assert (response.status, response.body) == (
        400,
        {
            "errors": [{"parameters": {"tweet.fields": ["colour"]}, "message": error["message"]}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"https://{host}/2/problems/invalid-request",
        },
    )


async def test_invalid_request_is_flat_by_switch(account: Account) -> None:
    await account.emulator.switch(error_format="flat")
    response = await account.get("/2/tweets", **ASKED)
    assert response.body.keys() == {"title", "type", "detail", "status", "value", "parameter"}
    assert (response.body["parameter"], response.body["value"]) == ("tweet.fields", "colour")


async def test_problems_have_their_content_type_in_the_flat_format(account: Account) -> None:
    kinds = []
    for errors in ("nested", "flat"):
        await account.emulator.switch(error_format=errors)
        response = await account.create("x" * 281)
        assert response.status == 403
        kinds.append(response.headers["content-type"])
    assert kinds == ["application/json; charset=utf-8", "application/problem+json"]


async def test_text_weights_are_those_of_the_documentation(account: Account) -> None:
    """A Latin letter weighs 1; letters of other scripts and emoji weigh 2; a link weighs 23.

    The letters are counted in the Unicode normal form NFC.
    """
    for unit, weight in (("a", 1), ("好", 2), ("👩‍👩‍👧", 2), ("e\u0301", 1)):
        fits = unit * (280 // weight)
        assert (await account.create(fits)).status == 201
        assert (await account.create(fits + unit)).status == 403
    link = "https://example.com/" + "long/" * 30
    assert (await account.create("b" * 256 + " " + link)).status == 201
    assert (await account.create("b" * 257 + " " + link)).status == 403


async def test_create_accepts_the_options_of_the_schema(account: Account) -> None:
    body: dict[str, Any] = {
        "made_with_ai": True,
        "paid_partnership": False,
        "nullcast": False,
        "share_with_followers": False,
        "for_super_followers_only": False,
        "reply_settings": "verified",
        "geo": {"place_id": "5a110d312052166f"},
    }
    response = await account.create("With everything", **body)
    assert response.status == 201
    read = await account.get(
        f"/2/tweets/{response.data['id']}", **{"tweet.fields": "reply_settings"}
    )
    assert read.data["reply_settings"] == "verified"
