"""Measures how long accounts wait after their worker died, until their next step."""

import asyncio
import signal
import time

from harness.scenario import IS_WORKER_SESSION, SENDER_LOCK, Scenario
from harness.workers import Worker
from roost.store.locks import user_key

#: Each step adds a row to one of these: a change of state, an attempt, or a request to X.
_LAST_IDS = """
    SELECT (SELECT coalesce(max(id), 0) FROM roost.events),
           (SELECT coalesce(max(id), 0) FROM roost.attempts),
           (SELECT coalesce(max(id), 0) FROM roost.ledger)
"""
_STEPS = """
    SELECT p.integration_id FROM roost.events e JOIN roost.posts p ON p.id = e.post_id
    WHERE e.id > %s
    UNION SELECT p.integration_id FROM roost.attempts a JOIN roost.parts p ON p.id = a.part_id
    WHERE a.id > %s
    UNION SELECT integration_id FROM roost.ledger WHERE id > %s
"""
_HELD_LOCKS = f"""
    SELECT objid::bigint FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND {IS_WORKER_SESSION} AND classid = %s
"""
#: The accounts among these with a post that should continue now.
_WAITING = """
    SELECT DISTINCT integration_id FROM roost.posts
    WHERE state = 'publishing' AND resume_at IS NULL AND integration_id = ANY(%s)
"""
#: Wall seconds to wait until a worker holds an account.
_LOCK_WAIT_S = 1.0


class RecoveryTimer:
    """Kills workers, and times how long the accounts that they held wait."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.recoveries: list[float] = []
        """Wall seconds, one for each account that waited."""
        self._waiting_since: dict[int, float] = {}
        """Since when each account has waited."""
        self._last_ids: tuple[int, int, int] = (0, 0, 0)

    async def kill(self, worker: Worker) -> None:
        """Kill a worker; the accounts that it held with work to do now wait.

        A worker holds an account for some hundredths of a second only, so this waits for such a
        moment.
        """
        held: list[int] = []
        deadline = time.monotonic() + _LOCK_WAIT_S
        while not held and time.monotonic() < deadline:
            keys = {
                number
                for (number,) in await self._scenario.fetch(
                    _HELD_LOCKS, worker.name, worker.pid, SENDER_LOCK
                )
            }
            held = [
                account.id
                for account in self._scenario.accounts.values()
                if user_key(account.x_user_id) in keys
            ]
        worker.send(signal.SIGKILL)
        await worker.wait_ended()
        died_at = time.monotonic()
        await self._record_steps()
        for (number,) in await self._scenario.fetch(_WAITING, held):
            self._waiting_since.setdefault(number, died_at)

    def clear(self) -> None:
        """Stop measuring the accounts that wait now: their rows were replaced."""
        self._waiting_since.clear()

    async def follow(self) -> None:
        """Record every step until cancelled."""
        while True:
            await self._record_steps()
            await asyncio.sleep(0.1)

    async def _record_steps(self) -> None:
        ((events, attempts, ledger),) = await self._scenario.fetch(_LAST_IDS)
        last_ids, self._last_ids = self._last_ids, (events, attempts, ledger)
        if not self._waiting_since:
            return
        now = time.monotonic()
        for (number,) in await self._scenario.fetch(_STEPS, *last_ids):
            since = self._waiting_since.pop(number, None)
            if since is not None:
                self.recoveries.append(now - since)
