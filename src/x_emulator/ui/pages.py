"""Rendering of HTML pages: the template environment, and the consent screens."""

from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.requests import Request

from x_emulator.auth.oauth2 import AuthorizationRequest
from x_emulator.rules import metrics
from x_emulator.state import RequestToken, World

_TEMPLATES = Environment(
    loader=PackageLoader("x_emulator.ui"), autoescape=select_autoescape(), trim_blocks=True
)
#: Descriptions of the scopes for people, similar to those on X's consent screen.
_SCOPE_TEXTS = {
    "tweet.read": "See posts and their metrics.",
    "tweet.write": "Create and delete posts for you.",
    "users.read": "See your profile.",
    "media.write": "Upload images and videos for you.",
    "offline.access": "Stay connected until you revoke access.",
}


def _scope_order(scope: str) -> tuple[int, str]:
    known = list(_SCOPE_TEXTS)
    return (known.index(scope) if scope in known else len(known), scope)


def render(name: str, root: str, **context: Any) -> str:
    """Render a template. `root` is the path prefix of the page's links (see `root_of`)."""
    return _TEMPLATES.get_template(name).render(root=root, **context)


def root_of(request: Request) -> str:
    """Return the path under which another application mounts the emulator, or an empty string."""
    root: str = request.scope.get("root_path", "")
    return root


def oauth2_consent(
    world: World,
    authorization: AuthorizationRequest,
    query: dict[str, str],
    hint: str,
    root: str,
) -> str:
    """Render the OAuth 2.0 consent screen, where a person selects an account and decides."""
    accounts = _accounts(world)
    names = [account["username"] for account in accounts]
    return render(
        "oauth2_consent.html",
        root,
        app=authorization.app.name,
        permissions=[
            _SCOPE_TEXTS.get(scope, scope)
            for scope in sorted(authorization.scopes, key=_scope_order)
        ],
        accounts=accounts,
        selected=hint if hint in names else (names[0] if names else ""),
        hidden={name: value for name, value in query.items() if name != "login_hint"},
    )


def oauth1_consent(
    world: World, request_token: RequestToken, path: str, hint: str, root: str
) -> str:
    """Render the OAuth 1.0a consent screen, where a person selects an account and decides."""
    accounts = _accounts(world)
    names = [account["username"] for account in accounts]
    permissions = {
        "read": "read posts and profiles.",
        "read-write": "read and post for you.",
        "read-write-directmessages": "read and post for you, and manage your messages.",
    }
    return render(
        "oauth1_consent.html",
        root,
        app=world.apps[request_token.client_id].name,
        path=path,
        token=request_token.token,
        permissions=permissions[request_token.access],
        accounts=accounts,
        selected=hint if hint in names else (names[0] if names else ""),
    )


def pin(app: str, verifier: str, root: str) -> str:
    """Render the page with the PIN that a person enters in the app."""
    return render("pin.html", root, app=app, pin=verifier)


def denied(app: str, root: str) -> str:
    """Render the page that confirms a denial to the user of an app without a callback."""
    return render("denied.html", root, app=app)


def authorization_error(root: str) -> str:
    """Render the error page that X shows if an authorization request is invalid."""
    return render("authorization_error.html", root)


def _accounts(world: World) -> list[dict[str, Any]]:
    at = world.now()
    return [
        {"username": u.username, "name": u.name, "followers": metrics.follower_count(world, u, at)}
        for u in world.users.values()
    ]
