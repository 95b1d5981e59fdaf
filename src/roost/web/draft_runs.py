"""Writes drafts in the background, and gives each draft to the page once it is written.

A run writes the drafts of one brief. It continues if the browser leaves the page of the run,
because the model's answer is paid for and should be stored. The server keeps the newest runs in
memory. The drafts of older runs are in the database.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from roost import changes
from roost.agents.brief import Brief
from roost.agents.configured_model import open_model
from roost.agents.written import WrittenDraft
from roost.errors import Busy, NotFound, RoostError
from roost.models import Scope, TenantId
from roost.runtime import Runtime
from roost.services import drafts, queries
from roost.services.drafts import DraftsWritten
from roost.services.report import list_patterns
from roost.unexpected import to_roost_error

#: The number of runs that the server remembers.
_MAX_RUNS: Final = 64


class RunNotFound(NotFound):
    """The server no longer has this run in memory. Drafts that the run has stored are kept."""

    default_next = "Start from the list of drafts."


class RunInterrupted(Busy):
    """The server stopped before the run had written all drafts."""

    default_next = "Write the drafts again."


@dataclass
class DraftRun:
    """One run of the writer: its brief, the drafts so far, and the result or error."""

    id: str
    tenant_id: TenantId
    brief: Brief
    warnings: list[str]
    """What `lint_brief` advises about the brief."""
    arrived: list[WrittenDraft] = field(default_factory=list)
    """The accepted drafts, in the order in which they were written."""
    written: DraftsWritten | None = None
    """The stored drafts; None until all are stored."""
    error: RoostError | None = None
    """The error that ended the run; nothing was stored then."""
    _changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def is_finished(self) -> bool:
        """Whether all drafts are stored, or the run has failed."""
        return self.written is not None or self.error is not None

    def add(self, draft: WrittenDraft) -> None:
        """Add an accepted draft, and wake each page that waits for it."""
        self.arrived.append(draft)
        self.notify()

    def notify(self) -> None:
        """Wake each page that waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self) -> AsyncIterator[WrittenDraft]:
        """Yield each accepted draft once, from the first; end when the run is finished."""
        count = 0
        while True:
            changed = self._changed
            for draft in self.arrived[count:]:
                yield draft
                count += 1
            if self.is_finished:
                return
            if count == len(self.arrived):
                await changed.wait()


class DraftRuns:
    """Starts runs of the writer, and keeps the newest runs by their random ids."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, DraftRun] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, runtime: Runtime, scope: Scope, brief: Brief, warnings: list[str]) -> DraftRun:
        """Start a background task that writes the drafts of a brief, and return its run."""
        run = DraftRun(secrets.token_urlsafe(16), scope.tenant_id, brief, warnings)
        self._runs[run.id] = run
        if len(self._runs) > _MAX_RUNS:
            self._runs.popitem(last=False)
        task = asyncio.create_task(_write(run, runtime, scope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    def get(self, run_id: str, tenant_id: TenantId) -> DraftRun:
        """Return the tenant's run with this id. Raises: RunNotFound."""
        run = self._runs.get(run_id)
        if run is None or run.tenant_id != tenant_id:
            raise RunNotFound("The page of this run of the writer no longer exists.")
        return run

    async def close(self, *, grace_s: float) -> None:
        """Wait at most `grace_s` seconds for unfinished runs, then cancel those still running."""
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _write(run: DraftRun, runtime: Runtime, scope: Scope) -> None:
    with changes.recording():
        try:
            async with open_model(runtime.settings) as model:
                patterns = await _list_patterns(run.brief, runtime, scope) if model else ()
                run.written = await drafts.write_drafts(
                    runtime,
                    scope,
                    run.brief,
                    model=model,
                    patterns=patterns,
                    on_draft=run.add,
                )
        except asyncio.CancelledError:
            run.error = RunInterrupted("The server stopped before all drafts were written.")
            raise
        except Exception as error:
            run.error = to_roost_error(error)
        finally:
            if run.error is not None:
                # A later request renders the page, and that request records only its own changes.
                # So the changes of this run are written into the error here.
                run.error.set_default_did(changes.describe())
            run.notify()


async def _list_patterns(brief: Brief, runtime: Runtime, scope: Scope) -> tuple[str, ...]:
    """Return sentences about what the posts of the brief's account earned.

    The result is empty if the account is not connected.
    """
    accounts = await queries.list_accounts(runtime, scope)
    account = drafts.find_account(accounts, brief, environment=runtime.settings.environment)
    return await list_patterns(runtime, scope, account) if account else ()
