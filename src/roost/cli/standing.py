"""How a post stands, in a few lines: what every command about a post ends with."""

from collections.abc import Collection
from zoneinfo import ZoneInfo

from roost import store
from roost.escaping import one_line
from roost.house import House
from roost.models import Environment, Integration, Post, PostState, Tenant
from roost.services import pause
from roost.services.pause import Scope

#: What is held back, as a person says it.
_HELD: dict[Scope, str] = {
    Scope.POST: "itself",
    Scope.ACCOUNT: "its account",
    Scope.TENANT: "its tenant",
    Scope.EVERYTHING: "everything",
}


async def see_standing(
    house: House, tenant: Tenant, post: Post
) -> tuple[Integration, tuple[Scope, ...]]:
    """Whose post it is, and what holds it back."""
    async with house.database.tenant(tenant.id) as transaction:
        account = await store.accounts.get(transaction, post.integration_id)
        holds = await pause.find_holds(transaction)
    return account, pause.held_by(post, account, holds)


def tell_standing(
    post: Post, tenant: Tenant, account: Integration, held: Collection[Scope] = ()
) -> str:
    """State, time, reason, what holds it back, and where its parts are."""
    lines = [f"Post {post.id} is {post.state}."]
    if post.state is PostState.SCHEDULED and post.due_at is not None:
        due = post.due_at.astimezone(ZoneInfo(tenant.time_zone))
        lines = [f"Post {post.id} is scheduled for {due.isoformat(timespec='seconds')}."]
    if post.reason:
        lines.append(one_line(post.reason))
    if held:
        lines.append(f"Held back: {tell_held(held)} is paused.")
    for part in post.parts:
        if part.sent_as is None:
            continue
        where = one_line(f"on the emulator as {part.sent_as}")
        if account.environment is Environment.LIVE:
            where = one_line(f"https://x.com/i/web/status/{part.sent_as}")
        lines.append(f"{where} (deleted since)" if part.deleted_at else where)
    return "\n".join(lines)


def tell_held(held: Collection[Scope]) -> str:
    """`its account and everything`."""
    return " and ".join(_HELD[scope] for scope in held)
