"""Reading posts and users: partial answers, who may see private numbers, pages of a timeline."""

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


async def test_lookup_is_partial(account: Account) -> None:
    post_id = await account.post("Here")
    told = await account.get("/2/tweets", ids=f"{post_id},99")
    assert told.status == 200
    assert [post["id"] for post in told.data] == [post_id]
    [error] = told.body["errors"]
    assert error["type"].endswith("/resource-not-found")
    assert (error["value"], error["parameter"]) == ("99", "ids")
    assert error["detail"] == "Could not find tweet with ids: [99]."


async def test_lookup_of_nothing_has_errors_only(account: Account) -> None:
    told = await account.get("/2/tweets", ids="98,99")
    assert told.status == 200
    assert set(told.body) == {"errors"}


async def test_deleted_post_cannot_be_read(account: Account) -> None:
    post_id = await account.post("Here")
    await account.ask("DELETE", f"/2/tweets/{post_id}")
    told = await account.get(f"/2/tweets/{post_id}")
    assert (told.status, "data" in told.body) == (200, False)


async def test_private_metrics_drop_a_foreign_post(account: Account, emulator: Emulator) -> None:
    own = await account.post("Mine")
    foreign = await (await connect(emulator, 1)).post("Theirs")
    told = await account.get("/2/tweets", ids=f"{own},{foreign}", **PRIVATE)
    assert [post["id"] for post in told.data] == [own]
    errors = told.body["errors"]
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
    told = await account.get("/2/tweets", ids=post_id, **PRIVATE)
    assert set(told.body) == {"errors"}
    public = await account.get("/2/tweets", ids=post_id, **{"tweet.fields": "public_metrics"})
    assert public.data[0]["public_metrics"]["impression_count"] > 0


async def test_spelling_follows_the_question(account: Account) -> None:
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
    told = await account.get("/2/tweets", ids="1", **{"tweet.fields": "organic_metrics.likes"})
    assert told.status == 400
    assert told.body["errors"][0]["parameters"] == {"tweet.fields": ["organic_metrics.likes"]}


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
async def test_lists_are_as_the_schema_has_them(account: Account, wrong: dict[str, str]) -> None:
    told = await account.get("/2/tweets", **({"ids": "1,1"} | wrong))
    assert told.status == 400
    assert (await account.get("/2/tweets", ids="1,1")).status == 200


async def test_me_tells_subscription_and_counts(account: Account) -> None:
    await account.post("Counted")
    told = await account.get(
        "/2/users/me", **{"user.fields": "public_metrics,subscription_type,verified,created_at"}
    )
    assert (told.data["username"], told.data["id"]) == ("larkbooks", account.id)
    assert told.data["subscription_type"] == "None"
    assert told.data["verified"] is False
    assert told.data["public_metrics"]["tweet_count"] == 4_211
    assert told.data["public_metrics"]["following_count"] == 612


async def test_subscription_may_be_missing(emulator: Emulator) -> None:
    await emulator.control("users", username="plain", subscription_type=None)
    account = await connect(emulator, 3)
    told = await account.get("/2/users/me", **{"user.fields": "subscription_type,verified"})
    assert "subscription_type" not in told.data
    assert (await account.create("ä" * 281)).status == 403


async def test_users_lookup_is_partial(account: Account, emulator: Emulator) -> None:
    other = (await emulator.users())[2]["id"]
    told = await account.get("/2/users", ids=f"{other},5")
    assert [user["username"] for user in told.data] == ["mira_builds"]
    assert told.body["errors"][0]["detail"] == "Could not find user with ids: [5]."
    one = await account.get(f"/2/users/{other}")
    assert one.data == {"id": other, "name": "Mira Okafor", "username": "mira_builds"}


async def test_timeline_pages_through_everything_newest_first(account: Account) -> None:
    ids = [await account.post(f"Post {number}") for number in range(12)]
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        told = await account.get(f"/2/users/{account.id}/tweets", max_results="5", **token)
        seen += [post["id"] for post in told.data]
        assert told.body["meta"]["result_count"] == len(told.data)
        assert told.body["meta"]["newest_id"] == told.data[0]["id"]
        if "next_token" not in told.body["meta"]:
            break
        token = {"pagination_token": told.body["meta"]["next_token"]}
    assert seen == ids[::-1]


async def test_page_tokens_may_be_stored_while_posts_come_and_go(account: Account) -> None:
    async def page(**more: str) -> tuple[list[str], dict[str, Any]]:
        told = await account.get(f"/2/users/{account.id}/tweets", max_results="5", **more)
        return [post["id"] for post in told.data], told.body["meta"]

    ids = [await account.post(f"Post {number}") for number in range(12)]
    first, meta = await page()
    for number in range(3):
        await account.post(f"Later {number}")
    assert (await account.ask("DELETE", f"/2/tweets/{first[0]}")).status == 200
    assert (await account.ask("DELETE", f"/2/tweets/{ids[5]}")).status == 200
    second, meta = await page(pagination_token=meta["next_token"])
    third, last = await page(pagination_token=meta["next_token"])
    assert first + second + third == [each for each in ids[::-1] if each != ids[5]]
    assert "next_token" not in last
    back, _ = await page(pagination_token=last["previous_token"])
    assert back == second
    for wrong in ("", "x", "é", "older:1", "0" * 5000):
        told = await account.get(f"/2/users/{account.id}/tweets", pagination_token=wrong)
        assert told.status == 400


@pytest.mark.parametrize(("without_replies", "reach"), [(False, 3_200), (True, 800)])
def test_timeline_reaches_back_so_far(without_replies: bool, reach: int) -> None:
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
        told = await account.get(path, **bounds)
        return [post["id"] for post in told.body.get("data", [])]

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
        told = await account.get(path, exclude=exclude)
        assert [post["id"] for post in told.data] == [root]
    assert (await account.get(path, exclude="quotes")).status == 400


@pytest.mark.parametrize("value", ["4", "101", "many"])
async def test_timeline_page_size_is_5_to_100(account: Account, value: str) -> None:
    told = await account.get(f"/2/users/{account.id}/tweets", max_results=value)
    assert told.status == 400


async def test_media_is_expanded(account: Account, png: bytes) -> None:
    media_id = await account.upload_image(png)
    await account.post("Look", media={"media_ids": [media_id]})
    told = await account.get(
        f"/2/users/{account.id}/tweets",
        **{
            "expansions": "attachments.media_keys",
            "media.fields": "type,width,height,alt_text",
            "tweet.fields": "entities",
        },
    )
    key = f"3_{media_id}"
    assert told.data[0]["attachments"] == {"media_keys": [key]}
    assert told.body["includes"]["media"] == [
        {"media_key": key, "type": "photo", "width": 64, "height": 48}
    ]
    [url] = told.data[0]["entities"]["urls"]
    assert told.data[0]["text"] == f"Look {url['url']}"
    assert url["media_key"] == key


async def test_every_v2_answer_carries_the_headers_of_x(account: Account) -> None:
    told = await account.get("/2/tweets", ids="1")
    assert told.headers["api-version"] == "2.167"
    assert told.headers["cache-control"] == "no-cache, no-store, max-age=0"
    assert told.headers["content-disposition"] == "attachment; filename=json.json"
    assert told.headers["x-rate-limit-limit"] == "5000"
    assert int(told.headers["x-rate-limit-reset"]) % 1 == 0
    assert {"x-response-time", "x-transaction-id", "date"} <= told.headers.keys()


@pytest.mark.parametrize("path", ["/2/insights/28hr", "/2/usage/credits"])
async def test_unknown_path_is_404_without_a_byte(account: Account, path: str) -> None:
    told = await account.get(path)
    assert (told.status, told.body) == (404, b"")
    assert "x-rate-limit-limit" not in told.headers
