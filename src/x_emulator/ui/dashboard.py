"""The routes of the dashboard at `/`, and of the forms with which a person acts on X.

If the browser runs JavaScript, the page submits forms in the background and refreshes every second.
Without JavaScript, the browser submits a form and then loads the page again (303). In both cases,
the page shows errors.
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from x_emulator.control import user_actions
from x_emulator.control.user_actions import Action, ActionImpossible
from x_emulator.routes.oauth2 import read_form
from x_emulator.rules.refusals import Refusal
from x_emulator.state import World
from x_emulator.ui import dashboard_view, pages

_STATIC = Path(__file__).parent / "static"
#: The content security policy: only the emulator's own scripts and styles are allowed, and no
#: other page may show the dashboard in a frame.
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
Form = dict[str, str]


async def show(request: Request) -> Response:
    """`GET /`: the dashboard."""
    return _page(request, dict(request.query_params))


async def submit(request: Request) -> Response:
    """`POST /_emulator/dashboard`: handles all forms of the dashboard."""
    world: World = request.app.state.world
    form = await read_form(request)
    try:
        if "clock" in form:
            await _change_clock(world, form["clock"])
        else:
            user_actions.perform(world, _read_action(form), world.now())
    except ActionImpossible as error:
        return _page(request, form, str(error), 400)
    except Refusal as refusal:
        return _page(request, form, refusal.describe(), 400)
    query = urlencode({name: form[name] for name in ("as", "account") if form.get(name)})
    return RedirectResponse(f"{pages.root_of(request)}/?{query}", 303)


def _page(request: Request, query: Form, error: str = "", status: int = 200) -> Response:
    world: World = request.app.state.world
    context = dashboard_view.read_context(world, dashboard_view.read_view(world, query))
    base_url = str(request.base_url).rstrip("/")
    page = pages.render(
        "dashboard.html", pages.root_of(request), **context, error=error, base_url=base_url
    )
    return HTMLResponse(page, status, {"content-security-policy": _POLICY})


async def _change_clock(world: World, change: str) -> None:
    """Move the clock (`jump 3600`) or change its rate (`rate 60`). Raises: ActionImpossible."""
    kind, _, amount = change.partition(" ")
    try:
        if kind == "jump":
            await world.clock.jump(float(amount))
        else:
            await world.clock.set_rate(float(amount))
    except ValueError as error:
        raise ActionImpossible(str(error)) from error


def _read_action(form: Form) -> Action:
    """Return the action that a form requests. Raises: ActionImpossible."""
    acting, post = form.get("as", ""), form.get("post", "")
    text = _normalize_newlines(form.get("text", ""))
    username, client_id = form.get("username", ""), form.get("client_id", "")
    actions: dict[str, Callable[[], Action]] = {
        "post": lambda: user_actions.WritePost(acting, text, post or None),
        "like": lambda: user_actions.Like(acting, post),
        "unlike": lambda: user_actions.Like(acting, post, undo=True),
        "repost": lambda: user_actions.Repost(acting, post),
        "unrepost": lambda: user_actions.Repost(acting, post, undo=True),
        "delete": lambda: user_actions.DeletePost(post),
        "revoke": lambda: user_actions.RevokeApp(username, client_id),
    }
    make = actions.get(form.get("action", ""))
    if make is None:
        raise ActionImpossible("The form has no known `action`.")
    return make()


def _normalize_newlines(text: str) -> str:
    """Replace CR LF by LF, as X's page does; browsers send CR LF for newlines in forms."""
    return text.replace("\r\n", "\n")


def _asset(name: str, media_type: str) -> Route:
    content = (_STATIC / name).read_bytes()

    async def serve(request: Request) -> Response:
        return Response(content, media_type=media_type, headers={"cache-control": "no-cache"})

    return Route(f"/_emulator/{name}", serve, methods=["GET"])


ROUTES = [
    Route("/", show, methods=["GET"]),
    Route("/_emulator/dashboard", submit, methods=["POST"]),
    _asset("style.css", "text/css"),
    _asset("dashboard.js", "text/javascript"),
]
