"""One request from arrival to answer: faults, authorization, limits, the rule itself, its price.

Every operation goes through `play`; those for a user or an app through `operation` too.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from x_emulator import billing
from x_emulator.auth import identify, scopes
from x_emulator.auth.identify import Caller
from x_emulator.connections import connection_of, cut
from x_emulator.faults import injection, proxy_responses, quoting
from x_emulator.faults.fault_responses import spoil
from x_emulator.faults.fault_specs import Fault
from x_emulator.responses import NOT_DECODABLE, PROBLEM, Answer, Headers, write
from x_emulator.rules import rate_limits, refusals
from x_emulator.rules.schema_messages import schema_message
from x_emulator.scenarios import scenario_events
from x_emulator.state import RequestEntry, User, World

T = TypeVar("T")
_NO_LAG = timedelta(0)
#: Under this name in a request's scope lies how far its read lags, where a fault wants it.
_LAG = "x_emulator.lag"


class Call(msgspec.Struct, frozen=True):
    """A request that may go on: who asks, when."""

    world: World
    request: Request
    caller: Caller
    at: datetime

    @property
    def client_id(self) -> str:
        """The app that asks."""
        return self.caller.app.client_id

    @property
    def user_id(self) -> str:
        """The user it asks for; nobody's id where an app asks with its own token."""
        return self.caller.user_id or ""

    @property
    def user(self) -> User:
        """The user it asks for, in operations that are not for apps alone."""
        return self.world.users[self.user_id]

    def is_owned(self, user_id: str) -> bool:
        """Whether the developer of the app asks for what is the developer's own."""
        return self.caller.app.owner == self.user_id == user_id

    @property
    def lag(self) -> timedelta:
        """How far behind the present a read lags: nothing, unless a fault wants it."""
        lag: timedelta = self.request.scope.get(_LAG, _NO_LAG)
        return lag

    @property
    def query(self) -> dict[str, str]:
        """The query; where a name comes twice, both values with a comma between."""
        joined: dict[str, str] = {}
        for name, value in self.request.query_params.multi_items():
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined


Endpoint = Callable[[Call], Awaitable[Answer]]
Route = Callable[[Request], Awaitable[Response]]


def operation(name: str, endpoint: Endpoint) -> Route:
    """An operation: caller, rights, limits and budget are seen to before it runs.

    Those of v1.1 have names that begin with `v1_`, and take signed requests only.
    """
    legacy = name.startswith("v1_")

    async def serve(request: Request) -> Response:
        world: World = request.app.state.world
        arrived_at = world.now()
        caller = await identify.identify(world, request, arrived_at)
        known = caller if isinstance(caller, Caller) else None
        entry = RequestEntry(
            at=arrived_at,
            client_id=known.app.client_id if known else None,
            user_id=known.user_id if known else None,
            operation=name,
            status=None,
            usd=billing.FREE,
        )
        told: list[tuple[bytes, bytes]] = []

        async def act() -> Answer:
            at = world.now()
            if not isinstance(caller, Caller):
                raise caller if legacy else refusals.unauthorized()
            if not caller.is_current(at):
                raise refusals.unauthorized()
            told.append((b"x-access-level", caller.access_level()))
            scopes.check(world, caller, name)
            standing = rate_limits.take(world, name, caller.app.client_id, caller.user_id, at)
            told.extend(standing.headers())
            if not standing.allowed:
                raise (
                    refusals.legacy(429, 88, "Rate limit exceeded.")
                    if legacy
                    else (refusals.too_many())
                )
            billing.check_funds(world, caller.app, name, at)
            answer = await endpoint(Call(world, request, caller, at))
            billing.spend(caller.app, answer.usd)
            return answer

        return await play(world, request, entry, act, told)

    return serve


async def play(
    world: World,
    request: Request,
    entry: RequestEntry,
    act: Callable[[], Awaitable[Answer]],
    told: list[tuple[bytes, bytes]],
) -> Response:
    """Run `act` between the faults that strike, write the request down, and answer.

    `told` are headers that `act` may still add to.
    """
    started = time.perf_counter()
    number = len(world.requests)
    world.requests.append(entry)
    is_down = scenario_events.befall(world, entry.at)
    fault, lag = injection.strike(world, "before", number)
    if fault is not None:
        await request.body()  # X has it all, even where the client does not wait for the answer
    if lag:
        request.scope[_LAG] = lag
    answer = None if fault is None else await _suffer(world, fault, entry)
    if answer is not None and answer.status == 0:
        return await cut(request)
    if fault is not None and fault.kind == "400quote":
        answer = _refused(world, quoting.refused_text(world.switches, await request.body()))
    if answer is None:
        try:
            if is_down:
                raise refusals.plain(503, "Service Unavailable")
            answer = await act()
        except refusals.Refusal as refusal:
            answer = _refused(world, refusal)
    if world.switches.quotes and answer.status >= 400 and isinstance(answer.body, dict):
        user = world.users.get(entry.user_id or "")
        quoted = quoting.with_quotes(answer.body, await request.body(), user.name if user else None)
        answer = msgspec.structs.replace(answer, body=quoted)
    entry.status, entry.usd = answer.status, answer.usd
    late = injection.strike(world, "after", number)[0] if answer.status < 400 else None
    fault = late or fault
    if late is not None:
        answer = await _suffer(world, late, entry, is_empty=answer.body is None) or answer
        if answer.status == 0:
            return await cut(request)
    if late is not None and late.kind == "429":
        told = [each for each in told if each[0] != b"x-rate-limit-remaining"]
        told.append((b"x-rate-limit-remaining", b"0"))
    if fault is not None and fault.kind == "429day":
        told += _empty_day(world)
    whole = write(answer, told, world.now(), int((time.perf_counter() - started) * 1000))
    if fault is not None and fault.kind in proxy_responses.ANSWERS:
        return proxy_responses.written(whole)
    return whole if fault is None else spoil(whole, fault, connection_of(request))


def read_body(world: World, body: bytes, kind: type[T]) -> T:
    """Decode a JSON body into what it should be.

    Raises: Refusal, in X's words.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise refusals.invalid(world.switches, "", "", schema_message(error)) from error
    except NOT_DECODABLE as error:
        message = "Request body is not valid JSON."
        raise refusals.invalid(world.switches, "", "", message) from error


def _empty_day(world: World) -> Headers:
    """The 24 hours' posts are used up, while the quarter of an hour has some left."""
    reset_at = int(world.now().timestamp()) + 6 * 3600
    return (
        (b"x-user-limit-24hour-limit", b"100"),
        (b"x-user-limit-24hour-remaining", b"0"),
        (b"x-user-limit-24hour-reset", b"%d" % reset_at),
    )


async def _suffer(
    world: World, fault: Fault, entry: RequestEntry, *, is_empty: bool = False
) -> Answer | None:
    """What a fault does: wait and go on (None), cut (status 0), or answer instead.

    Of an empty answer there is no half to send: a `cut` of one is a `drop`.
    """
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return None
    if fault.kind == "drop" or (fault.kind == "cut" and is_empty):
        return Answer(0)
    if (answer := proxy_responses.ANSWERS.get(fault.kind or "")) is not None:
        return answer
    refusal = injection.injected(world, fault.kind or "", entry.client_id)
    if refusal is None:
        return None
    if fault.kind == "502text":
        return Answer(refusal.status, injection.UPSTREAM_TEXT)
    return _refused(world, refusal)


def _refused(world: World, refusal: refusals.Refusal) -> Answer:
    """A refusal as an answer; a problem says in the flat dialect that it is one."""
    is_problem = world.switches.errors == "flat" and "type" in (refusal.body or {})
    return Answer(refusal.status, refusal.body, kind=PROBLEM if is_problem else b"")
