"""Notices that this machine's clock is wrong: by the database's clock, and by X's.

A wrong clock publishes at wrong times, and looks for posts on X at wrong times. Beyond 30 seconds
this worker sends nothing; workers on other machines go on.
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

#: X's clock is asked for again when its latest answer is older, in seconds.
_X_TIME_LASTS_S: Final = 600.0
#: Where its latest answer makes our clock look wrong, it is asked again after this.
_ASK_AGAIN_AFTER_S: Final = 1.0


@dataclass(eq=False)
class ClockCheck:
    """One worker's comparison of its clock with others'."""

    runtime: Runtime
    problem: str | None = None
    """Why nothing may be sent by this clock; None: it is right."""
    _is_resolved: bool = False
    """Whether this process knows that no alert of this machine is open."""

    async def check(self) -> None:
        """Compare now, and open or resolve this machine's alert.

        X is asked without a token, for nothing, where its latest answer is too old. A worker that
        has no answer of X yet sends nothing.
        Raises: what `store.away.DATABASE_AWAY` lists.
        """
        skew = await self._compare_with_database() or await self._compare_with_x()
        self.problem = skew
        if skew is None and self._lacks_x_time():
            self.problem = "X's time is not known yet: X does not answer"
        await self._alert(skew)

    async def _compare_with_database(self) -> str | None:
        before = wall_now()
        row = await self.runtime.database.autocommit.run_one("read_wall_clock")
        after = wall_now()
        assert row is not None
        if abs(after - before) > MAX_SKEW:
            # Slow, or the clock was moved meanwhile: the next comparison decides.
            return None
        at: datetime = row["at"]
        found = describe_skew(at, before + (after - before) / 2)
        return None if found is None else f"{found} of the database's"

    async def _compare_with_x(self) -> str | None:
        if not self.runtime.clock.is_wall_time:
            return None
        server_time = self.runtime.server_time
        age_s = server_time.age_s()
        if age_s is None or age_s > _X_TIME_LASTS_S:
            await self._ask_x()
        found = describe_skew(server_time.estimate(), self.runtime.clock.now())
        if found is not None and (age_s is None or age_s > _ASK_AGAIN_AFTER_S):
            # The time that X said last may be wrong itself.
            await self._ask_x()
            found = describe_skew(server_time.estimate(), self.runtime.clock.now())
        return None if found is None else f"{found} of X's"

    async def _ask_x(self) -> None:
        endpoint = self.runtime.settings.x_endpoint
        await x.server_time.fetch(self.runtime.http, endpoint, self.runtime.server_time)

    def _lacks_x_time(self) -> bool:
        return self.runtime.clock.is_wall_time and self.runtime.server_time.estimate() is None

    async def _alert(self, skew: str | None) -> None:
        if skew is None and self._is_resolved:
            return
        now, machine = self.runtime.clock.now(), socket.gethostname()
        async with self.runtime.database.unscoped() as transaction:
            if skew is None:
                await store.alerts.resolve_alert(
                    transaction, None, AlertKind.CLOCK_SKEW, machine, at=now
                )
            else:
                # Each time, unless it is open: another process may have ended it meanwhile.
                await store.alerts.open_alert(
                    transaction, None, AlertKind.CLOCK_SKEW, machine, at=now,
                    message=f"On {machine} {skew}, so its worker sends nothing.",
                    next="Set the clock (see that NTP runs); the worker then goes on by itself.",
                )  # fmt: skip
        self._is_resolved = skew is None
