"""What really happened, told to tests: posts, bytes that arrived, requests and their price."""

from decimal import Decimal
from typing import Any

from x_emulator import anomalies, oauth
from x_emulator.state import Media, Post, RequestEntry, World


def tell(world: World, client_id: str | None) -> dict[str, Any]:
    """All there is to know, of one app where `client_id` is given."""
    posts = [p for p in world.posts.values() if client_id in (None, p.client_id)]
    media = [m for m in world.media.values() if client_id in (None, m.client_id)]
    requests = [r for r in world.requests if client_id in (None, r.client_id)]
    apps = [each for each in world.apps if client_id in (None, each)]
    return {
        "scenario": world.scenario.name,
        "seed": world.seed,
        "started_at": world.started_at.isoformat(),
        "now": world.now().isoformat(),
        "posts": [_post(each) for each in posts],
        "media": [
            _media(each) | {"state": each.state, "attached_to": each.attached_to} for each in media
        ],
        "requests": [_request(each) for each in requests],
        "apps": {each: _account_of(world, each) for each in apps},
        "anomalies": anomalies.tell(world),
        "tokens": oauth.token_counts(world, client_id, world.now()),
    }


def _post(post: Post) -> dict[str, Any]:
    return {
        "id": post.id,
        "user": post.user_id,
        "app": post.client_id,
        "text": post.text,
        "created_at": post.created_at.isoformat(),
        "reply_to": post.reply_to,
        "quote_of": post.quote_of,
        "history": post.history,
        "media": [_media(each) for each in post.media],
        "has_link": post.has_link,
        "deleted_at": post.deleted_at.isoformat() if post.deleted_at else None,
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


def _request(entry: RequestEntry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "app": entry.client_id,
        "user": entry.user_id,
        "operation": entry.operation,
        "status": entry.status,
        "usd": str(entry.usd),
    }


def _account_of(world: World, client_id: str) -> dict[str, Any]:
    posts = [post for post in world.posts.values() if post.client_id == client_id]
    requests = [entry for entry in world.requests if entry.client_id == client_id]
    return {
        "posts": len(posts),
        "media": sum(len(post.media) for post in posts),
        "requests": len(requests),
        "dollars": str(sum((entry.usd for entry in requests), Decimal(0))),
    }
