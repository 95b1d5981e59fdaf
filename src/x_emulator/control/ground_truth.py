"""The recorded ground truth, for tests: posts, hashes of media, requests and their prices."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from x_emulator.auth import oauth2
from x_emulator.rules import metrics
from x_emulator.scenarios import anomalies
from x_emulator.state import Media, Post, Reactions, RequestEntry, World

#: The keys of the ground truth's JSON object. A client can request some of them only.
SECTIONS = (
    *("scenario", "seed", "started_at", "now", "posts", "media", "requests", "apps"),
    *("anomalies", "tokens", "grants"),
)
_NO_REACTIONS = Reactions()


def collect(
    world: World, client_id: str | None, sections: Sequence[str] = SECTIONS
) -> dict[str, Any]:
    """Collect sections of the ground truth, for one app if `client_id` is given."""
    return {name: _COLLECTORS[name](world, client_id) for name in SECTIONS if name in sections}


def _posts(world: World, client_id: str | None) -> list[dict[str, Any]]:
    at = world.now()
    return [
        describe_post(world, each, at)
        for each in world.posts.values()
        if client_id in (None, each.client_id)
    ]


def _all_media(world: World, client_id: str | None) -> list[dict[str, Any]]:
    return [
        _media(each) | {"state": each.state, "attached_to": each.attached_to}
        for each in world.media.values()
        if client_id in (None, each.client_id)
    ]


def _requests(world: World, client_id: str | None) -> list[dict[str, Any]]:
    return [
        _request(number, each)
        for number, each in enumerate(world.requests)
        if client_id in (None, each.client_id)
    ]


def _apps(world: World, client_id: str | None) -> dict[str, Any]:
    """Return each app's numbers of posts, media and requests, and the price of its requests."""
    posts: Counter[str | None] = Counter()
    media: Counter[str | None] = Counter()
    requests: Counter[str | None] = Counter()
    dollars: dict[str | None, Decimal] = defaultdict(Decimal)
    for post in world.posts.values():
        posts[post.client_id] += 1
        media[post.client_id] += len(post.media)
    for entry in world.requests:
        requests[entry.client_id] += 1
        dollars[entry.client_id] += entry.usd
    return {
        each: {
            "posts": posts[each],
            "media": media[each],
            "requests": requests[each],
            "dollars": str(dollars[each]),
        }
        for each in world.apps
        if client_id in (None, each)
    }


def _grants(world: World, client_id: str | None) -> list[dict[str, Any]]:
    """List the valid grants, with the kind and expiry of each token but never its value."""
    at = world.now()
    alive: dict[int, list[dict[str, str]]] = defaultdict(list)
    for token in world.tokens.values():
        if oauth2.is_alive(token, at):
            entry = {"kind": token.kind, "expires_at": token.expires_at.isoformat()}
            alive[id(token.grant)].append(entry)
    for token_pair in world.oauth1_tokens.values():
        if token_pair.grant.alive:
            alive[id(token_pair.grant)].append({"kind": "oauth1"})
    return [
        {
            "app": grant.client_id,
            "user": grant.user_id,
            "scopes": sorted(grant.scopes),
            "tokens": alive[id(grant)],
        }
        for grant in world.grants
        if grant.alive and client_id in (None, grant.client_id)
    ]


_COLLECTORS: dict[str, Callable[[World, str | None], Any]] = {
    "scenario": lambda world, _: world.scenario.name,
    "seed": lambda world, _: world.seed,
    "started_at": lambda world, _: world.started_at.isoformat(),
    "now": lambda world, _: world.now().isoformat(),
    "posts": _posts,
    "media": _all_media,
    "requests": _requests,
    "apps": _apps,
    "anomalies": lambda world, _: anomalies.list_anomalies(world),
    "tokens": lambda world, client_id: oauth2.token_counts(world, client_id, world.now()),
    "grants": _grants,
}


def describe_post(world: World, post: Post, at: datetime) -> dict[str, Any]:
    """Return a stored post as JSON, with the accounts that liked or reposted the post."""
    reactions = world.reactions.get(post.id) or _NO_REACTIONS
    return {
        "id": post.id,
        "user": post.user_id,
        "app": post.client_id,
        "text": post.text,
        "created_at": post.created_at.isoformat(),
        "reply_to": post.reply_to,
        "quote_of": post.quote_of,
        "poll": post.poll and [*post.poll["labels"], post.poll["duration_minutes"]],
        "reply_settings": post.reply_settings,
        "history": post.history,
        "media": [_media(each) for each in post.media],
        "has_link": post.has_link,
        "deleted_at": post.deleted_at.isoformat() if post.deleted_at else None,
        "deleted_by": post.deleted_by,
        "liked_by": metrics.active_users(reactions.likes, at),
        "reposted_by": metrics.active_users(reactions.reposts, at),
    }


def _media(media: Media) -> dict[str, Any]:
    return {
        "id": media.id,
        "media_key": media.media_key,
        "user": media.user_id,
        "app": media.client_id,
        "category": media.category,
        "bytes": media.total_bytes,
        "sha256": media.sha256,
        "alt_text": media.alt_text,
        "subtitles": media.subtitles,
    }


def _request(number: int, entry: RequestEntry) -> dict[str, Any]:
    return {
        "number": number,
        "at": entry.at.isoformat(),
        "app": entry.client_id,
        "user": entry.user_id,
        "operation": entry.operation,
        "status": entry.status,
        "usd": str(entry.usd),
    }
