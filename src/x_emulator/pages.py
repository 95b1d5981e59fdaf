"""The pages a person sees: consent, regret, and what is going on. They fetch nothing."""

import html
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape

from x_emulator import metrics
from x_emulator.oauth import Consent
from x_emulator.state import RequestToken, World

_TEMPLATES = Environment(
    loader=PackageLoader("x_emulator"), autoescape=select_autoescape(), trim_blocks=True
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


def consent(world: World, wish: Consent, asked: dict[str, str], hint: str) -> str:
    """The page on which a person picks an account and decides."""
    accounts = _choices(world)
    names = [account["username"] for account in accounts]
    return _TEMPLATES.get_template("consent.html").render(
        app=wish.app.name,
        allows=[_ALLOWS.get(scope, scope) for scope in sorted(wish.scopes, key=_in_order)],
        accounts=accounts,
        chosen=hint if hint in names else (names[0] if names else ""),
        hidden={name: value for name, value in asked.items() if name != "login_hint"},
    )


def legacy_consent(world: World, asked: RequestToken, action: str, hint: str) -> str:
    """The page of OAuth 1.0a on which a person picks an account and decides."""
    accounts = _choices(world)
    names = [account["username"] for account in accounts]
    allows = {
        "read": "read posts and profiles.",
        "read-write": "read and post for you.",
        "read-write-directmessages": "read and post for you, and handle your messages.",
    }
    return _TEMPLATES.get_template("consent1.html").render(
        app=world.apps[asked.client_id].name,
        action=action,
        token=asked.token,
        allows=allows[asked.access],
        accounts=accounts,
        chosen=hint if hint in names else (names[0] if names else ""),
    )


def pin(app: str, verifier: str) -> str:
    """What a person reads off, to type it into the app."""
    return _TEMPLATES.get_template("pin.html").render(app=app, pin=verifier)


def denied(app: str) -> str:
    """What a person sees who said no to an app without a callback."""
    return _TEMPLATES.get_template("denied.html").render(app=app)


def regret() -> str:
    """What X shows instead of a redirect when a request is malformed."""
    return _TEMPLATES.get_template("regret.html").render()


def overview(world: World) -> str:
    """Clock, accounts, latest posts and requests."""
    at = world.now()
    return _TEMPLATES.get_template("overview.html").render(
        now=at,
        clock=world.clock.reading(),
        world=world,
        accounts=[_account(world, user_id) for user_id in world.users],
        posts=[
            {
                "author": world.users[post.user_id].username,
                "text": html.unescape(post.shown),
                "at": post.created_at,
                "media": len(post.media),
                "deleted": post.deleted_at is not None,
                "counts": metrics.counts_of(world, post, at),
            }
            for post in list(world.posts.values())[:-21:-1]
        ],
        requests=world.requests[:-31:-1],
        dollars=sum(entry.usd for entry in world.requests),
    )


def _choices(world: World) -> list[dict[str, Any]]:
    at = world.now()
    return [
        {"username": u.username, "name": u.name, "followers": metrics.followers_of(world, u, at)}
        for u in world.users.values()
    ]


def _account(world: World, user_id: str) -> dict[str, Any]:
    user, at = world.users[user_id], world.now()
    return {
        "username": user.username,
        "name": user.name,
        "followers": metrics.followers_of(world, user, at),
        "since_start": metrics.followers_of(world, user, at) - user.followers,
        "posts": sum(1 for _ in world.live_posts(user_id)),
    }
