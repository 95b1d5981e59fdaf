"""Replies, quotes, polls and reply settings: parsing, and X's rules."""

from datetime import timedelta

import pytest

from roost import post_options
from roost.models import PartOptions, Poll, ReplySettings, TweetId
from roost.post_options import (
    ReplySettingsInvalid,
    describe_duration,
    parse_reply_settings,
)
from roost.publishing.part_input import PartInput
from roost.publishing.validation import validate_post

DAY = timedelta(days=1)
SEVEN = TweetId("7")


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
def test_parse_reply_settings_accepts_the_values_of_x(
    word: str, settings: ReplySettings | None
) -> None:
    assert parse_reply_settings(word) is settings


def test_parse_reply_settings_lists_the_allowed_values__unknown() -> None:
    with pytest.raises(ReplySettingsInvalid) as caught:
        parse_reply_settings("friends")
    assert "everyone, following, mentionedUsers, subscribers, verified" in caught.value.next


def codes(*parts: PartInput, may_quote: bool = True) -> list[tuple[str, int | None]]:
    found = validate_post(parts, subscription_type=None, may_quote=may_quote)
    assert all(one.message and one.next for one in found)
    return [(one.code, one.part) for one in found]


def ask(*options: str, duration: timedelta = DAY) -> PartInput:
    return PartInput("Tea?", (), PartOptions(poll=Poll(options, duration)))


@pytest.mark.parametrize(
    "part",
    [
        PartInput("Yes", (), PartOptions(reply_to=SEVEN)),
        PartInput("Look", (), PartOptions(quote_of=SEVEN)),
        PartInput("Yes", (), PartOptions(reply_to=SEVEN, quote_of=TweetId("8"))),
        PartInput("Only you", (), PartOptions(reply_settings=ReplySettings.VERIFIED)),
        ask("Yes", "No"),
        ask("x" * 25, "二", "3", "👩‍👩‍👧"),
        ask("Yes", "No", duration=timedelta(minutes=5)),
        ask("Yes", "No", duration=timedelta(days=7)),
        PartInput("Tea?", (), PartOptions(reply_to=SEVEN, poll=Poll(("Yes", "No"), DAY))),
    ],
)
def test_validate_options_accepts_what_x_accepts(part: PartInput) -> None:
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
        (PartInput("", (), PartOptions(poll=Poll(("Yes", "No"), DAY))), ["text_blank"]),
        (PartInput("", (), PartOptions(quote_of=SEVEN)), ["text_blank"]),
        (
            PartInput("Tea?", (), PartOptions(quote_of=SEVEN, poll=Poll(("Yes", "No"), DAY))),
            ["post_overloaded"],
        ),
        (PartInput("Yes", (), PartOptions(reply_to=TweetId("x.com/a"))), ["id_malformed"]),
    ],
)
def test_validate_options_reports_what_x_refuses(part: PartInput, found: list[str]) -> None:
    assert [code for code, _ in codes(part)] == found


def test_validate_options_refuses_a_quote__plan_without_quotes() -> None:
    part = PartInput("Look", (), PartOptions(quote_of=SEVEN))
    assert codes(part, may_quote=False) == [("quote_not_allowed", None)]


def test_validate_options_allows_reply_and_settings_on_first_part_only() -> None:
    options = PartOptions(
        reply_to=SEVEN,
        reply_settings=ReplySettings.FOLLOWING,
        poll=Poll(("Yes", "No"), DAY),
    )
    assert codes(PartInput("One", (), options), PartInput("Two")) == []
    assert codes(PartInput("One"), PartInput("Two", (), options)) == [
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
def test_describe_duration_uses_days_hours_and_minutes(span: timedelta, words: str) -> None:
    assert describe_duration(span) == words


def test_default_poll_duration_is_valid() -> None:
    assert codes(ask("Yes", "No", duration=post_options.DEFAULT_POLL_DURATION)) == []
