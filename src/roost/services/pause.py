"""Holds posts back, one, an account's, a tenant's or all of them, and lets them go on.

Once a pause is acknowledged, no attempt of what it holds is committed: it waits for those under
way. `services.resume` lets everything go on after a stop.
"""

from dataclasses import dataclass
from enum import StrEnum

from roost import store
from roost.errors import Conflict
from roost.models import POST_MOVES, Integration, Post, PostId, Tenant
from roost.runtime import Runtime
from roost.store.database import Transaction


class Scope(StrEnum):
    """What a pause holds back."""

    POST = "post"
    ACCOUNT = "account"
    TENANT = "tenant"
    EVERYTHING = "everything"
    """The stop switch."""


class PostOver(Conflict):
    """The post has come to its end: there is nothing to hold back."""


@dataclass(frozen=True, slots=True)
class Holds:
    """What holds the posts of a tenant back, besides their own marks and their accounts'."""

    tenant: bool
    everything: bool
    why: str | None
    """Why everything is stopped."""


async def find_holds(transaction: Transaction) -> Holds:
    """What holds the posts of the tenant in sight back; in sight of none, everybody's."""
    row = await transaction.run_one("get_pauses")
    assert row is not None
    return Holds(tenant=row["tenant"], everything=row["everything"], why=row["reason"])


def held_by(post: Post, account: Integration, holds: Holds) -> tuple[Scope, ...]:
    """Which marks hold a post back; none where it is over, or goes out in its time. Pure."""
    if not POST_MOVES[post.state]:
        return ()
    own = (Scope.POST,) if post.paused else ()
    return own + account_held_by(account, holds)


def account_held_by(account: Integration, holds: Holds) -> tuple[Scope, ...]:
    """Which marks hold every post of an account back. Pure."""
    marks = {
        Scope.ACCOUNT: account.paused,
        Scope.TENANT: holds.tenant,
        Scope.EVERYTHING: holds.everything,
    }
    return tuple(scope for scope, is_set in marks.items() if is_set)


async def hold_post(runtime: Runtime, tenant: Tenant, post_id: PostId, *, paused: bool) -> None:
    """Hold one post back, or let it go on; told in its history.

    Raises: PostNotFound, PostOver.
    """
    async with runtime.database.for_tenant(tenant.id) as transaction:
        await transaction.run("lock_pauses")
        state = await store.posts.lock_state(transaction, post_id)
        if paused and not POST_MOVES[state]:
            raise PostOver(f"Post {post_id} is {state}: there is nothing to hold back.")
        row = await transaction.run_one("set_post_paused", post=post_id, paused=paused)
        if row is not None:
            why = "paused by hand" if paused else "goes on, by hand"
            await store.posts.add_event(
                transaction, tenant.id, post_id, runtime.clock.now(), row["state"], row["state"],
                why, actor=runtime.actor,
            )  # fmt: skip
        await transaction.run("announce_due")


async def hold_account(runtime: Runtime, account: Integration, *, paused: bool) -> None:
    """Hold all posts of an account back, or let them go on; told in their histories."""
    why = f"@{account.username} was paused by hand" if paused else f"@{account.username} goes on"
    async with runtime.database.for_tenant(account.tenant_id) as transaction:
        await transaction.run("lock_pauses")
        await transaction.run(
            "set_account_paused", integration=account.id, paused=paused,
            at=runtime.clock.now(), reason=why, actor=runtime.actor,
        )  # fmt: skip
        await transaction.run("announce_due")


async def hold_tenant(runtime: Runtime, tenant: Tenant, *, paused: bool) -> None:
    """Hold all posts of a tenant back, or let them go on; told in their histories."""
    why = f"all of {tenant.name} was paused by hand" if paused else f"all of {tenant.name} goes on"
    async with runtime.database.for_tenant(tenant.id) as transaction:
        await transaction.run("lock_pauses")
        await transaction.run(
            "set_tenant_paused",
            paused=paused,
            at=runtime.clock.now(),
            reason=why,
            actor=runtime.actor,
        )
        await transaction.run("announce_due")


async def stop_everything(runtime: Runtime) -> None:
    """The stop switch: nothing of anybody goes out, but for a request that is on its way now."""
    async with runtime.database.unscoped() as transaction:
        await transaction.run("lock_pauses")
        await transaction.run("pause_everything", at=runtime.clock.now(), actor=runtime.actor)
