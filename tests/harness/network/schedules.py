"""The list of network schedules: the proxy's actions on a post's creates and reads."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from aiohttp import web

from harness.network.proxy import Action, CannedResponse, Exchange

_LOGIN = b"<!DOCTYPE html><html><title>Sign in to the network</title><form></form></html>"
_BLOCKED = b"<html><head><title>Blocked</title></head><body>Blocked by policy.</body></html>"
_JSON = "application/json"
_IN_2015 = {"date": "Thu, 01 Jan 2015 00:00:00 GMT"}
#: Responses that a device between a machine and X may send in X's place.
PORTAL_RESPONSES = (
    CannedResponse("200-object", 200, b"{}", _JSON),
    CannedResponse("200-empty", 200),
    CannedResponse("204", 204),
    CannedResponse("200-status", 200, b'{"status":"ok"}', _JSON),
    CannedResponse("200-html", 200, _LOGIN),
    CannedResponse("302", 302, headers={"location": "http://portal.invalid/login"}),
    CannedResponse("401-html", 401, _LOGIN),
    CannedResponse("403-html", 403, _BLOCKED),
    CannedResponse("403-object", 403, b"{}", _JSON),
    CannedResponse("403-json", 403, b'{"error":"forbidden","message":"blocked by policy"}', _JSON),
    CannedResponse("404-html", 404, _BLOCKED),
    CannedResponse("404-empty", 404),
    CannedResponse("407-html", 407, _LOGIN),
    CannedResponse("413-html", 413, _BLOCKED),
    CannedResponse("429-text", 429, b"Too many requests", "text/plain"),
    CannedResponse("502-html", 502, _BLOCKED),
    CannedResponse("511-html", 511, _LOGIN),
    # The clock of some devices restarts at a fixed date after each power failure.
    CannedResponse("200-html-2015", 200, _LOGIN, headers=_IN_2015),
    CannedResponse("403-json-2015", 403, b'{"error":"forbidden"}', _JSON, headers=_IN_2015),
)
#: The names of the responses that a captive portal repeats for ten minutes in some schedules: one
#: of each kind.
_LONG_PORTALS = frozenset(
    {"200-object", "200-html", "204", "302", "403-html", "404-empty", "429-text"}
)
_CLIENT_ERROR_PORTALS = frozenset({"403-html", "404-html", "413-html", "403-object", "404-empty"})
#: The wall seconds for which a captive portal responds in X's place. Even the short time is longer
#: than 30 s, because an early version of Roost read the timeline only 15 and 30 s after an attempt.
_SHORT_S, _LONG_S = 40.0, 600.0
#: The wall seconds for which a response stalls, which is longer than any client waits.
_STALL_S = 120.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the proxy does with the requests of one post. It forwards all other requests."""

    name: str
    creates: tuple[Action | None, ...] = ()
    """The actions for the post's creates, in order; None forwards the create."""
    reads: Action | None = None
    """The action for each timeline read after the first create."""
    reads_for_s: float = 0.0
    """The wall seconds from the first create for which `reads` applies."""
    parts: int = 1
    has_image: bool = False
    delivers_twice: bool = False
    """Whether the proxy delivers a create twice, so that X has two posts."""
    shows_trace: bool = True
    """Whether Roost has a reason to look for a copy, because it gets no success response."""


def respond_with(response: CannedResponse) -> Action:
    """Return an action that responds in X's place. X does not receive the request."""

    async def action(_: Exchange) -> web.StreamResponse:
        return response.make()

    return action


def deliver_then(response: CannedResponse) -> Action:
    """Return an action that delivers the request, but responds in X's place."""

    async def action(exchange: Exchange) -> web.StreamResponse:
        await exchange.deliver()
        return response.make()

    return action


def delay_delivery(seconds: float) -> Action:
    """Return an action that delivers the request late, even if the client disconnects."""

    async def action(exchange: Exchange) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await exchange.deliver()

    return action


def deliver_twice(gap_s: float, *, client_gets: int | None) -> Action:
    """Return an action that delivers the request twice.

    The client gets the response with the number `client_gets` (1 or 2), or no response.
    """

    async def action(exchange: Exchange) -> web.StreamResponse:
        first = await exchange.deliver()
        await asyncio.sleep(gap_s)
        second = await exchange.deliver()
        if client_gets is None:
            exchange.reset()
        return second if client_gets == 2 else first

    return action


async def lose_response(exchange: Exchange) -> web.StreamResponse:
    """Deliver the request, and close the connection without a response."""
    response = await exchange.deliver()
    exchange.reset()
    return response


async def reset(exchange: Exchange) -> web.StreamResponse:
    """Close the connection. X does not receive the request."""
    exchange.reset()
    return web.Response()


async def cut_response(exchange: Exchange) -> web.StreamResponse:
    """Deliver the request, and send half of the response."""
    return await exchange.send_half(await exchange.deliver())


async def stall_response(exchange: Exchange) -> web.StreamResponse:
    """Deliver the request, send the headers of the response and then nothing."""
    return await exchange.send_headers_only(await exchange.deliver(), _STALL_S)


async def stall(exchange: Exchange) -> web.StreamResponse:
    """Send headers and then nothing. X does not receive the request."""
    return await exchange.send_headers_only(web.Response(body=b"{}"), _STALL_S)


def network_schedules() -> list[Schedule]:
    """List all network schedules, the longest first."""
    return sorted(_all(), key=lambda each: -each.reads_for_s)


def replay_reads(delay_s: float) -> tuple[Action, Action]:
    """Return an action for creates and an action for reads, which simulate a cache.

    The cache stores the first timeline, and returns this timeline for all later reads. The create
    is delayed by `delay_s`, so the stored timeline does not show the post.
    """
    cached: list[web.Response] = []

    async def replay(exchange: Exchange) -> web.StreamResponse:
        if not cached:
            cached.append(await exchange.deliver())
        response = web.Response(status=cached[0].status, body=cached[0].body)
        response.headers.clear()
        response.headers.extend(cached[0].headers)
        return response

    return delay_delivery(delay_s), replay


def cached_schedules() -> list[Schedule]:
    """List the schedules with a cache: a single one.

    The cache repeats an old timeline even when Roost reads the timeline before it sends the post
    again. The schedule must run in a test setup of its own, because the old `Date` of the repeated
    response would affect other schedules.
    """
    create, read = replay_reads(20)
    return [Schedule("cached/150s", (create,), read, 150)]


def _all() -> Iterator[Schedule]:
    for seconds in (20, 40, 90):
        yield Schedule(f"delayed/{seconds}s", (delay_delivery(seconds),))
        yield Schedule(f"delayed/{seconds}s-thread", (delay_delivery(seconds),), parts=2)
    yield Schedule("delayed/40s-image", (delay_delivery(40),), has_image=True)
    yield Schedule("delayed/40s-twice", (delay_delivery(40), delay_delivery(40)))
    yield Schedule(
        "twice/response-lost", (deliver_twice(0, client_gets=None),), delivers_twice=True
    )
    yield Schedule("twice/5s-apart", (deliver_twice(5, client_gets=None),), delivers_twice=True)
    for number, word in ((1, "first"), (2, "second")):
        yield Schedule(
            f"twice/{word}-response",
            (deliver_twice(0, client_gets=number),),
            delivers_twice=True,
            shows_trace=False,
        )
    for name, action in (
        *(("lost", lose_response), ("cut", cut_response), ("stalled", stall_response)),
        *(("reset", reset), ("stalled-before", stall)),
    ):
        yield Schedule(f"create/{name}", (action,))
        yield Schedule(f"create/{name}-thread", (action, None, action), parts=2)
    for response in PORTAL_RESPONSES:
        after = Schedule(f"create-after/{response.name}", (deliver_then(response),))
        yield after
        yield Schedule(f"create-before/{response.name}", (respond_with(response),))
        if response.name in _CLIENT_ERROR_PORTALS:
            yield replace(after, name=f"{after.name}-image", has_image=True)
            yield replace(after, name=f"{after.name}-thread", parts=2)
        portal, name = respond_with(response), response.name
        yield Schedule(f"reads-40s/{name}", (lose_response,), portal, _SHORT_S)
        yield Schedule(f"reads-40s-absent/{name}", (reset,), portal, _SHORT_S)
        if name in _LONG_PORTALS:
            yield Schedule(f"both-40s/{name}", (deliver_then(response),), portal, _SHORT_S)
            yield Schedule(f"reads-10min/{name}", (lose_response,), portal, _LONG_S)
    yield Schedule("reads-40s/cut", (lose_response,), cut_response, _SHORT_S)
    yield Schedule("reads-40s/stalled", (lose_response,), stall, _SHORT_S)


def short_schedules() -> list[Schedule]:
    """List a few schedules of each kind with short delays, for tests with short timeouts."""
    by_name = {each.name: each for each in _all()}
    names = (
        *("create-after/403-html", "create-after/413-html-image", "create-after/200-object"),
        *("create-before/302", "create/lost-thread", "twice/response-lost"),
    )
    portal = next(each for each in PORTAL_RESPONSES if each.name == "200-object")
    return [
        *(by_name[name] for name in names),
        Schedule("delayed/4s", (delay_delivery(4),)),
        Schedule("reads-3s/200-object", (lose_response,), respond_with(portal), 3),
    ]
