"""Holds posts back, one, an account's, a tenant's or all of them, and lets them go on."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from roost import store
from roost.errors import Conflict
from roost.house import House
from roost.models import POST_MOVES, Integration, PartState, Post, PostId, Tenant
from roost.store.database import Statements

_RESTORED = ("restored", "database")
#: Before anything was ever posted.
_EVER = datetime(2006, 1, 1, tzinfo=UTC)


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


async def find_holds(transaction: Statements) -> Holds:
    """What holds the posts of the tenant in sight back; in sight of none, everybody's."""
    row = await transaction.run_one("see_holds")
    assert row is not None
    return Holds(**row)


def held_by(post: Post, account: Integration, holds: Holds) -> tuple[Scope, ...]:
    """Which marks hold a post back; none where it is over, or goes out in its time. Pure."""
    if not POST_MOVES[post.state]:
        return ()
    marks = {
        Scope.POST: post.paused,
        Scope.ACCOUNT: account.paused,
        Scope.TENANT: holds.tenant,
        Scope.EVERYTHING: holds.everything,
    }
    return tuple(scope for scope, is_set in marks.items() if is_set)


async def hold_post(house: House, tenant: Tenant, post_id: PostId, *, paused: bool) -> None:
    """Hold one post back, or let it go on; told in its history.

    Raises: PostNotFound, PostOver.
    """
    async with house.database.statements(tenant.id) as transaction:
        state = await store.posts.lock_state(transaction, post_id)
        if paused and not POST_MOVES[state]:
            raise PostOver(f"Post {post_id} is {state}: there is nothing to hold back.")
        row = await transaction.run_one("pause_post", post=post_id, paused=paused)
        if row is not None:
            why = "paused by hand" if paused else "goes on, by hand"
            await store.posts.tell(
                transaction, tenant.id, post_id, house.clock.now(), row["state"], row["state"],
                why, who=house.who,
            )  # fmt: skip
        await transaction.run("announce_due")


async def hold_account(house: House, account: Integration, *, paused: bool) -> None:
    """Hold all posts of an account back, or let them go on; told in their histories."""
    why = f"@{account.username} was paused by hand" if paused else f"@{account.username} goes on"
    async with house.database.statements(account.tenant_id) as transaction:
        await transaction.run(
            "pause_account", integration=account.id, paused=paused,
            at=house.clock.now(), why=why, who=house.who,
        )  # fmt: skip
        await transaction.run("announce_due")


async def hold_tenant(house: House, tenant: Tenant, *, paused: bool) -> None:
    """Hold all posts of a tenant back, or let them go on; told in their histories."""
    why = f"all of {tenant.name} was paused by hand" if paused else f"all of {tenant.name} goes on"
    async with house.database.statements(tenant.id) as transaction:
        await transaction.run(
            "pause_tenant", paused=paused, at=house.clock.now(), why=why, who=house.who
        )
        await transaction.run("announce_due")


async def stop_everything(house: House) -> None:
    """The stop switch: nothing of anybody goes out, but for a request that is on its way now."""
    async with house.database.statements(None) as transaction:
        await transaction.run("pause_everything", at=house.clock.now(), who=house.who)


async def stop_after_restore(house: House, restored_to: datetime | None) -> None:
    """Stop everything, since what was sent after an instant may be missing from the database.

    None: the database has no story at all, so that nothing in it says what was not sent.
    """
    now = house.clock.now()
    to = restored_to or _EVER
    async with house.database.statements(None) as transaction:
        why = f"the database was restored; it knows nothing after {to.isoformat()}"
        await transaction.run("stop_after_restore", why=why, to=to, at=now, who=house.who)
        await store.alarms.sound(
            transaction, None, *_RESTORED, at=now,
            message=f"The database was restored to {to.isoformat(timespec='seconds')}: posts sent"
            " since then are missing from it, so nothing goes out.",
            next="`roost resume --all` looks on X for each post due since then before sending it.",
        )  # fmt: skip


async def go_on(house: House) -> int:
    """Let everything go on; after a restore, how many parts are looked for on X first.

    Each part of a post that has come due by now gets an attempt whose answer nobody knows: it is
    read back from X like any other, and sent only where X does not show it.
    """
    now = house.clock.now()
    async with house.database.statements(None) as transaction:
        row = await transaction.run_one("see_stop_switch")
    since = row["restored_to"] if row else None
    doubted = 0
    if since is not None:
        for tenant_id in await store.tenants.list_ids(house.database):
            async with house.database.statements(tenant_id) as transaction:
                why = "the database was restored: it may have been sent since"
                rows = await transaction.run(
                    "doubt_pending_parts", since=since, now=now, why=why, who=house.who
                )
                parts = [row["part_id"] for row in rows]
                for after in (PartState.SENDING, PartState.UNKNOWN):
                    await transaction.run("doubt_parts", parts=parts, after=after)
                await transaction.run(
                    "tell_doubts", parts=parts, at=now, who=house.who,
                    why="the database was restored: X may have it, and its timeline is read first",
                )  # fmt: skip
            doubted += len(parts)
    async with house.database.statements(None) as transaction:
        await transaction.run("go_on_with_everything", at=now, who=house.who)
        await store.alarms.end(transaction, None, *_RESTORED, at=now)
        await transaction.run("announce_due")
    return doubted
