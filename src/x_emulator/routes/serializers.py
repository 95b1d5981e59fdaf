"""State to wire: posts, users and media as X's JSON, in the dialect that the request speaks.

X's names are in flux: `tweet.fields` and `post.fields`, `retweet_count` and `repost_count`. An
answer is spelled as the question was, unless a switch forces the newer names.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from x_emulator.routes.field_names import (
    EXPANSIONS,
    MEDIA_FIELDS,
    PLACE_FIELDS,
    POLL_FIELDS,
    POST_FIELDS,
    USER_FIELDS,
)
from x_emulator.rules import edits, escaping, metrics, polls, refusals
from x_emulator.rules.posts import may_see_private
from x_emulator.state import Media, Post, User, World

#: Newer name of each field that has two.
_NEWER = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "most_recent_tweet_id": "most_recent_post_id",
}
_OLDER = {newer: older for older, newer in _NEWER.items()}

_PRIVATE = {
    "non_public_metrics": metrics.non_public_metrics,
    "organic_metrics": metrics.organic_metrics,
}
#: A long post's `text` is cut here; the whole stands in `note_tweet`.
_CUT_AT = 276


@dataclass(frozen=True)
class Wanted:
    """Which fields a request asks for, in the older names, and how to spell them."""

    post: frozenset[str]
    user: frozenset[str]
    media: frozenset[str]
    poll: frozenset[str]
    expansions: frozenset[str]
    newer: bool

    def spell(self, tree: Any) -> Any:
        """The same JSON with the newer names, where they are asked for."""
        if not self.newer:
            return tree
        if isinstance(tree, dict):
            return {_NEWER.get(key, key): self.spell(value) for key, value in tree.items()}
        return [self.spell(each) for each in tree] if isinstance(tree, list) else tree


def read_wanted(world: World, query: dict[str, str]) -> Wanted:
    """Read `….fields` and `expansions` from a query.

    Raises: Refusal (a name that X does not know).
    """
    _names(world, query, "place.fields", PLACE_FIELDS)  # there are no places; names are checked
    newer = "post.fields" in query or world.switches.spelling == "post"
    return Wanted(
        post=_names(world, query, "tweet.fields", POST_FIELDS)
        | _names(world, query, "post.fields", POST_FIELDS),
        user=_names(world, query, "user.fields", USER_FIELDS),
        media=_names(world, query, "media.fields", MEDIA_FIELDS),
        poll=_names(world, query, "poll.fields", POLL_FIELDS),
        expansions=_names(world, query, "expansions", EXPANSIONS),
        newer=newer,
    )


def _names(
    world: World, query: dict[str, str], parameter: str, known: frozenset[str]
) -> frozenset[str]:
    if parameter not in query:
        return frozenset()
    asked = query[parameter].split(",")
    names = [_OLDER.get(each, each).replace("pinned_post_id", "pinned_tweet_id") for each in asked]
    names = [each.replace("referenced_posts", "referenced_tweets") for each in names]
    for given, name in zip(asked, names, strict=True):
        if name not in known:
            message = f"The `{parameter}` query parameter value [{given}] is not one of"
            message += f" [{','.join(sorted(known))}]"
            raise refusals.invalid(world.switches, parameter, given, message)
    if len(set(asked)) < len(asked):
        given = query[parameter]
        message = f"The `{parameter}` query parameter value [{given}] names something twice"
        raise refusals.invalid(world.switches, parameter, given, message)
    return frozenset(names)


def post_object(world: World, post: Post, wanted: Wanted, at: datetime) -> dict[str, Any]:
    """A post with the fields that are asked for, in the older names."""
    shown, entities, note = _text_of(post)
    whole: dict[str, Any] = {
        "id": post.id,
        "text": shown,
        "edit_history_tweet_ids": post.history,
    }
    more = wanted.post | (wanted.expansions & {"author_id", "in_reply_to_user_id"})
    if "attachments.media_keys" in wanted.expansions or "attachments.poll_ids" in wanted.expansions:
        more |= {"attachments"}
    extra: dict[str, Any] = {
        "author_id": post.user_id,
        "conversation_id": post.conversation_id,
        "created_at": iso(post.created_at),
        "entities": entities or None,
        "attachments": _attachments(post),
        "referenced_tweets": _references(post),
        "in_reply_to_user_id": post.reply_to_user,
        "reply_settings": post.reply_settings,
        "lang": "und",
        "possibly_sensitive": False,
        "source": world.apps[post.client_id].name if post.client_id in world.apps else "X",
        "note_tweet": note,
        "edit_controls": edits.controls(world, post),
        "display_text_range": [0, len(shown)],
    }
    whole |= {name: value for name, value in extra.items() if name in more and value is not None}
    if more & {"public_metrics", *_PRIVATE}:
        counts = metrics.counts_of(world, post, at)
        if "public_metrics" in more:
            whole["public_metrics"] = metrics.public_metrics(counts)
        whole |= {name: view(counts) for name, view in _PRIVATE.items() if name in more}
    return whole


def split_by_right(
    world: World, posts: Iterable[Post], wanted: Wanted, reader: str, parameter: str, at: datetime
) -> tuple[list[Post], list[dict[str, Any]]]:
    """Posts whose asked fields the reader may see; the rest is dropped, an error for each field."""
    fields = [
        f"{group}.{name}"
        for group, view in sorted(_PRIVATE.items())
        if group in wanted.post
        for name in view(dict.fromkeys(metrics.NAMES, 0))
    ]
    shown: list[Post] = []
    errors: list[dict[str, Any]] = []
    for post in posts:
        if not fields or may_see_private(post, reader, at):
            shown.append(post)
        else:
            errors += [
                refusals.field_denied(world.switches, field, post.id, parameter) for field in fields
            ]
    return shown, errors


def user_object(world: World, user: User, wanted: Wanted, at: datetime) -> dict[str, Any]:
    """A user with the fields that are asked for, in the older names."""
    live = sum(1 for _ in world.live_posts(user.id)) if "public_metrics" in wanted.user else 0
    more: dict[str, Any] = {
        "created_at": iso(user.created_at),
        "description": user.description,
        "protected": False,
        "verified": user.verified,
        "verified_type": "blue" if user.verified else "none",
        "subscription_type": user.subscription_type,
        "profile_image_url": "https://pbs.twimg.com/profile_images/0/default_normal.png",
        "url": "",
        "parody": False,
    }
    if "public_metrics" in wanted.user:
        more["public_metrics"] = {
            "followers_count": metrics.followers_of(world, user, at),
            "following_count": metrics.following_of(user, at),
            "tweet_count": user.posts_before + live,
            "listed_count": user.followers // 400,
            "like_count": user.posts_before // 2,
            "media_count": sum(len(post.media) for post in world.live_posts(user.id)),
        }
    whole = {"id": user.id, "name": user.name, "username": user.username}
    return whole | {
        name: value for name, value in more.items() if name in wanted.user and value is not None
    }


def includes(world: World, posts: list[Post], wanted: Wanted, at: datetime) -> dict[str, Any]:
    """What the expansions add beside the posts."""
    found: dict[str, Any] = {}
    if "attachments.media_keys" in wanted.expansions:
        media = [(each, post) for post in posts for each in post.media]
        found["media"] = [_media_object(world, each, post, wanted, at) for each, post in media]
    if "author_id" in wanted.expansions:
        authors = dict.fromkeys(post.user_id for post in posts)
        found["users"] = [user_object(world, world.users[each], wanted, at) for each in authors]
    ids: dict[str, None] = {}
    if wanted.expansions & {"referenced_tweets", "referenced_tweets.id"}:
        ids |= dict.fromkeys(each for p in posts for each in (p.reply_to, p.quote_of) if each)
    if "edit_history_tweet_ids" in wanted.expansions:
        ids |= dict.fromkeys(each for p in posts for each in p.history)
    if ids:
        parents = [post for post in map(world.find_post, ids) if post is not None]
        public = Wanted(
            wanted.post - _PRIVATE.keys(),
            wanted.user,
            wanted.media,
            frozenset(),
            frozenset(),
            wanted.newer,
        )
        key = "posts" if wanted.newer else "tweets"
        found[key] = [post_object(world, each, public, at) for each in parents]
    if "attachments.poll_ids" in wanted.expansions:
        found["polls"] = [
            polls.poll_object(world, post, wanted.poll, at) for post in posts if post.poll
        ]
    return {name: each for name, each in found.items() if each}


def upload_object(world: World, media: Media, at: datetime) -> dict[str, Any]:
    """An upload as finalize and STATUS show it."""
    left = max(0, int((media.expires_at - at).total_seconds()))
    whole: dict[str, Any] = {
        "id": media.id,
        "media_key": media.media_key,
        "size": media.total_bytes,
        "expires_after_secs": left,
    }
    if media.category.endswith("image"):
        kind = {"image_type": media.media_type, "w": media.width, "h": media.height}
        return whole | {"image": kind}
    info: dict[str, Any] = {"state": media.state}
    if media.state in ("pending", "in_progress"):
        info["check_after_secs"] = 1
    if media.state == "in_progress":
        asked = world.switches.processing_polls + 1
        info["progress_percent"] = min(99, 100 * media.polls // asked)
    if media.state == "succeeded":
        info["progress_percent"] = 100
    if media.state == "failed" and world.switches.errors == "nested":
        info["error"] = {"code": 1, "name": "InvalidMedia", "message": media.verdict}
    if media.category.endswith("video"):
        whole["video"] = {"video_type": media.media_type}
    return whole if media.is_synchronous else whole | {"processing_info": info}


def iso(at: datetime) -> str:
    """An instant as X writes it: UTC, milliseconds, `Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _text_of(post: Post) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
    """`text`, its entities and the note: a long post is cut, and its note holds the whole."""
    if not post.is_long:
        return post.shown, post.entities, None
    cut = escaping.cut(post.shown, _CUT_AT)
    for url in post.entities.get("urls", []):
        if url["start"] < cut < url["end"]:
            cut = url["start"]
    kept = {
        name: [each for each in found if each["end"] <= cut]
        for name, found in post.entities.items()
    }
    note: dict[str, Any] = {"text": post.shown, "entities": post.entities}
    return post.shown[:cut] + "…", {name: each for name, each in kept.items() if each}, note


def _attachments(post: Post) -> dict[str, Any] | None:
    if post.media:
        return {"media_keys": [each.media_key for each in post.media]}
    return {"poll_ids": [post.poll["id"]]} if post.poll else None


def _references(post: Post) -> list[dict[str, str]] | None:
    found = [("quoted", post.quote_of), ("replied_to", post.reply_to)]
    return [{"type": kind, "id": each} for kind, each in found if each] or None


def _media_object(
    world: World, media: Media, post: Post, wanted: Wanted, at: datetime
) -> dict[str, Any]:
    moving = media.category != "tweet_image"
    kind = {"tweet_image": "photo", "tweet_gif": "animated_gif"}.get(media.category, "video")
    address = f"https://pbs.twimg.com/media/{media.id}"
    more: dict[str, Any] = {
        "url": None if moving else f"{address}.jpg",
        "preview_image_url": f"{address}/preview.jpg" if moving else None,
        "width": media.width,
        "height": media.height,
        "duration_ms": media.duration_ms if kind == "video" else None,
        "alt_text": media.alt_text,
    }
    if kind == "video" and "public_metrics" in wanted.media:
        watched = metrics.media_counts_of(world, post, media.duration_ms, at)
        more["public_metrics"] = {"view_count": watched["video_views"]}
    return {"media_key": media.media_key, "type": kind} | {
        name: value for name, value in more.items() if name in wanted.media and value is not None
    }
