"""The alert for a post that did not end as planned."""

from datetime import datetime
from typing import Final

from roost import store
from roost.models import AlertKind, Integration, Post, PostState
from roost.store.database import Transaction

#: By the state of a post that did not end as planned: the alert's kind, what happened to the
#: post, and what a person can do.
_WORDS: Final = {
    PostState.NEEDS_DECISION: (
        AlertKind.DECISION,
        "needs a decision",
        "`roost posts {0} --history` shows what is known; `roost decide {0} sent URL`, `send` or"
        " `drop` settles it.",
    ),
    PostState.MISSED: (
        AlertKind.MISSED,
        "was missed",
        "`roost decide {0} send` sends it now, `drop` takes it back.",
    ),
    PostState.PARTLY_PUBLISHED: (
        AlertKind.DECISION,
        "is on X only in part",
        "`roost decide {0} continue --text …` goes on, `delete` takes off X what is out, `leave`"
        " leaves it.",
    ),
    PostState.FAILED: (
        AlertKind.FAILED,
        "is not on X",
        "`roost edit {0} --text … --at +1m` tries again, `roost decide {0} leave` leaves it.",
    ),
}


#: The states of a post that a person is alerted of, and the kind of the alert.
STATE_ALERTS: Final = {state: words[0] for state, words in _WORDS.items()}


async def alert_outcome(
    transaction: Transaction,
    post: Post,
    account: Integration,
    state: PostState,
    why: str,
    *,
    at: datetime,
) -> None:
    """Open an alert for a post that did not end as planned; none for other states."""
    if state not in _WORDS:
        return
    kind, what, what_next = _WORDS[state]
    await store.alerts.open_alert(
        transaction, post.tenant_id, kind, store.alerts.about_post(post.id), at=at,
        message=f"Post {post.id} of @{account.username} {what}: {why}",
        next=what_next.format(post.id),
    )  # fmt: skip
