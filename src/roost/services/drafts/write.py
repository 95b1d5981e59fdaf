"""Writes drafts from a brief and stores them."""

from collections.abc import Callable

from roost.agents.brief import Brief
from roost.agents.model import Model
from roost.agents.written import WrittenDraft
from roost.models import Scope
from roost.runtime import Runtime
from roost.services.drafts.records import DraftsWritten


async def write_drafts(
    runtime: Runtime,
    scope: Scope,
    brief: Brief,
    *,
    model: Model | None = None,
    on_draft: Callable[[WrittenDraft], None] | None = None,
) -> DraftsWritten:
    """Write up to the brief's `n` drafts for the brief's account, and store them.

    The drafts differ from the recent and the scheduled posts of all accounts of the tenant.
    `on_draft` gets each draft as soon as every validator accepts it, before the drafts are ranked
    and stored. The tokens and dollars of the month (`ROOST_MODEL_TOKENS_PER_MONTH`,
    `ROOST_MODEL_USD_PER_MONTH`) apply to the tenant's calls of all processes together; a call that
    would exceed them has the error `model_budget_exceeded` in `calls`, and the composer writes.
    Raises: BriefInvalid, AccountNotFound (the brief's account is not connected).
    """
    raise NotImplementedError
