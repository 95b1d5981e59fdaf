"""Replies, quotes, polls and reply settings: parse them, and validate them by X's rules.

Sources: OpenAPI 2.167 (CreatePostsRequest); X's changelog of February and April 2026: a self-serve
app may not quote, and may reply only to an author who has mentioned or quoted the account.
"""

import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from roost.errors import InvalidInput
from roost.models import PartOptions, Poll, ReplySettings, Violation
from roost.tweet_urls import PostAddressInvalid, is_tweet_id

#: How long a poll is open by default.
DEFAULT_POLL_DURATION: Final = timedelta(days=1)
#: Roost's name for X's default reply setting; X's API has no name for this setting.
EVERYONE: Final = "everyone"
_OPTION_COUNTS: Final = range(2, 5)
_MAX_OPTION_LENGTH: Final = 25
_MIN_POLL_DURATION: Final = timedelta(minutes=5)
_MAX_POLL_DURATION: Final = timedelta(days=7)
_MINUTE: Final = timedelta(minutes=1)
_MAX_QUOTED: Final = 60
#: Unicode categories of characters that are invisible or break a line.
_INVISIBLE: Final = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})


class ReplySettingsInvalid(InvalidInput):
    """The reply settings are not one of X's values."""

    default_next = f"Use one of {', '.join([EVERYONE, *ReplySettings])}."


def parse_reply_settings(value: str) -> ReplySettings | None:
    """Return the reply setting with this name, ignoring letter case; None means everyone.

    Raises: ReplySettingsInvalid.
    """
    name = value.strip().lower()
    if name == EVERYONE:
        return None
    for settings in ReplySettings:
        if settings.lower() == name:
            return settings
    raise ReplySettingsInvalid(
        f"{value[:_MAX_QUOTED]!r} is not a group of accounts that may reply."
    )


def describe_duration(span: timedelta) -> str:
    """Return the duration of a poll as text: `1 d 12 h`, `30 min`."""
    minutes = int(span / _MINUTE)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def list_poll_problems(poll: Poll) -> Iterator[tuple[str, str]]:
    """Yield the code and the message of each rule of X that a poll breaks."""
    if len(poll.options) not in _OPTION_COUNTS:
        yield "poll_options", "A poll has two to four options."
    if not all(1 <= len(option) <= _MAX_OPTION_LENGTH for option in poll.options):
        yield "poll_options", f"A poll option has 1 to {_MAX_OPTION_LENGTH} characters."
    if not _MIN_POLL_DURATION <= poll.duration <= _MAX_POLL_DURATION:
        yield "poll_duration", "A poll is open for 5 minutes to 7 days."


def validate_options(
    options: PartOptions, *, has_files: bool, position: int, may_quote: bool
) -> Iterator[Violation]:
    """Yield each rule that a part's options break.

    `position` is the part's number in its thread, from 1. `may_quote` is whether the plan of the
    X app allows quotes.
    """
    yield from _validate_attachments(options, has_files=has_files)
    yield from _validate_position(options, position)
    for name, tweet_id in (("reply target", options.reply_to), ("quoted post", options.quote_of)):
        if tweet_id is not None and not is_tweet_id(tweet_id):
            yield Violation(
                "id_malformed",
                f"The id of the {name} is not 1 to 19 digits.",
                next=PostAddressInvalid.default_next,
            )
    if options.quote_of is not None and not may_quote:
        yield Violation(
            "quote_not_allowed",
            "X allows only Enterprise apps to quote posts.",
            next="Remove the quote, or set ROOST_X_TIER=enterprise if the app has that plan.",
        )
    if options.poll is not None:
        yield from _validate_poll(options.poll)


def _validate_attachments(options: PartOptions, *, has_files: bool) -> Iterator[Violation]:
    attachments = [
        name
        for name, is_present in (
            ("media", has_files),
            ("a quoted post", options.quote_of is not None),
            ("a poll", options.poll is not None),
        )
        if is_present
    ]
    if len(attachments) > 1:
        yield Violation(
            "media_with_quote" if options.poll is None else "post_overloaded",
            f"A post may have only one of: {', '.join(attachments)}.",
            next="Remove the others, or put them into another part of a thread.",
        )


def _validate_position(options: PartOptions, position: int) -> Iterator[Violation]:
    if position == 1:
        return
    if options.reply_to is not None:
        yield Violation(
            "reply_in_thread",
            "A later part of a thread replies to the part before it, not to another post.",
            next="On the first part, set the post to reply to.",
        )
    if options.reply_settings is not None:
        yield Violation(
            "reply_settings_in_thread",
            "The first part of a thread sets who may reply to the whole thread.",
            next="On the first part, set who may reply.",
        )


def _validate_poll(poll: Poll) -> Iterator[Violation]:
    problems = dict(list_poll_problems(poll))
    if any(_has_invisible_characters(option) for option in poll.options):
        problems.setdefault(
            "poll_options", "A poll option is blank or contains invisible characters."
        )
    if poll.duration % _MINUTE:
        problems.setdefault("poll_duration", "The duration of a poll is a whole number of minutes.")
    next_steps = {
        "poll_options": "Give two to four options of at most 25 characters.",
        "poll_duration": "Write 5m to 7d, for example 30m, 12h or 1d.",
    }
    for code, message in problems.items():
        yield Violation(code, message, next=next_steps[code])


def _has_invisible_characters(option: str) -> bool:
    """Return whether an option is blank, has spaces at an end, or has invisible characters."""
    categories = {unicodedata.category(char) for char in option}
    return option != option.strip() or bool(categories & _INVISIBLE) or categories <= {"Cf", "Zs"}


def describe_options(options: PartOptions) -> Iterator[str]:
    """Yield a line for each option of a part."""
    if options.reply_to is not None:
        yield f"replies to {options.reply_to}"
    if options.quote_of is not None:
        yield f"quotes {options.quote_of}"
    if options.poll is not None:
        choices = " / ".join(options.poll.options)
        yield f"poll, open for {describe_duration(options.poll.duration)}: {choices}"
    if options.reply_settings is not None:
        yield f"who may reply: {options.reply_settings}"
