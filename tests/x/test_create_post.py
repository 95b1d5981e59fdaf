"""The body of a create, and the posts that are refused before a request costs anything."""

import re
from datetime import timedelta
from typing import Any

import pytest

from fix_emulator import Emulator
from roost import x
from roost.errors import PostRefused
from roost.models import TweetId, XMediaId, XUserId
from roost.x import create_post
from roost.x.create_post import PostFields
from roost.x.posts import CallToActions, MediaCard, Poll, ReplySettings

from .conftest import Account, SentRequest

TWO = Poll(["Yes", "No"], timedelta(hours=1))
ONE = XMediaId("1")


def codes(post: PostFields) -> list[str]:
    with pytest.raises(PostRefused) as raised:
        create_post.to_json(create_post.without_empty(post))
    return [violation["code"] for violation in raised.value.facts["violations"]]


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ({}, ["post_empty"]),
        ({"text": ""}, ["post_empty"]),
        ({"poll": TWO}, ["post_empty"]),
        ({"text": "a", "media_ids": [ONE], "quote_tweet_id": "2"}, ["media_with_quote"]),
        ({"text": "a", "media_ids": [ONE], "poll": TWO}, ["post_overloaded"]),
        ({"text": "a", "poll": TWO, "card_uri": "card://1"}, ["post_overloaded"]),
        ({"text": "a", "card_uri": "c", "direct_message_deep_link": "d"}, ["post_overloaded"]),
        ({"text": "a", "exclude_reply_user_ids": ["1"]}, ["reply_without_parent"]),
        ({"text": "a", "auto_populate_reply_metadata": False}, ["reply_without_parent"]),
        ({"text": "a", "tagged_user_ids": ["1"]}, ["media_missing"]),
        ({"text": "a", "media_card": MediaCard(title="t")}, ["media_missing"]),
        ({"media_ids": [XMediaId(str(n)) for n in range(5)]}, ["too_many_media"]),
        ({"media_ids": [ONE], "tagged_user_ids": ["1"] * 11}, ["too_many_tagged"]),
        ({"text": "a", "poll": Poll(["One"], timedelta(hours=1))}, ["poll_options"]),
        ({"text": "a", "poll": Poll(["1", "x" * 26], timedelta(hours=1))}, ["poll_options"]),
        ({"text": "a", "poll": Poll(["1", "2"], timedelta(minutes=4))}, ["poll_duration"]),
        ({"text": "a", "poll": Poll(["1", "2"], timedelta(days=8))}, ["poll_duration"]),
        ({"text": "a", "reply_to": "x"}, ["id_malformed"]),
        ({"text": "a", "community_id": "1" * 20}, ["id_malformed"]),
        ({"media_ids": ["a/b"]}, ["id_malformed"]),
        (
            {"media_ids": [ONE], "media_card": MediaCard(preview_media_id=XMediaId("p"))},
            ["id_malformed"],
        ),
        ({"poll": Poll([], timedelta(0))}, ["post_empty", "poll_options", "poll_duration"]),
    ],
)
def test_to_json_checks_schema_and_exclusions(post: Any, expected: list[str]) -> None:
    assert codes(post) == expected


def test_to_json_lists_every_violation_under_the_first_code() -> None:
    with pytest.raises(PostRefused) as raised:
        create_post.to_json({"quote_tweet_id": TweetId("x"), "poll": TWO})
    assert raised.value.code == "post_empty"
    assert re.search("text or media.*one of a quoted post, a poll.*not an X id", str(raised.value))


async def test_create_rejects_a_misspelt_field(account: Account) -> None:
    wrong: Any = {"media": [ONE]}
    with pytest.raises(TypeError, match="media"):
        await x.posts.create(account.client, text="Where is my picture?", **wrong)


#: Posts that together have every field of X's schema; some fields exclude each other in one post.
ALL_FIELDS: list[tuple[PostFields, dict[str, Any]]] = [
    (
        {
            "text": "All of it.",
            "media_ids": [ONE, XMediaId("2")],
            "tagged_user_ids": [XUserId("3")],
            "media_card": MediaCard(
                title="Tide",
                description="How it turns",
                embeddable=False,
                preview_media_id=XMediaId("4"),
                call_to_actions=CallToActions(
                    visit_site="https://example.com/a",
                    watch_now="https://example.com/b",
                    app_store_id="5",
                    ipad_app_store_id="6",
                    play_store_id="com.example",
                ),
            ),
            "reply_to": TweetId("7"),
            "exclude_reply_user_ids": [XUserId("8")],
            "auto_populate_reply_metadata": True,
            "reply_settings": ReplySettings.MENTIONED_USERS,
            "place_id": "df51dec6f4ee2b2c",
            "community_id": "9",
            "share_with_followers": False,
            "for_super_followers_only": False,
            "nullcast": True,
            "edits": TweetId("10"),
            "made_with_ai": True,
            "paid_partnership": False,
        },
        {
            "text": "All of it.",
            "media": {
                "media_ids": ["1", "2"],
                "tagged_user_ids": ["3"],
                "title": "Tide",
                "description": "How it turns",
                "embeddable": False,
                "preview_media_id": "4",
                "call_to_actions": {
                    "visit_site": {"url": "https://example.com/a"},
                    "watch_now": {"url": "https://example.com/b"},
                    "app_install": {
                        "app_store_id": "5",
                        "ipad_app_store_id": "6",
                        "play_store_id": "com.example",
                    },
                },
            },
            "reply": {
                "in_reply_to_tweet_id": "7",
                "exclude_reply_user_ids": ["8"],
                "auto_populate_reply_metadata": True,
            },
            "reply_settings": "mentionedUsers",
            "geo": {"place_id": "df51dec6f4ee2b2c"},
            "community_id": "9",
            "share_with_followers": False,
            "for_super_followers_only": False,
            "nullcast": True,
            "edit_options": {"previous_post_id": "10"},
            "made_with_ai": True,
            "paid_partnership": False,
        },
    ),
    (
        {"text": "Sail?", "poll": TWO},
        {"text": "Sail?", "poll": {"options": ["Yes", "No"], "duration_minutes": 60}},
    ),
    (
        {"text": "Look.", "quote_tweet_id": TweetId("1")},
        {"text": "Look.", "quote_tweet_id": "1"},
    ),
    ({"text": "Card.", "card_uri": "card://1"}, {"text": "Card.", "card_uri": "card://1"}),
    (
        {"text": "Write.", "direct_message_deep_link": "https://twitter.com/messages/compose"},
        {"text": "Write.", "direct_message_deep_link": "https://twitter.com/messages/compose"},
    ),
    ({"text": "", "media_ids": [ONE], "poll": None}, {"media": {"media_ids": ["1"]}}),
]


@pytest.mark.parametrize(("post", "body"), ALL_FIELDS)
def test_to_json_returns_the_body_of_the_schema(post: PostFields, body: dict[str, Any]) -> None:
    assert create_post.to_json(create_post.without_empty(post)) == body


async def test_create_sends_poll_and_settings(
    account: Account, emulator: Emulator, sent: list[SentRequest]
) -> None:
    await x.posts.create(
        account.client,
        text="Sail today?",
        poll=Poll(["Yes", "No", "Perhaps"], timedelta(minutes=90)),
        reply_settings=ReplySettings.FOLLOWING,
        made_with_ai=False,
    )
    assert sent[-1].json == {
        "text": "Sail today?",
        "poll": {"options": ["Yes", "No", "Perhaps"], "duration_minutes": 90},
        "reply_settings": "following",
        "made_with_ai": False,
    }
    (post,) = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    assert post.poll_options == ("Yes", "No", "Perhaps")


@pytest.mark.parametrize("blank", ["", " ", "\n", "\xa0", "\u3000", "\u200b"])
def test_to_json_leaves_out_a_blank_text_with_media(blank: str) -> None:
    body = create_post.to_json(create_post.without_empty({"text": blank, "media_ids": [ONE]}))
    assert body == {"media": {"media_ids": ["1"]}}
