"""Tests of the creation and deletion of posts: responses, and the body of each refusal."""

from typing import Any

import pytest

from emulator.account import Account, Response, connect
from fix_emulator import Emulator


def forbidden(detail: str) -> dict[str, Any]:
    return {"title": "Forbidden", "type": "about:blank", "status": 403, "detail": detail}


async def test_create_returns_id_and_text(account: Account) -> None:
    response = await account.create("Good morning")
    assert response.status == 201
    post_id = response.data["id"]
    assert response.data == {
        "id": post_id,
        "text": "Good morning",
        "edit_history_tweet_ids": [post_id],
    }
    assert response.headers["location"] == f"https://api.twitter.com/2/tweets/{post_id}"
    assert response.headers["x-rate-limit-limit"] == "100"
    assert response.headers["x-rate-limit-remaining"] == "99"
    assert response.headers["x-access-level"] == "read-write"


async def test_ids_grow_with_emulated_time(account: Account) -> None:
    await account.emulator.freeze()
    first, second = await account.post("one"), await account.post("two")
    await account.emulator.jump(seconds=60)
    third = await account.post("three")
    assert int(first) < int(second) < int(third)
    assert (int(third) >> 22) - (int(first) >> 22) == 60_000


async def test_links_are_wrapped_in_responses(account: Account) -> None:
    response = await account.create(
        "Read https://example.com/a?b=c, then roost.dev #news @mira_builds"
    )
    read = await account.get(f"/2/tweets/{response.data['id']}", **{"tweet.fields": "entities"})
    text, entities = read.data["text"], read.data["entities"]
    assert response.data["text"] == text
    urls = entities["urls"]
    assert [each["expanded_url"] for each in urls] == [
        "https://example.com/a?b=c",
        "http://roost.dev",
    ]
    assert [text[each["start"] : each["end"]] for each in urls] == [each["url"] for each in urls]
    assert all(len(each["url"]) == 23 for each in urls)
    assert entities["hashtags"][0]["tag"] == "news"
    mention = entities["mentions"][0]
    assert text[mention["start"] : mention["end"]] == "@mira_builds"
    assert mention["id"] == (await account.emulator.users())[2]["id"]


async def test_duplicate_text_is_refused_for_the_same_user_only(
    account: Account, emulator: Emulator
) -> None:
    await account.post("Once is enough")
    response = await account.create("Once is enough")
    assert response.status == 403
    assert response.body == forbidden(
        "You are not allowed to create a Tweet with duplicate content."
    )
    other = await connect(emulator, 1)
    assert (await other.create("Once is enough")).status == 201


@pytest.mark.parametrize("way", ["deleted", "a day later", "switched off"])
async def test_duplicate_text_is_accepted_again(account: Account, way: str) -> None:
    post_id = await account.post("Good morning")
    if way == "deleted":
        await account.request("DELETE", f"/2/tweets/{post_id}")
    elif way == "a day later":
        await account.emulator.jump(hours=24.1)
        account.tokens = await account.emulator.connect(account.username)
    else:
        await account.emulator.switch(refuse_duplicates=False)
    assert (await account.create("Good morning")).status == 201


async def test_length_is_280_or_25_000_by_subscription(
    account: Account, emulator: Emulator
) -> None:
    assert (await account.create("ä" * 280)).status == 201
    response = await account.create("ä" * 281)
    assert (response.status, response.body) == (
        403,
        forbidden("You are not permitted to perform this action."),
    )
    premium = await connect(emulator, 2)
    assert (await premium.create("ä" * 25_000)).status == 201
    assert (await premium.create("ä" * 25_001)).status == 403


@pytest.mark.parametrize(
    ("switch", "status"), [("400", 400), ("403-text", 403)], ids=["invalid", "forbidden"]
)
async def test_too_long_error_depends_on_the_switch(
    account: Account, switch: str, status: int
) -> None:
    await account.emulator.switch(too_long_error=switch)
    response = await account.create("x" * 281)
    assert response.status == status
    assert "Your Tweet text is too long." in str(response.body)


async def test_long_post_is_cut_and_has_a_note(emulator: Emulator) -> None:
    premium = await connect(emulator, 2)
    text = "All of it. " * 60
    post_id = await premium.post(text.strip())
    read = await premium.get(f"/2/tweets/{post_id}", **{"tweet.fields": "note_tweet"})
    assert read.data["text"].endswith("…")
    assert len(read.data["text"]) < 280
    assert read.data["note_tweet"]["text"] == text.strip()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": "a", "colour": "red"}, "$.colour: is not defined in the schema"),
        (
            {"text": "a", "reply": {"in_reply_to_tweet_id": 1}},
            "$.reply.in_reply_to_tweet_id: integer found, string expected",
        ),
        (
            {"text": "a", "reply_settings": "everyone"},
            "$.reply_settings: does not have a value in the enumeration",
        ),
        (
            {"text": "a", "media": {"media_ids": ["1"] * 5}},
            "$.media.media_ids: there must be a maximum of 4 items in the array",
        ),
        (
            {"text": "a", "poll": {"options": ["yes"], "duration_minutes": 5}},
            "$.poll.options: there must be a minimum of 2 items in the array",
        ),
        ({"media": {}}, "$.media.media_ids: is missing but it is required"),
        ({"quote_tweet_id": "x"}, "$.quote_tweet_id: does not match the regex pattern"),
        (
            {"poll": {"options": ["a" * 26, "b"], "duration_minutes": 5}},
            "$.poll.options[0]: may only be 25 characters long",
        ),
        (
            {"poll": {"options": ["a", "b"], "duration_minutes": 4}},
            "$.poll.duration_minutes: must have a minimum value of 5",
        ),
        ({"text": ""}, "must not be empty"),
        ({}, "must not be empty"),
        ({"text": "", "media": {"media_ids": ["1"]}}, "must not be empty"),
        (
            {
                "text": "a",
                "poll": {"options": ["a", "b"], "duration_minutes": 5},
                "media": {"media_ids": ["1"]},
            },
            "You can only provide one of poll",
        ),
    ],
    ids=[
        *("unknown", "type", "settings", "five media", "short poll"),
        *("no media ids", "odd id", "long option", "short time"),
        *("empty", "nothing", "empty beside media", "poll and media"),
    ],
)
async def test_malformed_body_is_an_invalid_request(
    account: Account, body: dict[str, Any], words: str
) -> None:
    response = await account.create(**body)
    assert response.status == 400
    assert response.body["title"] == "Invalid Request"
    assert response.body["type"].endswith("/problems/invalid-request")
    assert words in response.body["errors"][0]["message"]


async def test_body_that_is_not_json_is_refused(account: Account) -> None:
    response = await account.request("POST", "/2/tweets", data=b"{nonsense")
    assert response.status == 400
    assert response.body["errors"][0]["message"] == "Request body is not valid JSON."


async def test_own_thread_is_a_conversation(account: Account) -> None:
    root = await account.post("One")
    reply = await account.post("Two", reply={"in_reply_to_tweet_id": root})
    read = await account.get(
        f"/2/tweets/{reply}",
        **{"tweet.fields": "conversation_id,referenced_tweets,in_reply_to_user_id"},
    )
    assert read.data["conversation_id"] == root
    assert read.data["referenced_tweets"] == [{"type": "replied_to", "id": root}]
    assert read.data["in_reply_to_user_id"] == account.id


async def reply_to(account: Account, post_id: str, text: str = "A reply") -> Response:
    return await account.create(text, reply={"in_reply_to_tweet_id": post_id})


async def test_reply_needs_a_summons(account: Account, emulator: Emulator) -> None:
    other = await connect(emulator, 1)
    quiet = await other.post("No mention")
    response = await reply_to(account, quiet)
    assert response.status == 403
    assert response.body["type"].endswith("/not-authorized-for-resource")
    assert response.body["detail"] == (
        "You can only reply to or quote posts where you are mentioned or are the author."
    )
    calling = await other.post("What do you think, @LarkBooks?")
    assert (await reply_to(account, calling)).status == 201


async def test_enterprise_may_reply_and_quote_anywhere(
    account: Account, emulator: Emulator
) -> None:
    await emulator.switch(tier="enterprise")
    quiet = await (await connect(emulator, 1)).post("No mention")
    assert (await reply_to(account, quiet)).status == 201
    assert (await account.create("See here", quote_tweet_id=quiet)).status == 201


async def test_self_serve_may_not_quote(account: Account) -> None:
    own = await account.post("Mine")
    assert (await account.create("See here", quote_tweet_id=own)).status == 403


@pytest.mark.parametrize("known", [True, False], ids=["deleted", "never there"])
async def test_reply_to_a_missing_post_is_refused(account: Account, known: bool) -> None:
    post_id = await account.post("Gone soon") if known else "12345"
    await account.request("DELETE", f"/2/tweets/{post_id}")
    response = await reply_to(account, post_id)
    assert response.status == 403
    assert response.body == forbidden(
        "You attempted to reply to a Tweet that is deleted or not visible to you."
    )


async def test_reply_to_a_hidden_post_is_refused(account: Account) -> None:
    other = await connect(account.emulator, 1)
    post_id = await other.post("Hello @larkbooks")
    await account.emulator.control("users/tidewatcher", protected=True)
    response = await reply_to(account, post_id)
    assert (response.status, response.body) == (
        403,
        forbidden("You attempted to reply to a Tweet that is deleted or not visible to you."),
    )


@pytest.mark.parametrize("case", ["deleted", "never there", "hidden"])
async def test_quote_of_a_missing_post_is_refused(account: Account, case: str) -> None:
    await account.emulator.switch(tier="enterprise")
    other = await connect(account.emulator, 1)
    post_id = "12345" if case == "never there" else await other.post("Hello")
    if case == "deleted":
        await other.request("DELETE", f"/2/tweets/{post_id}")
    if case == "hidden":
        await account.emulator.control("users/tidewatcher", protected=True)
    response = await account.create("See here", quote_tweet_id=post_id)
    assert response.body == forbidden(
        "You attempted to quote a Tweet that is deleted or not visible to you."
    )


async def test_generated_mention_and_link_are_added_by_switch(
    account: Account, emulator: Emulator
) -> None:
    await emulator.switch(tier="enterprise", add_reply_mention=True, add_quote_link=True)
    other = await connect(emulator, 1)
    parent = await other.post("No mention")
    long = "x" * 280
    reply = (await reply_to(account, parent, long)).data
    quote = (await account.create("See here", quote_tweet_id=parent)).data
    assert reply["text"] == f"@{other.username} {long}"
    shown = (await account.get(f"/2/tweets/{quote['id']}", **{"tweet.fields": "entities"})).data
    [link] = shown["entities"]["urls"]
    assert shown["text"] == f"See here {link['url']}"
    assert link["expanded_url"] == f"https://x.com/{other.username}/status/{parent}"
    posts = (await emulator.ground_truth(only="posts"))["posts"]
    assert [post["has_link"] for post in posts] == [False, False, False]
    own = await account.post("Mine")
    assert (await reply_to(account, own, "And more")).data["text"] == "And more"


async def test_second_cashtag_is_refused(account: Account) -> None:
    assert (await account.create("Up: $TWTR")).status == 201
    response = await account.create("Up: $TWTR and $AAPL")
    assert response.body == forbidden("Posts are limited to a maximum of one cashtag")


async def test_delete_is_allowed_to_the_author_and_repeatable(
    account: Account, emulator: Emulator
) -> None:
    post_id = await account.post("Short-lived")
    other = await connect(emulator, 1)
    refused = await other.request("DELETE", f"/2/tweets/{post_id}")
    assert (refused.status, refused.body["detail"]) == (
        403,
        "You are not authorized to delete this Tweet.",
    )
    for _ in range(2):
        response = await account.request("DELETE", f"/2/tweets/{post_id}")
        assert (response.status, response.body) == (200, {"data": {"deleted": True}})
    assert (await emulator.ground_truth())["posts"][0]["deleted_at"] is not None


async def test_window_of_a_hundred_posts_is_exhausted_and_resets(account: Account) -> None:
    for number in range(100):
        await account.post(f"Post {number}")
    response = await account.create("One more")
    assert (response.status, response.body["title"]) == (429, "Too Many Requests")
    assert response.headers["x-rate-limit-remaining"] == "0"
    await account.emulator.jump(seconds=15 * 60)
    assert (await account.create("One more")).status == 201
