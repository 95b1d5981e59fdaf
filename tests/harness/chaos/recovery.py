"""Measures how long an account's posts make no progress after a worker was killed."""

import asyncio
import signal
import time

from harness.scenario import IS_WORKER_SESSION, SENDER_LOCK, Scenario
from harness.workers import Worker
from roost.store.locks import user_key

#: Selects the latest ids of the three tables to which a step adds a row. A step is a change of
#: state, an attempt or a request to X.
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
#: Of the given accounts, selects those with a post that has begun and should continue now.
_WAITING = """
    SELECT DISTINCT integration_id FROM roost.posts
    WHERE state = 'publishing' AND resume_at IS NULL AND integration_id = ANY(%s)
"""
#: The maximum wall seconds to wait until the worker holds the lock of an account.
_LOCK_WAIT_S = 1.0


class RecoveryTimer:
    """Kills workers, and measures the recovery of the accounts whose locks they held.

    The recovery time of an account is the time from the worker's death to the account's next step.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.recoveries: list[float] = []
        """The wall seconds that each account had to wait."""
        self._waiting_since: dict[int, float] = {}
        """The time since which each account waits, on the monotonic clock."""
        self._last_ids: tuple[int, int, int] = (0, 0, 0)

    async def kill(self, worker: Worker) -> None:
        """Kill a worker while it holds an account's lock, and start to measure the recovery.

        A worker holds a lock only for some hundredths of a second, so the method first waits until
        the worker holds a lock.
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
        """Discard the measurements that are in progress, without a result.

        A restore replaces the rows that show an account's progress, so the recovery time of an
        account that waits during a restore would be wrong.
        """
        self._waiting_since.clear()

    async def follow(self) -> None:
        """Record the next step of each waiting account, until cancelled."""
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
