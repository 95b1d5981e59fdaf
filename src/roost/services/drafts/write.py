"""Writes drafts from a brief and stores them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from roost import store
from roost.agents import writer
from roost.agents.brief import Brief
from roost.agents.model import Model
from roost.agents.written import WrittenDraft
from roost.errors import AccountNotFound, BriefInvalid
from roost.model_budget import TenantBudget
from roost.models import Environment, Integration, PostId, Scope
from roost.runtime import Runtime
from roost.services.drafts.read import read_draft
from roost.services.drafts.records import DraftsWritten, new_revision
from roost.store.database import Transaction

#: A draft may repeat a post that is older than this.
_RECENT: Final = timedelta(days=90)
#: No post is due later than this.
_AHEAD: Final = timedelta(days=6 * 366)
#: A draft is compared with at most this many parts, the newest ones.
_MOST_POSTS: Final = 1000


async def write_drafts(
    runtime: Runtime,
    scope: Scope,
    brief: Brief,
    *,
    model: Model | None = None,
    patterns: Sequence[str] = (),
    on_draft: Callable[[WrittenDraft], None] | None = None,
) -> DraftsWritten:
    """Write up to the brief's `n` drafts for the brief's account, and store them.

    The drafts differ from the recent and the scheduled posts of all accounts of the tenant.
    `patterns` says what the account's posts earned, as data for the model.
    `on_draft` gets each draft as soon as every validator accepts it, before the drafts are ranked
    and stored. The tokens and dollars of the month (`ROOST_MODEL_TOKENS_PER_MONTH`,
    `ROOST_MODEL_USD_PER_MONTH`) apply to the tenant's calls of all processes together; a call that
    would exceed them has the error `model_budget_exceeded` in `calls`, and the composer writes.
    Raises: BriefInvalid, AccountNotFound (the brief's account is not connected).
    """
    require_storable(brief)
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        accounts = await store.integrations.list_all(transaction)
        account = find_account(accounts, brief, environment=runtime.settings.environment)
        if account is None:
            name = brief.account.removeprefix("@")
            raise AccountNotFound(f"The tenant has no account @{name}, which the brief names.")
        recent = await list_recent_texts(runtime, transaction)
    writing = await writer.write_drafts(
        brief,
        model,
        recent_posts=recent,
        patterns=patterns,
        budget=open_budget(runtime, scope, model),
        now=runtime.clock.now(),
        on_draft=on_draft,
    )
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        ids = [
            await store.drafts.add(
                transaction,
                scope.tenant_id,
                account.id,
                new_revision(account, brief, written),
                now=runtime.clock.now(),
                actor=scope.actor,
            )
            for written in writing.drafts
        ]
        drafts = [await read_draft(transaction, draft_id) for draft_id in ids]
    return DraftsWritten(tuple(drafts), writing.refused, writing.calls)


def open_budget(runtime: Runtime, scope: Scope, model: Model | None) -> TenantBudget | None:
    """Return the tenant's budget for calls to a model; None without a model."""
    if model is None:
        return None
    return TenantBudget(
        runtime.database,
        scope.tenant_id,
        model.name,
        max_tokens=runtime.settings.model_tokens_per_month,
        max_usd=runtime.settings.model_usd_per_month,
    )


async def list_recent_texts(
    runtime: Runtime, transaction: Transaction, *, excluding: PostId | None = None
) -> list[str]:
    """Return the texts of recent and scheduled posts on every account, the newest first.

    The parts of the post `excluding` are left out.
    """
    now = runtime.clock.now()
    accounts = [one.id for one in await store.integrations.list_all(transaction)]
    texts = await store.posts.list_texts(
        transaction, accounts, since=now - _RECENT, until=now + _AHEAD, excluding=excluding
    )
    found = sorted(
        (one for account in texts.values() for one in account), key=lambda one: one.at, reverse=True
    )
    return [one.text for one in found[:_MOST_POSTS]]


def find_account(
    accounts: Sequence[Integration], brief: Brief, *, environment: Environment
) -> Integration | None:
    """Return the account that a brief names; None if the tenant has no such account. Pure.

    The same username may be connected to X and to the emulator; the account of `environment` comes
    first.
    """
    name = brief.account.removeprefix("@").lower()
    found = [one for one in accounts if one.username.lower() == name]
    return min(found, key=lambda one: one.environment != environment, default=None)


def require_storable(brief: Brief) -> None:
    """Raise BriefInvalid if a text of the brief has a character that PostgreSQL cannot store."""
    if _contains_nul(brief.model_dump()):
        raise BriefInvalid(
            "A text of the brief contains the character NUL.", next="Remove the character."
        )


def _contains_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_contains_nul(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_contains_nul(each) for each in value)
    return isinstance(value, str) and "\0" in value
