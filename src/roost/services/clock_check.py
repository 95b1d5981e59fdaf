"""Compares this machine's clock with the database's clock and with X's clock.

A worker with a wrong clock would publish at wrong times and search X for posts at wrong times. If
the clocks differ by more than 30 seconds, this worker sends nothing; workers on other machines
continue.
"""

import logging
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from roost import store, x
from roost.clock import MAX_SKEW, wall_now
from roost.models import AlertKind
from roost.models.alerts import about_machine
from roost.publishing.alerts import describe_skew
from roost.runtime import Runtime

log = logging.getLogger(__name__)

#: If X's last response is older than this many seconds, X is asked for its time.
_X_TIME_MAX_AGE_S: Final = 600.0
#: If this machine's clock differs from X's time, and X's last response is older than this many
#: seconds, X is asked for its time before the clock counts as wrong.
_X_TIME_RECHECK_AGE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Skew:
    """A difference of more than 30 seconds between this machine's clock and another clock."""

    seconds: int
    """Negative if this machine's clock is behind."""
    reference: Literal["database", "x"]
    """The clock that this machine's clock was compared with."""

    def describe(self) -> str:
        """Describe the difference in a sentence without a full stop."""
        return describe_skew(self.seconds, self.reference)


def _find_skew(
    reference: Literal["database", "x"], there: datetime | None, here: datetime
) -> Skew | None:
    """Return how much this machine's time `here` differs from the other clock's `there`.

    Returns None if the difference is at most 30 seconds, or if `there` is None.
    """
    if there is None or abs(here - there) <= MAX_SKEW:
        return None
    return Skew(round((here - there).total_seconds()), reference)


@dataclass(eq=False)
class ClockCheck:
    """One worker's comparison of its clock with other clocks."""

    runtime: Runtime
    problem: str | None = None
    """Why this worker must send nothing; None if this machine's clock is right."""
    _is_resolved: bool = False
    """Whether this process knows that no alert of this machine is open."""

    async def check(self) -> None:
        """Compare the clocks, and open or resolve this machine's alert.

        If X's last response is too old, X is asked for its time by a request that needs no token
        and costs nothing. A worker sends nothing until X has reported its time once.
        Raises: the errors in `store.availability.DATABASE_AWAY`.
        """
        skew = await self._compare_with_database() or await self._compare_with_x()
        self.problem = None if skew is None else skew.describe()
        if skew is None and self._lacks_x_time():
            self.problem = "X's time is not known yet: X does not respond"
        await self._update_alert(skew)

    async def _compare_with_database(self) -> Skew | None:
        before = wall_now()
        row = await self.runtime.database.autocommit.run_one("read_wall_clock")
        after = wall_now()
        assert row is not None
        if abs(after - before) > MAX_SKEW:
            # The query was slow, or the clock was set during the query. The comparison would be
            # wrong in both cases.
            return None
        at: datetime = row["at"]
        return _find_skew("database", at, before + (after - before) / 2)

    async def _compare_with_x(self) -> Skew | None:
        if not self.runtime.clock.is_wall_time:
            return None
        server_time = self.runtime.server_time
        age_s = server_time.age_s()
        if age_s is None or age_s > _X_TIME_MAX_AGE_S:
            await self._ask_x()
        skew = _find_skew("x", server_time.estimate(), self.runtime.clock.now())
        if skew is not None and (age_s is None or age_s > _X_TIME_RECHECK_AGE_S):
            # X's time was estimated from an old response, and the estimate may be wrong. X is
            # therefore asked for its time, and the clock is compared again.
            await self._ask_x()
            skew = _find_skew("x", server_time.estimate(), self.runtime.clock.now())
        return skew

    async def _ask_x(self) -> None:
        endpoint = self.runtime.settings.x_endpoint
        await x.server_time.fetch(self.runtime.http(), endpoint, self.runtime.server_time)

    def _lacks_x_time(self) -> bool:
        return self.runtime.clock.is_wall_time and self.runtime.server_time.estimate() is None

    async def _update_alert(self, skew: Skew | None) -> None:
        if skew is None and self._is_resolved:
            return
        now, subject = self.runtime.clock.now(), about_machine(socket.gethostname())
        async with self.runtime.database.unscoped() as transaction:
            if skew is None:
                await store.alerts.resolve_alert(
                    transaction, None, AlertKind.CLOCK_SKEW, subject, at=now
                )
            else:
                # The alert is opened again at every check, because another process may have
                # resolved it.
                await store.alerts.open_alert(
                    transaction, None, AlertKind.CLOCK_SKEW, subject, at=now,
                    detail={"skew_seconds": skew.seconds, "reference": skew.reference},
                )  # fmt: skip
        self._is_resolved = skew is None
