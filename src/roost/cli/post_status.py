"""Describes a post's status in a few lines, which every command about one post prints."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Final

from roost.cli.output import print_result
from roost.cli.tenant_option import name_tenant
from roost.clock import in_time_zone
from roost.escaping import one_line
from roost.models import Environment, PartState, PostState, Tenant, Wait
from roost.publishing.history import describe_reason
from roost.services.pause import PauseScope
from roost.services.queries import PostStatus
from roost.tweet_urls import tweet_url

if TYPE_CHECKING:  # pydantic takes time to build the models, and only `--json` needs them
    from roost.cli.schemas.posts import PostOutput

#: For each scope of a pause, the words that name what is paused.
_PAUSED: Final[dict[PauseScope, str]] = {
    PauseScope.POST: "the post",
    PauseScope.ACCOUNT: "its account",
    PauseScope.TENANT: "its tenant",
    PauseScope.EVERYTHING: "everything",
}


def post_as_json(status: PostStatus) -> "PostOutput":
    """Return a post for `--json`, with its pauses and what it is waiting for now."""
    from roost.cli.schemas.posts import PostOutput

    return PostOutput.of(status)


def print_post(status: PostStatus, tenant: Tenant, *, as_json: bool) -> None:
    """Print a post and what it is waiting for now, as JSON or as text."""
    result = post_as_json(status) if as_json else None
    print_result(result, describe_post(status, tenant), as_json=as_json)


def describe_post(status: PostStatus, tenant: Tenant) -> str:
    """Return lines with a post's state, due time, reason, pauses, wait and published parts."""
    post = status.post
    lines = [f"Post {post.id} is {post.state}."]
    if post.state is PostState.SCHEDULED and post.due_at is not None:
        lines = [f"Post {post.id} is scheduled for {local_time(post.due_at, tenant)}."]
    if post.reason:
        lines.append(one_line(f"{describe_reason(post.reason)}."))
    if status.paused_by:
        lines.append(f"Paused: {describe_pauses(status.paused_by)}.")
    if status.wait is not None:
        lines.append(one_line(f"It {describe_wait(status.wait, tenant)}."))
        if all(part.state is PartState.PENDING for part in post.parts):
            lines.append(
                name_tenant(
                    f"Nothing of the post is on X: `roost cancel {post.id}` cancels it,"
                    f" `roost edit {post.id}` changes it."
                )
            )
    for part in post.parts:
        if part.sent_as is None:
            continue
        where = one_line(f"on the emulator as {part.sent_as}")
        if status.account.environment is Environment.LIVE:
            where = one_line(tweet_url(part.sent_as))
        lines.append(f"{where} (deleted since)" if part.deleted_at else where)
    return "\n".join(lines)


def describe_wait(wait: Wait, tenant: Tenant) -> str:
    """Describe a wait, as in `waits until 2026-11-27T12:15:00+00:00: X accepts no more posts`."""
    until = "" if wait.until is None else f" until {local_time(wait.until, tenant)}"
    return f"waits{until}: {describe_reason(wait.reason)}"


def describe_pauses(scopes: Collection[PauseScope]) -> str:
    """Return what is paused, for example `its account and everything`."""
    return " and ".join(_PAUSED[scope] for scope in scopes)


def local_time(instant: datetime, tenant: Tenant) -> str:
    """Return an instant in the tenant's time zone, to the second."""
    return in_time_zone(instant, tenant.time_zone).isoformat(timespec="seconds")
