"""Ids and URLs of posts on X: builds URLs, and parses ids and URLs that a user enters."""

import re
from typing import Final

from roost.errors import InvalidInput
from roost.models import TweetId

#: An id has 1 to 19 digits. Source: `TweetId` in version 2.167 of X's OpenAPI document.
_ID: Final = re.compile(r"[0-9]{1,19}")
_URL: Final = re.compile(
    r"(?:https?://)?(?:(?:www|mobile|m)\.)?(?:x|twitter)\.com/(?:i/web|[a-z0-9_]{1,20})"
    r"/status(?:es)?/([0-9]{1,19})(?:[/?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)
#: A post's URL at the end of a text: X may append the URL of a quoted post.
TRAILING_TWEET_URL: Final = re.compile(
    r"\s*https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/\S+/status/([0-9]+)(?:[/?#]\S*)?$"
)
_MAX_QUOTED: Final = 60


class PostAddressInvalid(InvalidInput):
    """The input is neither the URL nor the id of a post on X."""

    default_next = "Copy the post's URL from X, for example https://x.com/name/status/1234567890."


def tweet_url(tweet_id: TweetId) -> str:
    """Return the URL of a post on X, in the form that needs no user name."""
    return f"https://x.com/i/web/status/{tweet_id}"


def is_tweet_id(text: str) -> bool:
    """Return whether a text has the form of an id: 1 to 19 ASCII digits."""
    return _ID.fullmatch(text) is not None


def find_tweet_id(text: str) -> TweetId | None:
    """Return the id from a post's URL (x.com or twitter.com) or from a bare id, else None."""
    text = text.strip()
    if is_tweet_id(text):
        return TweetId(text)
    match = _URL.fullmatch(text)
    return TweetId(match[1]) if match else None


def parse_tweet_id(text: str) -> TweetId:
    """Return the id from a post's URL or from a bare id.

    Raises: PostAddressInvalid.
    """
    tweet_id = find_tweet_id(text)
    if tweet_id is None:
        raise PostAddressInvalid(
            f"{text[:_MAX_QUOTED]!r} is neither the URL nor the id of a post on X."
        )
    return tweet_id
