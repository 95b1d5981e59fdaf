"""Waits for a post's outcome, and describes posts whose publishing was interrupted."""

import asyncio
from dataclasses import dataclass
from typing import Final

from roost import worker
from roost.cli.command import INTERRUPTED
from roost.cli.output import print_note
from roost.cli.post_status import describe_pauses, describe_wait
from roost.cli.serve import worker_actor
from roost.cli.tenant_option import name_tenant
from roost.escaping import one_line
from roost.models import Actor, IntegrationStatus, PartState, Post, PostState, Scope, Tenant
from roost.publishing.history import describe_account_status, describe_state
from roost.runtime import Runtime
from roost.services import health, queries
from roost.services.pause import PauseScope
from roost.services.queries import PostStatus

#: Wall seconds between two reads of the post.
_POLL_INTERVAL_S: Final = 0.2
#: The number of reads of the post between two checks of whether a worker is alive.
_READS_PER_WORKER_CHECK: Final = 15
#: The states that a post leaves without a person's decision.
UNFINISHED: Final = frozenset({PostState.SCHEDULED, PostState.PUBLISHING})
_EXIT_CODES: Final = {PostState.PUBLISHED: 0, PostState.NEEDS_DECISION: 5}
#: Exit codes if the command stops waiting early: `_PAUSED` if a pause applies or the account
#: belongs to another environment, `_DISCONNECTED` if the account is not connected.
_PAUSED: Final = 4
_DISCONNECTED: Final = 5
_NO_WORKER: Final = "No worker is alive, so nothing is published: start `roost worker`."


@dataclass(frozen=True, slots=True)
class Outcome:
    """The post as it is when the command stops waiting, and the command's exit code."""

    post: Post
    exit_code: int


async def wait_for_outcome(runtime: Runtime, scope: Scope, tenant: Tenant, post: Post) -> Outcome:
    """Wait until the post is finished; run a worker in this process if none is alive.

    Stop waiting at once if only a person can let the post continue. After Ctrl-C or SIGTERM, a
    request that is under way completes first, and a note then says what became of the post.
    """
    own_worker: asyncio.Task[None] | None = None
    stop = asyncio.Event()
    printed_wait, reads, is_interrupted = "", 0, False
    try:
        while True:
            status = await queries.get_post_status(runtime, scope, post.id)
            post = status.post
            if post.state not in UNFINISHED:
                break
            if (blocked := _report_blocked(runtime, status)) is not None:
                return blocked
            if own_worker is not None and own_worker.done():
                own_worker.result()
            is_check_due = own_worker is None and reads % _READS_PER_WORKER_CHECK == 0
            if is_check_due and not await health.is_worker_alive(runtime):
                print_note(
                    "No worker is alive; this command acts as a worker until the post is finished."
                )
                own_worker = asyncio.create_task(worker.run(runtime, worker_actor(), stop=stop))
            if status.wait is not None:
                wait = describe_wait(status.wait, tenant)
                if wait != printed_wait:
                    print_note(one_line(f"Post {post.id} {wait}. (Ctrl-C leaves it scheduled.)"))
                printed_wait = wait
            reads += 1
            await asyncio.sleep(_POLL_INTERVAL_S)
    except asyncio.CancelledError:
        is_interrupted = True
        if (this := asyncio.current_task()) is not None:
            this.uncancel()
    finally:
        if own_worker is not None:
            stop.set()
            await own_worker
    if is_interrupted:
        # A worker of this process has ended by now, and may have published the post: read it again.
        post = await queries.get_post(runtime, scope, post.id)
        is_alive = await health.is_worker_alive(runtime)
        print_note(describe_interrupted(post, worker_alive=is_alive))
    return Outcome(post, INTERRUPTED if post.state in UNFINISHED else _exit_code(post))


def _exit_code(post: Post) -> int:
    return _EXIT_CODES.get(post.state, 1)


def _report_blocked(runtime: Runtime, status: PostStatus) -> Outcome | None:
    """If only a person can let the post continue, print why and how; otherwise return None."""
    post, account = status.post, status.account
    states = {part.state for part in post.parts}
    if PartState.SENDING in states:
        return None  # A request to X is under way, and completes in any case.
    advice = f"Post {post.id} stays scheduled; do not publish it again."
    if states != {PartState.PENDING}:
        advice = describe_interrupted(post, worker_alive=True)
    if status.paused_by:
        print_note(f"Paused: {describe_pauses(status.paused_by)}. {_describe_resume(status)}")
        print_note(advice)
        return Outcome(post, _PAUSED)
    if account.status is not IntegrationStatus.CONNECTED:
        print_note(
            f"@{account.username} {describe_account_status(account.status)}: "
            + name_tenant("run `roost connect`.")
        )
        print_note(advice)
        return Outcome(post, _DISCONNECTED)
    if account.environment is not runtime.settings.environment:
        print_note(
            f"@{account.username} belongs to the {account.environment} environment, and this Roost"
            f" uses {runtime.settings.x_base_url}: only a worker of the {account.environment}"
            " environment publishes the post."
        )
        print_note(advice)
        return Outcome(post, _PAUSED)
    return None


def _describe_resume(status: PostStatus) -> str:
    commands = {
        PauseScope.POST: f"`roost resume {status.post.id}`",
        PauseScope.ACCOUNT: f"`roost resume --account @{status.account.username}`",
        PauseScope.TENANT: "`roost resume --all-accounts`",
        PauseScope.EVERYTHING: "`roost resume --all`",
    }
    needed = name_tenant(" and ".join(commands[scope] for scope in status.paused_by))
    return f"{needed} {'resumes' if len(status.paused_by) == 1 else 'resume'} publishing."


def describe_interrupted(
    post: Post, *, worker_alive: bool, tenant_option: str | None = None
) -> str:
    """Describe what happens to a post whose publishing was interrupted, and how to check it.

    `tenant_option` is a result of `make_option`; the default is the running command's option.
    """
    return name_tenant(_describe_interrupted(post, worker_alive), tenant_option)


def _describe_interrupted(post: Post, worker_alive: bool) -> str:
    show = f"`roost posts {post.id}` shows it"
    if post.state is PostState.PUBLISHED:
        return f"Post {post.id} was published all the same; {show}."
    if post.state not in UNFINISHED:
        state = describe_state(post.state)
        return f"Post {post.id} {state}; `roost posts {post.id} --history` shows why."
    states = [part.state for part in post.parts]
    continues = "A worker continues." if worker_alive else "Start `roost worker` to continue."
    if PartState.SENDING in states or PartState.UNKNOWN in states:
        return (
            f"Post {post.id} was sent to X, whose response is not known yet. {continues} Do not"
            f" publish it again; {show}."
        )
    if PartState.SENT in states:
        sent = states.count(PartState.SENT)
        are = "is" if sent == 1 else "are"
        return f"{sent} of {len(states)} parts of post {post.id} {are} on X. {continues} {show}."
    publisher = "A worker publishes it." if worker_alive else _NO_WORKER
    return (
        f"Post {post.id} stays scheduled. {publisher} {show}, `roost cancel {post.id}` cancels it."
    )


async def warn_without_worker(runtime: Runtime, *posts: Post) -> None:
    """Print a note if a post is unfinished and no worker is alive to publish it."""
    if any(post.state in UNFINISHED for post in posts):
        await warn_if_no_worker(runtime)


async def warn_if_no_worker(runtime: Runtime) -> None:
    """Print a note if no worker is alive to publish scheduled posts."""
    if not await health.is_worker_alive(runtime):
        print_note(_NO_WORKER)


async def list_interrupted(runtime: Runtime, actor: Actor, sending: worker.Sending) -> list[Post]:
    """Return the posts that a worker was sending when it was asked to stop, as they are now."""
    return [
        await queries.get_post(runtime, Scope(tenant_id, actor), post_id)
        for tenant_id, post_id in sorted(sending)
    ]
