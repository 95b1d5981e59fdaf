"""Results and errors of the client have the rate limits, the price and the raw response."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest

from fix_emulator import Emulator
from roost import x
from roost.boot_clock import boot_seconds
from roost.emulator_clock import EmulatorClock
from roost.models import Metric, TweetId, XUserId
from roost.prices import Operation
from roost.rate_limits import Family
from roost.x.posts import Poll
from roost.x.receipt import Receipt
from roost.x.request import Request
from roost.x.schemas import OrganicMetrics
from roost.x.transport import Response

from .conftest import Account
from .recorder import json_response, open_recorder


def dollars(result: Any) -> tuple[str, str]:
    return str(result.price.low), str(result.price.high)


async def test_result_has_the_rate_limits(account: Account, emulator: Emulator) -> None:
    await emulator.switch(daily_limit_headers=True)
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
async def test_price_of_a_create_equals_xs_bill(
    account: Account, emulator: Emulator, fields: Any, price: tuple[str, str]
) -> None:
    created = await x.posts.create(account.client, **fields)
    assert dollars(created) == price
    (*_, billed) = (await emulator.ground_truth())["requests"]
    assert created.price.low == Decimal(billed["usd"])


async def test_price_of_a_read_is_at_most_that_of_its_resources(
    account: Account, emulator: Emulator
) -> None:
    first = await x.posts.create(account.client, text="First.")
    await x.posts.create(account.client, text="Second.")
    page = [p async for p in x.posts.read_timeline(account.client, account.user_id)]
    again = await x.posts.read_posts(account.client, [first.tweet_id])

    assert dollars(page[0]) == ("0", "0.010")
    assert dollars(again) == ("0", "0.005")
    billed = [Decimal(r["usd"]) for r in (await emulator.ground_truth())["requests"]][-2:]
    assert billed == [Decimal("0.010"), Decimal(0)]
    assert dollars(await x.users.read_me(account.client)) == ("0", "0.010")
    assert dollars(await x.posts.delete(account.client, first.tweet_id)) == ("0.010", "0.010")


async def test_price_of_several_requests_is_their_sum(account: Account) -> None:
    ids = [TweetId(str(number)) for number in range(1, 202)]
    found = await x.metrics.read_posts(account.client, ids, private_for=[])
    assert len(found.receipts) == 3
    assert dollars(found) == ("0", "0.000")
    assert found.rate[0].remaining == found.receipts[2].rate[0].remaining


async def test_rejection_is_free_and_has_the_rate_limits(
    account: Account, emulator: Emulator
) -> None:
    await x.posts.create(account.client, text="Twice.")
    with pytest.raises(x.errors.DuplicatePost) as raised:
        await x.posts.create(account.client, text="Twice.")

    assert dollars(raised.value) == ("0", "0")
    assert [window.remaining for window in raised.value.rate] == [98]
    assert raised.value.receipt is not None
    assert raised.value.receipt.status == 403


async def test_price_of_a_lost_create_is_up_to_its_full_price(
    account: Account, emulator: Emulator
) -> None:
    await emulator.fail("create_post", "after", "drop")
    with pytest.raises(x.errors.OutcomeUnknown) as raised:
        await x.posts.create(account.client, text="See example.com")
    assert dollars(raised.value) == ("0", "0.200")
    assert raised.value.rate == ()


async def test_price_of_an_unsent_request_is_zero(session: aiohttp.ClientSession) -> None:
    client = x.Client(x.FixedToken("t", x.XEndpoint("http://127.0.0.1:1")), session=session)
    with pytest.raises(x.errors.NotSent) as raised:
        await x.posts.create(client, text="See example.com")
    assert dollars(raised.value) == ("0", "0")


async def test_response_without_the_data_has_a_price(account: Account) -> None:
    with pytest.raises(x.errors.NotFoundOnX) as raised:
        await x.users.read_user(account.client, XUserId("17"))
    assert dollars(raised.value) == ("0", "0.000")
    assert [window.limit for window in raised.value.rate] == [900]


async def test_raw_contains_unknown_fields(session: aiohttp.ClientSession) -> None:
    body = {"data": {"id": "17", "text": "Posted.", "aura": {"level": 9}}, "weather": "fair"}
    async with open_recorder() as recorder:
        recorder.responses = [json_response(201, body)]
        client = x.Client(x.FixedToken("t", x.XEndpoint(recorder.url)), session=session)
        created = await x.posts.create(client, text="Posted.")
    assert created.raw == body
    assert "Posted" not in repr(created.receipt)


async def test_read_posts_requests_promoted_metrics_only_on_demand(
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
    async with open_recorder() as recorder:
        recorder.responses = [
            json_response(200, {"data": [post], "errors": [denied]}),
            json_response(200, {"errors": [denied | {"field": "organic_metrics.like_count"}]}),
            json_response(200, {"data": [plain]}),
        ]
        client = x.Client(x.FixedToken("t", x.XEndpoint(recorder.url)), session=session)
        found = await x.metrics.read_posts(
            client, [one, two], private_for=[one, two], promoted_for=[one, two]
        )
        targets = [received.target for received in recorder.requests]

    assert found[one].promoted == OrganicMetrics(impression_count=7, like_count=4)
    # If X returns organic and public counts, the organic counts take precedence.
    metrics = found[one].metrics
    assert (metrics[Metric.IMPRESSIONS], metrics[Metric.LIKES]) == (5, 2)
    assert found[two].promoted is None
    assert found[two].metrics[Metric.IMPRESSIONS] == 3
    assert ["promoted" in target for target in targets] == [True, False, False]
    assert ["organic" in target for target in targets] == [True, True, False]


async def test_waiting_client_sleeps_in_domain_time_and_repeats(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> None:
    await emulator.control("clock", rate=100_000)
    client = x.Client(account.tokens, session=session, clock=clock, wait=True)
    before = clock.now()
    await emulator.fail("create_post", "before", "429", times=2)
    created = await x.posts.create(client, text="In time.")

    # The response's headers have no reset time, so the client waits one minute, then two minutes.
    assert clock.now() - before >= timedelta(minutes=3)
    assert [post["id"] for post in (await emulator.ground_truth())["posts"]] == [created.tweet_id]


@pytest.mark.timing
async def test_waiting_client_does_not_wait_with_a_deadline_or_for_credits(
    account: Account, emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> None:
    client = x.Client(account.tokens, session=session, clock=clock, wait=True)
    await emulator.fail("create_post", "before", "429")
    with pytest.raises(x.errors.RateLimited):
        await x.posts.create(client, text="Now.", deadline=boot_seconds() + 30)
    await emulator.fail("create_post", "before", "429cap")
    with pytest.raises(x.errors.OutOfCredits):
        await x.posts.create(client, text="Now.")


async def test_read_is_repeated_until_x_answers(account: Account, emulator: Emulator) -> None:
    await emulator.fail("read_me", "before", "503", times=2)
    assert (await x.users.read_me(account.client)).username == "larkbooks"
    assert [exchange.status for exchange in account.exchanges] == [503, 503, 200]


async def test_read_is_attempted_three_times(account: Account, emulator: Emulator) -> None:
    await emulator.fail("read_me", "before", "503", times=None)
    with pytest.raises(x.errors.XUnavailable):
        await x.users.read_me(account.client)
    assert [exchange.status for exchange in account.exchanges] == [503, 503, 503]


@pytest.mark.parametrize("kind", ["503", "502text", "drop"])
async def test_create_is_never_repeated(account: Account, emulator: Emulator, kind: str) -> None:
    await emulator.fail("create_post", "before", kind)
    with pytest.raises(x.errors.OutcomeUnknown):
        await x.posts.create(account.client, text="Once.")
    ground_truth = await emulator.ground_truth()
    assert ground_truth["posts"] == []
    assert [r["operation"] for r in ground_truth["requests"]].count("create_post") == 1


def test_raw_raises_for_a_body_that_is_not_json() -> None:
    response = Response(502, {}, b"upstream connect error")
    request = Request(Operation.READ_USER, "GET", "/2/users/me")
    with pytest.raises(msgspec.DecodeError):
        _ = Receipt(request, response).raw
