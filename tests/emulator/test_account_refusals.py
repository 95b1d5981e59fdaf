"""Tests of refusals that depend on the account or app, such as missing credits."""

from typing import Any

import pytest

from emulator.account import Account, connect
from emulator.signing import signed_in
from fix_emulator import Emulator

TWITTER = "https://api.twitter.com/2/problems"


async def change_app(account: Account, **more: Any) -> dict[str, Any]:
    app: dict[str, Any] = await account.emulator.control(
        f"apps/{account.emulator.app.client_id}", **more
    )
    return app


async def test_credits_depleted_is_402_of_185_bytes(account: Account) -> None:
    app = await change_app(account, credits="0.02")
    first = await account.create("The last cent")
    assert first.status == 201
    assert (await account.create("Overdrawn")).status == 201
    response = await account.create("Nothing left")
    assert (response.status, response.body) == (
        402,
        {
            "title": "CreditsDepleted",
            "detail": f"Your enrolled account [{app['account_id']}] does not have any credits to"
            " fulfill this request.",
            "type": f"{TWITTER}/credits",
        },
    )
    assert len(app["account_id"]) == 19
    assert response.headers["content-length"] == "185"
    await change_app(account, credits=None)
    assert (await account.create("Nothing left")).status == 201


async def test_uploads_need_no_credits(account: Account, png: bytes) -> None:
    await change_app(account, credits="0")
    assert await account.upload_image(png)
    assert (await account.get("/2/users/me")).status == 402


async def test_monthly_cap_is_429_with_requests_left_in_the_window(account: Account) -> None:
    app = await change_app(account, post_cap=2)
    post_id = await account.post("Read me")
    for _ in range(2):
        assert (await account.get("/2/tweets", ids=post_id)).status == 200
    response = await account.get("/2/tweets", ids=post_id)
    assert (response.status, response.body) == (
        429,
        {
            "account_id": int(app["account_id"]),
            "product_name": "standard-basic",
            "title": "UsageCapExceeded",
            "period": "Monthly",
            "scope": "Product",
            "detail": "Usage cap exceeded: Monthly product cap",
            "type": f"{TWITTER}/usage-capped",
        },
    )
    assert int(response.headers["x-rate-limit-remaining"]) > 4_000
    assert (await account.create("Writing goes on")).status == 201
    await account.emulator.jump(days=31)
    account.tokens = await account.emulator.connect(account.username)
    assert (await account.get("/2/tweets", ids=post_id)).status == 200


async def test_app_without_a_project_is_refused(account: Account) -> None:
    await change_app(account, enrolled=False)
    response = await account.get("/2/users/me")
    assert response.status == 403
    assert response.body["client_id"] == account.emulator.app.client_id
    assert response.body["reason"] == "client-not-enrolled"
    assert response.body["title"] == "Client Forbidden"
    assert response.body["type"] == f"{TWITTER}/client-forbidden"
    assert response.body["required_enrollment"] == "Appropriate Level of API Access"
    assert response.body["detail"].startswith("When authenticating requests to the Twitter API v2")


async def test_suspended_user_may_not_post_and_cannot_be_read(
    account: Account, emulator: Emulator
) -> None:
    post_id = await account.post("Before")
    await emulator.control("users/larkbooks", suspended=True)
    response = await account.create("After")
    assert (response.status, response.body["type"]) == (403, f"{TWITTER}/user-suspended")
    other = await connect(emulator, 1)
    response = await other.get("/2/tweets", ids=post_id)
    assert response.status == 200
    [error] = response.body["errors"]
    assert error == {
        "value": post_id,
        "resource_id": post_id,
        "parameter": "ids",
        "resource_type": "tweet",
        "section": "data",
        "title": "Authorization Error",
        "detail": f"Sorry, you are not authorized to see the Tweet with ids: [{post_id}].",
        "type": f"{TWITTER}/not-authorized-for-resource",
    }
    assert set((await other.get(f"/2/tweets/{post_id}")).body) == {"errors"}
    assert set((await other.get(f"/2/users/{account.id}/tweets")).body) == {"errors"}


async def test_protected_posts_are_visible_to_their_author_only(
    account: Account, emulator: Emulator
) -> None:
    post_id = await account.post("Among us")
    await emulator.control("users/larkbooks", protected=True)
    other = await connect(emulator, 1)
    assert set((await other.get("/2/tweets", ids=post_id)).body) == {"errors"}
    assert (await account.get("/2/tweets", ids=post_id)).data[0]["id"] == post_id


async def test_community_is_refused(account: Account) -> None:
    response = await account.create("To the members", community_id="1")
    assert (response.status, response.body["title"]) == (403, "Forbidden")


@pytest.mark.parametrize("field", ["card_uri", "direct_message_deep_link"])
async def test_invalid_url_is_refused(account: Account, field: str) -> None:
    response = await account.create("Look", **{field: "no address"})
    assert response.status == 400
    assert response.body["errors"][0]["message"] == "The Tweet contains an invalid URL."


async def test_daily_user_limit_is_exhausted_before_the_window(account: Account) -> None:
    await account.emulator.switch(max_posts_per_day=17, daily_limit_headers=True)
    for number in range(17):
        response = await account.create(f"Post {number}")
        assert response.status == 201
    assert response.headers["x-user-limit-24hour-limit"] == "17"
    assert response.headers["x-user-limit-24hour-remaining"] == "0"
    assert response.headers["x-app-limit-24hour-limit"] == "10000"
    assert response.headers["x-app-limit-24hour-remaining"] == "9983"
    response = await account.create("One more")
    assert (response.status, response.body["title"]) == (429, "Too Many Requests")
    assert response.headers["x-rate-limit-remaining"] == "83"
    day = int(response.headers["x-user-limit-24hour-reset"])
    assert day - int(response.headers["x-rate-limit-reset"]) == (24 * 4 - 1) * 15 * 60


async def test_daily_limits_are_not_in_headers_by_default(account: Account) -> None:
    response = await account.create("Quiet")
    assert not [name for name in response.headers if "24hour" in name]


@pytest.mark.parametrize("way", ["reply", "quote"])
async def test_summons_refusal_has_the_older_message_by_switch(
    account: Account, emulator: Emulator, way: str
) -> None:
    await emulator.switch(summons_error="sentence")
    quiet = await (await connect(emulator, 1)).post("No mention")
    body: dict[str, Any] = (
        {"reply": {"in_reply_to_tweet_id": quiet}} if way == "reply" else {"quote_tweet_id": quiet}
    )
    response = await account.create("Me too", **body)
    assert (response.status, response.body["type"]) == (403, "about:blank")
    assert "is not allowed because you have not been mentioned" in response.body["detail"]


async def test_reply_settings_limit_who_may_reply(account: Account, emulator: Emulator) -> None:
    await emulator.switch(tier="enterprise")
    other = await connect(emulator, 1)
    limited = await other.post("Only you, @mira_builds", reply_settings="mentionedUsers")
    response = await account.create("Me?", reply={"in_reply_to_tweet_id": limited})
    assert (response.status, response.body["detail"]) == (
        403,
        "You are not permitted to reply to this conversation.",
    )
    mira = await connect(emulator, 2)
    assert (await mira.create("Yes", reply={"in_reply_to_tweet_id": limited})).status == 201


async def test_reply_to_a_new_parent_is_refused_by_switch(account: Account) -> None:
    await account.emulator.switch(min_parent_age_seconds=5)
    await account.emulator.freeze()
    root = await account.post("One")
    reply = {"in_reply_to_tweet_id": root}
    response = await account.create("Two", reply=reply)
    assert (response.status, "deleted or not visible" in response.body["detail"]) == (403, True)
    await account.emulator.jump(seconds=5)
    assert (await account.create("Two", reply=reply)).status == 201


async def test_credits_are_spent_by_signed_requests(emulator: Emulator) -> None:
    keys = await signed_in(emulator, credits="0.001")
    assert (await keys.request("POST", "/2/tweets", json={"text": "One"})).status == 201
    assert (await keys.request("POST", "/2/tweets", json={"text": "Two"})).status == 402
