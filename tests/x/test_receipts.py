"""Limits, prices and all that X said, on every result and every error."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest

from fix_emulator import Emulator
from roost import x
from roost.clock import EmulatorClock
from roost.limits import Family
from roost.models import Metric, TweetId, XUserId
from roost.prices import Operation
from roost.x.answers import OrganicMetrics
from roost.x.posts import Poll
from roost.x.receipt import Receipt
from roost.x.request import Request
from roost.x.wire import Answer, boot_seconds

from .conftest import Account
from .recorder import answering, recording


def dollars(told: Any) -> tuple[str, str]:
    return str(told.price.low), str(told.price.high)


async def test_result_tells_what_x_still_allows(account: Account, emulator: Emulator) -> None:
    await emulator.switch(day_headers=True)
    created = await x.posts.create(account.client, text="One of a hundred.")
    by_family = {window.family: window for window in created.rate}

    quarter, app_day = by_family[Family.FIFTEEN_MINUTES], by_family[Family.APP_DAY]
    assert (quarter.limit, quarter.remaining) == (100, 99)
    assert (app_day.limit, app_day.remaining) == (10_000, 9_999)
    assert quarter.resets_at < app_day.resets_at


@pytest.mark.parametrize(
    ("fields", "price"),
    [
        ({"text": "Plain."}, ("0.015", "0.015")),
        ({"text": "See example.com"}, ("0.200", "0.200")),
        ({"text": "?", "poll": Poll(["a", "b"], timedelta(hours=1))}, ("0.015", "0.015")),
    ],
)
async def test_price_of_a_create_is_that_which_x_bills(
    account: Account, emulator: Emulator, fields: Any, price: tuple[str, str]
) -> None:
    created = await x.posts.create(account.client, **fields)
    assert dollars(created) == price
    (*_, billed) = (await emulator.truth())["requests"]
    assert created.price.low == Decimal(billed["usd"])


async def test_price_of_a_read_is_at_most_that_of_all_it_holds(
    account: Account, emulator: Emulator
) -> None:
    first = await x.posts.create(account.client, text="First.")
    await x.posts.create(account.client, text="Second.")
    page = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    again = await x.posts.read_posts(account.client, [first.tweet_id])

    assert dollars(page[0]) == ("0", "0.010")
    assert dollars(again) == ("0", "0.005")
    billed = [Decimal(r["usd"]) for r in (await emulator.truth())["requests"]][-2:]
    assert billed == [Decimal("0.010"), Decimal(0)]
    assert dollars(await x.users.read_me(account.client)) == ("0", "0.010")
    assert dollars(await x.posts.delete(account.client, first.tweet_id)) == ("0.010", "0.010")


async def test_several_requests_are_priced_together(account: Account) -> None:
    ids = [TweetId(str(number)) for number in range(1, 202)]
    read = await x.metrics.read_posts(account.client, ids, private_for=[])
    assert len(read.receipts) == 3
    assert dollars(read) == ("0", "0.000")
    assert read.rate[0].remaining == read.receipts[2].rate[0].remaining


async def test_refusal_costs_nothing_and_tells_the_limits(
    account: Account, emulator: Emulator
) -> None:
    await x.posts.create(account.client, text="Twice.")
    with pytest.raises(x.errors.DuplicatePost) as raised:
        await x.posts.create(account.client, text="Twice.")

    assert dollars(raised.value) == ("0", "0")
    assert [window.remaining for window in raised.value.rate] == [98]
    assert raised.value.receipt is not None
    assert raised.value.receipt.status == 403


async def test_lost_create_may_cost_its_price(account: Account, emulator: Emulator) -> None:
    await emulator.fail("create_post", "after", "drop")
    with pytest.raises(x.errors.OutcomeUnknown) as raised:
        await x.posts.create(account.client, text="See example.com")
    assert dollars(raised.value) == ("0", "0.200")
    assert raised.value.rate == ()


async def test_what_never_left_costs_nothing(session: aiohttp.ClientSession) -> None:
    client = x.Client(x.FixedToken("t", x.XEndpoint("http://127.0.0.1:1")), session=session)
    with pytest.raises(x.errors.NotSent) as raised:
        await x.posts.create(client, text="See example.com")
    assert dollars(raised.value) == ("0", "0")


async def test_answer_without_what_was_asked_is_priced_too(account: Account) -> None:
    with pytest.raises(x.errors.NotFoundOnX) as raised:
        await x.users.read_user(account.client, XUserId("17"))
    assert dollars(raised.value) == ("0", "0.000")
    assert [window.limit for window in raised.value.rate] == [900]


async def test_fields_that_roost_does_not_know_are_kept(session: aiohttp.ClientSession) -> None:
    body = {"data": {"id": "17", "text": "Said.", "aura": {"level": 9}}, "weather": "fair"}
    async with recording() as recorder:
        recorder.answers = [answering(201, body)]
        client = x.Client(x.FixedToken("t", x.XEndpoint(recorder.url)), session=session)
        created = await x.posts.create(client, text="Said.")
    assert created.raw == body
    assert "Said" not in repr(created.receipt)


async def test_promoted_figures_are_asked_for_only_where_wished(
    session: aiohttp.ClientSession,
) -> None:
    organic = {"impression_count": 5, "like_count": 2}
    post = {
        "id": "1",
        "text": "",
        "public_metrics": {"impression_count": 12, "like_count": 6, "retweet_count": 1},
        "organic_metrics": organic,
        "promoted_metrics": {"impression_count": 7, "like_count": 4},
    }
    denied = {
        "resource_id": "2",
        "field": "promoted_metrics.like_count",
        "type": "https://api.twitter.com/2/problems/not-authorized-for-field",
    }
    plain = {"id": "2", "text": "", "public_metrics": {"impression_count": 3}}
    one, two = TweetId("1"), TweetId("2")
    async with recording() as recorder:
        recorder.answers = [
            answering(200, {"data": [post], "errors": [denied]}),
            answering(200, {"errors": [denied | {"field": "organic_metrics.like_count"}]}),
            answering(200, {"data": [plain]}),
        ]
        client = x.Client(x.FixedToken("t", x.XEndpoint(recorder.url)), session=session)
        read = await x.metrics.read_posts(
            client, [one, two], private_for=[one, two], promoted_for=[one, two]
        )
        asked = [arrived.target for arrived in recorder.arrived]

    assert read[one].promoted == OrganicMetrics(impression_count=7, like_count=4)
    # Organic before public, in everything that X tells both ways.
    told = read[one].metrics
    assert (told[Metric.IMPRESSIONS], told[Metric.LIKES]) == (5, 2)
    assert read[two].promoted is None
    assert read[two].metrics[Metric.IMPRESSIONS] == 3
    assert ["promoted" in target for target in asked] == [True, False, False]
    assert ["organic" in target for target in asked] == [True, True, False]


async def test_waiting_client_sleeps_by_its_clock_and_sends_again(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> None:
    await emulator.door("clock", rate=100_000)
    client = x.Client(account.tokens, session=session, clock=clock, wait=True)
    before = clock.now()
    await emulator.fail("create_post", "before", "429", times=2)
    created = await x.posts.create(client, text="In time.")

    # Nothing explains these two: a minute after the first, two after the second.
    assert clock.now() - before >= timedelta(minutes=3)
    assert [post["id"] for post in (await emulator.truth())["posts"]] == [created.tweet_id]


@pytest.mark.timing
async def test_waiting_client_does_not_wait_against_a_deadline_or_for_money(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> None:
    client = x.Client(account.tokens, session=session, clock=clock, wait=True)
    await emulator.fail("create_post", "before", "429")
    with pytest.raises(x.errors.RateLimited):
        await x.posts.create(client, text="Now.", deadline=boot_seconds() + 30)
    await emulator.fail("create_post", "before", "429cap")
    with pytest.raises(x.errors.OutOfCredits):
        await x.posts.create(client, text="Now.")


async def test_read_is_tried_again_until_x_answers(account: Account, emulator: Emulator) -> None:
    await emulator.fail("read_me", "before", "503", times=2)
    assert (await x.users.read_me(account.client)).username == "larkbooks"
    assert [exchange.status for exchange in account.exchanges] == [503, 503, 200]


async def test_read_is_given_up_after_three_tries(account: Account, emulator: Emulator) -> None:
    await emulator.fail("read_me", "before", "503", times=None)
    with pytest.raises(x.errors.XUnavailable):
        await x.users.read_me(account.client)
    assert [exchange.status for exchange in account.exchanges] == [503, 503, 503]


@pytest.mark.parametrize("kind", ["503", "502text", "drop"])
async def test_create_is_never_tried_again(account: Account, emulator: Emulator, kind: str) -> None:
    await emulator.fail("create_post", "before", kind)
    with pytest.raises(x.errors.OutcomeUnknown):
        await x.posts.create(account.client, text="Once.")
    told = await emulator.truth()
    assert told["posts"] == []
    assert [r["operation"] for r in told["requests"]].count("create_post") == 1


def test_body_that_is_no_json_has_no_raw_form() -> None:
    answer = Answer(502, {}, b"upstream connect error")
    request = Request(Operation.READ_USER, "GET", "/2/users/me")
    with pytest.raises(msgspec.DecodeError):
        _ = Receipt(request, answer).raw
