"""Tests of reads of posts and users: partial results, private metrics, timeline pages."""

from dataclasses import replace
from typing import Any

import pytest

from emulator.account import Account, connect
from fix_emulator import Emulator
from x_emulator.rules import posts
from x_emulator.rules.posts import TimelineQuery
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.state import World

PRIVATE = {"tweet.fields": "public_metrics,non_public_metrics"}


async def test_lookup_returns_found_posts_beside_errors(account: Account) -> None:
    post_id = await account.post("Here")
    response = await account.get("/2/tweets", ids=f"{post_id},99")
    assert response.status == 200
    assert [post["id"] for post in response.data] == [post_id]
    [error] = response.body["errors"]
    assert error["type"].endswith("/resource-not-found")
    assert (error["value"], error["parameter"]) == ("99", "ids")
    assert error["detail"] == "Could not find tweet with ids: [99]."


async def test_lookup_of_missing_posts_returns_errors_only(account: Account) -> None:
    response = await account.get("/2/tweets", ids="98,99")
    assert response.status == 200
    assert set(response.body) == {"errors"}


async def test_deleted_post_cannot_be_read(account: Account) -> None:
    post_id = await account.post("Here")
    await account.request("DELETE", f"/2/tweets/{post_id}")
    response = await account.get(f"/2/tweets/{post_id}")
    assert (response.status, "data" in response.body) == (200, False)


async def test_private_metrics_drop_another_users_post(
    account: Account, emulator: Emulator
) -> None:
    own = await account.post("Mine")
    foreign = await (await connect(emulator, 1)).post("Theirs")
    response = await account.get("/2/tweets", ids=f"{own},{foreign}", **PRIVATE)
    assert [post["id"] for post in response.data] == [own]
    errors = response.body["errors"]
    assert {each["field"] for each in errors} == {
        "non_public_metrics.impression_count",
        "non_public_metrics.url_link_clicks",
        "non_public_metrics.user_profile_clicks",
        "non_public_metrics.engagements",
    }
    assert {each["resource_id"] for each in errors} == {foreign}
    assert errors[0]["type"].endswith("/not-authorized-for-field")


async def test_private_metrics_end_after_thirty_days(account: Account) -> None:
    post_id = await account.post("Mine")
    await account.emulator.jump(days=30, seconds=1)
    account.tokens = await account.emulator.connect(account.username)
    response = await account.get("/2/tweets", ids=post_id, **PRIVATE)
    assert set(response.body) == {"errors"}
    public = await account.get("/2/tweets", ids=post_id, **{"tweet.fields": "public_metrics"})
    assert public.data[0]["public_metrics"]["impression_count"] > 0


async def test_field_names_follow_the_request(account: Account) -> None:
    post_id = await account.post("Here")
    old = await account.get(f"/2/tweets/{post_id}", **{"tweet.fields": "public_metrics"})
    new = await account.get(f"/2/tweets/{post_id}", **{"post.fields": "public_metrics"})
    assert "retweet_count" in old.data["public_metrics"]
    assert "repost_count" in new.data["public_metrics"]
    assert new.data["edit_history_post_ids"] == [post_id]
    await account.emulator.switch(field_names="post")
    forced = await account.get("/2/users/me", **{"user.fields": "public_metrics"})
    assert "post_count" in forced.data["public_metrics"]


async def test_unknown_field_is_an_invalid_request(account: Account) -> None:
    response = await account.get("/2/tweets", ids="1", **{"tweet.fields": "organic_metrics.likes"})
    assert response.status == 400
    assert response.body["errors"][0]["parameters"] == {"tweet.fields": ["organic_metrics.likes"]}


@pytest.mark.parametrize("ids", ["", "a", ",".join("1" * 3 + str(n) for n in range(101))])
async def test_ids_must_be_one_to_a_hundred_numbers(account: Account, ids: str) -> None:
    assert (await account.get("/2/tweets", ids=ids)).status == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"tweet.fields": ""},
        {"user.fields": "name,name"},
        {"expansions": "author_id,"},
        {"place.fields": "weather"},
        {"ids": ",".join(["1"] * 101)},
    ],
    ids=lambda each: next(iter(each)),
)
async def test_list_parameters_follow_the_schema(account: Account, wrong: dict[str, str]) -> None:
    response = await account.get("/2/tweets", **({"ids": "1,1"} | wrong))
    assert response.status == 400
    assert (await account.get("/2/tweets", ids="1,1")).status == 200


async def test_read_me_returns_subscription_and_counts(account: Account) -> None:
    await account.post("Counted")
    response = await account.get(
        "/2/users/me", **{"user.fields": "public_metrics,subscription_type,verified,created_at"}
    )
    assert (response.data["username"], response.data["id"]) == ("larkbooks", account.id)
    assert response.data["subscription_type"] == "None"
    assert response.data["verified"] is False
    assert response.data["public_metrics"]["tweet_count"] == 4_211
    assert response.data["public_metrics"]["following_count"] == 612


async def test_subscription_type_can_be_missing(emulator: Emulator) -> None:
    await emulator.control("users", username="plain", subscription_type=None)
    account = await connect(emulator, 3)
    response = await account.get("/2/users/me", **{"user.fields": "subscription_type,verified"})
    assert "subscription_type" not in response.data
    assert (await account.create("ä" * 281)).status == 403


async def test_users_lookup_returns_found_users_beside_errors(
    account: Account, emulator: Emulator
) -> None:
    other = (await emulator.users())[2]["id"]
    response = await account.get("/2/users", ids=f"{other},5")
    assert [user["username"] for user in response.data] == ["mira_builds"]
    assert response.body["errors"][0]["detail"] == "Could not find user with ids: [5]."
    one = await account.get(f"/2/users/{other}")
    assert one.data == {"id": other, "name": "Mira Okafor", "username": "mira_builds"}


async def test_timeline_pages_through_everything_newest_first(account: Account) -> None:
    ids = [await account.post(f"Post {number}") for number in range(12)]
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        response = await account.get(f"/2/users/{account.id}/tweets", max_results="5", **token)
        seen += [post["id"] for post in response.data]
        assert response.body["meta"]["result_count"] == len(response.data)
        assert response.body["meta"]["newest_id"] == response.data[0]["id"]
        if "next_token" not in response.body["meta"]:
            break
        token = {"pagination_token": response.body["meta"]["next_token"]}
    assert seen == ids[::-1]


async def test_page_tokens_stay_valid_while_posts_are_created_and_deleted(account: Account) -> None:
    async def page(**more: str) -> tuple[list[str], dict[str, Any]]:
        response = await account.get(f"/2/users/{account.id}/tweets", max_results="5", **more)
        return [post["id"] for post in response.data], response.body["meta"]

    ids = [await account.post(f"Post {number}") for number in range(12)]
    first, meta = await page()
    for number in range(3):
        await account.post(f"Later {number}")
    assert (await account.request("DELETE", f"/2/tweets/{first[0]}")).status == 200
    assert (await account.request("DELETE", f"/2/tweets/{ids[5]}")).status == 200
    second, meta = await page(pagination_token=meta["next_token"])
    third, last = await page(pagination_token=meta["next_token"])
    assert first + second + third == [each for each in ids[::-1] if each != ids[5]]
    assert "next_token" not in last
    back, _ = await page(pagination_token=last["previous_token"])
    assert back == second
    for wrong in ("", "x", "é", "older:1", "0" * 5000):
        response = await account.get(f"/2/users/{account.id}/tweets", pagination_token=wrong)
        assert response.status == 400


@pytest.mark.parametrize(("without_replies", "reach"), [(False, 3_200), (True, 800)])
def test_timeline_returns_at_most_3200_posts(without_replies: bool, reach: int) -> None:
    world = World("steady", seed=7)
    try:
        user = next(iter(world.users.values()))
        for number in range(3_300):
            body = CreateBody(text=f"Post {number}")
            posts.create(world, user, "app", body, world.started_at)
        seen = 0
        query = TimelineQuery(max_results=100, without_replies=without_replies)
        while True:
            page = posts.read_timeline(world, user, query)
            seen += len(page.posts)
            if page.next is None:
                break
            query = replace(query, cursor=page.next)
        assert seen == reach
    finally:
        world.close()


async def test_timeline_bounds(account: Account) -> None:
    await account.emulator.freeze()
    ids = []
    for number in range(4):
        ids.append(await account.post(f"Post {number}"))
        await account.emulator.jump(hours=0.25)
    path = f"/2/users/{account.id}/tweets"

    async def found(**bounds: str) -> list[str]:
        response = await account.get(path, **bounds)
        return [post["id"] for post in response.body.get("data", [])]

    fields = {"tweet.fields": "created_at"}
    third = (await account.get(f"/2/tweets/{ids[2]}", **fields)).data["created_at"]
    assert await found(since_id=ids[1]) == [ids[3], ids[2]]
    assert await found(until_id=ids[1]) == [ids[0]]
    assert await found(start_time=third) == [ids[3], ids[2]]
    assert await found(end_time=third) == [ids[1], ids[0]]
    assert await found(since_id=ids[3]) == []


async def test_timeline_without_replies(account: Account) -> None:
    root = await account.post("Root")
    await account.post("Reply", reply={"in_reply_to_tweet_id": root})
    path = f"/2/users/{account.id}/tweets"
    for exclude in ("replies", "retweets,replies"):
        response = await account.get(path, exclude=exclude)
        assert [post["id"] for post in response.data] == [root]
    assert (await account.get(path, exclude="quotes")).status == 400


@pytest.mark.parametrize("value", ["4", "101", "many"])
async def test_timeline_page_size_is_5_to_100(account: Account, value: str) -> None:
    response = await account.get(f"/2/users/{account.id}/tweets", max_results=value)
    assert response.status == 400


async def test_media_is_expanded(account: Account, png: bytes) -> None:
    media_id = await account.upload_image(png)
    await account.post("Look", media={"media_ids": [media_id]})
    response = await account.get(
        f"/2/users/{account.id}/tweets",
        **{
            "expansions": "attachments.media_keys",
            "media.fields": "type,width,height,alt_text",
            "tweet.fields": "entities",
        },
    )
    key = f"3_{media_id}"
    assert response.data[0]["attachments"] == {"media_keys": [key]}
    assert response.body["includes"]["media"] == [
        {"media_key": key, "type": "photo", "width": 64, "height": 48}
    ]
    [url] = response.data[0]["entities"]["urls"]
    assert response.data[0]["text"] == f"Look {url['url']}"
    assert url["media_key"] == key


async def test_every_v2_response_has_the_headers_of_x(account: Account) -> None:
    response = await account.get("/2/tweets", ids="1")
    assert response.headers["api-version"] == "2.167"
    assert response.headers["cache-control"] == "no-cache, no-store, max-age=0"
    assert response.headers["content-disposition"] == "attachment; filename=json.json"
    assert response.headers["x-rate-limit-limit"] == "5000"
    assert int(response.headers["x-rate-limit-reset"]) % 1 == 0
    assert {"x-response-time", "x-transaction-id", "date"} <= response.headers.keys()


@pytest.mark.parametrize("path", ["/2/insights/28hr", "/2/usage/credits"])
async def test_unknown_path_is_404_with_an_empty_body(account: Account, path: str) -> None:
    response = await account.get(path)
    assert (response.status, response.body) == (404, b"")
    assert "x-rate-limit-limit" not in response.headers
