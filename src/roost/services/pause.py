"""Pauses and resumes a post, an account, a tenant or everything.

A function that pauses posts first waits for attempts whose commit is in progress. After the
function has returned, no attempt of a paused post is committed. The module `services.resume` ends
the global pause.
"""

from dataclasses import dataclass
from enum import StrEnum

from roost import store
from roost.errors import Conflict
from roost.models import (
    POST_MOVES,
    Actor,
    EventCode,
    Integration,
    Post,
    PostId,
    Reason,
    ReasonCode,
    Scope,
)
from roost.runtime import Runtime
from roost.store.database import Transaction
from roost.store.statements import json_of


class PauseScope(StrEnum):
    """The posts that a pause applies to."""

    POST = "post"
    ACCOUNT = "account"
    TENANT = "tenant"
    EVERYTHING = "everything"
    """Every post of every tenant: the global pause."""


class PostOver(Conflict):
    """The post has reached its final state, so it cannot be paused."""


@dataclass(frozen=True, slots=True)
class PauseStatus:
    """Whether a tenant is paused, and whether everything is paused."""

    tenant: bool
    everything: bool
    reason: Reason | None
    """Why everything is paused; None if there is no global pause."""


async def get_pause_status(transaction: Transaction) -> PauseStatus:
    """Read the pauses of the transaction's tenant; without a tenant, only the global pause."""
    row = await transaction.run_one("get_pauses")
    assert row is not None
    reason = store.posts.to_reason(row["reason"])
    return PauseStatus(tenant=row["tenant"], everything=row["everything"], reason=reason)


async def list_paused_posts(transaction: Transaction, *, at_most: int) -> list[PostId]:
    """Return up to `at_most` ids of posts that are paused individually, in ascending order.

    Posts that can no longer be published are left out.
    """
    states = [state for state, moves in POST_MOVES.items() if moves]
    rows = await transaction.run("list_paused_posts", states=states, at_most=at_most)
    return [PostId(row["id"]) for row in rows]


def active_pauses(post: Post, account: Integration, status: PauseStatus) -> tuple[PauseScope, ...]:
    """List the pauses that apply to a post; none if it has reached its final state. Pure."""
    if not POST_MOVES[post.state]:
        return ()
    own = (PauseScope.POST,) if post.paused else ()
    return own + active_account_pauses(account, status)


def active_account_pauses(account: Integration, status: PauseStatus) -> tuple[PauseScope, ...]:
    """List the pauses that apply to every post of an account. Pure."""
    pauses = {
        PauseScope.ACCOUNT: account.paused,
        PauseScope.TENANT: status.tenant,
        PauseScope.EVERYTHING: status.everything,
    }
    return tuple(scope for scope, is_paused in pauses.items() if is_paused)


async def pause_post(runtime: Runtime, scope: Scope, post_id: PostId) -> None:
    """Pause one post, and add an event to its history. Raises: PostNotFound, PostOver."""
    await _set_post_paused(runtime, scope, post_id, paused=True)


async def resume_post(runtime: Runtime, scope: Scope, post_id: PostId) -> bool:
    """End the pause of one post, and add an event to its history.

    Returns whether the post was paused. Raises: PostNotFound.
    """
    return await _set_post_paused(runtime, scope, post_id, paused=False)


async def _set_post_paused(
    runtime: Runtime, scope: Scope, post_id: PostId, *, paused: bool
) -> bool:
    """Pause or resume a post; return whether this changed anything."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        await transaction.run("lock_pauses")
        state = await store.posts.lock_state(transaction, post_id)
        if paused and not POST_MOVES[state]:
            raise PostOver(f"Post {post_id} is {state}, so it cannot be paused.")
        row = await transaction.run_one("set_post_paused", post=post_id, paused=paused)
        if row is not None:
            code = EventCode.POST_PAUSED if paused else EventCode.POST_RESUMED
            await store.posts.add_event(
                transaction, scope.tenant_id, post_id, runtime.clock.now(), code,
                from_state=row["state"], to_state=row["state"], actor=scope.actor,
            )  # fmt: skip
        await transaction.run("announce_due")
    return row is not None


async def pause_account(runtime: Runtime, scope: Scope, account: Integration) -> None:
    """Pause all posts of an account, and add an event to the history of each."""
    await _set_account_paused(runtime, scope, account, paused=True)


async def resume_account(runtime: Runtime, scope: Scope, account: Integration) -> None:
    """End the pause of an account, and add an event to the history of each of its posts."""
    await _set_account_paused(runtime, scope, account, paused=False)


async def _set_account_paused(
    runtime: Runtime, scope: Scope, account: Integration, *, paused: bool
) -> None:
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        await transaction.run("lock_pauses")
        await transaction.run(
            "set_account_paused", integration=account.id, paused=paused,
            at=runtime.clock.now(), detail=json_of({"username": account.username}),
            actor=str(scope.actor),
        )  # fmt: skip
        await transaction.run("announce_due")


async def pause_tenant(runtime: Runtime, scope: Scope) -> None:
    """Pause all posts of a tenant, and add an event to the history of each."""
    await _set_tenant_paused(runtime, scope, paused=True)


async def resume_tenant(runtime: Runtime, scope: Scope) -> bool:
    """End the pause of a tenant, and add an event to the history of each of its posts.

    Returns whether the tenant was paused.
    """
    return await _set_tenant_paused(runtime, scope, paused=False)


async def _set_tenant_paused(runtime: Runtime, scope: Scope, *, paused: bool) -> bool:
    """Pause or resume a tenant; return whether this changed anything."""
    async with runtime.database.for_tenant(scope.tenant_id) as transaction:
        await transaction.run("lock_pauses")
        before = (await get_pause_status(transaction)).tenant
        await transaction.run(
            "set_tenant_paused",
            paused=paused,
            at=runtime.clock.now(),
            actor=str(scope.actor),
        )
        await transaction.run("announce_due")
    return before is not paused


async def pause_everything(runtime: Runtime, actor: Actor) -> None:
    """Pause the posts of all tenants. Requests to X that are in progress are completed."""
    reason = Reason(ReasonCode.MANUAL, {"actor": str(actor)})
    async with runtime.database.unscoped() as transaction:
        await transaction.run("lock_pauses")
        await transaction.run(
            "pause_everything", at=runtime.clock.now(), actor=str(actor), reason=json_of(reason)
        )
