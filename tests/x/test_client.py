"""The client: which requests it repeats, which errors it raises, what it reports."""

from datetime import timedelta

import aiohttp
import pytest

from fix_emulator import Emulator
from roost import x
from roost.emulator_clock import EmulatorClock
from roost.errors import ReconnectNeeded
from roost.models import TweetId, XMediaId
from roost.prices import Operation
from roost.rate_limits import parse_windows

from .conftest import Account, SentRequest

SECRET_TEXT = "A text that must not be logged."


async def test_delete_is_sent_once_over_a_kept_alive_connection(
    account: Account, emulator: Emulator
) -> None:
    created = await x.posts.create(account.client, text="A slip.")
    await emulator.fail("delete_post", "after", "drop")
    with pytest.raises(x.errors.OutcomeUnknown):
        await x.posts.delete(account.client, created.tweet_id)

    ground_truth = await emulator.ground_truth()
    assert [r["operation"] for r in ground_truth["requests"]].count("delete_post") == 1


async def test_client_refreshes_an_expired_token_once_and_repeats_the_request(
    account: Account, emulator: Emulator
) -> None:
    await emulator.jump(hours=3)
    created = await x.posts.create(account.client, text="Still here.")

    assert account.tokens.refreshed == 1
    (post,) = (await emulator.ground_truth())["posts"]
    assert post["id"] == created.tweet_id
    assert [exchange.status for exchange in account.exchanges] == [401, 201]


async def test_client_raises_refresh_token_invalid_for_a_revoked_grant(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    await x.auth.oauth2.revoke(
        session,
        emulator.endpoint,
        app=emulator.x_app,
        token=account.tokens.refresh_token,
    )
    with pytest.raises(x.errors.RefreshTokenInvalid):
        await x.users.read_me(account.client)
    assert issubclass(x.errors.RefreshTokenInvalid, ReconnectNeeded)


async def test_rate_limited_has_the_time_to_wait(
    account: Account, emulator: Emulator, clock: EmulatorClock
) -> None:
    await emulator.freeze()
    for number in range(100):
        await x.posts.create(account.client, text=f"Number {number}.")
    with pytest.raises(x.errors.RateLimited) as raised:
        await x.posts.create(account.client, text="One too many.")

    assert timedelta(minutes=14) < raised.value.wait <= timedelta(minutes=15, seconds=1)
    await emulator.jump(seconds=raised.value.wait.total_seconds())
    await x.posts.create(account.client, text="One too many.")


async def test_rate_limited_wait_is_domain_time_after_a_clock_jump(
    account: Account, emulator: Emulator
) -> None:
    await emulator.jump(days=40)
    await emulator.fail("read_me", "before", "429")
    with pytest.raises(x.errors.RateLimited) as raised:
        # After 40 days the token has expired, so the client first refreshes the token. The fault
        # affects the request after the refresh.
        await x.users.read_me(account.client)
    assert timedelta(0) < raised.value.wait <= timedelta(minutes=16)


async def test_exchange_has_what_its_price_depends_on(account: Account) -> None:
    created = await x.posts.create(account.client, text="See https://example.com")
    _ = [p async for p in x.posts.read_timeline(account.client, account.user_id)]

    create, read = account.exchanges
    assert (create.operation, create.status, create.created, create.text) == (
        Operation.CREATE_POST,
        201,
        created.tweet_id,
        "See https://example.com",
    )
    assert (read.operation, read.status, read.posts_read) == (
        Operation.READ_TIMELINE,
        200,
        (created.tweet_id,),
    )
    assert read.request_id
    assert [window.limit for window in parse_windows(read.headers)] == [900]
    assert "https://example.com" not in repr(create)


async def test_exchange_is_reported_without_a_response(
    account: Account, emulator: Emulator
) -> None:
    await emulator.fail("create_post", "before", "drop")
    with pytest.raises(x.errors.OutcomeUnknown):
        await x.posts.create(account.client, text="Lost.")
    (exchange,) = account.exchanges
    assert (exchange.status, exchange.created, exchange.headers) == (None, None, {})


async def test_create_is_not_sent_without_a_listener(
    account: Account, session: aiohttp.ClientSession
) -> None:
    client = x.Client(x.FixedToken("t", x.XEndpoint("http://127.0.0.1:1")), session=session)
    with pytest.raises(x.errors.NotSent):
        await x.posts.create(client, text="Not sent.")


async def test_wrong_base_url_names_the_setting_and_blames_no_app(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession
) -> None:
    nowhere = x.XEndpoint(f"{emulator.url}/nowhere")
    client = x.Client(x.FixedToken(account.tokens.access_token, nowhere), session=session)
    with pytest.raises(x.errors.XUnavailable) as raised:
        await x.users.read_me(client)
    assert raised.value.next == "Check ROOST_X_BASE_URL."
    with pytest.raises(x.errors.OutcomeUnknown):
        await x.posts.create(client, text="To nowhere.")


async def test_token_is_sent_only_as_bearer(account: Account, sent: list[SentRequest]) -> None:
    await x.users.read_me(account.client)
    assert sent[-1].headers["authorization"] == f"Bearer {account.tokens.access_token}"
    assert account.tokens.access_token not in str(sent[-1].query)


@pytest.mark.parametrize("dialect", ["403", "400", "403-text"])
async def test_text_too_long_is_recognized_in_every_dialect(
    account: Account, emulator: Emulator, dialect: str
) -> None:
    await emulator.switch(too_long_error=dialect)
    with pytest.raises(x.errors.TextTooLong):
        # The test claims that the account has Premium, so the client sends a text that X refuses.
        await x.posts.create(account.client, text="weight " * 50, subscription_type="Premium")


@pytest.mark.parametrize("shape", ["nested", "flat"])
@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
async def test_rejections_are_recognized_in_every_dialect(
    account: Account, emulator: Emulator, shape: str, host: str
) -> None:
    await emulator.switch(error_format=shape, problem_host=host)
    await x.posts.create(account.client, text="Twice.")
    with pytest.raises(x.errors.DuplicatePost):
        await x.posts.create(account.client, text="Twice.")
    with pytest.raises(x.errors.MediaIdsInvalid) as raised:
        await x.posts.create(account.client, text="No such.", media_ids=[XMediaId("1")])
    assert raised.value.code == "media_ids_invalid"


async def test_reply_without_a_mention_is_not_allowed(account: Account, emulator: Emulator) -> None:
    tokens = await emulator.connect("tidewatcher")
    async with emulator.http.post(
        f"{emulator.url}/2/tweets",
        json={"text": "Mind your own boat."},
        headers={"authorization": f"Bearer {tokens['access_token']}"},
    ) as answer:
        foreign = TweetId((await answer.json())["data"]["id"])
    with pytest.raises(x.errors.ReplyNotAllowed):
        await x.posts.create(account.client, text="Ahoy.", reply_to=foreign)


async def test_reply_to_a_deleted_post_raises_parent_not_visible(account: Account) -> None:
    first = await x.posts.create(account.client, text="One.")
    await x.posts.delete(account.client, first.tweet_id)
    with pytest.raises(x.errors.ParentNotVisible) as raised:
        await x.posts.create(account.client, text="Two.", reply_to=first.tweet_id)
    assert raised.value.confirmed_not_created
