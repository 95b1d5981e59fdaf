"""Edits: each makes a new post, and all versions of one post share a history.

Who may edit, for how long and how often is documented; the words of the refusals are not.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET

from x_emulator.rules import refusals
from x_emulator.rules.request_bodies import CreateBody
from x_emulator.state import Post, User, World, instant_of

MOST_EDITS = 5


def find_former(world: World, user: User, body: CreateBody, at: datetime) -> Post | None:
    """The version that a create request means to replace; None: it is no edit.

    Raises: Refusal (not the user's, not the latest version, too late, too often, not editable).
    """
    if body.edit_options is UNSET:
        return None
    former = world.find_post(body.edit_options.previous_post_id)
    mine = former is not None and former.user_id == user.id and user.is_premium
    extra = (body.poll, body.reply, body.quote_tweet_id)
    if former is None or not mine or any(each is not UNSET for each in extra):
        raise refusals.forbidden("You are not permitted to edit this Tweet.")
    latest = former.history[-1] == former.id
    if not latest or not former.edit_eligible or _left(former) == 0 or at >= _until(world, former):
        raise refusals.forbidden("This Tweet can no longer be edited.")
    return former


def is_eligible(user: User, body: CreateBody, parent: Post | None) -> bool:
    """Whether a new post is of a kind that may be edited."""
    own_thread = parent is None or parent.user_id == user.id
    return user.is_premium and own_thread and body.poll is UNSET


def controls(world: World, post: Post) -> dict[str, Any]:
    """What clients are told to look at before they edit."""
    until = _until(world, post)
    return {
        "edits_remaining": _left(post),
        "is_edit_eligible": post.edit_eligible,
        "editable_until": until.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }


def _left(post: Post) -> int:
    return MOST_EDITS + 1 - len(post.history)


def _until(world: World, post: Post) -> datetime:
    return instant_of(post.history[0]) + timedelta(minutes=world.switches.edit_minutes)
