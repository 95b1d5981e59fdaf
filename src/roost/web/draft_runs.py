"""Writes drafts in the background, and gives each draft to the page as soon as it is written.

A run continues if the browser leaves its page: a model's answer is paid for, and is then stored.
The server keeps the newest runs in memory. The drafts of older runs are in the database.
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
    """The server does not remember this run; its drafts, if there are any, are stored."""

    default_next = "Start from the list of drafts."


class RunInterrupted(Busy):
    """The server stopped while drafts were written."""

    default_next = "Write the drafts again."


@dataclass
class DraftRun:
    """The drafts of one brief, while they are written and afterwards."""

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
        """Whether the drafts are stored, or the run has failed."""
        return self.written is not None or self.error is not None

    def add(self, draft: WrittenDraft) -> None:
        """Add an accepted draft."""
        self.arrived.append(draft)
        self.notify()

    def notify(self) -> None:
        """Wake each page that waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self) -> AsyncIterator[WrittenDraft]:
        """Yield each draft once, from the first; end when the run is finished."""
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
    """The newest runs, by their random ids."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, DraftRun] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, runtime: Runtime, scope: Scope, brief: Brief, warnings: list[str]) -> DraftRun:
        """Start to write the drafts of a brief."""
        run = DraftRun(secrets.token_urlsafe(16), scope.tenant_id, brief, warnings)
        self._runs[run.id] = run
        if len(self._runs) > _MAX_RUNS:
            self._runs.popitem(last=False)
        task = asyncio.create_task(_write(run, runtime, scope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    def get(self, run_id: str, tenant_id: TenantId) -> DraftRun:
        """Return a run of a tenant. Raises: RunNotFound."""
        run = self._runs.get(run_id)
        if run is None or run.tenant_id != tenant_id:
            raise RunNotFound("The page of this run of the writer no longer exists.")
        return run

    async def close(self, *, grace_s: float) -> None:
        """Wait for the runs that are not finished, and interrupt those that take longer."""
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
                # The page is rendered later, in a request with a record of its own.
                run.error.set_default_did(changes.describe())
            run.notify()


async def _list_patterns(brief: Brief, runtime: Runtime, scope: Scope) -> tuple[str, ...]:
    """Return what the posts of the brief's account earned; empty if it is not connected."""
    accounts = await queries.list_accounts(runtime, scope)
    account = drafts.find_account(accounts, brief, environment=runtime.settings.environment)
    return await list_patterns(runtime, scope, account) if account else ()
