"""What a person does on X by hand, in nobody's app: posts, reactions, a deletion, a revocation.

The page at `/` and the door `/_emulator/plays` do these. None costs anything or counts against a
limit, and the rules that X has for apps alone (summons, quotes, cashtags) do not hold here.
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import UNSET, Struct

from x_emulator.rules import posts
from x_emulator.rules.request_bodies import CreateBody, ReplyBody
from x_emulator.state import BY_HAND, Post, Reactions, User, World


class Impossible(Exception):
    """A person cannot do this; the message says why."""


class Write(Struct, tag="post", tag_field="play", forbid_unknown_fields=True):
    """An account posts something, or answers a post."""

    username: str
    text: str
    reply_to: str | None = None


class Like(Struct, tag="like", tag_field="play", forbid_unknown_fields=True):
    """An account likes a post; `undo` takes it back."""

    username: str
    post: str
    undo: bool = False


class Repost(Struct, tag="repost", tag_field="play", forbid_unknown_fields=True):
    """An account reposts a post; `undo` takes it back."""

    username: str
    post: str
    undo: bool = False


class Delete(Struct, tag="delete", tag_field="play", forbid_unknown_fields=True):
    """The author of a post deletes it, in all its versions."""

    post: str


class Revoke(Struct, tag="revoke", tag_field="play", forbid_unknown_fields=True):
    """An account withdraws what it granted to an app; X tells the app nothing."""

    username: str
    client_id: str


Play = Write | Like | Repost | Delete | Revoke


def perform(world: World, play: Play, at: datetime) -> Post | None:
    """Do it; the post that it made or touched, if any.

    Raises: Impossible, Refusal (a text that X does not take).
    """
    match play:
        case Write():
            return _write(world, _user(world, play.username), play, at)
        case Like():
            return _react(world, play, lambda found: found.likes, at)
        case Repost():
            return _react(world, play, lambda found: found.reposts, at)
        case Delete():
            post = _post(world, play.post)
            posts.erase(world, post, BY_HAND, at)
            return post
        case Revoke():
            _revoke(world, _user(world, play.username), play.client_id)
            return None


def _write(world: World, user: User, play: Write, at: datetime) -> Post:
    reply = UNSET if play.reply_to is None else ReplyBody(_post(world, play.reply_to).id)
    return posts.create(world, user, None, CreateBody(text=play.text, reply=reply), at).post


def _react(
    world: World,
    play: Like | Repost,
    kind: Callable[[Reactions], dict[str, list[datetime]]],
    at: datetime,
) -> Post:
    post, user = _post(world, play.post), _user(world, play.username)
    turns = kind(world.reactions.setdefault(post.id, Reactions())).setdefault(user.id, [])
    if len(turns) % 2 == play.undo:
        turns.append(at)
    return post


def _revoke(world: World, user: User, client_id: str) -> None:
    if client_id not in world.apps:
        raise Impossible("There is no such app.")
    for grant in world.grants:
        if (grant.user_id, grant.client_id) == (user.id, client_id):
            grant.alive = False


def _user(world: World, username: str) -> User:
    user = world.find_user(username)
    if user is None:
        raise Impossible("There is no such user.")
    return user


def _post(world: World, post_id: str) -> Post:
    post = world.find_post(post_id)
    if post is None:
        raise Impossible("There is no such post, or it has been deleted.")
    return post
