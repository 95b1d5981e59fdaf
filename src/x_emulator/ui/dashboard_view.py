"""What the page at `/` shows, read off the world: clock, timelines, accounts, requests, faults."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from x_emulator.rules import metrics, polls
from x_emulator.state import Post, Reactions, RequestEntry, User, World

#: So many posts and requests fit on a page.
POSTS, REQUESTS = 20, 40
_NO_REACTIONS = Reactions()


@dataclass(frozen=True)
class View:
    """What a person looks at, from the page's address."""

    acting: str
    """The username in whose name buttons act."""
    account: str = ""
    """Whose timeline; empty: everybody's."""
    before: int | None = None
    """Only posts with lower ids, for older pages."""


@dataclass(frozen=True)
class Piece:
    """A part of a post's text; `kind` is text, link, mention or tag."""

    kind: str
    text: str
    href: str = ""


def read_view(world: World, query: dict[str, str]) -> View:
    """The view that an address asks for; what does not exist falls back to what does."""
    names = [user.username for user in world.users.values()]
    acting, account, before = (query.get(name, "") for name in ("as", "account", "before"))
    return View(
        acting=acting if acting in names else (names[0] if names else ""),
        account=account if account in names else "",
        before=int(before) if before.isascii() and before.isdigit() else None,
    )


def show(world: World, view: View) -> dict[str, Any]:
    """Everything that the template needs."""
    at = world.now()
    acting = world.find_user(view.acting)
    shown = list(islice(_posts(world, view), POSTS + 1))
    return {
        "view": view,
        "now": at,
        "clock": world.clock.reading(),
        "scenario": world.scenario,
        "seed": world.seed,
        "started_at": world.started_at,
        "accounts": [_account(world, user, at) for user in world.users.values()],
        "posts": [_post(world, each, acting, at) for each in shown[:POSTS]],
        "older": shown[POSTS - 1].id if len(shown) > POSTS else None,
        "requests": list(_requests(world)),
        "request_count": len(world.requests),
        "dollars": sum(entry.usd for entry in world.requests),
        "faults": [each for each in world.faults if each.times != 0],
        "struck": len(world.journal),
    }


def _posts(world: World, view: View) -> Iterator[Post]:
    """Newest first; of an edited post the last version, and deleted ones too: they were there."""
    user = world.find_user(view.account) if view.account else None
    posts = world.posts_of[user.id] if user else world.posts.values()
    for post in reversed(posts):
        if post.history[-1] == post.id and (view.before is None or int(post.id) < view.before):
            yield post


def _post(world: World, post: Post, acting: User | None, at: datetime) -> dict[str, Any]:
    reactions = world.reactions.get(post.id, _NO_REACTIONS)
    me = acting.id if acting else ""
    parent = world.posts.get(post.reply_to or "")
    app = world.apps.get(post.client_id or "")
    return {
        "id": post.id,
        "author": world.users[post.user_id],
        "pieces": list(_pieces(post)),
        "at": post.created_at,
        "age": _age(at, post.created_at),
        "app": app.name if app else ("by hand" if post.client_id is None else "an app"),
        "media": post.media,
        "poll": polls.poll_object(world, post, _POLL, at) if post.poll else None,
        "reply_to": world.users[parent.user_id] if parent else None,
        "edits": len(post.history) - 1,
        "deleted_by": _deleter(world, post),
        "counts": metrics.counts_of(world, post, at),
        "liked": me in metrics.holders(reactions.likes, at),
        "reposted": me in metrics.holders(reactions.reposts, at),
    }


_POLL = frozenset({"options", "voting_status", "end_datetime"})


def _deleter(world: World, post: Post) -> str | None:
    app = world.apps.get(post.deleted_by or "")
    return app.name if app else post.deleted_by


def _pieces(post: Post) -> Iterator[Piece]:
    """The text cut at its entities; the link to the post's own media is left out."""
    found = [
        (each["start"], each["end"], kind, each)
        for kind, some in post.entities.items()
        for each in some
    ]
    position = 0
    for start, end, kind, each in sorted(found, key=lambda entity: entity[:2]):
        if start < position:
            continue  # several media share one link
        yield Piece("text", html.unescape(post.shown[position:start]))
        position = end
        if kind != "urls":
            kind = "mention" if kind == "mentions" else "tag"
            yield Piece(kind, html.unescape(post.shown[start:end]))
        elif "media_key" not in each:
            yield Piece("link", each["display_url"], each["expanded_url"])
    yield Piece("text", html.unescape(post.shown[position:]))


def _account(world: World, user: User, at: datetime) -> dict[str, Any]:
    followers = metrics.followers_of(world, user, at)
    granted: dict[str, str] = {}
    for grant in world.grants:
        if grant.alive and grant.user_id == user.id and grant.client_id in world.apps:
            granted[grant.client_id] = world.apps[grant.client_id].name
    return {
        "user": user,
        "followers": followers,
        "since_start": followers - user.followers,
        "posts": sum(1 for _ in world.live_posts(user.id)),
        "apps": granted,
    }


def _requests(world: World) -> Iterator[dict[str, Any]]:
    """The latest requests, newest first, with what befell them."""
    total = len(world.requests)
    first = max(0, total - REQUESTS)
    struck: dict[int, list[str]] = {}
    for each in reversed(world.journal):
        if each["request"] >= first:
            struck.setdefault(each["request"], []).insert(0, f"{each['kind']} {each['when']}")
    for number in range(total - 1, first - 1, -1):
        entry = world.requests[number]
        yield {"number": number, "entry": entry, "faults": struck.get(number, [])} | _who(
            world, entry
        )


def _who(world: World, entry: RequestEntry) -> dict[str, str]:
    user = world.users.get(entry.user_id or "")
    app = world.apps.get(entry.client_id or "")
    return {"user": f"@{user.username}" if user else "", "app": app.name if app else ""}


def _age(now: datetime, then: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = int((now - then).total_seconds())
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(0, seconds)} s"
