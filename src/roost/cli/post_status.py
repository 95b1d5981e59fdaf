"""Describes a post's status in a few lines, which every command about one post prints."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from roost.cli.output import print_result
from roost.cli.tenant_option import name_tenant
from roost.escaping import one_line
from roost.formats import format_time
from roost.models import Environment, PartState, PostState, ReasonCode, Tenant, Wait
from roost.publishing.history import describe_reason, describe_state
from roost.services.pause import PauseScope
from roost.services.queries import PostStatus
from roost.tweet_urls import tweet_url

if TYPE_CHECKING:  # Only `--json` needs this model, and pydantic takes time to build it.
    from roost.cli.schemas.posts import PostOutput

#: For each scope of a pause, the words that name what is paused.
_PAUSED: Final[dict[PauseScope, str]] = {
    PauseScope.POST: "the post",
    PauseScope.ACCOUNT: "its account",
    PauseScope.TENANT: "its tenant",
    PauseScope.EVERYTHING: "everything",
}


def post_as_json(status: PostStatus) -> "PostOutput":
    """Return the output of `--json` for a post, with its pauses and its present wait."""
    from roost.cli.schemas.posts import PostOutput

    return PostOutput.of(status)


def print_post(status: PostStatus, tenant: Tenant, *, as_json: bool) -> None:
    """Print a post with its pauses and its present wait, as JSON or as text."""
    result = post_as_json(status) if as_json else None
    print_result(result, describe_post(status, tenant), as_json=as_json)


def describe_post(status: PostStatus, tenant: Tenant) -> str:
    """Describe a post: its state, due time, account, reason, pauses, wait and addresses on X."""
    post = status.post
    lines = [one_line(line) for line in _describe_state(status, tenant)]
    if post.reason:
        reason = describe_reason(post.reason)
        lines.append(one_line(f"{reason[:1].upper()}{reason[1:]}."))
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


def _describe_state(status: PostStatus, tenant: Tenant) -> Iterator[str]:
    post, account = status.post, f"as @{status.account.username}"
    state = f"Post {post.id} {describe_state(post.state)}"
    if post.due_at is None:
        yield f"{state}, {account}."
        return
    due = f"{format_time(post.due_at, tenant.time_zone)}, {account}."
    if post.state is PostState.SCHEDULED:
        yield f"{state} for {due}"
    else:
        yield f"{state}."
        yield f"Due {due}"


def state_word(state: PostState) -> str:
    """Return a post's state in words for a table, such as `needs a decision`."""
    if state is PostState.NEEDS_DECISION:
        return "needs a decision"
    return state.replace("_", " ")


def describe_wait(wait: Wait, tenant: Tenant) -> str:
    """Describe a wait, such as `waits until Sat 28 Nov 2026, 10:00 (UTC): X accepts no posts`."""
    until = "" if wait.until is None else f" until {format_time(wait.until, tenant.time_zone)}"
    if until and wait.reason.code == ReasonCode.UPLOADING:
        until += " at the latest"
    return f"waits{until}: {describe_reason(wait.reason)}"


def describe_pauses(scopes: Collection[PauseScope]) -> str:
    """Return what is paused, for example `its account and everything`."""
    return " and ".join(_PAUSED[scope] for scope in scopes)
