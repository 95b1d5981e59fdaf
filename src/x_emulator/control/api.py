"""The routes of the control API under `/_emulator`, which X does not have."""

import base64
import re
import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from x_emulator.auth import oauth1
from x_emulator.connections import connection_of
from x_emulator.control import ground_truth, user_actions
from x_emulator.control.user_actions import Action, ActionImpossible
from x_emulator.faults.fault_specs import Fault
from x_emulator.responses import DECODE_ERRORS
from x_emulator.rules.refusals import Refusal
from x_emulator.scenarios import scenario_events
from x_emulator.scenarios.scenario import SeedAccount
from x_emulator.state import Access, App, User, World
from x_emulator.switches import Switches

T = TypeVar("T")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
# mypy does not accept a union as an argument of the type `type`
_ACTION = cast("type[Action]", Action)


class _ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    jump_seconds: float | None = None
    rate: float | None = None
    to: datetime | None = None


class _NewApp(msgspec.Struct, forbid_unknown_fields=True):
    client_id: str | None = None
    client_secret: str | None = None
    name: str = "An app"
    callbacks: list[str] = []
    confidential: bool = True
    api_key: str | None = None
    api_secret: str | None = None
    access: Access = "read-write"
    enrolled: bool = True
    credits: Decimal | None = None
    post_cap: int | None = None
    owner: str | None = None


class _AppChange(msgspec.Struct, forbid_unknown_fields=True):
    callbacks: list[str] | UnsetType = UNSET
    access: Access | UnsetType = UNSET
    enrolled: bool | UnsetType = UNSET
    credits: Decimal | UnsetType | None = UNSET
    post_cap: int | UnsetType | None = UNSET


class _UserChange(msgspec.Struct, forbid_unknown_fields=True):
    suspended: bool | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    subscription_type: str | UnsetType | None = UNSET


class _NewOAuth1Token(msgspec.Struct, forbid_unknown_fields=True):
    client_id: str
    username: str
    access: Access | None = None


class _NewUser(msgspec.Struct, forbid_unknown_fields=True):
    username: str
    name: str | None = None
    followers: int = 1_200
    following: int = 180
    posts_before: int = 0
    subscription_type: str | None = "None"
    description: str = ""


class _Reset(msgspec.Struct, forbid_unknown_fields=True):
    accounts: list[_NewUser] | None = None
    starts_at: datetime | None = None


class _BadRequest(Exception):
    """A request to the control API is invalid. The exception's message states the reason."""


async def read_clock(request: Request) -> Response:
    """Return the emulated time, the clock's rate and the clock's version.

    With the parameter `after`, wait first until the version differs from `after`, or until `wait`
    seconds have passed.
    """
    clock = _world(request).clock
    after, wait = request.query_params.get("after"), request.query_params.get("wait", "25")
    if after is not None:
        if not (_INTEGER.fullmatch(after) and _SECONDS.fullmatch(wait)):
            raise _BadRequest(
                "`after` must be a whole number: the `version` in an earlier response."
                " `wait` must be a number of seconds."
            )
        await clock.wait_for_change(
            after=int(after),
            seconds=min(float(wait), 60.0),
            connection=connection_of(request),
            disconnected=lambda: _wait_for_disconnect(request),
        )
    return _json(clock.reading())


async def set_clock(request: Request) -> Response:
    """Move the clock or change its rate; respond once the clock's followers know the change."""
    clock = _world(request).clock
    change = await _body(request, _ClockChange)
    try:
        if change.jump_seconds is not None:
            await clock.jump(change.jump_seconds)
        if change.to is not None:
            await clock.jump_to(change.to)
        if change.rate is not None:
            await clock.set_rate(change.rate)
    except ValueError as error:
        raise _BadRequest(str(error)) from error
    return _json(clock.reading())


async def add_app(request: Request) -> Response:
    """Register an app; generate the credentials that the request omits."""
    world, body = _world(request), await _body(request, _NewApp)
    _check_callbacks(body.callbacks)
    owner = None if body.owner is None else world.find_user(body.owner)
    if body.owner is not None and owner is None:
        raise _BadRequest(f"There is no user {body.owner}.")
    client_secret = body.client_secret or secrets.token_urlsafe(36)
    app = App(
        client_id=body.client_id or _new_client_id(),
        client_secret=client_secret if body.confidential else None,
        name=body.name,
        callbacks=body.callbacks,
        confidential=body.confidential,
        api_key=body.api_key or secrets.token_urlsafe(18),
        api_secret=body.api_secret or secrets.token_urlsafe(36),
        account_id=world.new_id(world.now()),
        access=body.access,
        enrolled=body.enrolled,
        credits=body.credits,
        post_cap=body.post_cap,
        owner=owner.id if owner else None,
    )
    world.add_app(app)
    return _json(app, 201)


async def list_apps(request: Request) -> Response:
    """List the apps with their credentials, in order of registration."""
    return _json(list(_world(request).apps.values()))


async def change_app(request: Request) -> Response:
    """Change an app: its callbacks, access level, enrolment, credits or monthly cap."""
    app = _world(request).apps.get(request.path_params["client_id"])
    if app is None:
        raise _BadRequest(f"There is no app {request.path_params['client_id']}.")
    change = await _body(request, _AppChange)
    if change.callbacks is not UNSET:
        _check_callbacks(change.callbacks)
    _apply_change(app, change)
    return _json(app)


async def change_user(request: Request) -> Response:
    """Change whether an account is suspended or protected, or change its subscription."""
    user = _world(request).find_user(request.path_params["username"])
    if user is None:
        raise _BadRequest(f"There is no user {request.path_params['username']}.")
    _apply_change(user, await _body(request, _UserChange))
    return _json(_describe_user(user))


async def add_oauth1_token(request: Request) -> Response:
    """Give an app an OAuth 1.0a access token of a user, without the three-legged flow."""
    world, body = _world(request), await _body(request, _NewOAuth1Token)
    app, user = world.apps.get(body.client_id), world.find_user(body.username)
    if app is None or user is None:
        raise _BadRequest(f"There is no app {body.client_id} or no user {body.username}.")
    token = oauth1.issue_token(world, app, user, body.access or app.access)
    credentials = {"oauth_token": token.token, "oauth_token_secret": token.secret}
    return _json(credentials | {"user_id": user.id, "screen_name": user.username}, 201)


def _check_callbacks(callbacks: list[str]) -> None:
    if len(callbacks) > 10:
        raise _BadRequest("An app can have at most ten callbacks.")


def _new_client_id() -> str:
    """Generate a client id in the format of X's documentation."""
    text = f"{secrets.token_urlsafe(15)[:20]}:1:ci"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _apply_change(target: App | User, change: msgspec.Struct) -> None:
    for name in change.__struct_fields__:
        value = getattr(change, name)
        if value is not UNSET:
            setattr(target, name, value)


async def add_user(request: Request) -> Response:
    """Create an account."""
    world, body = _world(request), await _body(request, _NewUser)
    if world.find_user(body.username) is not None:
        raise _BadRequest(f"The username {body.username} is taken.")
    return _json(_describe_user(world.add_user(_seed_account(body))), 201)


def _seed_account(body: _NewUser) -> SeedAccount:
    return SeedAccount(
        username=body.username,
        name=body.name or body.username,
        followers=body.followers,
        following=body.following,
        posts_before=body.posts_before,
        subscription_type=body.subscription_type,
        description=body.description,
    )


async def list_users(request: Request) -> Response:
    """List the accounts in order of creation."""
    return _json([_describe_user(user) for user in _world(request).users.values()])


async def read_ground_truth(request: Request) -> Response:
    """Return the ground truth.

    The parameter `app` restricts it to one app, and the parameter `only` to some sections.
    """
    world, query = _world(request), request.query_params
    sections = query["only"].split(",") if "only" in query else ground_truth.SECTIONS
    for name in sections:
        if name not in ground_truth.SECTIONS:
            known = ", ".join(ground_truth.SECTIONS)
            raise _BadRequest(f"The ground truth has no section `{name}`. Its sections: {known}.")
    scenario_events.apply_due_events(world, world.now())
    return _json(ground_truth.collect(world, query.get("app"), sections))


async def perform_action(request: Request) -> Response:
    """Perform a user's action; return the post that the action created or changed, if any."""
    world, action = _world(request), await _body(request, _ACTION)
    at = world.now()
    try:
        post = user_actions.perform(world, action, at)
    except ActionImpossible as error:
        raise _BadRequest(str(error)) from error
    except Refusal as refusal:
        return _json(refusal.body, refusal.status)
    return _json({} if post is None else ground_truth.describe_post(world, post, at))


async def reset(request: Request) -> Response:
    """Delete all data and restart the scenario.

    The accounts in the request, if any, replace the scenario's accounts.
    """
    world, body = _world(request), await _body(request, _Reset)
    names = [each.username.lower() for each in body.accounts or ()]
    if len(set(names)) < len(names):
        raise _BadRequest("Two accounts have the same username.")
    accounts = None if body.accounts is None else [_seed_account(each) for each in body.accounts]
    try:
        await world.reset(accounts, body.starts_at)
    except ValueError as error:
        raise _BadRequest(str(error)) from error
    return _json(world.clock.reading())


async def add_fault(request: Request) -> Response:
    """Add a fault to inject into later requests."""
    fault = await _body(request, Fault)
    _world(request).faults.append(fault)
    return _json(fault, 201)


async def read_faults(request: Request) -> Response:
    """Return the faults, and the log with an entry for each request that a fault affected."""
    world = _world(request)
    return _json({"faults": world.faults, "log": world.fault_log})


async def clear_faults(request: Request) -> Response:
    """Remove all faults. The log of applied faults is kept."""
    _world(request).faults.clear()
    return Response(status_code=204)


async def set_switches(request: Request) -> Response:
    """Set the switches that the request contains; return the values of all switches."""
    world = _world(request)
    changes = await _body(request, dict[str, Any])
    try:
        world.switches = msgspec.convert(msgspec.to_builtins(world.switches) | changes, Switches)
    except msgspec.ValidationError as error:
        raise _BadRequest(str(error)) from error
    return _json(world.switches)


async def read_switches(request: Request) -> Response:
    """Return the values of all switches."""
    return _json(_world(request).switches)


async def respond_bad_request(request: Request, error: Exception) -> Response:
    """Respond 400 to an invalid request to the control API."""
    return _json({"error": str(error)}, 400)


def _route(path: str, endpoint: Any, method: str) -> Route:
    return Route(f"/_emulator/{path}", endpoint, methods=[method])


ROUTES = [
    _route("clock", read_clock, "GET"),
    _route("clock", set_clock, "POST"),
    _route("apps", add_app, "POST"),
    _route("apps", list_apps, "GET"),
    _route("apps/{client_id}", change_app, "POST"),
    _route("oauth1-tokens", add_oauth1_token, "POST"),
    _route("users", add_user, "POST"),
    _route("users/{username}", change_user, "POST"),
    _route("users", list_users, "GET"),
    _route("ground-truth", read_ground_truth, "GET"),
    _route("actions", perform_action, "POST"),
    _route("reset", reset, "POST"),
    _route("faults", add_fault, "POST"),
    _route("faults", read_faults, "GET"),
    _route("faults", clear_faults, "DELETE"),
    _route("switches", set_switches, "POST"),
    _route("switches", read_switches, "GET"),
]
EXCEPTION_HANDLERS = {_BadRequest: respond_bad_request}


def _describe_user(user: User) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(user)
    del fields["flows"], fields["flow_before"]
    return fields


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except DECODE_ERRORS as error:
        raise _BadRequest(str(error)) from error


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
