"""Reads stored drafts."""

from roost import store
from roost.models import DraftId, DraftState, Scope
from roost.runtime import Runtime
from roost.services.drafts.errors import DraftNotFound
from roost.services.drafts.records import Draft, to_draft
from roost.store.database import Transaction


async def get_draft(
    runtime: Runtime, scope: Scope, draft_id: DraftId, *, revision: int | None = None
) -> Draft:
    """Return a draft with the given revision, or else its current one. Raises: DraftNotFound."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await read_draft(transaction, draft_id, revision)


async def list_drafts(
    runtime: Runtime, scope: Scope, *states: DraftState, limit: int | None = None
) -> list[Draft]:
    """Return the tenant's drafts with their current revisions, the newest first.

    If states are given, only drafts in these states are returned. `limit` is the maximum number.
    """
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        accounts = {one.id: one for one in await store.integrations.list_all(transaction)}
        rows = await store.drafts.list_all(transaction, states, limit=limit)
    return [to_draft(row, accounts[row.integration_id]) for row in rows]


async def count_drafts(runtime: Runtime, scope: Scope, *states: DraftState) -> int:
    """Return the number of the tenant's drafts in these states."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        return await store.drafts.count(transaction, states)


async def read_draft(
    transaction: Transaction, draft_id: DraftId, revision: int | None = None
) -> Draft:
    """Read a draft inside the caller's transaction. Raises: DraftNotFound."""
    row = await store.drafts.find(transaction, draft_id, revision)
    if row is None:
        raise DraftNotFound(f"There is no draft {draft_id}.")
    account = await store.integrations.get(transaction, row.integration_id)
    return to_draft(row, account)


async def lock_draft(transaction: Transaction, draft_id: DraftId) -> Draft:
    """Lock a draft until the transaction ends, and return it. Raises: DraftNotFound."""
    if not await store.drafts.lock(transaction, draft_id):
        raise DraftNotFound(f"There is no draft {draft_id}.")
    return await read_draft(transaction, draft_id)
