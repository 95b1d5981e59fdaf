"""The pages a person sees: consent and regret here, what goes on in `overview`."""

from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.requests import Request

from x_emulator.auth.oauth2 import Consent
from x_emulator.rules import metrics
from x_emulator.state import RequestToken, World

_TEMPLATES = Environment(
    loader=PackageLoader("x_emulator.ui"), autoescape=select_autoescape(), trim_blocks=True
)
#: In a person's words; X's own page says it much the same way.
_ALLOWS = {
    "tweet.read": "See posts and their numbers.",
    "tweet.write": "Post and delete posts for you.",
    "users.read": "See your profile.",
    "media.write": "Upload images and video for you.",
    "offline.access": "Stay connected until you revoke it.",
}


def _in_order(scope: str) -> tuple[int, str]:
    known = list(_ALLOWS)
    return (known.index(scope) if scope in known else len(known), scope)


def render(name: str, root: str, **shown: Any) -> str:
    """A page; `root` as `root_of` tells it."""
    return _TEMPLATES.get_template(name).render(root=root, **shown)


def root_of(request: Request) -> str:
    """The path below which the emulator is mounted; empty for none."""
    root: str = request.scope.get("root_path", "")
    return root


def consent(world: World, wish: Consent, asked: dict[str, str], hint: str, root: str) -> str:
    """The page on which a person picks an account and decides."""
    accounts = _choices(world)
    names = [account["username"] for account in accounts]
    return render(
        "oauth2_consent.html",
        root,
        app=wish.app.name,
        allows=[_ALLOWS.get(scope, scope) for scope in sorted(wish.scopes, key=_in_order)],
        accounts=accounts,
        chosen=hint if hint in names else (names[0] if names else ""),
        hidden={name: value for name, value in asked.items() if name != "login_hint"},
    )


def legacy_consent(world: World, asked: RequestToken, path: str, hint: str, root: str) -> str:
    """The page of OAuth 1.0a on which a person picks an account and decides."""
    accounts = _choices(world)
    names = [account["username"] for account in accounts]
    allows = {
        "read": "read posts and profiles.",
        "read-write": "read and post for you.",
        "read-write-directmessages": "read and post for you, and handle your messages.",
    }
    return render(
        "oauth1_consent.html",
        root,
        app=world.apps[asked.client_id].name,
        path=path,
        token=asked.token,
        allows=allows[asked.access],
        accounts=accounts,
        chosen=hint if hint in names else (names[0] if names else ""),
    )


def pin(app: str, verifier: str, root: str) -> str:
    """What a person reads off, to type it into the app."""
    return render("pin.html", root, app=app, pin=verifier)


def denied(app: str, root: str) -> str:
    """What a person sees who said no to an app without a callback."""
    return render("denied.html", root, app=app)


def regret(root: str) -> str:
    """What X shows instead of a redirect when a request is malformed."""
    return render("authorization_error.html", root)


def _choices(world: World) -> list[dict[str, Any]]:
    at = world.now()
    return [
        {"username": u.username, "name": u.name, "followers": metrics.followers_of(world, u, at)}
        for u in world.users.values()
    ]
