"""The steps of a request: faults, authentication, permissions, limits, endpoint, price.

Every request to X's API passes through `run`. Requests that need a token of a user or an app also
pass through `operation`.
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
from x_emulator.faults.fault_responses import corrupt
from x_emulator.faults.fault_specs import Fault
from x_emulator.responses import DECODE_ERRORS, PROBLEM, ApiResponse, Headers, encode
from x_emulator.rules import rate_limits, refusals
from x_emulator.rules.schema_messages import schema_message
from x_emulator.scenarios import scenario_events
from x_emulator.state import RequestEntry, User, World

T = TypeVar("T")
_NO_LAG = timedelta(0)
#: If a `stale` fault applies to a read, the request's ASGI scope has the lag under this key.
_LAG = "x_emulator.lag"


class Call(msgspec.Struct, frozen=True):
    """A request that has passed all checks, as an endpoint receives it."""

    world: World
    request: Request
    caller: Caller
    at: datetime

    @property
    def client_id(self) -> str:
        """The client id of the app that sends the request."""
        return self.caller.app.client_id

    @property
    def user_id(self) -> str:
        """The id of the user on whose behalf the app acts. Empty for an app-only token."""
        return self.caller.user_id or ""

    @property
    def user(self) -> User:
        """The user on whose behalf the app acts; only for operations that require a user."""
        return self.world.users[self.user_id]

    def is_owned(self, user_id: str) -> bool:
        """Return whether the app's developer reads their own data, which costs less.

        `user_id` is the user whose data is read.
        """
        return self.caller.app.owner == self.user_id == user_id

    @property
    def lag(self) -> timedelta:
        """The age of the data that a read returns: zero, unless a `stale` fault applies."""
        lag: timedelta = self.request.scope.get(_LAG, _NO_LAG)
        return lag

    @property
    def query(self) -> dict[str, str]:
        """The query parameters. The values of a repeated parameter are joined with commas."""
        joined: dict[str, str] = {}
        for name, value in self.request.query_params.multi_items():
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined


Endpoint = Callable[[Call], Awaitable[ApiResponse]]
Handler = Callable[[Request], Awaitable[Response]]


def operation(name: str, endpoint: Endpoint) -> Handler:
    """Return a handler that checks caller, permissions, limits and credits for an endpoint.

    The names of operations of X's API v1.1 begin with `v1_`. These operations accept only requests
    that are signed with OAuth 1.0a.
    """
    is_v1 = name.startswith("v1_")

    async def serve(request: Request) -> Response:
        world: World = request.app.state.world
        arrived_at = world.now()
        caller = await identify.identify_caller(world, request, arrived_at)
        known = caller if isinstance(caller, Caller) else None
        entry = RequestEntry(
            at=arrived_at,
            client_id=known.app.client_id if known else None,
            user_id=known.user_id if known else None,
            operation=name,
            status=None,
            usd=billing.FREE,
        )
        headers: list[tuple[bytes, bytes]] = []

        async def respond() -> ApiResponse:
            at = world.now()
            if not isinstance(caller, Caller):
                raise caller if is_v1 else refusals.unauthorized()
            if not caller.is_current(at):
                raise refusals.unauthorized()
            headers.append((b"x-access-level", caller.access_level()))
            scopes.check_permission(world, caller, name)
            usage = rate_limits.count_request(world, name, caller.app.client_id, caller.user_id, at)
            headers.extend(usage.headers())
            if not usage.allowed:
                if is_v1:
                    raise refusals.v1_refusal(429, 88, "Rate limit exceeded.")
                raise refusals.too_many_requests()
            billing.check_funds(world, caller.app, name, at)
            response = await endpoint(Call(world, request, caller, at))
            billing.spend(caller.app, response.usd)
            return response

        return await run(world, request, entry, respond, headers)

    return serve


async def run(
    world: World,
    request: Request,
    entry: RequestEntry,
    respond: Callable[[], Awaitable[ApiResponse]],
    headers: list[tuple[bytes, bytes]],
) -> Response:
    """Record the request, call `respond`, and apply the faults before and after the call.

    `respond` may add headers to `headers`. They are sent with the response.
    """
    started = time.perf_counter()
    number = len(world.requests)
    world.requests.append(entry)
    is_down = scenario_events.apply_due_events(world, entry.at)
    fault, lag = injection.draw_fault(world, "before", number)
    if fault is not None:
        # The fault may cut the connection. X would have received the whole request before, so the
        # emulator reads the body first.
        await request.body()
    if lag:
        request.scope[_LAG] = lag
    response = None if fault is None else await _apply_fault(world, fault, entry)
    if response is not None and response.status == 0:
        return await cut(request)
    if fault is not None and fault.kind == "400quote":
        refusal = quoting.refuse_text(world.switches, await request.body())
        response = _refusal_response(world, refusal)
    if response is None:
        try:
            if is_down:
                raise refusals.problem(503, "Service Unavailable")
            response = await respond()
        except refusals.Refusal as refusal:
            response = _refusal_response(world, refusal)
    if (
        world.switches.quote_request_in_errors
        and response.status >= 400
        and isinstance(response.body, dict)
    ):
        user = world.users.get(entry.user_id or "")
        body = quoting.add_quotes(response.body, await request.body(), user.name if user else None)
        response = msgspec.structs.replace(response, body=body)
    entry.status, entry.usd = response.status, response.usd
    late = injection.draw_fault(world, "after", number)[0] if response.status < 400 else None
    fault = late or fault
    if late is not None:
        is_empty = response.body is None
        response = await _apply_fault(world, late, entry, is_empty=is_empty) or response
        if response.status == 0:
            return await cut(request)
    if late is not None and late.kind == "429":
        headers = [each for each in headers if each[0] != b"x-rate-limit-remaining"]
        headers.append((b"x-rate-limit-remaining", b"0"))
    if fault is not None and fault.kind == "429day":
        headers += _exhausted_day_headers(world)
    took_ms = int((time.perf_counter() - started) * 1000)
    encoded = encode(response, headers, world.now(), took_ms)
    if fault is not None and fault.kind in proxy_responses.RESPONSES:
        return proxy_responses.with_proxy_headers(encoded)
    return encoded if fault is None else corrupt(encoded, fault, connection_of(request))


def read_body(world: World, body: bytes, kind: type[T]) -> T:
    """Decode a JSON body.

    Raises: Refusal (with X's message for the error in the body).
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise refusals.invalid_request(world.switches, "", "", schema_message(error)) from error
    except DECODE_ERRORS as error:
        message = "Request body is not valid JSON."
        raise refusals.invalid_request(world.switches, "", "", message) from error


def _exhausted_day_headers(world: World) -> Headers:
    """Return the headers that report an exhausted 24-hour limit."""
    reset_at = int(world.now().timestamp()) + 6 * 3600
    return (
        (b"x-user-limit-24hour-limit", b"100"),
        (b"x-user-limit-24hour-remaining", b"0"),
        (b"x-user-limit-24hour-reset", b"%d" % reset_at),
    )


async def _apply_fault(
    world: World, fault: Fault, entry: RequestEntry, *, is_empty: bool = False
) -> ApiResponse | None:
    """Apply a fault; return a response to send, or None to send the normal response.

    A response with the status 0 tells the caller to cut the connection without a response, as the
    fault `drop` does. The fault `cut` sends half of the normal body; if that body is empty
    (`is_empty`), `cut` acts like `drop`.
    """
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return None
    if fault.kind == "drop" or (fault.kind == "cut" and is_empty):
        return ApiResponse(0)
    if (response := proxy_responses.RESPONSES.get(fault.kind or "")) is not None:
        return response
    refusal = injection.refusal_for(world, fault.kind or "", entry.client_id)
    if refusal is None:
        return None
    if fault.kind == "502text":
        return ApiResponse(refusal.status, injection.UPSTREAM_TEXT)
    return _refusal_response(world, refusal)


def _refusal_response(world: World, refusal: refusals.Refusal) -> ApiResponse:
    """Return a refusal as a response.

    If the switch `error_format` is `flat` and the body has a problem type, the content type is
    `application/problem+json`.
    """
    is_problem = world.switches.error_format == "flat" and "type" in (refusal.body or {})
    content_type = PROBLEM if is_problem else b""
    return ApiResponse(refusal.status, refusal.body, content_type=content_type)
