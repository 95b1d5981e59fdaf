"""Replies, quotes, polls and who may reply: how a person writes them, and X's rules for them. Pure.

Sources: OpenAPI 2.167 (CreatePostsRequest); X's changelog of February and April 2026: self-serve
apps may not quote, and may reply only where the author mentioned or quoted the account.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from roost.errors import InvalidInput
from roost.models import PartOptions, Poll, ReplySettings, TweetId, Violation

#: How long a poll is open where nobody says.
POLL_DURATION: Final = timedelta(days=1)
#: The word for "who may reply" that X does not have.
EVERYONE: Final = "everyone"
_OPTIONS: Final = range(2, 5)
_LONGEST_OPTION: Final = 25
_SHORTEST_POLL: Final = timedelta(minutes=5)
_LONGEST_POLL: Final = timedelta(days=7)
_MINUTE: Final = timedelta(minutes=1)
_SHOWN: Final = 60
#: Categories of characters that cannot be seen, or break a line.
_INVISIBLE: Final = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
_ID: Final = re.compile(r"[0-9]{1,19}")
_ADDRESS: Final = re.compile(
    r"(?:https?://)?(?:(?:www|mobile|m)\.)?(?:x|twitter)\.com/(?:i/web|[a-z0-9_]{1,20})"
    r"/status(?:es)?/([0-9]{1,19})(?:[/?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)


class PostAddressInvalid(InvalidInput):
    """What should name a post on X is neither its address nor its id."""

    default_next = "Copy the post's address from X, as https://x.com/name/status/1234567890."


class ReplySettingsInvalid(InvalidInput):
    """Who may reply is none of the groups that X knows."""

    default_next = f"Use one of {', '.join([EVERYONE, *ReplySettings])}."


def find_tweet_id(address: str) -> TweetId | None:
    """The id in a post's address (of x.com or twitter.com), or a bare id; None: it is neither."""
    written = address.strip()
    if _ID.fullmatch(written):
        return TweetId(written)
    found = _ADDRESS.fullmatch(written)
    return TweetId(found[1]) if found else None


def read_address(address: str) -> TweetId:
    """The same. Raises: PostAddressInvalid."""
    found = find_tweet_id(address)
    if found is None:
        raise PostAddressInvalid(f"{address[:_SHOWN]!r} is no address of a post on X.")
    return found


def read_reply_settings(word: str) -> ReplySettings | None:
    """Who may reply, by X's word in any case of letters; None: everyone.

    Raises: ReplySettingsInvalid.
    """
    wanted = word.strip().lower()
    if wanted == EVERYONE:
        return None
    for known in ReplySettings:
        if known.lower() == wanted:
            return known
    raise ReplySettingsInvalid(f"{word[:_SHOWN]!r} is no group of accounts that may reply.")


def describe_duration(span: timedelta) -> str:
    """How long a poll is open: `1 d 12 h`, `30 min`."""
    minutes = int(span / _MINUTE)
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"


def list_poll_problems(poll: Poll) -> Iterator[tuple[str, str]]:
    """Each rule of X that a poll breaks: its code and a sentence."""
    if len(poll.options) not in _OPTIONS:
        yield "poll_options", "A poll has two to four options."
    if not all(1 <= len(option) <= _LONGEST_OPTION for option in poll.options):
        yield "poll_options", f"An option of a poll has 1 to {_LONGEST_OPTION} characters."
    if not _SHORTEST_POLL <= poll.duration <= _LONGEST_POLL:
        yield "poll_duration", "A poll is open for 5 minutes to 7 days."


def judge_options(
    options: PartOptions, *, has_files: bool, position: int, may_quote: bool
) -> Iterator[Violation]:
    """Each rule that a part's options break; `position` counts the parts of a thread from 1."""
    yield from _judge_attachments(options, has_files=has_files)
    yield from _judge_place(options, position)
    for name, tweet_id in (("reply target", options.reply_to), ("quoted post", options.quote_of)):
        if tweet_id is not None and not _ID.fullmatch(tweet_id):
            yield Violation(
                "id_malformed",
                f"The id of the {name} is not 1 to 19 digits.",
                next=PostAddressInvalid.default_next,
            )
    if options.quote_of is not None and not may_quote:
        yield Violation(
            "quote_not_allowed",
            "X lets only Enterprise apps quote posts.",
            next="Leave the quote out, or set ROOST_X_TIER=enterprise where the app has that plan.",
        )
    if options.poll is not None:
        yield from _judge_poll(options.poll)


def _judge_attachments(options: PartOptions, *, has_files: bool) -> Iterator[Violation]:
    carried = [
        name
        for name, there in (
            ("media", has_files),
            ("a quoted post", options.quote_of is not None),
            ("a poll", options.poll is not None),
        )
        if there
    ]
    if len(carried) > 1:
        yield Violation(
            "media_with_quote" if options.poll is None else "post_overloaded",
            f"X takes one of {', '.join(carried)} in a post.",
            next="Leave out the others, or put them into another part of a thread.",
        )


def _judge_place(options: PartOptions, position: int) -> Iterator[Violation]:
    if position == 1:
        return
    if options.reply_to is not None:
        yield Violation(
            "reply_in_thread",
            "A later part of a thread answers the part before it and nothing else.",
            next="Name the post to reply to at the first part.",
        )
    if options.reply_settings is not None:
        yield Violation(
            "reply_settings_in_thread",
            "Who may reply is said at a thread's first part, for the whole conversation.",
            next="Say it at the first part.",
        )


def _judge_poll(poll: Poll) -> Iterator[Violation]:
    problems = dict(list_poll_problems(poll))
    if any(_is_unseen(option) for option in poll.options):
        problems.setdefault(
            "poll_options", "An option of a poll is blank, or holds characters that cannot be seen."
        )
    if poll.duration % _MINUTE:
        problems.setdefault("poll_duration", "A poll is open for whole minutes.")
    steps = {
        "poll_options": "Give two to four options of at most 25 characters.",
        "poll_duration": "Write 5m to 7d, as 30m, 12h or 1d.",
    }
    for code, message in problems.items():
        yield Violation(code, message, next=steps[code])


def _is_unseen(option: str) -> bool:
    """Whether an option shows nothing, or holds what a line of text does not."""
    categories = {unicodedata.category(char) for char in option}
    return option != option.strip() or bool(categories & _INVISIBLE) or categories <= {"Cf", "Zs"}
