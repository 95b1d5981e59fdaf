"""Approves a draft: schedules exactly what was read."""

from datetime import datetime

from roost.models import DraftId, Post, Scope
from roost.runtime import Runtime
from roost.services.schedule import OnFindings


async def approve_draft(
    runtime: Runtime,
    scope: Scope,
    draft_id: DraftId,
    *,
    at: datetime,
    approval_hash: str,
    by_person: bool,
    on_findings: OnFindings | None = None,
) -> Post:
    """Schedule the draft's current revision at a time, and return the post.

    `approval_hash` is the `Draft.approval_hash(at)` of the draft that was read. `by_person` says
    whether a person at a terminal or a page has read the draft and approves it. A second approval
    with the same hash returns the post of the first one. If that post was cancelled, the draft is
    scheduled again.
    Raises: DraftNotFound; DraftChanged (the hash differs); DraftNotEditable (discarded, or
    scheduled for another time); PersonNeeded; and the errors of `schedule_post`. If an error is
    raised, nothing is scheduled.
    """
    raise NotImplementedError
