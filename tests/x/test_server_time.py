"""X's time: noted from X's answers alone, parsed when it is asked for, and asked for free."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from fix_emulator import Emulator
from roost import x
from roost.clock import EmulatorClock
from roost.x import errors
from roost.x.server_time import ServerTime, ask

from .conftest import Account
from .recorder import Recorder, answering, recording

NOON = "Fri, 27 Nov 2026 12:00:00 GMT"
PROBLEM = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}


def dated(answer: bytes, date: str = NOON) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    return head + b"\r\ndate: " + date.encode() + b"\r\n\r\n" + body


def test_nothing_noted_is_no_time() -> None:
    server_time = ServerTime()
    assert server_time.latest is None
    assert server_time.age_s() is None
    assert server_time.estimate() is None


def test_date_is_aware_and_goes_on() -> None:
    server_time = ServerTime()
    server_time.note({"Date": NOON})
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
def test_headers_without_xs_time_change_nothing(headers: dict[str, str]) -> None:
    server_time = ServerTime()
    server_time.note({"Date": NOON})
    server_time.note(headers)
    assert server_time.latest == datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_date_that_cannot_be_read_is_no_time() -> None:
    server_time = ServerTime()
    server_time.note({"Date": "Fri, 99 Nov 2026 99:00:00 GMT"})
    assert server_time.latest is None
    assert server_time.estimate() is None


def test_answer_that_was_kept_is_old() -> None:
    server_time = ServerTime()
    assert not server_time.is_old({"Date": NOON})
    server_time.note({"Date": NOON})
    assert not server_time.is_old({"Date": "Fri, 27 Nov 2026 11:59:45 GMT"})
    assert server_time.is_old({"Date": "Fri, 27 Nov 2026 11:59:00 GMT"})
    assert server_time.is_old({"Date": NOON, "Age": "3"})
    assert not server_time.is_old({})


def timed(account: Account, emulator: Emulator, server_time: ServerTime) -> x.Client:
    return x.Client(
        account.tokens,
        session=account.tokens.session,
        server_time=server_time,
    )


async def test_client_notes_emulated_time(
    account: Account, emulator: Emulator, clock: EmulatorClock
) -> None:
    await emulator.jump(days=3)
    server_time = ServerTime()
    account.tokens.access_token = await account.tokens.refresh("")
    await x.users.read_me(timed(account, emulator, server_time))
    estimate = server_time.estimate()
    assert estimate is not None
    assert abs(estimate - clock.now()) < timedelta(seconds=30)


async def test_refusal_of_x_tells_its_time_too(account: Account, emulator: Emulator) -> None:
    server_time = ServerTime()
    client = timed(account, emulator, server_time)
    await emulator.fail("create_post", "before", "429")
    with pytest.raises(errors.RateLimited):
        await x.posts.create(client, text="Low tide at six")
    assert server_time.latest is not None


@pytest.mark.parametrize("kind", ["200html", "200object", "403html", "404empty", "429text"])
async def test_proxys_time_is_not_xs(account: Account, emulator: Emulator, kind: str) -> None:
    server_time = ServerTime()
    client = timed(account, emulator, server_time)
    await emulator.fail("create_post", "before", kind)
    with pytest.raises(errors.OutcomeUnknown):
        await x.posts.create(client, text="Low tide at six")
    assert server_time.latest is None


async def test_asking_needs_no_token_and_costs_nothing(
    emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> None:
    await emulator.jump(days=3)
    server_time = ServerTime()
    assert await ask(session, emulator.endpoint, server_time)
    estimate = server_time.estimate()
    assert estimate is not None
    assert abs(estimate - clock.now()) < timedelta(seconds=30)
    (request,) = (await emulator.truth(only="requests"))["requests"]
    assert (request["status"], float(request["usd"])) == (401, 0.0)


async def asked(session: aiohttp.ClientSession, answer: bytes) -> tuple[bool, Recorder, ServerTime]:
    server_time = ServerTime()
    async with recording() as recorder:
        recorder.answers = [answer]
        return await ask(session, x.XEndpoint(recorder.url), server_time), recorder, server_time


async def test_asking_shows_no_credential(session: aiohttp.ClientSession) -> None:
    was_noted, recorder, server_time = await asked(session, dated(answering(401, PROBLEM)))
    assert was_noted
    assert server_time.latest == datetime(2026, 11, 27, 12, tzinfo=UTC)
    (arrived,) = recorder.arrived
    assert arrived.method == "GET"
    assert "authorization" not in arrived.headers


@pytest.mark.parametrize(
    "answer",
    [
        dated(answering(200, {})),
        dated(answering(401, {"message": "Unauthorized"})),
        dated(b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"),
        answering(401, PROBLEM),
        dated(answering(401, PROBLEM), "soon"),
    ],
    ids=["portal", "gateway", "redirect", "no-date", "bad-date"],
)
async def test_asking_takes_xs_answer_alone(session: aiohttp.ClientSession, answer: bytes) -> None:
    was_noted, _, server_time = await asked(session, answer)
    assert not was_noted
    assert server_time.latest is None


async def test_asking_where_nobody_answers_is_no_error(session: aiohttp.ClientSession) -> None:
    assert not await ask(session, x.XEndpoint("http://127.0.0.1:1"), ServerTime())
