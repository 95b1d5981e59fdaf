"""Opens the alert of a post that did not end as planned."""

from datetime import datetime
from typing import Final

from roost import store
from roost.models import AlertKind, Integration, Post, PostState
from roost.store.database import Transaction

#: For each state of a post that did not end as planned: the kind of the alert, what happened to
#: the post, and what a user can do.
_ALERTS: Final = {
    PostState.NEEDS_DECISION: (
        AlertKind.DECISION,
        "needs a decision",
        "`roost posts {0} --history` shows what is known; `roost resolve {0} found URL`, `resend`"
        " or `discard` resolves it.",
    ),
    PostState.MISSED: (
        AlertKind.MISSED,
        "was missed",
        "`roost resolve {0} resend` sends it now, `discard` cancels it.",
    ),
    PostState.PARTLY_PUBLISHED: (
        AlertKind.DECISION,
        "is only partly on X",
        "`roost resolve {0} continue --text …` continues it, `delete` deletes its published parts"
        " from X, `acknowledge` leaves it as it is.",
    ),
    PostState.FAILED: (
        AlertKind.FAILED,
        "is not on X",
        "`roost edit {0} --text … --at +1m` tries again, `roost resolve {0} acknowledge` leaves"
        " the post as it is.",
    ),
}

#: The kind of the alert for each state of a post that opens one.
STATE_ALERTS: Final = {state: kind for state, (kind, _, _) in _ALERTS.items()}


async def alert_outcome(
    transaction: Transaction,
    post: Post,
    account: Integration,
    state: PostState,
    reason: str,
    *,
    at: datetime,
) -> None:
    """Open an alert if `state` means that the post did not end as planned."""
    if state not in _ALERTS:
        return
    kind, event, next_action = _ALERTS[state]
    await store.alerts.open_alert(
        transaction, post.tenant_id, kind, store.alerts.about_post(post.id), at=at,
        message=f"Post {post.id} of @{account.username} {event}: {reason}",
        next=next_action.format(post.id),
    )  # fmt: skip
