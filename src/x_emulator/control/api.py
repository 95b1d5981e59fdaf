"""The doors under `/_emulator` that X does not have: for tests and demos."""

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
from x_emulator.control.user_actions import Impossible, Play
from x_emulator.faults.fault_specs import Fault
from x_emulator.responses import NOT_DECODABLE
from x_emulator.rules.refusals import Refusal
from x_emulator.scenarios import scenario_events
from x_emulator.scenarios.scenario import SeedAccount
from x_emulator.state import Access, App, User, World
from x_emulator.switches import Switches

T = TypeVar("T")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_PLAY = cast("type[Play]", Play)  # a union is no type for mypy


class _Jump(msgspec.Struct, forbid_unknown_fields=True):
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


class _NewKeys(msgspec.Struct, forbid_unknown_fields=True):
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


class _Wrong(Exception):
    """The request at a door is malformed; the message says how."""


async def read_clock(request: Request) -> Response:
    """The clock; with `after` and `wait` only once it differs, or time is up."""
    clock = _world(request).clock
    after, wait = request.query_params.get("after"), request.query_params.get("wait", "25")
    if after is not None:
        if not (_WHOLE.fullmatch(after) and _SECONDS.fullmatch(wait)):
            raise _Wrong("`after` is a version, and `wait` a number of seconds.")
        await clock.wait_for_change(
            after=int(after),
            seconds=min(float(wait), 60.0),
            connection=connection_of(request),
            gone=lambda: _gone(request),
        )
    return _json(clock.reading())


async def set_clock(request: Request) -> Response:
    """Jump, change the rate or go to an instant; answers when the followers know."""
    clock = _world(request).clock
    wish = await _body(request, _Jump)
    try:
        if wish.jump_seconds is not None:
            await clock.jump(wish.jump_seconds)
        if wish.to is not None:
            await clock.jump_to(wish.to)
        if wish.rate is not None:
            await clock.run_at(wish.rate)
    except ValueError as error:
        raise _Wrong(str(error)) from error
    return _json(clock.reading())


async def add_app(request: Request) -> Response:
    """Register an app; what is not given is made up."""
    world, wish = _world(request), await _body(request, _NewApp)
    _check_callbacks(wish.callbacks)
    owner = None if wish.owner is None else world.find_user(wish.owner)
    if wish.owner is not None and owner is None:
        raise _Wrong(f"There is no user {wish.owner}.")
    app = App(
        client_id=wish.client_id or _client_id(),
        client_secret=(wish.client_secret or secrets.token_urlsafe(36))
        if wish.confidential
        else None,
        name=wish.name,
        callbacks=wish.callbacks,
        confidential=wish.confidential,
        api_key=wish.api_key or secrets.token_urlsafe(18),
        api_secret=wish.api_secret or secrets.token_urlsafe(36),
        account_id=world.new_id(world.now()),
        access=wish.access,
        enrolled=wish.enrolled,
        credits=wish.credits,
        post_cap=wish.post_cap,
        owner=owner.id if owner else None,
    )
    world.add_app(app)
    return _json(app, 201)


async def change_app(request: Request) -> Response:
    """Change some properties of an app: its credits, what it may do, whether it is enrolled."""
    app = _world(request).apps.get(request.path_params["client_id"])
    if app is None:
        raise _Wrong("There is no such app.")
    wish = await _body(request, _AppChange)
    if wish.callbacks is not UNSET:
        _check_callbacks(wish.callbacks)
    _change(app, wish)
    return _json(app)


async def change_user(request: Request) -> Response:
    """Change some properties of an account: suspend it, protect it, sell it a subscription."""
    user = _world(request).find_user(request.path_params["username"])
    if user is None:
        raise _Wrong("There is no such user.")
    _change(user, await _body(request, _UserChange))
    return _json(_shown(user))


async def add_keys(request: Request) -> Response:
    """Give an app an OAuth 1.0a access token for a user, without three legs."""
    world, wish = _world(request), await _body(request, _NewKeys)
    app, user = world.apps.get(wish.client_id), world.find_user(wish.username)
    if app is None or user is None:
        raise _Wrong("There is no such app or no such user.")
    pair = oauth1.grant(world, app, user, wish.access or app.access)
    shown = {"oauth_token": pair.token, "oauth_token_secret": pair.secret}
    return _json(shown | {"user_id": user.id, "screen_name": user.username}, 201)


def _check_callbacks(callbacks: list[str]) -> None:
    if len(callbacks) > 10:
        raise _Wrong("X registers ten callbacks for an app at most.")


def _client_id() -> str:
    """Of the shape that X's documentation shows."""
    text = f"{secrets.token_urlsafe(15)[:20]}:1:ci"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _change(thing: App | User, wish: msgspec.Struct) -> None:
    for name in wish.__struct_fields__:
        value = getattr(wish, name)
        if value is not UNSET:
            setattr(thing, name, value)


async def add_user(request: Request) -> Response:
    """Open an account."""
    world, wish = _world(request), await _body(request, _NewUser)
    if world.find_user(wish.username) is not None:
        raise _Wrong(f"There is a user {wish.username} already.")
    return _json(_shown(world.add_user(_seed(wish))), 201)


def _seed(wish: _NewUser) -> SeedAccount:
    return SeedAccount(
        username=wish.username,
        name=wish.name or wish.username,
        followers=wish.followers,
        following=wish.following,
        posts_before=wish.posts_before,
        subscription_type=wish.subscription_type,
        description=wish.description,
    )


async def list_users(request: Request) -> Response:
    """The accounts there are, in order of creation."""
    return _json([_shown(user) for user in _world(request).users.values()])


async def read_truth(request: Request) -> Response:
    """Everything that happened, of one app (`app`) or of all; `only` some names of it."""
    world, query = _world(request), request.query_params
    only = query["only"].split(",") if "only" in query else ground_truth.NAMES
    for each in only:
        if each not in ground_truth.NAMES:
            raise _Wrong(f"The truth has no `{each}`; it has {', '.join(ground_truth.NAMES)}.")
    scenario_events.befall(world, world.now())
    return _json(ground_truth.tell(world, query.get("app"), only))


async def play(request: Request) -> Response:
    """A person does something on X; the post that it made or touched, as the truth tells it."""
    world, wish = _world(request), await _body(request, _PLAY)
    at = world.now()
    try:
        post = user_actions.perform(world, wish, at)
    except Impossible as error:
        raise _Wrong(str(error)) from error
    except Refusal as refusal:
        return _json(refusal.body, refusal.status)
    return _json({} if post is None else ground_truth.post_of(world, post, at))


async def reset(request: Request) -> Response:
    """Forget everything and start the scenario again, with its accounts or with others."""
    world, wish = _world(request), await _body(request, _Reset)
    names = [each.username.lower() for each in wish.accounts or ()]
    if len(set(names)) < len(names):
        raise _Wrong("Two accounts have the same username.")
    await world.reset(None if wish.accounts is None else [_seed(each) for each in wish.accounts])
    return _json(world.clock.reading())


async def add_fault(request: Request) -> Response:
    """Something shall go wrong."""
    fault = await _body(request, Fault)
    _world(request).faults.append(fault)
    return _json(fault, 201)


async def read_faults(request: Request) -> Response:
    """What shall go wrong, and what did."""
    world = _world(request)
    return _json({"faults": world.faults, "journal": world.journal})


async def clear_faults(request: Request) -> Response:
    """Nothing shall go wrong any more; the journal stays."""
    _world(request).faults.clear()
    return Response(status_code=204)


async def set_switches(request: Request) -> Response:
    """Change some switches; the answer shows all."""
    world = _world(request)
    wish = await _body(request, dict[str, Any])
    try:
        world.switches = msgspec.convert(msgspec.to_builtins(world.switches) | wish, Switches)
    except msgspec.ValidationError as error:
        raise _Wrong(str(error)) from error
    return _json(world.switches)


async def read_switches(request: Request) -> Response:
    """All switches as they stand."""
    return _json(_world(request).switches)


async def refuse(request: Request, error: Exception) -> Response:
    """A malformed request at a door."""
    return _json({"error": str(error)}, 400)


def _door(path: str, endpoint: Any, method: str) -> Route:
    return Route(f"/_emulator/{path}", endpoint, methods=[method])


ROUTES = [
    _door("clock", read_clock, "GET"),
    _door("clock", set_clock, "POST"),
    _door("apps", add_app, "POST"),
    _door("apps/{client_id}", change_app, "POST"),
    _door("keys", add_keys, "POST"),
    _door("users", add_user, "POST"),
    _door("users/{username}", change_user, "POST"),
    _door("users", list_users, "GET"),
    _door("truth", read_truth, "GET"),
    _door("plays", play, "POST"),
    _door("reset", reset, "POST"),
    _door("faults", add_fault, "POST"),
    _door("faults", read_faults, "GET"),
    _door("faults", clear_faults, "DELETE"),
    _door("switches", set_switches, "POST"),
    _door("switches", read_switches, "GET"),
]
REFUSALS = {_Wrong: refuse}


def _shown(user: User) -> dict[str, Any]:
    whole: dict[str, Any] = msgspec.to_builtins(user)
    del whole["flows"], whole["flow_before"]
    return whole


def _world(request: Request) -> World:
    world: World = request.app.state.world
    return world


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except NOT_DECODABLE as error:
        raise _Wrong(str(error)) from error


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
