"""X's time: recorded only from X's own responses, parsed when read, and fetched for free."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from fix_emulator import Emulator
from roost import x
from roost.emulator_clock import EmulatorClock
from roost.x import errors
from roost.x.server_time import ServerTime, fetch

from .conftest import Account
from .recorder import Recorder, json_response, open_recorder

NOON = "Fri, 27 Nov 2026 12:00:00 GMT"
PROBLEM = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}


def dated(response: bytes, date: str = NOON) -> bytes:
    head, _, body = response.partition(b"\r\n\r\n")
    return head + b"\r\ndate: " + date.encode() + b"\r\n\r\n" + body


def test_server_time_is_none_before_a_response() -> None:
    server_time = ServerTime()
    assert server_time.latest is None
    assert server_time.age_s() is None
    assert server_time.estimate() is None


def test_server_time_is_aware_and_advances() -> None:
    server_time = ServerTime()
    server_time.record({"Date": NOON})
    noon = datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert server_time.latest == noon
    assert server_time.latest.tzinfo is not None
    age_s, estimate = server_time.age_s(), server_time.estimate()
    assert age_s is not None
    assert estimate is not None
    assert 0 <= age_s < 60
    assert noon + timedelta(seconds=0.5 + age_s) <= estimate < noon + timedelta(seconds=60)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Date": ""}, {"Date": "soon"}, {"Date": NOON, "Age": "30"}],
    ids=["none", "empty", "no-date", "cached"],
)
def test_server_time_ignores_headers_without_a_usable_date(headers: dict[str, str]) -> None:
    server_time = ServerTime()
    server_time.record({"Date": NOON})
    server_time.record(headers)
    assert server_time.latest == datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_server_time_is_none_for_a_malformed_date() -> None:
    server_time = ServerTime()
    server_time.record({"Date": "Fri, 99 Nov 2026 99:00:00 GMT"})
    assert server_time.latest is None
    assert server_time.estimate() is None


def test_server_time_recognizes_a_cached_response() -> None:
    server_time = ServerTime()
    assert not server_time.is_cached({"Date": NOON})
    server_time.record({"Date": NOON})
    assert not server_time.is_cached({"Date": "Fri, 27 Nov 2026 11:59:45 GMT"})
    assert server_time.is_cached({"Date": "Fri, 27 Nov 2026 11:59:00 GMT"})
    assert server_time.is_cached({"Date": NOON, "Age": "3"})
    assert not server_time.is_cached({})


def timed_client(account: Account, emulator: Emulator, server_time: ServerTime) -> x.Client:
    return x.Client(
        account.tokens,
        session=account.tokens.session,
        server_time=server_time,
    )


async def test_client_records_emulated_time(
    account: Account, emulator: Emulator, clock: EmulatorClock
) -> None:
    await emulator.jump(days=3)
    server_time = ServerTime()
    account.tokens.access_token = await account.tokens.refresh("")
    await x.users.read_me(timed_client(account, emulator, server_time))
    estimate = server_time.estimate()
    assert estimate is not None
    assert abs(estimate - clock.now()) < timedelta(seconds=30)


async def test_client_records_the_time_of_a_rejection(account: Account, emulator: Emulator) -> None:
    server_time = ServerTime()
    client = timed_client(account, emulator, server_time)
    await emulator.fail("create_post", "before", "429")
    with pytest.raises(errors.RateLimited):
        await x.posts.create(client, text="Low tide at six")
    assert server_time.latest is not None


@pytest.mark.parametrize("kind", ["200html", "200object", "403html", "404empty", "429text"])
async def test_client_ignores_the_time_of_a_foreign_response(
    account: Account, emulator: Emulator, kind: str
) -> None:
    server_time = ServerTime()
    client = timed_client(account, emulator, server_time)
    await emulator.fail("create_post", "before", kind)
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.create(client, text="Low tide at six")
    assert server_time.latest is None


async def test_fetch_needs_no_token_and_is_free(
    emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> None:
    await emulator.jump(days=3)
    server_time = ServerTime()
    assert await fetch(session, emulator.endpoint, server_time)
    estimate = server_time.estimate()
    assert estimate is not None
    assert abs(estimate - clock.now()) < timedelta(seconds=30)
    (request,) = (await emulator.ground_truth(only="requests"))["requests"]
    assert (request["status"], float(request["usd"])) == (401, 0.0)


async def fetch_from(
    session: aiohttp.ClientSession, response: bytes
) -> tuple[bool, Recorder, ServerTime]:
    server_time = ServerTime()
    async with open_recorder() as recorder:
        recorder.responses = [response]
        return await fetch(session, x.XEndpoint(recorder.url), server_time), recorder, server_time


async def test_fetch_sends_no_credential(session: aiohttp.ClientSession) -> None:
    is_recorded, recorder, server_time = await fetch_from(
        session, dated(json_response(401, PROBLEM))
    )
    assert is_recorded
    assert server_time.latest == datetime(2026, 11, 27, 12, tzinfo=UTC)
    (received,) = recorder.requests
    assert received.method == "GET"
    assert "authorization" not in received.headers


@pytest.mark.parametrize(
    "response",
    [
        dated(json_response(200, {})),
        dated(json_response(401, {"message": "Unauthorized"})),
        dated(b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"),
        json_response(401, PROBLEM),
        dated(json_response(401, PROBLEM), "soon"),
    ],
    ids=["portal", "gateway", "redirect", "no-date", "bad-date"],
)
async def test_fetch_ignores_a_response_that_is_not_xs(
    session: aiohttp.ClientSession, response: bytes
) -> None:
    is_recorded, _, server_time = await fetch_from(session, response)
    assert not is_recorded
    assert server_time.latest is None


async def test_fetch_returns_false_without_a_listener(session: aiohttp.ClientSession) -> None:
    assert not await fetch(session, x.XEndpoint("http://127.0.0.1:1"), ServerTime())
