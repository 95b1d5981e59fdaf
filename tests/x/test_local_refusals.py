"""The client refuses invalid input without a request, with an error for each rule of X.

The tests find the rules and the calls in the source, so a new rule or call needs a case here.
"""

import inspect
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from roost import x
from roost.errors import PostRefused, RoostError
from roost.twitter import TwitterTool
from roost.x import create_post
from roost.x.ids import IdMalformed
from roost.x.media import rules
from roost.x.media.uploads import Subtitles
from roost.x.posts import MediaCard, Poll

from .conftest import Account, SentRequest

HOUR: Final = timedelta(hours=1)
_WRONG_LISTS: Final[tuple[Any, ...]] = ([5], [0], ["x"], ["1" * 20], "1880", [None])
_WRONG_PREVIEWS: Final[tuple[Any, ...]] = ("p", 5)
#: For each rule's code, posts that break the rule.
POSTS: Final[dict[str, list[dict[str, Any]]]] = {
    "post_empty": [{}, {"text": ""}, {"text": None, "media_ids": []}],
    "text_too_long": [
        {"text": "x" * 281},
        {"text": "語" * 141},
        {"text": "x" * 281, "subscription_type": "Basic"},
        {"text": "x" * 281, "media_ids": ["1"]},
        {"text": "x" * 25_001, "subscription_type": "Premium"},
    ],
    "text_blank": [{"text": " \n"}, {"text": "\u3000"}, {"text": "\u200b"}],
    "text_forbidden_characters": [{"text": "a\ufffe"}, {"text": "\ud83d"}],
    "text_control_characters": [
        {"text": "a\0b"},
        {"text": "\x1b[2J"},
        {"text": "a\x9b"},
        {"text": "\0", "media_ids": ["1"]},
    ],
    "media_with_quote": [{"text": "a", "media_ids": ["1"], "quote_tweet_id": "2"}],
    "post_overloaded": [{"text": "a", "media_ids": ["1"], "poll": Poll(["1", "2"], HOUR)}],
    "reply_without_parent": [{"text": "a", "exclude_reply_user_ids": ["1"]}],
    "media_missing": [{"text": "a", "tagged_user_ids": ["1"]}],
    "too_many_media": [{"media_ids": ["1", "2", "3", "4", "5"]}],
    "too_many_tagged": [{"media_ids": ["1"], "tagged_user_ids": ["1"] * 11}],
    "poll_options": [
        {"text": "a", "poll": Poll(["One"], HOUR)},
        {"text": "a", "poll": Poll(["1", "2", "3", "4", "5"], HOUR)},
        {"text": "a", "poll": Poll(["1", "x" * 26], HOUR)},
        {"text": "a", "poll": Poll(["1", ""], HOUR)},
    ],
    "poll_duration": [
        {"text": "a", "poll": Poll(["1", "2"], timedelta(minutes=4))},
        {"text": "a", "poll": Poll(["1", "2"], timedelta(days=7, minutes=1))},
    ],
    "reply_settings_invalid": [{"text": "a", "reply_settings": "everyone"}],
    "id_malformed": [
        *(
            {"text": "a", name: value}
            for name in ("reply_to", "quote_tweet_id", "community_id", "edits")
            for value in (5, 0, "x", "1" * 20, "1/../2", "٣", " 1")
        ),
        *(
            {"text": "a", "media_ids": ["1"], "reply_to": "1"} | {name: value}
            for name in ("media_ids", "tagged_user_ids", "exclude_reply_user_ids")
            for value in _WRONG_LISTS
        ),
        *(
            {"media_ids": ["1"], "media_card": MediaCard(preview_media_id=value)}
            for value in _WRONG_PREVIEWS
        ),
    ],
}
FLAT: Final = [(code, post) for code, posts in POSTS.items() for post in posts]


@pytest.mark.parametrize(
    ("code", "post"), FLAT, ids=[f"{code}-{number}" for number, (code, _) in enumerate(FLAT)]
)
async def test_create_sends_no_post_that_breaks_a_rule(
    account: Account, sent: list[SentRequest], code: str, post: dict[str, Any]
) -> None:
    before = len(sent)
    with pytest.raises(PostRefused) as raised:
        await x.posts.create(account.client, **post)
    assert [each["code"] for each in raised.value.facts["violations"]] == [code]
    assert raised.value.code == code
    assert len(sent) == before


def test_cases_cover_every_rule_of_a_post() -> None:
    source = inspect.getsource(create_post)
    known = set(
        re.findall(r'(?:yield \(?\s*|code = |if [^"\n]+ else )"([a-z]+(?:_[a-z]+)+)"', source)
    )
    assert len(known) > 10
    assert known - POSTS.keys() == set()


async def test_create_reports_all_violations(account: Account) -> None:
    with pytest.raises(PostRefused) as raised:
        await x.posts.create(account.client, text="x" * 281 + "\0", reply_to="a")  # type: ignore[arg-type]
    assert [each["code"] for each in raised.value.facts["violations"]] == [
        "text_control_characters",
        "text_too_long",
        "id_malformed",
    ]
    assert "xxxx" not in str(raised.value.as_dict())


@pytest.mark.parametrize("text", ["x" * 280, "x" * 256 + " https://example.com/" + "y" * 200])
async def test_create_sends_a_text_of_the_maximum_length(account: Account, text: str) -> None:
    assert (await x.posts.create(account.client, text=text)).tweet_id


#: For each error, uploads that must raise the error.
UPLOADS: Final[dict[type[rules.UploadRefused], list[dict[str, Any]]]] = {
    rules.MediaEmpty: [{"source": b""}],
    rules.MediaTooLarge: [{"source": bytes((5 << 20) + 1)}],
    rules.MediaTypeInvalid: [
        {"mime_type": kind}
        for kind in ("image/jpg", "image/JPEG", "video/webm", "video/mp2t", "png", "", "image/heic")
    ],
    rules.MediaCategoryInvalid: [
        {"category": "photo"},
        {"category": ""},
        {"category": "tweet_video"},
        {"category": "tweet_gif"},
        {"mime_type": "video/mp4", "category": "tweet_image"},
    ],
    rules.AltTextTooLong: [{"alt_text": "x" * 1001}],
    rules.LanguageInvalid: [{"subtitles": [Subtitles(b"1", "en", "English")]}],
}
FLAT_UPLOADS: Final = [(error, upload) for error, uploads in UPLOADS.items() for upload in uploads]


@pytest.mark.parametrize(("error", "upload"), FLAT_UPLOADS)
async def test_upload_sends_no_file_that_breaks_a_rule(
    account: Account,
    sent: list[SentRequest],
    png: bytes,
    error: type[rules.UploadRefused],
    upload: dict[str, Any],
) -> None:
    before = len(sent)
    with pytest.raises(error) as raised:
        await x.media.upload(account.client, **{"source": png, "mime_type": "image/png", **upload})
    assert raised.value.next
    assert len(sent) == before


def test_cases_cover_every_rule_of_an_upload() -> None:
    assert set(rules.UploadRefused.__subclasses__()) == set(UPLOADS)


async def test_upload_suggests_the_correct_mime_type(account: Account, png: bytes) -> None:
    for written, correct in (("image/jpg", "image/jpeg"), ("IMAGE/PNG; q=1", "image/png")):
        with pytest.raises(rules.MediaTypeInvalid) as raised:
            await x.media.upload(account.client, png, mime_type=written)
        assert raised.value.next == f"Write `{correct}`."


async def test_upload_refuses_an_empty_file_by_its_path(account: Account, tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(rules.MediaEmpty):
        await x.media.upload(account.client, tmp_path / "a.png", mime_type="image/png")


NOON: Final = datetime(2026, 11, 26, 12, tzinfo=UTC)
PERIOD: Final[dict[str, Any]] = {
    "start": NOON,
    "end": NOON + HOUR,
    "granularity": x.analytics.Granularity.HOUR,
}
Call = Callable[[x.Client, Any], Awaitable[object]]


async def _timeline(client: x.Client, user_id: Any, **more: Any) -> list[object]:
    return [each async for each in x.posts.read_timeline(client, user_id, **more)]


#: A call for each parameter that takes one id; the key is `module.function.parameter`. `SEVERAL`
#: has the parameters that take several ids.
ONE: Final[dict[str, Call]] = {
    "posts.delete.tweet_id": x.posts.delete,
    "posts.read_timeline.user_id": _timeline,
    "posts.read_timeline.since_id": lambda client, one: _timeline(client, "1", since_id=one),
    "users.read_user.user_id": x.users.read_user,
}
SEVERAL: Final[dict[str, Call]] = {
    "posts.read_posts.ids": x.posts.read_posts,
    "metrics.read_posts.ids": lambda client, some: x.metrics.read_posts(
        client, some, private_for=[]
    ),
    "metrics.read_posts.private_for": lambda client, some: x.metrics.read_posts(
        client, [], private_for=some
    ),
    "metrics.read_posts.promoted_for": lambda client, some: x.metrics.read_posts(
        client, [], private_for=[], promoted_for=some
    ),
    "analytics.read_posts.ids": lambda client, some: x.analytics.read_posts(client, some, **PERIOD),
    "analytics.read_media.media_keys": lambda client, some: x.analytics.read_media(
        client, some, **PERIOD
    ),
}
WRONG: Final[tuple[Any, ...]] = (5, 0, "x", "", "1/../2", "1" * 20, "1,2", None)


@pytest.mark.parametrize("name", [*ONE, *SEVERAL])
async def test_call_sends_no_malformed_id(
    account: Account, sent: list[SentRequest], name: str
) -> None:
    before = len(sent)
    cases = [each for each in WRONG if name not in ONE or each is not None]
    for each in [[each] for each in WRONG] + ["123"] if name in SEVERAL else cases:
        with pytest.raises(IdMalformed) as raised:
            await (ONE | SEVERAL)[name](account.client, each)
        assert name.rpartition(".")[2] in raised.value.message
    assert len(sent) == before


def test_cases_cover_every_parameter_with_an_id() -> None:
    found = set()
    for module in (x.posts, x.users, x.metrics, x.analytics, x.usage):
        for name, function in inspect.getmembers(module, inspect.isroutine):
            if name.startswith("_") or function.__module__ != module.__name__:
                continue
            parameters = inspect.signature(function).parameters
            if "client" in parameters:
                found |= {
                    f"{module.__name__.rpartition('.')[2]}.{name}.{each.name}"
                    for each in parameters.values()
                    if re.search(r"TweetId|XUserId|XMediaId|media_keys", str(each))
                }
    assert len(found) > 8
    assert found == {*ONE, *SEVERAL}


async def test_twitter_tool_refuses_the_same_before_sending(
    account: Account, sent: list[SentRequest], png: bytes
) -> None:
    wrong: list[tuple[str, Callable[[Any], Awaitable[object]]]] = [
        ("text_too_long", lambda tool: tool.create_tweet("x" * 281)),
        ("id_malformed", lambda tool: tool.create_tweet("a", [5])),
        ("id_malformed", lambda tool: tool.create_tweet("a", "1880")),
        ("id_malformed", lambda tool: tool.create_tweet("a", reply_to=5)),
        ("id_malformed", lambda tool: tool.create_tweet("a", reply_to=0)),
        ("id_malformed", lambda tool: tool.create_tweet("a", quote_tweet_id=5)),
        ("id_malformed", lambda tool: tool.get_tweet_metrics(5)),
        ("id_malformed", lambda tool: tool.get_user_metrics(5)),
        ("media_empty", lambda tool: tool.upload_media(b"", "image/png")),
        ("media_type_invalid", lambda tool: tool.upload_media(png, "image/jpg")),
        ("media_category_invalid", lambda tool: tool.upload_media(png, "image/png", "tweet_gif")),
    ]
    before = len(sent)
    token, endpoint = account.tokens.access_token, account.tokens.emulator.endpoint
    async with TwitterTool(token, endpoint=endpoint) as tool:
        for code, call in wrong:
            with pytest.raises(RoostError) as raised:
                await call(tool)
            assert raised.value.code == code
            assert raised.value.next
    assert len(sent) == before
    assert (await account.tokens.emulator.ground_truth())["posts"] == []
