"""Responses of proxies, portals and filters: no data is used, and no write is repeated."""

import aiohttp
import pytest

from fix_emulator import Emulator
from roost import x
from roost.models import TweetId
from roost.x import errors
from x_emulator.faults import proxy_responses

from .conftest import Account
from .oauth1_keys import keys_of

TEXT = "Low tide at six"


async def count(emulator: Emulator, operation: str) -> int:
    ground_truth = await emulator.ground_truth(only="requests")
    return [each["operation"] for each in ground_truth["requests"]].count(operation)


@pytest.mark.parametrize("kind", proxy_responses.RESPONSES)
async def test_timeline_rejects_a_page_that_is_not_xs(
    account: Account, emulator: Emulator, kind: str
) -> None:
    await emulator.switch(rate_limits=False)
    for number in range(101):
        await x.posts.create(account.client, text=f"Number {number}.")
    script = ["ok", *[kind] * 3]
    await emulator.control("faults", operation="read_timeline", when="before", script=script)
    timeline = x.posts.read_timeline(account.client, account.user_id)
    first = [await anext(timeline) for _ in range(100)]
    assert len({post.tweet_id for post in first}) == 100
    with pytest.raises(errors.XUnavailable):
        await anext(timeline)


async def test_timeline_may_be_empty(account: Account) -> None:
    assert [p async for p in x.posts.read_timeline(account.client, account.user_id)] == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_foreign_401_causes_no_refresh_and_no_second_create(
    account: Account, emulator: Emulator, when: str
) -> None:
    await emulator.fail("create_post", when, "401html")
    with pytest.raises(errors.OutcomeUnknown) as raised:
        await x.posts.create(account.client, text=TEXT)
    assert not raised.value.confirmed_not_created
    assert account.tokens.refreshed == 0
    assert await count(emulator, "create_post") == 1


async def test_foreign_401_after_a_refresh_is_outcome_unknown(
    account: Account, emulator: Emulator
) -> None:
    await emulator.control(
        "faults", operation="create_post", when="before", script=["401", "401html"]
    )
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.create(account.client, text=TEXT)
    assert account.tokens.refreshed == 1
    assert await count(emulator, "create_post") == 2


@pytest.mark.parametrize("kind", ["403html", "403object"])
async def test_foreign_403_causes_no_signed_create(
    emulator: Emulator, session: aiohttp.ClientSession, account: Account, kind: str
) -> None:
    client = x.Client(
        account.tokens,
        oauth1=await keys_of(emulator),
        session=session,
    )
    await emulator.fail("create_post", "after", kind)
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.create(client, text=TEXT)
    assert await count(emulator, "create_post") == 1


async def test_foreign_429_causes_no_wait(
    emulator: Emulator, session: aiohttp.ClientSession, account: Account
) -> None:
    client = x.Client(account.tokens, session=session, wait=True)
    await emulator.fail("create_post", "after", "429text")
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.create(client, text=TEXT)
    assert await count(emulator, "create_post") == 1


@pytest.mark.parametrize("kind", ["200object", "404empty", "404html", "204"])
async def test_delete_needs_xs_confirmation(
    account: Account, emulator: Emulator, kind: str
) -> None:
    created = await x.posts.create(account.client, text=TEXT)
    await emulator.fail("delete_post", "before", kind)
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.delete(account.client, created.tweet_id)
    assert (await x.posts.delete(account.client, created.tweet_id)).deleted


@pytest.mark.parametrize("kind", ["200empty", "200object", "200ok", "200html", "204", "404html"])
async def test_read_posts_reports_no_post_missing_for_a_foreign_response(
    account: Account, emulator: Emulator, kind: str
) -> None:
    assert dict(await x.posts.read_posts(account.client, [TweetId("1")])) == {}
    await emulator.fail("read_posts", "before", kind, times=3)
    with pytest.raises(errors.XUnavailable):
        await x.posts.read_posts(account.client, [TweetId("1")])


@pytest.mark.parametrize("kind", ["200object", "200html", "204", "401html", "403html", "404empty"])
async def test_refresh_keeps_the_grant_after_a_foreign_response(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, kind: str
) -> None:
    await emulator.fail("refresh", "before", kind)
    with pytest.raises(errors.OutcomeUnknown):
        await account.tokens.refresh(account.tokens.access_token)
    await account.tokens.refresh(account.tokens.access_token)


@pytest.mark.parametrize("kind", ["200object", "200ok", "200html", "404empty", "403html"])
async def test_revoke_needs_xs_confirmation(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, kind: str
) -> None:
    await emulator.fail("revoke", "before", kind)
    with pytest.raises(errors.XUnavailable):
        await x.auth.oauth2.revoke(
            session,
            emulator.endpoint,
            app=emulator.x_app,
            token=account.tokens.refresh_token,
        )


async def test_alt_text_needs_xs_confirmation(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.fail("media_metadata", "before", "200object", times=None)
    with pytest.raises(errors.XUnavailable):
        await x.media.upload(
            account.client, png, mime_type="image/png", category="tweet_image", alt_text="Teal"
        )
