"""Posts, users and media as X's JSON, with the field names that the request uses.

X is renaming fields: `tweet.fields` becomes `post.fields`, and `retweet_count` becomes
`repost_count`. A response uses the old or new names like its request, unless the switch
`field_names` forces the new names.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from x_emulator.rules import edits, escaping, metrics, polls, refusals
from x_emulator.rules.posts import may_see_private
from x_emulator.state import Media, Post, User, World

# The values that `….fields` and `expansions` accept, with the old field names.
_POST = """
article article_title attachments author_id card_uri community_id context_annotations
conversation_id created_at display_text_range edit_controls edit_history_tweet_ids entities geo id
in_reply_to_user_id lang matched_media_notes media_metadata non_public_metrics note_tweet
note_request_suggestions organic_metrics paid_partnership possibly_sensitive promoted_metrics
public_metrics referenced_tweets reply_settings scopes source suggested_source_links
suggested_source_links_with_counts text withheld
"""
_USER = """
affiliation confirmed_email connection_status created_at description entities id
is_identity_verified location most_recent_tweet_id name parody pinned_tweet_id profile_banner_url
profile_image_url protected public_metrics receives_your_dm subscribes_to_you subscription
subscription_type url username verified verified_followers_count verified_type withheld
"""
_MEDIA = """
alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url
promoted_metrics public_metrics type url variants width
"""
_PLACE = "contained_within country country_code full_name geo id name place_type"
_POLL = "duration_minutes end_datetime id options voting_status"
_EXPANSIONS = """
article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet
attachments.poll_ids author_id edit_history_tweet_ids entities.mentions.username geo.place_id
in_reply_to_user_id referenced_tweets referenced_tweets.id referenced_tweets.id.author_id username
most_recent_tweet_id pinned_tweet_id affiliation
"""

POST_FIELDS = frozenset(_POST.split())
USER_FIELDS = frozenset(_USER.split())
MEDIA_FIELDS = frozenset(_MEDIA.split())
PLACE_FIELDS = frozenset(_PLACE.split())
POLL_FIELDS = frozenset(_POLL.split())
EXPANSIONS = frozenset(_EXPANSIONS.split())

#: Maps each old field name to the new field name.
_NEW_NAMES = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "most_recent_tweet_id": "most_recent_post_id",
}
_OLD_NAMES = {new: old for old, new in _NEW_NAMES.items()}

_PRIVATE = {
    "non_public_metrics": metrics.non_public_metrics,
    "organic_metrics": metrics.organic_metrics,
}
#: The length to which `text` of a long post is cut. `note_tweet` has the whole text.
_CUT_AT = 276


@dataclass(frozen=True)
class FieldSelection:
    """The fields that a request selects, by their old names, such as `retweet_count`."""

    post: frozenset[str]
    user: frozenset[str]
    media: frozenset[str]
    poll: frozenset[str]
    expansions: frozenset[str]
    uses_new_names: bool

    def rename_fields(self, tree: Any) -> Any:
        """Return a JSON value, with the new field names if the request uses them.

        Otherwise, the value is returned unchanged.
        """
        if not self.uses_new_names:
            return tree
        if isinstance(tree, dict):
            return {
                _NEW_NAMES.get(key, key): self.rename_fields(value) for key, value in tree.items()
            }
        return [self.rename_fields(each) for each in tree] if isinstance(tree, list) else tree


def read_field_selection(world: World, query: dict[str, str]) -> FieldSelection:
    """Read the selected fields from a query's `….fields` and `expansions`.

    Raises: Refusal if a field or an expansion is unknown.
    """
    # No post has a place, so these fields are validated but not used.
    _names(world, query, "place.fields", PLACE_FIELDS)
    return FieldSelection(
        post=_names(world, query, "tweet.fields", POST_FIELDS)
        | _names(world, query, "post.fields", POST_FIELDS),
        user=_names(world, query, "user.fields", USER_FIELDS),
        media=_names(world, query, "media.fields", MEDIA_FIELDS),
        poll=_names(world, query, "poll.fields", POLL_FIELDS),
        expansions=_names(world, query, "expansions", EXPANSIONS),
        uses_new_names="post.fields" in query or world.switches.field_names == "post",
    )


def _names(
    world: World, query: dict[str, str], parameter: str, known: frozenset[str]
) -> frozenset[str]:
    if parameter not in query:
        return frozenset()
    values = query[parameter].split(",")
    names = [_OLD_NAMES.get(v, v).replace("pinned_post_id", "pinned_tweet_id") for v in values]
    names = [each.replace("referenced_posts", "referenced_tweets") for each in names]
    for value, name in zip(values, names, strict=True):
        if name not in known:
            message = f"The `{parameter}` query parameter value [{value}] is not one of"
            message += f" [{','.join(sorted(known))}]"
            raise refusals.invalid_request(world.switches, parameter, value, message)
    if len(set(values)) < len(values):
        value = query[parameter]
        message = f"The `{parameter}` query parameter value [{value}] contains a value twice"
        raise refusals.invalid_request(world.switches, parameter, value, message)
    return frozenset(names)


def post_object(
    world: World, post: Post, selection: FieldSelection, at: datetime
) -> dict[str, Any]:
    """Return a post as JSON: the selected fields, by their old names, such as `retweet_count`."""
    text, entities, note = _text_of(post)
    result: dict[str, Any] = {
        "id": post.id,
        "text": text,
        "edit_history_tweet_ids": post.history,
    }
    selected = selection.post | (selection.expansions & {"author_id", "in_reply_to_user_id"})
    if (
        "attachments.media_keys" in selection.expansions
        or "attachments.poll_ids" in selection.expansions
    ):
        selected |= {"attachments"}
    optional: dict[str, Any] = {
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
        "edit_controls": edits.edit_controls(world, post),
        "display_text_range": [0, len(text)],
    }
    result |= {
        name: value for name, value in optional.items() if name in selected and value is not None
    }
    if selected & {"public_metrics", *_PRIVATE}:
        counts = metrics.post_counts(world, post, at)
        if "public_metrics" in selected:
            result["public_metrics"] = metrics.public_metrics(counts)
        result |= {name: view(counts) for name, view in _PRIVATE.items() if name in selected}
    return result


def split_by_permission(
    world: World,
    posts: Iterable[Post],
    selection: FieldSelection,
    reader: str,
    parameter: str,
    at: datetime,
) -> tuple[list[Post], list[dict[str, Any]]]:
    """Return the posts that the reader may see, and errors for the other posts.

    A reader may see a post if they may see all its selected fields. For any other post, the errors
    have one entry for each selected field that is private.
    """
    fields = [
        f"{group}.{name}"
        for group, view in sorted(_PRIVATE.items())
        if group in selection.post
        for name in view(dict.fromkeys(metrics.NAMES, 0))
    ]
    visible: list[Post] = []
    errors: list[dict[str, Any]] = []
    for post in posts:
        if not fields or may_see_private(post, reader, at):
            visible.append(post)
        else:
            errors += [
                refusals.field_denied(world.switches, field, post.id, parameter) for field in fields
            ]
    return visible, errors


def user_object(
    world: World, user: User, selection: FieldSelection, at: datetime
) -> dict[str, Any]:
    """Return a user as JSON: the selected fields, with their old names."""
    live = sum(1 for _ in world.live_posts(user.id)) if "public_metrics" in selection.user else 0
    optional: dict[str, Any] = {
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
    if "public_metrics" in selection.user:
        optional["public_metrics"] = {
            "followers_count": metrics.follower_count(world, user, at),
            "following_count": metrics.following_count(user, at),
            "tweet_count": user.posts_before + live,
            "listed_count": user.followers // 400,
            "like_count": user.posts_before // 2,
            "media_count": sum(len(post.media) for post in world.live_posts(user.id)),
        }
    result = {"id": user.id, "name": user.name, "username": user.username}
    return result | {
        name: value
        for name, value in optional.items()
        if name in selection.user and value is not None
    }


def includes(
    world: World, posts: list[Post], selection: FieldSelection, at: datetime
) -> dict[str, Any]:
    """Return `includes`: the users, media, posts and polls that the expansions select."""
    included: dict[str, Any] = {}
    if "attachments.media_keys" in selection.expansions:
        media = [(each, post) for post in posts for each in post.media]
        included["media"] = [
            _media_object(world, each, post, selection, at) for each, post in media
        ]
    if "author_id" in selection.expansions:
        authors = dict.fromkeys(post.user_id for post in posts)
        included["users"] = [
            user_object(world, world.users[each], selection, at) for each in authors
        ]
    ids: dict[str, None] = {}
    if selection.expansions & {"referenced_tweets", "referenced_tweets.id"}:
        ids |= dict.fromkeys(each for p in posts for each in (p.reply_to, p.quote_of) if each)
    if "edit_history_tweet_ids" in selection.expansions:
        ids |= dict.fromkeys(each for p in posts for each in p.history)
    if ids:
        parents = [post for post in map(world.find_post, ids) if post is not None]
        public = FieldSelection(
            selection.post - _PRIVATE.keys(),
            selection.user,
            selection.media,
            frozenset(),
            frozenset(),
            selection.uses_new_names,
        )
        key = "posts" if selection.uses_new_names else "tweets"
        included[key] = [post_object(world, each, public, at) for each in parents]
    if "attachments.poll_ids" in selection.expansions:
        included["polls"] = [
            polls.poll_object(world, post, selection.poll, at) for post in posts if post.poll
        ]
    return {name: each for name, each in included.items() if each}


def upload_object(world: World, media: Media, at: datetime) -> dict[str, Any]:
    """Return an upload as JSON, as in the responses to finalize and STATUS."""
    expires_in = max(0, int((media.expires_at - at).total_seconds()))
    result: dict[str, Any] = {
        "id": media.id,
        "media_key": media.media_key,
        "size": media.total_bytes,
        "expires_after_secs": expires_in,
    }
    if media.category.endswith("image"):
        image = {"image_type": media.media_type, "w": media.width, "h": media.height}
        return result | {"image": image}
    info: dict[str, Any] = {"state": media.state}
    if media.state in ("pending", "in_progress"):
        info["check_after_secs"] = 1
    if media.state == "in_progress":
        total_polls = world.switches.processing_polls + 1
        info["progress_percent"] = min(99, 100 * media.polls // total_polls)
    if media.state == "succeeded":
        info["progress_percent"] = 100
    if media.state == "failed" and world.switches.error_format == "nested":
        info["error"] = {"code": 1, "name": "InvalidMedia", "message": media.verdict}
    if media.category.endswith("video"):
        result["video"] = {"video_type": media.media_type}
    return result if media.is_synchronous else result | {"processing_info": info}


def iso(at: datetime) -> str:
    """Format an instant as X does: in UTC, with milliseconds and `Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _text_of(post: Post) -> tuple[str, dict[str, Any], dict[str, Any] | None]:
    """Return the fields `text`, `entities` and `note_tweet` of a post.

    For a long post, `text` is cut, and `note_tweet` has the whole text.
    """
    if not post.is_long:
        return post.returned_text, post.entities, None
    cut = escaping.cut(post.returned_text, _CUT_AT)
    for url in post.entities.get("urls", []):
        if url["start"] < cut < url["end"]:
            cut = url["start"]
    kept = {
        name: [each for each in entities if each["end"] <= cut]
        for name, entities in post.entities.items()
    }
    note: dict[str, Any] = {"text": post.returned_text, "entities": post.entities}
    return post.returned_text[:cut] + "…", {name: each for name, each in kept.items() if each}, note


def _attachments(post: Post) -> dict[str, Any] | None:
    if post.media:
        return {"media_keys": [each.media_key for each in post.media]}
    return {"poll_ids": [post.poll["id"]]} if post.poll else None


def _references(post: Post) -> list[dict[str, str]] | None:
    references = [("quoted", post.quote_of), ("replied_to", post.reply_to)]
    return [{"type": kind, "id": each} for kind, each in references if each] or None


def _media_object(
    world: World, media: Media, post: Post, selection: FieldSelection, at: datetime
) -> dict[str, Any]:
    is_moving = media.category != "tweet_image"
    kind = {"tweet_image": "photo", "tweet_gif": "animated_gif"}.get(media.category, "video")
    url = f"https://pbs.twimg.com/media/{media.id}"
    optional: dict[str, Any] = {
        "url": None if is_moving else f"{url}.jpg",
        "preview_image_url": f"{url}/preview.jpg" if is_moving else None,
        "width": media.width,
        "height": media.height,
        "duration_ms": media.duration_ms if kind == "video" else None,
        "alt_text": media.alt_text,
    }
    if kind == "video" and "public_metrics" in selection.media:
        counts = metrics.media_counts(world, post, media.duration_ms, at)
        optional["public_metrics"] = {"view_count": counts["video_views"]}
    return {"media_key": media.media_key, "type": kind} | {
        name: value
        for name, value in optional.items()
        if name in selection.media and value is not None
    }
