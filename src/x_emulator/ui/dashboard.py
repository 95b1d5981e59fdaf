"""The routes of the page at `/`: it shows what goes on, and its forms let a person play.

Without JavaScript a form is sent and the page comes back (303); with it the same forms are sent in
the background, and the page is asked for again every second. What goes wrong is told on the page.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from x_emulator.control import user_actions
from x_emulator.control.user_actions import Impossible, Play
from x_emulator.routes.oauth2 import read_form
from x_emulator.rules.refusals import Refusal
from x_emulator.state import World
from x_emulator.ui import dashboard_view, pages

_STATIC = Path(__file__).parent / "static"
#: Scripts and styles of our own only, and nobody else's page around it.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
Given = dict[str, str]


async def show(request: Request) -> Response:
    """`GET /`."""
    return _page(request, dict(request.query_params))


async def play(request: Request) -> Response:
    """`POST /_emulator/dashboard`: one of the page's forms."""
    world: World = request.app.state.world
    given = await read_form(request)
    try:
        if "turn" in given:
            await _turn(world, given["turn"])
        else:
            user_actions.perform(world, _play_of(given), world.now())
    except Impossible as error:
        return _page(request, given, str(error), 400)
    except Refusal as refusal:
        return _page(request, given, refusal.sentence(), 400)
    query = urlencode({name: given[name] for name in ("as", "account") if given.get(name)})
    return RedirectResponse(f"{pages.root_of(request)}/?{query}", 303)


def _page(request: Request, given: Given, wrong: str = "", status: int = 200) -> Response:
    world: World = request.app.state.world
    shown = dashboard_view.show(world, dashboard_view.read_view(world, given))
    base_url = str(request.base_url).rstrip("/")
    page = pages.render(
        "dashboard.html", pages.root_of(request), **shown, wrong=wrong, base_url=base_url
    )
    return HTMLResponse(page, status, {"content-security-policy": _POLICY})


async def _turn(world: World, wish: str) -> None:
    """Move the clock (`jump 3600`), or let it run otherwise (`rate 60`). Raises: Impossible."""
    kind, _, amount = wish.partition(" ")
    try:
        if kind == "jump":
            await world.clock.jump(float(amount))
        else:
            await world.clock.run_at(float(amount))
    except ValueError as error:
        raise Impossible(str(error)) from error


def _play_of(given: Given) -> Play:
    """What a form asks for. Raises: Impossible."""
    acting, post = given.get("as", ""), given.get("post", "")
    kinds: dict[str, Callable[[], Play]] = {
        "post": lambda: user_actions.Write(acting, _lines(given.get("text", "")), post or None),
        "like": lambda: user_actions.Like(acting, post),
        "unlike": lambda: user_actions.Like(acting, post, undo=True),
        "repost": lambda: user_actions.Repost(acting, post),
        "unrepost": lambda: user_actions.Repost(acting, post, undo=True),
        "delete": lambda: user_actions.Delete(post),
        "revoke": lambda: user_actions.Revoke(
            given.get("username", ""), given.get("client_id", "")
        ),
    }
    wanted = kinds.get(given.get("play", ""))
    if wanted is None:
        raise Impossible("There is no such play.")
    return wanted()


def _lines(text: str) -> str:
    """Browsers end the lines of a form by two characters; X's own page sends one."""
    return text.replace("\r\n", "\n")


def _asset(name: str, kind: str) -> Route:
    content = (_STATIC / name).read_bytes()

    async def serve(request: Request) -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

    return Route(f"/_emulator/{name}", serve, methods=["GET"])


ROUTES = [
    Route("/", show, methods=["GET"]),
    Route("/_emulator/dashboard", play, methods=["POST"]),
    _asset("style.css", "text/css"),
    _asset("dashboard.js", "text/javascript"),
]
