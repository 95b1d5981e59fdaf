"""Opens an alert if a post did not end as planned."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from roost import store
from roost.models import AlertKind, EventCode, Integration, Post, PostState, Reason, reason_detail
from roost.models.alerts import about_post
from roost.store.database import Transaction

#: The states in which the publishing of a post ends, each with the event that is recorded then.
FINAL_EVENTS: Final[Mapping[PostState, EventCode]] = {
    PostState.PUBLISHED: EventCode.POST_PUBLISHED,
    PostState.PARTLY_PUBLISHED: EventCode.POST_PARTLY_PUBLISHED,
    PostState.FAILED: EventCode.POST_FAILED,
    PostState.NEEDS_DECISION: EventCode.POST_NEEDS_DECISION,
    PostState.MISSED: EventCode.POST_MISSED,
    PostState.CANCELLED: EventCode.POST_CANCELLED,
}
#: The states of a post for which an alert is opened, each with the kind of the alert.
STATE_ALERTS: Final[Mapping[PostState, AlertKind]] = {
    PostState.NEEDS_DECISION: AlertKind.DECISION,
    PostState.MISSED: AlertKind.MISSED,
    PostState.PARTLY_PUBLISHED: AlertKind.DECISION,
    PostState.FAILED: AlertKind.FAILED,
}


async def alert_outcome(
    transaction: Transaction,
    post: Post,
    account: Integration,
    state: PostState,
    reason: Reason | None,
    *,
    at: datetime,
) -> None:
    """Open an alert if `state` means that the post did not end as planned."""
    if state not in STATE_ALERTS:
        return
    detail = {"username": account.username} | reason_detail(reason)
    if state is PostState.PARTLY_PUBLISHED:
        detail["is_partly_published"] = True
    await store.alerts.open_alert(
        transaction, post.tenant_id, STATE_ALERTS[state], about_post(post.id), at=at, detail=detail
    )
