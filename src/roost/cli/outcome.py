"""Waits for a post's outcome, and says what becomes of posts whose process is ended meanwhile."""

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import Final

from roost import store, worker
from roost.cli.output import INTERRUPTED, tell
from roost.cli.post_status import Standing, describe_wait, standing_of, tell_held
from roost.cli.serve import worker_id
from roost.escaping import one_line
from roost.models import IntegrationStatus, PartState, Post, PostState, Tenant
from roost.runtime import Runtime
from roost.services import pause
from roost.services.pause import PauseScope

_LOOK_EVERY_S: Final = 0.2
#: Every so many looks, whether a worker is alive.
_LOOK_FOR_WORKER: Final = 15
#: States in which a post still moves by itself.
MOVING: Final = frozenset({PostState.SCHEDULED, PostState.PUBLISHING})
_EXIT: Final = {PostState.PUBLISHED: 0, PostState.NEEDS_DECISION: 5}
#: The command ended before the post did: a pause keeps it, or its account has to be connected.
_PAUSED: Final = 4
_TO_CONNECT: Final = 5
_NO_WORKER: Final = "No worker is alive: it goes out once `roost worker` runs."


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a post stands when nobody waits for it any more, and the command's exit code."""

    post: Post
    exit_code: int


async def wait_for_outcome(runtime: Runtime, tenant: Tenant, post: Post) -> Outcome:
    """Wait until the post is settled, with a worker within this process while none is alive.

    What only a person can end is not waited for. Ctrl-C and SIGTERM end the waiting: a request that
    is on its way is finished, and what became of the post is said.
    """
    within: asyncio.Task[None] | None = None
    stop = asyncio.Event()
    told, looks, is_interrupted = "", 0, False
    try:
        while True:
            post, standing = await _see(runtime, tenant, post)
            if post.state not in MOVING:
                break
            if (blocked := _blocked(runtime, post, standing)) is not None:
                return blocked
            if within is not None and within.done():
                within.result()
            look = within is None and looks % _LOOK_FOR_WORKER == 0
            if look and not await worker.is_any_alive(runtime):
                tell("No worker is alive; until this post is settled, this command is one.")
                working = dataclasses.replace(runtime, actor=worker_id())
                within = asyncio.create_task(worker.run(working, stop=stop))
            if standing.wait is not None:
                waits = describe_wait(standing.wait, tenant)
                if waits != told:
                    tell(one_line(f"Post {post.id} {waits}. (Ctrl-C leaves it planned.)"))
                told = waits
            looks += 1
            await asyncio.sleep(_LOOK_EVERY_S)
    except asyncio.CancelledError:
        is_interrupted = True
        if (this := asyncio.current_task()) is not None:
            this.uncancel()
    finally:
        if within is not None:
            stop.set()
            await within
    if is_interrupted:
        # What was on its way has been finished by now: its answer is in the rows.
        post, _ = await _see(runtime, tenant, post)
        tell(describe_interrupted(post, worker_alive=await worker.is_any_alive(runtime)))
    code = INTERRUPTED if post.state in MOVING else exit_code_of(post)
    return Outcome(post, code)


def exit_code_of(post: Post) -> int:
    """The exit code of a command about a post that was published, or is planned."""
    return _EXIT.get(post.state, 0 if post.state in MOVING else 1)


async def _see(runtime: Runtime, tenant: Tenant, post: Post) -> tuple[Post, Standing]:
    async with runtime.database.for_tenant(tenant.id) as transaction:
        post = await store.posts.get(transaction, post.id)
        account = await store.integrations.get(transaction, post.integration_id)
        holds = await pause.get_pause_status(transaction)
    return post, standing_of(post, account, holds, runtime.clock.now())


def _blocked(runtime: Runtime, post: Post, standing: Standing) -> Outcome | None:
    """Say what only a person can end, and how; None where nothing of this kind keeps the post."""
    account, states = standing.account, {part.state for part in post.parts}
    if PartState.SENDING in states:
        return None  # its request is finished whatever keeps the post
    stays = f"Post {post.id} stays planned; do not post it again."
    if states != {PartState.PENDING}:
        stays = describe_interrupted(post, worker_alive=True)
    if standing.held:
        tell(f"Held back: {tell_held(standing.held)} is paused. {_resume_with(post, standing)}")
        tell(stays)
        return Outcome(post, _PAUSED)
    if account.status is not IntegrationStatus.CONNECTED:
        tell(f"@{account.username} is {account.status}. `roost connect` connects it again.")
        tell(stays)
        return Outcome(post, _TO_CONNECT)
    if account.environment is not runtime.settings.environment:
        tell(
            f"@{account.username} belongs to the {account.environment} X, and this Roost uses"
            f" {runtime.settings.roost_x_base_url}: only a worker that uses the other publishes it."
        )
        tell(stays)
        return Outcome(post, _PAUSED)
    return None


def _resume_with(post: Post, standing: Standing) -> str:
    commands = {
        PauseScope.POST: f"`roost resume {post.id}`",
        PauseScope.ACCOUNT: f"`roost resume --account @{standing.account.username}`",
        PauseScope.TENANT: "`roost resume --whole-tenant`",
        PauseScope.EVERYTHING: "`roost resume --all`",
    }
    said = " and ".join(commands[scope] for scope in standing.held)
    return f"{said} {'lets' if len(standing.held) == 1 else 'let'} it go out."


def describe_interrupted(post: Post, *, worker_alive: bool) -> str:
    """What becomes of a post whose publishing was interrupted, and where to look. Pure."""
    show = f"`roost posts {post.id}` shows it"
    if post.state is PostState.PUBLISHED:
        return f"Post {post.id} was published all the same; {show}."
    if post.state not in MOVING:
        return f"Post {post.id} is {post.state}; `roost posts {post.id} --history` shows why."
    states = [part.state for part in post.parts]
    continues = "A worker continues." if worker_alive else "A worker continues once one runs."
    if PartState.SENDING in states or PartState.UNKNOWN in states:
        return (
            f"Post {post.id} was handed to X, whose answer is not known yet. {continues} Do not"
            f" post it again; {show}."
        )
    if PartState.SENT in states:
        sent = states.count(PartState.SENT)
        return f"{sent} of {len(states)} parts of post {post.id} are on X. {continues} {show}."
    by = "A worker publishes it." if worker_alive else _NO_WORKER
    return f"Post {post.id} stays planned. {by} {show}, `roost cancel {post.id}` takes it back."


async def note_without_worker(runtime: Runtime, post: Post) -> None:
    """Say at once where nobody will publish a planned post."""
    if post.state in MOVING and not await worker.is_any_alive(runtime):
        tell(_NO_WORKER)


async def see_interrupted(runtime: Runtime, sending: worker.Sending) -> list[Post]:
    """The posts that a worker was sending when it was asked to end, as they are now."""
    found = []
    for tenant_id, post_id in sorted(sending):
        async with runtime.database.for_tenant(tenant_id) as transaction:
            found.append(await store.posts.get(transaction, post_id))
    return found
