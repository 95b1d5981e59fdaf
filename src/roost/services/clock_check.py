"""Compares this machine's clock with the database's clock and with X's.

A wrong clock publishes at wrong times and searches X for posts at wrong times. If it differs by
more than 30 seconds, this worker sends nothing; workers on other machines continue.
"""

import logging
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from roost import store, x
from roost.clock import MAX_SKEW, describe_skew, wall_now
from roost.models import AlertKind
from roost.runtime import Runtime

log = logging.getLogger(__name__)

#: Maximum age of X's time, in seconds, before X is asked again.
_X_TIME_MAX_AGE_S: Final = 600.0
#: If X's time makes our clock look wrong, X is asked again if that time is older than this.
_X_TIME_RECHECK_AGE_S: Final = 1.0


@dataclass(eq=False)
class ClockCheck:
    """One worker's comparison of its clock with other clocks."""

    runtime: Runtime
    problem: str | None = None
    """Why nothing may be sent by this clock; None if it is right."""
    _is_resolved: bool = False
    """Whether this process knows that no alert of this machine is open."""

    async def check(self) -> None:
        """Compare the clocks, and open or resolve this machine's alert.

        If X's time is too old, X is asked for it without a token and without cost. A worker that
        has no time from X yet sends nothing.
        Raises: what `store.away.DATABASE_AWAY` lists.
        """
        skew = await self._compare_with_database() or await self._compare_with_x()
        self.problem = skew
        if skew is None and self._lacks_x_time():
            self.problem = "X's time is not known yet: X does not answer"
        await self._update_alert(skew)

    async def _compare_with_database(self) -> str | None:
        before = wall_now()
        row = await self.runtime.database.autocommit.run_one("read_wall_clock")
        after = wall_now()
        assert row is not None
        if abs(after - before) > MAX_SKEW:
            # Slow, or the clock was set meanwhile: the next comparison decides.
            return None
        at: datetime = row["at"]
        skew = describe_skew(at, before + (after - before) / 2)
        return None if skew is None else f"{skew} of the database's"

    async def _compare_with_x(self) -> str | None:
        if not self.runtime.clock.is_wall_time:
            return None
        server_time = self.runtime.server_time
        age_s = server_time.age_s()
        if age_s is None or age_s > _X_TIME_MAX_AGE_S:
            await self._ask_x()
        skew = describe_skew(server_time.estimate(), self.runtime.clock.now())
        if skew is not None and (age_s is None or age_s > _X_TIME_RECHECK_AGE_S):
            # The time in X's latest response may itself be wrong.
            await self._ask_x()
            skew = describe_skew(server_time.estimate(), self.runtime.clock.now())
        return None if skew is None else f"{skew} of X's"

    async def _ask_x(self) -> None:
        endpoint = self.runtime.settings.x_endpoint
        await x.server_time.fetch(self.runtime.http(), endpoint, self.runtime.server_time)

    def _lacks_x_time(self) -> bool:
        return self.runtime.clock.is_wall_time and self.runtime.server_time.estimate() is None

    async def _update_alert(self, skew: str | None) -> None:
        if skew is None and self._is_resolved:
            return
        now, machine = self.runtime.clock.now(), socket.gethostname()
        async with self.runtime.database.unscoped() as transaction:
            if skew is None:
                await store.alerts.resolve_alert(
                    transaction, None, AlertKind.CLOCK_SKEW, machine, at=now
                )
            else:
                # At every check: another process may have resolved the alert meanwhile.
                await store.alerts.open_alert(
                    transaction, None, AlertKind.CLOCK_SKEW, machine, at=now,
                    message=f"On {machine} {skew}, so its worker sends nothing.",
                    next="Set the clock (check that NTP runs); the worker then resumes by itself.",
                )  # fmt: skip
        self._is_resolved = skew is None
