"""Describes what one post costs, and what keeps it from being published."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from roost.cli.next_actions import describe_action
from roost.cli.output import describe_price
from roost.models import IntegrationStatus, PartState, PostState
from roost.next_actions import ActionCode, NextAction
from roost.prices import sum_prices
from roost.publishing.decisions import list_choices
from roost.services.queries import PostDetails, PostStatus

#: For each state in which a person can decide about a post: the next action, which explains
#: the choices.
_DECISIONS: Final = {
    PostState.NEEDS_DECISION: ActionCode.DECIDE_UNKNOWN,
    PostState.PARTLY_PUBLISHED: ActionCode.DECIDE_PARTLY_PUBLISHED,
    PostState.MISSED: ActionCode.DECIDE_MISSED,
    PostState.FAILED: ActionCode.DECIDE_FAILED,
}
#: The states of a post that is published without a person's decision.
_UNFINISHED: Final = (PostState.SCHEDULED, PostState.PUBLISHING)
#: The states of a post whose files may still be uploaded.
_UNPUBLISHED: Final = (PostState.DRAFT, *_UNFINISHED, *_DECISIONS)


def describe_missing_files(status: PostStatus, names: Sequence[str]) -> str:
    """Return a warning that Roost's copies of an unpublished post's files are missing.

    `names` are the names of the missing files. The text is empty if there is nothing to warn of.
    """
    if not names or status.post.state not in _UNPUBLISHED:
        return ""
    what = f"copy of {names[0]} is" if len(names) == 1 else f"copies of {', '.join(names)} are"
    action = NextAction(ActionCode.RESTORE_MEDIA)
    return f"! Roost's {what} missing. {describe_action(action)}"


def describe_obstacle(status: PostStatus, now: datetime, *, worker_alive: bool) -> str:
    """Return sentences that say what a post waits for, or an empty text.

    The text is empty, too, if a pause or the post's `wait` is the only obstacle, because
    `describe_post` describes these.
    """
    post, account = status.post, status.account
    if post.state is PostState.DRAFT:
        return f"It waits for a time: `roost edit {post.id} --at TIME` schedules it."
    if post.state in _DECISIONS and list_choices(post):
        action = NextAction(_DECISIONS[post.state], {"post_id": post.id})
        return f"It waits for a person's decision. {describe_action(action)}"
    if post.state not in _UNFINISHED:
        return ""
    if account.status is not IntegrationStatus.CONNECTED:
        action = NextAction(ActionCode.RECONNECT_ACCOUNT)
        return f"It waits until @{account.username} is connected again. {describe_action(action)}"
    if not worker_alive:
        return "No worker is alive: start `roost worker` to publish the post."
    if status.paused_by or status.wait is not None:
        return ""
    is_ahead = post.due_at is not None and post.due_at > now
    return "It waits for its time." if is_ahead else "A worker is publishing it."


def describe_cost(details: PostDetails) -> str:
    """Say what X has charged for the published parts, and what it charges for the others."""
    parts = tuple(zip(details.status.post.parts, details.prices, strict=True))
    sent = [price for part, price in parts if part.state is PartState.SENT]
    left = [price for part, price in parts if part.state is not PartState.SENT]
    sentences = []
    if sent:
        sentences.append(f"X charged {describe_price(sum_prices(sent))}.")
    if left and details.status.post.state is not PostState.CANCELLED:
        others = " for the other parts" if sent else ""
        sentences.append(f"X charges {describe_price(sum_prices(left))}{others}.")
    return " ".join(sentences)
