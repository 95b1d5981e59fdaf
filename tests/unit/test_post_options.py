"""Replies, quotes and polls as people write them, and X's rules for them."""

from datetime import timedelta

import pytest

from roost import post_options
from roost.models import PartOptions, Poll, ReplySettings, TweetId
from roost.post_options import (
    PostAddressInvalid,
    ReplySettingsInvalid,
    describe_duration,
    read_address,
    read_reply_settings,
)
from roost.publishing.validation import PartDraft, validate_post

DAY = timedelta(days=1)
SEVEN = TweetId("7")


@pytest.mark.parametrize(
    "address",
    [
        "1700000000000000001",
        "  1700000000000000001\n",
        "https://x.com/larkbooks/status/1700000000000000001",
        "http://twitter.com/larkbooks/status/1700000000000000001?s=20&t=abc",
        "https://www.twitter.com/larkbooks/statuses/1700000000000000001",
        "https://mobile.twitter.com/larkbooks/status/1700000000000000001/photo/1",
        "x.com/i/web/status/1700000000000000001#top",
        "https://x.com/i/status/1700000000000000001",
        "HTTPS://X.com/LarkBooks/status/1700000000000000001",
    ],
)
def test_the_address_of_a_post_names_it(address: str) -> None:
    assert read_address(address) == "1700000000000000001"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "soon",
        "12345678901234567890",
        "１７",
        "-7",
        "https://x.com/larkbooks",
        "https://x.com/larkbooks/status/",
        "https://x.com/larkbooks/status/17x",
        "https://x.com.evil.example/larkbooks/status/17",
        "https://evil.example/x.com/larkbooks/status/17",
        "https://notx.com/larkbooks/status/17",
        "ftp://x.com/larkbooks/status/17",
        "https://x.com/larkbooks/status/17 and more",
        "javascript://x.com/larkbooks/status/17",
    ],
)
def test_anything_else_is_no_address(address: str) -> None:
    with pytest.raises(PostAddressInvalid):
        read_address(address)


@pytest.mark.parametrize(
    ("word", "settings"),
    [
        ("everyone", None),
        ("Everyone ", None),
        ("following", ReplySettings.FOLLOWING),
        ("mentionedusers", ReplySettings.MENTIONED_USERS),
        ("mentionedUsers", ReplySettings.MENTIONED_USERS),
        ("subscribers", ReplySettings.SUBSCRIBERS),
        ("verified", ReplySettings.VERIFIED),
    ],
)
def test_who_may_reply_is_said_in_the_words_of_x(word: str, settings: ReplySettings | None) -> None:
    assert read_reply_settings(word) is settings


def test_an_unknown_group_is_refused_with_those_there_are() -> None:
    with pytest.raises(ReplySettingsInvalid) as caught:
        read_reply_settings("friends")
    assert "everyone, following, mentionedUsers, subscribers, verified" in caught.value.next


def codes(*parts: PartDraft, may_quote: bool = True) -> list[tuple[str, int | None]]:
    found = validate_post(parts, subscription_type=None, may_quote=may_quote)
    assert all(one.message and one.next for one in found)
    return [(one.code, one.part) for one in found]


def ask(*options: str, duration: timedelta = DAY) -> PartDraft:
    return PartDraft("Tea?", (), PartOptions(poll=Poll(options, duration)))


@pytest.mark.parametrize(
    "part",
    [
        PartDraft("Yes", (), PartOptions(reply_to=SEVEN)),
        PartDraft("Look", (), PartOptions(quote_of=SEVEN)),
        PartDraft("Yes", (), PartOptions(reply_to=SEVEN, quote_of=TweetId("8"))),
        PartDraft("Only you", (), PartOptions(reply_settings=ReplySettings.VERIFIED)),
        ask("Yes", "No"),
        ask("x" * 25, "二", "3", "👩‍👩‍👧"),
        ask("Yes", "No", duration=timedelta(minutes=5)),
        ask("Yes", "No", duration=timedelta(days=7)),
        PartDraft("Tea?", (), PartOptions(reply_to=SEVEN, poll=Poll(("Yes", "No"), DAY))),
    ],
)
def test_what_x_takes_breaks_no_rule(part: PartDraft) -> None:
    assert codes(part) == []


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (ask("Yes"), ["poll_options"]),
        (ask("1", "2", "3", "4", "5"), ["poll_options"]),
        (ask("Yes", ""), ["poll_options"]),
        (ask("Yes", " "), ["poll_options"]),
        (ask("Yes", "\u200b"), ["poll_options"]),
        (ask("Yes", "N\no"), ["poll_options"]),
        (ask("Yes", "N\x00o"), ["poll_options"]),
        (ask("Yes", "x" * 26), ["poll_options"]),
        (ask("Yes", "No", duration=timedelta(minutes=4)), ["poll_duration"]),
        (ask("Yes", "No", duration=timedelta(days=7, minutes=1)), ["poll_duration"]),
        (ask("Yes", "No", duration=timedelta(seconds=301)), ["poll_duration"]),
        (PartDraft("", (), PartOptions(poll=Poll(("Yes", "No"), DAY))), ["text_blank"]),
        (PartDraft("", (), PartOptions(quote_of=SEVEN)), ["text_blank"]),
        (
            PartDraft("Tea?", (), PartOptions(quote_of=SEVEN, poll=Poll(("Yes", "No"), DAY))),
            ["post_overloaded"],
        ),
        (PartDraft("Yes", (), PartOptions(reply_to=TweetId("x.com/a"))), ["id_malformed"]),
    ],
)
def test_what_x_refuses_is_told_before(part: PartDraft, found: list[str]) -> None:
    assert [code for code, _ in codes(part)] == found


def test_quotes_need_a_plan_that_has_them() -> None:
    part = PartDraft("Look", (), PartOptions(quote_of=SEVEN))
    assert codes(part, may_quote=False) == [("quote_not_allowed", None)]


def test_only_the_first_part_of_a_thread_replies_and_says_who_may() -> None:
    options = PartOptions(
        reply_to=SEVEN,
        reply_settings=ReplySettings.FOLLOWING,
        poll=Poll(("Yes", "No"), DAY),
    )
    assert codes(PartDraft("One", (), options), PartDraft("Two")) == []
    assert codes(PartDraft("One"), PartDraft("Two", (), options)) == [
        ("reply_in_thread", 2),
        ("reply_settings_in_thread", 2),
    ]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=36), "1 d 12 h"),
        (timedelta(days=7), "7 d"),
        (timedelta(0), "0 min"),
    ],
)
def test_a_duration_is_told_in_its_units(span: timedelta, words: str) -> None:
    assert describe_duration(span) == words


def test_the_default_duration_is_one_that_x_takes() -> None:
    assert codes(ask("Yes", "No", duration=post_options.POLL_DURATION)) == []
