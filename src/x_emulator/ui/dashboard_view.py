"""The data on the dashboard: clock, timelines, accounts, requests and faults of a world."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from x_emulator.rules import metrics, polls
from x_emulator.state import Post, Reactions, RequestEntry, User, World

#: The number of posts and the number of requests that one page shows.
POSTS, REQUESTS = 20, 40
_NO_REACTIONS = Reactions()
_POLL_FIELDS = frozenset({"options", "voting_status", "end_datetime"})


@dataclass(frozen=True)
class View:
    """What the dashboard shows, from its URL's query: acting account, timeline and position."""

    acting: str
    """The username of the account that posts and reacts when a person uses the page."""
    account: str = ""
    """The username whose timeline is shown; empty for all timelines."""
    before: int | None = None
    """The id below which the ids of the shown posts are; the link to older posts sets it."""


@dataclass(frozen=True)
class Segment:
    """A section of a post's text. `kind` is text, link, mention or tag."""

    kind: str
    text: str
    href: str = ""


def read_view(world: World, query: dict[str, str]) -> View:
    """Read the view from a URL's query; unknown values are replaced by defaults."""
    names = [user.username for user in world.users.values()]
    acting, account, before = (query.get(name, "") for name in ("as", "account", "before"))
    return View(
        acting=acting if acting in names else (names[0] if names else ""),
        account=account if account in names else "",
        before=int(before) if before.isascii() and before.isdigit() else None,
    )


def read_context(world: World, view: View) -> dict[str, Any]:
    """Return the variables of the dashboard's template."""
    at = world.now()
    acting = world.find_user(view.acting)
    posts = list(islice(_posts(world, view), POSTS + 1))
    return {
        "view": view,
        "now": at,
        "clock": world.clock.reading(),
        "scenario": world.scenario,
        "seed": world.seed,
        "started_at": world.started_at,
        "accounts": [_account(world, user, at) for user in world.users.values()],
        "posts": [_post(world, each, acting, at) for each in posts[:POSTS]],
        "older": posts[POSTS - 1].id if len(posts) > POSTS else None,
        "requests": list(_requests(world)),
        "request_count": len(world.requests),
        "dollars": sum(entry.usd for entry in world.requests),
        "faults": [each for each in world.faults if each.times != 0],
        "applied_faults": len(world.fault_log),
    }


def _posts(world: World, view: View) -> Iterator[Post]:
    """Iterate over the posts that the dashboard shows, newest first.

    Deleted posts are included. Of an edited post, only the last version is included.
    """
    user = world.find_user(view.account) if view.account else None
    posts = world.posts_of[user.id] if user else world.posts.values()
    for post in reversed(posts):
        if post.history[-1] == post.id and (view.before is None or int(post.id) < view.before):
            yield post


def _post(world: World, post: Post, acting: User | None, at: datetime) -> dict[str, Any]:
    reactions = world.reactions.get(post.id, _NO_REACTIONS)
    acting_id = acting.id if acting else ""
    parent = world.posts.get(post.reply_to or "")
    app = world.apps.get(post.client_id or "")
    return {
        "id": post.id,
        "author": world.users[post.user_id],
        "segments": list(_segments(post)),
        "at": post.created_at,
        "age": _age(at, post.created_at),
        "app": app.name if app else ("on X" if post.client_id is None else "an app"),
        "media": post.media,
        "poll": polls.poll_object(world, post, _POLL_FIELDS, at) if post.poll else None,
        "reply_to": world.users[parent.user_id] if parent else None,
        "edits": len(post.history) - 1,
        "deleted_by": _deleted_by(world, post),
        "counts": metrics.post_counts(world, post, at),
        "liked": acting_id in metrics.active_users(reactions.likes, at),
        "reposted": acting_id in metrics.active_users(reactions.reposts, at),
    }


def _deleted_by(world: World, post: Post) -> str | None:
    app = world.apps.get(post.deleted_by or "")
    return app.name if app else post.deleted_by


def _segments(post: Post) -> Iterator[Segment]:
    """Split a post's text at its entities. The link to the post's own media is left out."""
    entities = [
        (each["start"], each["end"], kind, each)
        for kind, group in post.entities.items()
        for each in group
    ]
    position = 0
    for start, end, kind, each in sorted(entities, key=lambda entity: entity[:2]):
        if start < position:
            # All media of a post share one link. Each medium has an entity for it, so all entities
            # except the first are skipped.
            continue
        yield Segment("text", html.unescape(post.returned_text[position:start]))
        position = end
        if kind != "urls":
            kind = "mention" if kind == "mentions" else "tag"
            yield Segment(kind, html.unescape(post.returned_text[start:end]))
        elif "media_key" not in each:
            yield Segment("link", each["display_url"], each["expanded_url"])
    yield Segment("text", html.unescape(post.returned_text[position:]))


def _account(world: World, user: User, at: datetime) -> dict[str, Any]:
    followers = metrics.follower_count(world, user, at)
    apps: dict[str, str] = {}
    for grant in world.grants:
        if grant.alive and grant.user_id == user.id and grant.client_id in world.apps:
            apps[grant.client_id] = world.apps[grant.client_id].name
    return {
        "user": user,
        "followers": followers,
        "since_start": followers - user.followers,
        "posts": sum(1 for _ in world.live_posts(user.id)),
        "apps": apps,
    }


def _requests(world: World) -> Iterator[dict[str, Any]]:
    """Iterate over the latest requests, newest first, each with the faults that it received."""
    total = len(world.requests)
    first = max(0, total - REQUESTS)
    faults: dict[int, list[str]] = {}
    for each in reversed(world.fault_log):
        if each["request"] >= first:
            faults.setdefault(each["request"], []).insert(0, f"{each['kind']} {each['when']}")
    for number in range(total - 1, first - 1, -1):
        entry = world.requests[number]
        request = {"number": number, "entry": entry, "faults": faults.get(number, [])}
        yield request | _caller_names(world, entry)


def _caller_names(world: World, entry: RequestEntry) -> dict[str, str]:
    user = world.users.get(entry.user_id or "")
    app = world.apps.get(entry.client_id or "")
    return {"user": f"@{user.username}" if user else "", "app": app.name if app else ""}


def _age(now: datetime, then: datetime) -> str:
    """Return the time since an instant as text, in the largest suitable unit."""
    seconds = int((now - then).total_seconds())
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(0, seconds)} s"
