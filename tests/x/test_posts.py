"""Posts: create, delete, look up, and read from the timeline."""

import asyncio
from datetime import timedelta

import pytest

from fix_emulator import Emulator
from roost import x
from roost.boot_clock import boot_seconds
from roost.emulator_clock import EmulatorClock
from roost.errors import PostRefused
from roost.models import TweetId, XMediaId, XUserId

from .conftest import Account, Connect, SentRequest


async def test_create_creates_the_post(account: Account, emulator: Emulator) -> None:
    created = await x.posts.create(account.client, text="The tide turns at nine.")

    (post,) = (await emulator.ground_truth())["posts"]
    assert (post["id"], post["text"]) == (created.tweet_id, "The tide turns at nine.")
    assert (post["user"], post["reply_to"], post["media"]) == (account.user_id, None, [])


async def test_create_replies_to_the_parent(account: Account, emulator: Emulator) -> None:
    first = await x.posts.create(account.client, text="One.")
    second = await x.posts.create(account.client, text="Two.", reply_to=first.tweet_id)

    posts = {post["id"]: post for post in (await emulator.ground_truth())["posts"]}
    assert posts[second.tweet_id]["reply_to"] == first.tweet_id


@pytest.mark.parametrize(
    ("text", "media_ids", "quote"),
    [(None, [], None), ("", [], None), ("Both.", ["1"], TweetId("2"))],
    ids=["nothing", "empty", "media-and-quote"],
)
async def test_create_refuses_what_the_schema_excludes(
    account: Account,
    sent: list[SentRequest],
    text: str | None,
    media_ids: list[XMediaId],
    quote: TweetId | None,
) -> None:
    before = len(sent)
    with pytest.raises(PostRefused):
        await x.posts.create(account.client, text=text, media_ids=media_ids, quote_tweet_id=quote)
    assert len(sent) == before


@pytest.mark.timing
async def test_create_is_not_sent_after_its_deadline(account: Account, emulator: Emulator) -> None:
    with pytest.raises(x.errors.NotSent) as raised:
        await x.posts.create(account.client, text="Late.", deadline=boot_seconds() - 1)

    assert raised.value.confirmed_not_created
    assert (await emulator.ground_truth())["posts"] == []
    assert account.exchanges[-1].status is None


@pytest.mark.timing
async def test_create_is_outcome_unknown_when_the_deadline_ends_the_wait(
    account: Account, emulator: Emulator
) -> None:
    await emulator.fail("create_post", "after", "delay", seconds=30)
    started = asyncio.get_running_loop().time()
    with pytest.raises(x.errors.OutcomeUnknown) as raised:
        await x.posts.create(account.client, text="Slow.", deadline=boot_seconds() + 2)

    assert asyncio.get_running_loop().time() - started < 10
    assert not raised.value.confirmed_not_created
    assert [post["text"] for post in (await emulator.ground_truth())["posts"]] == ["Slow."]


async def test_create_is_sent_once_when_the_response_is_lost(
    account: Account, emulator: Emulator
) -> None:
    await emulator.fail("create_post", "after", "drop")
    with pytest.raises(x.errors.OutcomeUnknown):
        await x.posts.create(account.client, text="Lost.")

    ground_truth = await emulator.ground_truth()
    assert [r["operation"] for r in ground_truth["requests"]].count("create_post") == 1
    assert [post["text"] for post in ground_truth["posts"]] == ["Lost."]


async def test_delete_deletes_the_post(account: Account, emulator: Emulator) -> None:
    created = await x.posts.create(account.client, text="A slip.")

    assert (await x.posts.delete(account.client, created.tweet_id)).deleted
    (post,) = (await emulator.ground_truth())["posts"]
    assert post["deleted_at"] is not None


async def test_timeline_yields_every_page_newest_first(
    account: Account, emulator: Emulator
) -> None:
    await emulator.switch(rate_limits=False)
    texts = [f"Number {number}." for number in range(103)]
    for text in texts:
        await x.posts.create(account.client, text=text)

    texts_read = [p.text async for p in x.posts.read_timeline(account.client, account.user_id)]
    assert texts_read == texts[::-1]


async def test_timeline_starts_after_since_id(account: Account) -> None:
    first = await x.posts.create(account.client, text="First.")
    second = await x.posts.create(account.client, text="Second.", reply_to=first.tweet_id)

    (post,) = [
        post
        async for post in x.posts.read_timeline(
            account.client, account.user_id, since_id=first.tweet_id
        )
    ]
    assert (post.tweet_id, post.reply_to) == (second.tweet_id, first.tweet_id)


async def test_timeline_is_limited_by_start_and_end(
    account: Account, emulator: Emulator, clock: EmulatorClock
) -> None:
    ids = []
    for hour in range(4):
        ids.append((await x.posts.create(account.client, text=f"Hour {hour}.")).tweet_id)
        await emulator.jump(hours=1)
    half_hour = timedelta(minutes=30)
    ids_read = [
        post.tweet_id
        async for post in x.posts.read_timeline(
            account.client,
            account.user_id,
            start=clock.now() - timedelta(hours=3) - half_hour,
            end=clock.now() - timedelta(hours=1) - half_hour,
        )
    ]
    assert ids_read == [ids[2], ids[1]]


async def test_read_posts_looks_up_100_ids_per_request(
    account: Account, sent: list[SentRequest]
) -> None:
    first = await x.posts.create(account.client, text="Fish & chips.")
    second = await x.posts.create(account.client, text="And peas.", reply_to=first.tweet_id)
    unknown = [TweetId(str(number)) for number in range(1, 150)]
    sent.clear()
    found = await x.posts.read_posts(
        account.client, [second.tweet_id, *unknown, first.tweet_id, second.tweet_id]
    )

    assert list(found) == [second.tweet_id, first.tweet_id]
    assert found[first.tweet_id].normalized_text == "Fish & chips."
    assert found[second.tweet_id].reply_to == first.tweet_id
    assert [len(request.query["ids"].split(",")) for request in sent] == [100, 51]


@pytest.mark.parametrize(
    "text",
    [
        "Plain.",
        "Fish & chips <3 > all; literally &amp; and &lt;.",
        "Two links: https://example.com/a?b=1&copy=2 and EXAMPLE.org/Path, then words.",
        "At the end http://Example.com/",
        "Cafe\u0301 \u2764\ufe0f\r\nnew line",
        "  spaced out  ",
    ],
    ids=["plain", "escapes", "links", "lone-slash", "not-nfc", "outer-space"],
)
async def test_timeline_text_equals_the_sent_text_when_normalized(
    account: Account, text: str
) -> None:
    await x.posts.create(account.client, text=text)

    (post,) = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    assert post.normalized_text == x.posts.normalize_sent_text(text)


async def test_timeline_text_is_normalized_without_the_medias_link(
    account: Account, png: bytes
) -> None:
    media = await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    text = "Look at https://example.com/pier"
    await x.posts.create(account.client, text=text, media_ids=[media.media_id])

    (post,) = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    assert "https://t.co/" in post.text
    assert post.normalized_text == text
    assert post.media_keys == (media.media_key,)


async def test_timeline_of_an_unknown_user_raises_not_found(account: Account) -> None:
    timeline = x.posts.read_timeline(account.client, XUserId("17"))
    with pytest.raises(x.errors.NotFoundOnX) as raised:
        await anext(timeline)
    assert raised.value.request_id


async def test_timeline_reads_the_newer_spelling(account: Account, emulator: Emulator) -> None:
    first = await x.posts.create(account.client, text="First.")
    await x.posts.create(account.client, text="Second.", reply_to=first.tweet_id)
    await emulator.switch(field_names="post")

    posts = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    assert [p.reply_to for p in posts] == [first.tweet_id, None]


async def test_timeline_returns_a_long_post_completely(connect: Connect) -> None:
    account = await connect("mira_builds")
    text = "A long one, about building in public. " * 20 + "See https://example.com/end"
    await x.posts.create(account.client, text=text, subscription_type="Premium")

    (post,) = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    assert post.normalized_text == text


async def test_timeline_names_the_app_that_created_a_post(
    account: Account, emulator: Emulator
) -> None:
    ours = await x.posts.create(account.client, text="By an app.")
    by_person = await emulator.act("post", username=account.username, text="By a person.")

    sources = {
        p.tweet_id: p.source async for p in x.posts.read_timeline(account.client, account.user_id)
    }
    assert sources == {ours.tweet_id: "Roost under test", by_person["id"]: "X"}
    found = await x.posts.read_posts(account.client, [ours.tweet_id])
    assert found[ours.tweet_id].source == "Roost under test"
