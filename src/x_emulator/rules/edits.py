"""Edits of posts. Each edit creates a new post, and all versions share one history.

X documents who may edit, for how long and how often. X does not document the messages of the
refusals.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET

from x_emulator.rules import refusals
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.state import Post, User, World, instant_of

MAX_EDITS = 5


def find_previous_version(world: World, user: User, body: CreateBody, at: datetime) -> Post | None:
    """Return the version that a create request replaces; None if the request is not an edit.

    Raises: Refusal if the post is another user's, is not the latest version, is too old, has been
    edited too often, or is not editable.
    """
    if body.edit_options is UNSET:
        return None
    previous = world.find_post(body.edit_options.previous_post_id)
    is_own = previous is not None and previous.user_id == user.id and user.is_premium
    extra = (body.poll, body.reply, body.quote_tweet_id)
    if previous is None or not is_own or any(each is not UNSET for each in extra):
        raise refusals.forbidden("You are not permitted to edit this Tweet.")
    is_latest = previous.history[-1] == previous.id
    is_over = _edits_left(previous) == 0 or at >= _editable_until(world, previous)
    if not is_latest or not previous.edit_eligible or is_over:
        raise refusals.forbidden("This Tweet can no longer be edited.")
    return previous


def is_eligible(user: User, body: CreateBody, parent: Post | None) -> bool:
    """Return whether a new post can be edited later.

    The author must be premium, the post must not have a poll, and it must not be a reply to another
    user.
    """
    is_own_thread = parent is None or parent.user_id == user.id
    return user.is_premium and is_own_thread and body.poll is UNSET


def edit_controls(world: World, post: Post) -> dict[str, Any]:
    """Return the field `edit_controls` of a post, which clients should check before an edit."""
    until = _editable_until(world, post)
    return {
        "edits_remaining": _edits_left(post),
        "is_edit_eligible": post.edit_eligible,
        "editable_until": until.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }


def _edits_left(post: Post) -> int:
    return MAX_EDITS + 1 - len(post.history)


def _editable_until(world: World, post: Post) -> datetime:
    return instant_of(post.history[0]) + timedelta(minutes=world.switches.edit_window_minutes)
