"""Actions of people on X itself, without an app: post, like, repost, delete, revoke.

The dashboard and `POST /_emulator/actions` perform these actions. The actions cost nothing and do
not count towards rate limits. X has rules that apply only to apps (replies need a mention, quotes
and cashtags are restricted). These rules do not apply to the actions.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from x_emulator.rules import posts
from x_emulator.rules.request_bodies import CreateBody, ReplyBody
from x_emulator.state import DELETED_BY_USER, Post, Reactions, User, World


class ActionImpossible(Exception):
    """The action cannot be performed. The exception's message states the reason."""


class WritePost(Struct, tag="post", tag_field="action", forbid_unknown_fields=True):
    """An account writes a post or a reply."""

    username: str
    text: str
    reply_to: str | None = None


class Like(Struct, tag="like", tag_field="action", forbid_unknown_fields=True):
    """An account likes a post, or with `undo` removes its like."""

    username: str
    post: str
    undo: bool = False


class Repost(Struct, tag="repost", tag_field="action", forbid_unknown_fields=True):
    """An account reposts a post, or with `undo` removes its repost."""

    username: str
    post: str
    undo: bool = False


class DeletePost(Struct, tag="delete", tag_field="action", forbid_unknown_fields=True):
    """The author deletes a post with all its edited versions."""

    post: str


class RevokeApp(Struct, tag="revoke", tag_field="action", forbid_unknown_fields=True):
    """An account revokes an app's access. X does not notify the app."""

    username: str
    client_id: str


Action = WritePost | Like | Repost | DeletePost | RevokeApp


def perform(world: World, action: Action, at: datetime) -> Post | None:
    """Perform an action; return the post that the action created or changed, if any.

    Raises: ActionImpossible, Refusal (X refuses the text).
    """
    match action:
        case WritePost():
            return _write(world, _get_user(world, action.username), action, at)
        case Like():
            return _react(world, action, lambda reactions: reactions.likes, at)
        case Repost():
            return _react(world, action, lambda reactions: reactions.reposts, at)
        case DeletePost():
            post = _get_post(world, action.post)
            posts.erase(world, post, DELETED_BY_USER, at)
            return post
        case RevokeApp():
            _revoke(world, _get_user(world, action.username), action.client_id)
            return None


def _write(world: World, user: User, action: WritePost, at: datetime) -> Post:
    reply: ReplyBody | UnsetType = UNSET
    if action.reply_to is not None:
        reply = ReplyBody(_get_post(world, action.reply_to).id)
    return posts.create(world, user, None, CreateBody(text=action.text, reply=reply), at).post


def _react(
    world: World,
    action: Like | Repost,
    toggles: Callable[[Reactions], dict[str, list[datetime]]],
    at: datetime,
) -> Post:
    post, user = _get_post(world, action.post), _get_user(world, action.username)
    reactions = world.reactions.setdefault(post.id, Reactions())
    instants = toggles(reactions).setdefault(user.id, [])
    if len(instants) % 2 == action.undo:
        instants.append(at)
    return post


def _revoke(world: World, user: User, client_id: str) -> None:
    if client_id not in world.apps:
        raise ActionImpossible(f"There is no app {client_id}.")
    for grant in world.grants:
        if (grant.user_id, grant.client_id) == (user.id, client_id):
            grant.alive = False


def _get_user(world: World, username: str) -> User:
    user = world.find_user(username)
    if user is None:
        raise ActionImpossible(f"There is no user {username}.")
    return user


def _get_post(world: World, post_id: str) -> Post:
    post = world.find_post(post_id)
    if post is None:
        raise ActionImpossible(f"The post {post_id} does not exist or has been deleted.")
    return post
