"""Which network schedules there are: what the proxy does to a post's creates and timeline reads."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from _proxy import Act, Canned, Exchange
from aiohttp import web

_LOGIN = b"<!DOCTYPE html><html><title>Sign in to the network</title><form></form></html>"
_BLOCKED = b"<html><head><title>Blocked</title></head><body>Blocked by policy.</body></html>"
_JSON = "application/json"
_IN_2015 = {"date": "Thu, 01 Jan 2015 00:00:00 GMT"}
#: What stands between a machine and X may answer in X's place.
PORTALS = (
    Canned("200-object", 200, b"{}", _JSON),
    Canned("200-empty", 200),
    Canned("204", 204),
    Canned("200-status", 200, b'{"status":"ok"}', _JSON),
    Canned("200-html", 200, _LOGIN),
    Canned("302", 302, headers={"location": "http://portal.invalid/login"}),
    Canned("401-html", 401, _LOGIN),
    Canned("403-html", 403, _BLOCKED),
    Canned("403-object", 403, b"{}", _JSON),
    Canned("403-json", 403, b'{"error":"forbidden","message":"blocked by policy"}', _JSON),
    Canned("404-html", 404, _BLOCKED),
    Canned("404-empty", 404),
    Canned("407-html", 407, _LOGIN),
    Canned("413-html", 413, _BLOCKED),
    Canned("429-text", 429, b"Too many requests", "text/plain"),
    Canned("502-html", 502, _BLOCKED),
    Canned("511-html", 511, _LOGIN),
    # A box whose clock starts anew at each power failure says when it believes to be.
    Canned("200-html-2015", 200, _LOGIN, headers=_IN_2015),
    Canned("403-json-2015", 403, b'{"error":"forbidden"}', _JSON, headers=_IN_2015),
)
#: Portals that last ten minutes: one of each kind.
_LONG = frozenset({"200-object", "200-html", "204", "302", "403-html", "404-empty", "429-text"})
_CLIENT_ERRORS = frozenset({"403-html", "404-html", "413-html", "403-object", "404-empty"})
#: Short portals outlast the two reads, 15 and 30 s after the attempt, that once were enough.
_SHORT_S, _LONG_S = 40.0, 600.0
#: Longer than any client waits for an answer.
_STALL_S = 120.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """What befalls one post; requests beyond those named pass through."""

    name: str
    creates: tuple[Act | None, ...] = ()
    """For the first create of the post, the second and so on."""
    reads: Act | None = None
    """For each timeline read from the first create on."""
    reads_for_s: float = 0.0
    """For how many wall seconds."""
    parts: int = 1
    has_image: bool = False
    doubles: bool = False
    """The proxy itself makes two posts of one request."""
    shows_trace: bool = True
    """Of a doubled one: its answer is not X's success, so that Roost has a reason to look."""


def answer(canned: Canned) -> Act:
    """Answer in X's place; nothing reaches X."""

    async def act(_: Exchange) -> web.StreamResponse:
        return canned.response()

    return act


def deliver_then(canned: Canned) -> Act:
    """Deliver, and answer in X's place."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        await exchange.deliver()
        return canned.response()

    return act


def hold(seconds: float) -> Act:
    """Deliver so many seconds late, although the client may have gone."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await exchange.deliver()

    return act


def deliver_twice(gap_s: float, *, shows: int | None) -> Act:
    """Deliver two times; the client sees the first answer, the second or (None) neither."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        first = await exchange.deliver()
        await asyncio.sleep(gap_s)
        second = await exchange.deliver()
        if shows is None:
            exchange.reset()
        return second if shows == 2 else first

    return act


async def lose_answer(exchange: Exchange) -> web.StreamResponse:
    """Deliver, and end the connection without an answer."""
    lost = await exchange.deliver()
    exchange.reset()
    return lost


async def reset(exchange: Exchange) -> web.StreamResponse:
    """End the connection; nothing reaches X."""
    exchange.reset()
    return web.Response()


async def cut_answer(exchange: Exchange) -> web.StreamResponse:
    """Deliver, and send half of the answer."""
    return await exchange.send_half(await exchange.deliver())


async def stall_answer(exchange: Exchange) -> web.StreamResponse:
    """Deliver, send the headers of the answer and then nothing."""
    return await exchange.send_headers_only(await exchange.deliver(), _STALL_S)


async def stall(exchange: Exchange) -> web.StreamResponse:
    """Send headers and then nothing; nothing reaches X."""
    return await exchange.send_headers_only(web.Response(body=b"{}"), _STALL_S)


def network_schedules() -> list[Schedule]:
    """Every network schedule, those that last longest first."""
    return sorted(_all(), key=lambda each: -each.reads_for_s)


def replay_reads(late_s: float) -> tuple[Act, Act]:
    """For creates and reads: a cache between Roost and X keeps the first timeline it passes on.

    The create is held so long that this timeline does not show it.
    """
    kept: list[web.Response] = []

    async def read(exchange: Exchange) -> web.StreamResponse:
        if not kept:
            kept.append(await exchange.deliver())
        again = web.Response(status=kept[0].status, body=kept[0].body)
        again.headers.clear()
        again.headers.extend(kept[0].headers)
        return again

    return hold(late_s), read


def cached_schedules() -> list[Schedule]:
    """A cache that outlasts the read before a repetition.

    It has a world of its own: the `Date` of what is replayed is old, and must not stop others.
    """
    create, read = replay_reads(20)
    return [Schedule("cached/150s", (create,), read, 150)]


def _all() -> Iterator[Schedule]:
    for seconds in (20, 40, 90):
        yield Schedule(f"hold/{seconds}s", (hold(seconds),))
        yield Schedule(f"hold/{seconds}s-thread", (hold(seconds),), parts=2)
    yield Schedule("hold/40s-image", (hold(40),), has_image=True)
    yield Schedule("hold/40s-twice", (hold(40), hold(40)))
    yield Schedule("twice/answer-lost", (deliver_twice(0, shows=None),), doubles=True)
    yield Schedule("twice/5s-apart", (deliver_twice(5, shows=None),), doubles=True)
    for shows, word in ((1, "first"), (2, "second")):
        yield Schedule(
            f"twice/{word}-answer",
            (deliver_twice(0, shows=shows),),
            doubles=True,
            shows_trace=False,
        )
    for name, act in (
        *(("lost", lose_answer), ("cut", cut_answer), ("stalled", stall_answer)),
        *(("reset", reset), ("stalled-before", stall)),
    ):
        yield Schedule(f"create/{name}", (act,))
        yield Schedule(f"create/{name}-thread", (act, None, act), parts=2)
    for canned in PORTALS:
        after = Schedule(f"create-after/{canned.name}", (deliver_then(canned),))
        yield after
        yield Schedule(f"create-before/{canned.name}", (answer(canned),))
        if canned.name in _CLIENT_ERRORS:
            yield replace(after, name=f"{after.name}-image", has_image=True)
            yield replace(after, name=f"{after.name}-thread", parts=2)
        portal, name = answer(canned), canned.name
        yield Schedule(f"reads-40s/{name}", (lose_answer,), portal, _SHORT_S)
        yield Schedule(f"reads-40s-absent/{name}", (reset,), portal, _SHORT_S)
        if name in _LONG:
            yield Schedule(f"both-40s/{name}", (deliver_then(canned),), portal, _SHORT_S)
            yield Schedule(f"reads-10min/{name}", (lose_answer,), portal, _LONG_S)
    yield Schedule("reads-40s/cut", (lose_answer,), cut_answer, _SHORT_S)
    yield Schedule("reads-40s/stalled", (lose_answer,), stall, _SHORT_S)


def short_schedules() -> list[Schedule]:
    """A few of each kind, for a test with quick settings: none is held for long."""
    by_name = {each.name: each for each in _all()}
    wanted = (
        *("create-after/403-html", "create-after/413-html-image", "create-after/200-object"),
        *("create-before/302", "create/lost-thread", "twice/answer-lost"),
    )
    portal = next(each for each in PORTALS if each.name == "200-object")
    return [
        *(by_name[name] for name in wanted),
        Schedule("hold/4s", (hold(4),)),
        Schedule("reads-3s/200-object", (lose_answer,), answer(portal), 3),
    ]
