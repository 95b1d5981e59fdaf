"""Ids and URLs of posts on X."""

import pytest

from roost.models import TweetId
from roost.tweet_urls import PostAddressInvalid, find_tweet_id, parse_tweet_id, tweet_url


def test_tweet_url_needs_no_user_name_and_contains_the_id() -> None:
    url = tweet_url(TweetId("1700000000000000001"))
    assert url == "https://x.com/i/web/status/1700000000000000001"
    assert find_tweet_id(url) == "1700000000000000001"


@pytest.mark.parametrize(
    "text",
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
def test_parse_tweet_id_accepts_urls_and_ids(text: str) -> None:
    assert parse_tweet_id(text) == "1700000000000000001"


@pytest.mark.parametrize(
    "text",
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
def test_parse_tweet_id_refuses_other_texts(text: str) -> None:
    with pytest.raises(PostAddressInvalid):
        parse_tweet_id(text)
