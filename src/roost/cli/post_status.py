"""How a post stands, in a few lines: what every command about a post ends with."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from roost import store
from roost.cli.output import plain
from roost.clock import in_time_zone
from roost.escaping import one_line
from roost.models import Environment, Integration, PartState, Post, PostState, Tenant, Wait
from roost.publishing.state import find_wait
from roost.runtime import Runtime
from roost.services import pause
from roost.services.pause import PauseScope, PauseStatus
from roost.tweet_urls import tweet_url

#: What is held back, as a person says it.
_HELD: dict[PauseScope, str] = {
    PauseScope.POST: "itself",
    PauseScope.ACCOUNT: "its account",
    PauseScope.TENANT: "its tenant",
    PauseScope.EVERYTHING: "everything",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a post's own row does not say: whose it is, and what keeps it."""

    account: Integration
    held: tuple[PauseScope, ...]
    """The pauses that hold it back."""
    wait: Wait | None
    """What it waits for at present."""


def standing_of(post: Post, account: Integration, holds: PauseStatus, now: datetime) -> Standing:
    """What keeps a post, of rows that were read. Pure."""
    return Standing(
        account, pause.active_pauses(post, account, holds), find_wait(post, account, now)
    )


async def see_standing(runtime: Runtime, tenant: Tenant, post: Post) -> Standing:
    """Whose post it is, and what keeps it."""
    async with runtime.database.for_tenant(tenant.id) as transaction:
        account = await store.integrations.get(transaction, post.integration_id)
        holds = await pause.get_pause_status(transaction)
    return standing_of(post, account, holds, runtime.clock.now())


def post_as_json(post: Post, standing: Standing) -> dict[str, Any]:
    """A post as `--json` shows it: with what keeps it at present."""
    shown: dict[str, Any] = plain(post)
    return shown | {"held_by": standing.held, "wait": standing.wait}


def tell_standing(post: Post, tenant: Tenant, standing: Standing) -> str:
    """State, time, reason, what keeps it, and where its parts are."""
    lines = [f"Post {post.id} is {post.state}."]
    if post.state is PostState.SCHEDULED and post.due_at is not None:
        lines = [f"Post {post.id} is scheduled for {local_time(post.due_at, tenant)}."]
    if post.reason:
        lines.append(one_line(post.reason))
    if standing.held:
        lines.append(f"Held back: {tell_held(standing.held)} is paused.")
    if standing.wait is not None:
        lines.append(one_line(f"It {describe_wait(standing.wait, tenant)}."))
        if all(part.state is PartState.PENDING for part in post.parts):
            lines.append(
                f"Nothing of it is on X: `roost cancel {post.id}` takes it back,"
                f" `roost edit {post.id}` changes it."
            )
    for part in post.parts:
        if part.sent_as is None:
            continue
        where = one_line(f"on the emulator as {part.sent_as}")
        if standing.account.environment is Environment.LIVE:
            where = one_line(tweet_url(part.sent_as))
        lines.append(f"{where} (deleted since)" if part.deleted_at else where)
    return "\n".join(lines)


def describe_wait(wait: Wait, tenant: Tenant) -> str:
    """`waits until 2026-11-27T12:15:00+00:00: X takes no more posts at present`."""
    until = "" if wait.until is None else f" until {local_time(wait.until, tenant)}"
    return f"waits{until}: {wait.reason.removesuffix('.')}"


def local_time(instant: datetime, tenant: Tenant) -> str:
    """An instant in the tenant's time zone, to the second."""
    return in_time_zone(instant, tenant.time_zone).isoformat(timespec="seconds")


def tell_held(held: Collection[PauseScope]) -> str:
    """`its account and everything`."""
    return " and ".join(_HELD[scope] for scope in held)
