"""What a user can decide about a post that did not end as planned. Pure."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from roost.models import Part, PartState, Post, PostState
from roost.prices import Operation, Price, price_of, sum_prices


class Choice(StrEnum):
    """What a user can decide about a post that did not end as planned."""

    FOUND = "found"
    """The part whose outcome is unknown is on X."""
    RESEND = "resend"
    """Send the part whose outcome is unknown, because it is not on X; or send the missed post."""
    DISCARD = "discard"
    """Give up the part whose outcome is unknown, or give up the missed post."""
    CONTINUE = "continue"
    """Continue a thread from the part that X refused."""
    DELETE = "delete"
    """Delete the published parts of a thread from X."""
    ACKNOWLEDGE = "acknowledge"
    """Leave the post as it is; it no longer needs attention."""


#: The usual choices for each state. `list_choices` returns other choices for some posts.
CHOICES: Final = {
    PostState.NEEDS_DECISION: (Choice.FOUND, Choice.RESEND, Choice.DISCARD),
    PostState.MISSED: (Choice.RESEND, Choice.DISCARD),
    PostState.PARTLY_PUBLISHED: (Choice.CONTINUE, Choice.DELETE, Choice.ACKNOWLEDGE),
    PostState.FAILED: (Choice.ACKNOWLEDGE,),
}
#: The states in which a post needs a user's attention.
_NEEDING_ATTENTION: Final = (
    PostState.NEEDS_DECISION, PostState.PARTLY_PUBLISHED, PostState.MISSED, PostState.FAILED,
)  # fmt: skip


def list_choices(post: Post) -> tuple[Choice, ...]:
    """List what a user can decide about this post now."""
    if post.state is PostState.NEEDS_DECISION:
        return CHOICES[post.state] if _is_unknown(post) else (Choice.ACKNOWLEDGE,)
    choices = CHOICES.get(post.state, ())
    if post.state is PostState.CANCELLED and list_deletable(post):
        choices = (Choice.DELETE, Choice.ACKNOWLEDGE)
    if post.acknowledged_at is not None:
        choices = tuple(choice for choice in choices if choice is not Choice.ACKNOWLEDGE)
    if post.possible_duplicate and Choice.ACKNOWLEDGE not in choices:
        choices = (*choices, Choice.ACKNOWLEDGE)
    return choices


def needs_attention(post: Post) -> bool:
    """Whether a post needs a user's attention and was not acknowledged."""
    if post.possible_duplicate:
        return True
    is_acknowledged = post.acknowledged_at is not None
    is_half_deleted = post.state is PostState.CANCELLED and bool(list_deletable(post))
    return not is_acknowledged and (post.state in _NEEDING_ATTENTION or is_half_deleted)


def _is_unknown(post: Post) -> bool:
    """Whether the outcome of the post's next part is unknown.

    If the outcome is known, a user must decide for another reason: for example, a part may be on X
    twice.
    """
    current = next((part for part in post.parts if part.state is not PartState.SENT), None)
    return current is not None and current.state is PartState.UNKNOWN


def list_deletable(post: Post) -> list[Part]:
    """List the published parts that have not been deleted from X by Roost."""
    return [part for part in post.parts if part.sent_as is not None and part.deleted_at is None]


def price_deletion(parts: Sequence[Part]) -> Price:
    """Return the price of deleting these parts from X."""
    return sum_prices([price_of(Operation.DELETE_POST) for _ in parts])
