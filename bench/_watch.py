"""How long accounts stand still after their worker's death: from the kill to their next step."""

import asyncio
import signal
import time

from _scene import OF_WORKER, SENDER, Scene
from _workers import Worker

from roost.store.locks import user_key

#: A step leaves a row in one of these: a change of state, an attempt, or a request to X.
_LATEST = """
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
_HELD = f"""
    SELECT objid::bigint FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND {OF_WORKER} AND classid = %s
"""
#: Of some accounts, those with a post that should go on now.
_STANDING = """
    SELECT DISTINCT integration_id FROM roost.posts
    WHERE state = 'publishing' AND resume_at IS NULL AND integration_id = ANY(%s)
"""


#: Wall seconds to wait for a worker that has something in hand.
_PATIENCE_S = 1.0


class Watch:
    """Kills workers, and times what became of the accounts they held."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.recoveries: list[float] = []
        """Wall seconds, one for each account that stood still."""
        self._standing: dict[int, float] = {}
        """Accounts and since when."""
        self._seen: tuple[int, int, int] = (0, 0, 0)

    async def kill(self, worker: Worker) -> None:
        """Kill a worker; the accounts that it held with work to do now stand still.

        It holds one for some hundredths of a second only: such a moment is waited for.
        """
        held: list[int] = []
        latest = time.monotonic() + _PATIENCE_S
        while not held and time.monotonic() < latest:
            keys = {
                number
                for (number,) in await self._scene.ask(_HELD, worker.name, worker.pid, SENDER)
            }
            held = [
                account.id
                for account in self._scene.accounts.values()
                if user_key(account.x_user_id) in keys
            ]
        worker.send(signal.SIGKILL)
        await worker.ended()
        died = time.monotonic()
        await self._look()
        for (number,) in await self._scene.ask(_STANDING, held):
            self._standing.setdefault(number, died)

    def forget(self) -> None:
        """Measure none of the accounts that stand still now: their rows were replaced."""
        self._standing.clear()

    async def follow(self) -> None:
        """See every step, for ever."""
        while True:
            await self._look()
            await asyncio.sleep(0.1)

    async def _look(self) -> None:
        ((events, attempts, ledger),) = await self._scene.ask(_LATEST)
        seen, self._seen = self._seen, (events, attempts, ledger)
        if not self._standing:
            return
        now = time.monotonic()
        for (number,) in await self._scene.ask(_STEPS, *seen):
            since = self._standing.pop(number, None)
            if since is not None:
                self.recoveries.append(now - since)
