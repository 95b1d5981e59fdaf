"""Notices that the database is a restored copy, another one, or behind what was seen in it.

A worker compares it with the watermark of its ROOST_HOME when it starts, when its locks' session
is opened anew, and at every heartbeat. Where it does not fit, everything stops until a person
resumes. Where it fits, but may still lack something (after a crash, or on a machine that has not
seen it before), posts due by then are looked for on X before their first attempt.
"""

import asyncio
import contextlib
import logging
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

import msgspec

from roost import store, watermark
from roost.errors import WatermarkUnreadable
from roost.house import House
from roost.models import AlertKind
from roost.store.away import DATABASE_AWAY
from roost.store.installation import DatabaseState
from roost.store.locks import Fence, SenderLocks
from roost.watermark import Watermark

log = logging.getLogger(__name__)

#: The alert's kinds are `restored` and `copied`, its subject this.
SUBJECT: Final = "database"
#: Before anything was ever posted.
_EVER: Final = datetime(2006, 1, 1, tzinfo=UTC)


class Verdict(Enum):
    """How the database compares with the watermark."""

    FITS = "fits"
    ACCEPTED = "accepted"
    """A person has resumed since: what it lacks has been seen to."""
    FORGOT = "forgot"
    COPY = "copy"


def compare(kept: Watermark | None, found: DatabaseState, *, has_event: bool) -> Verdict:
    """Whether the database is the one that was marked, continued. Pure.

    `has_event`: it holds the very event of the watermark.
    """
    if found.is_copy:
        return Verdict.COPY
    if kept is None:
        return Verdict.FITS
    if found.generation != kept.generation:
        is_later = found.generation > kept.generation
        return Verdict.ACCEPTED if is_later else Verdict.FORGOT
    if kept.is_refused:
        return Verdict.FORGOT
    here = (found.system_identifier, found.database_oid)
    if here != (kept.system_identifier, kept.database_oid):
        # A database in which nothing ever happened has nothing to send twice.
        return Verdict.FITS if found.event_id is None else Verdict.FORGOT
    if (found.generation_tag, found.timeline) != (kept.generation_tag, kept.timeline):
        return Verdict.FORGOT
    return Verdict.FITS if has_event or not kept.event_id else Verdict.FORGOT


def needs_recheck(
    found: DatabaseState,
    *,
    stop_tag: int | None,
    unclean_stop: bool,
    others_run: bool,
) -> bool:
    """Whether a database that fits may lack what was sent all the same. Pure.

    It does not after an ordinary restart: the last worker ended in order, and the tag that it
    stored in the database is the one that `watermark.stop_tag` computes now.
    """
    if found.event_id is None or found.registered_system is None:
        # Nothing happened in it, or no worker has ever run: nothing was sent.
        return False
    if unclean_stop:
        return True
    if found.clean_stop_tag is None:
        return not others_run
    return found.clean_stop_tag != stop_tag


def _mark_of(found: DatabaseState, *, is_refused: bool = False) -> Watermark:
    return Watermark(
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
        timeline=found.timeline,
        generation=found.generation,
        generation_tag=found.generation_tag,
        event_id=found.event_id or 0,
        event_tag=found.event_tag,
        is_refused=is_refused,
    )


@dataclass(eq=False)
class DatabaseCheck:
    """One worker's comparison of the database with what this machine has seen in it."""

    house: House
    locks: SenderLocks
    kept: Watermark | None = None
    """What is known to have been in the database; None: nothing yet."""
    problem: str | None = None
    """Why nothing may be sent from this database; None: it fits."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> DatabaseState:
        """Compare at the start, and decide whether posts are looked for first.

        Raises: what `store.away.DATABASE_AWAY` lists.
        """
        home, runs = self.house.settings.roost_home, self.house.database.alone
        found = await store.installation.read(runs)
        await store.installation.register(runs, found)
        unclean_stops = await asyncio.to_thread(watermark.list_unclean_stops, home)
        try:
            self.kept = await asyncio.to_thread(watermark.read, home)
        except WatermarkUnreadable as error:
            await self._refuse(found, Verdict.FORGOT, error.message)
            return found
        await self._judge(found)
        if self.problem is None and needs_recheck(
            found,
            stop_tag=await self._compute_stop_tag(found),
            unclean_stop=bool(unclean_stops),
            others_run=found.clean_stop_tag is None and await self._do_others_run(found),
        ):
            log.warning("posts that are due by now are looked for on X before their first attempt")
            await runs.run(
                "begin_recheck", since=found.known_until or _EVER, until=self.house.clock.now()
            )
        for path in unclean_stops:
            path.unlink(missing_ok=True)
        return await self.check()

    async def check(self) -> DatabaseState:
        """Compare now; where it does not fit, stop everything.

        Raises: what `store.away.DATABASE_AWAY` lists.
        """
        async with self._turn:
            runs = self.house.database.alone
            found = await store.installation.read(runs)
            await self._judge(found)
            if self.problem is None:
                await self._keep(found)
                await runs.run(
                    "mark_alive", at=self.house.x_now(), timeline=found.timeline,
                    event=found.event_id, tag=found.event_tag,
                )  # fmt: skip
            return found

    async def end(self) -> None:
        """Note that this worker ends in order; where that fails, the next start rechecks."""
        if self.problem is not None:
            return
        with contextlib.suppress(OSError, *DATABASE_AWAY):
            found = await self.check()
            if self.problem is None:
                await self._mark_clean_stop(found)

    async def _mark_clean_stop(self, found: DatabaseState) -> None:
        random_tag = secrets.randbelow(2**31)
        await self._write(msgspec.structs.replace(_mark_of(found), clean_stop_tag=random_tag))
        # None where another worker of this machine has written since, or the write failed.
        tag = await self._compute_stop_tag(found)
        if tag is not None:
            await self.house.database.alone.run("mark_clean_stop", tag=tag)

    async def _compute_stop_tag(self, found: DatabaseState) -> int | None:
        if self.kept is None:
            return None
        settings = self.house.settings
        is_private = settings.database_url is None
        return await asyncio.to_thread(
            watermark.stop_tag,
            settings.roost_home,
            self.kept,
            server_started_at=None if is_private else found.server_started_at,
        )

    async def _judge(self, found: DatabaseState) -> None:
        has_event = True
        if self.kept is not None and self.kept.event_id:
            row = await self.house.database.alone.run_one(
                "has_event", event=self.kept.event_id, tag=self.kept.event_tag
            )
            has_event = bool(row and row["found"])
        verdict = compare(self.kept, found, has_event=has_event)
        if verdict in {Verdict.FITS, Verdict.ACCEPTED}:
            self.problem = None
            return
        await self._refuse(found, verdict, _DESCRIBED[verdict])

    async def _keep(self, found: DatabaseState) -> None:
        mark = _mark_of(found)
        self.locks.fence = (
            Fence(found.event_id, found.event_tag, found.timeline) if found.event_id else None
        )
        await self._write(mark)

    async def _write(self, mark: Watermark) -> None:
        if mark == self.kept:
            return
        self.kept = mark
        try:
            await asyncio.to_thread(watermark.write, self.house.settings.roost_home, mark)
        except OSError as error:
            # A full disk must not end the publishing; the event is asked of the database as well.
            log.warning("the watermark cannot be written (%s)", type(error).__name__)

    async def _refuse(self, found: DatabaseState, verdict: Verdict, why: str) -> None:
        if self.problem is not None:
            return
        self.locks.close_gate(why)
        await stop_after_restore(self.house, why=why, copied=verdict is Verdict.COPY)
        self.problem = why
        self.kept = _mark_of(found, is_refused=True)
        if verdict is not Verdict.COPY:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(watermark.write, self.house.settings.roost_home, self.kept)

    async def _do_others_run(self, found: DatabaseState) -> bool:
        """Whether another worker's heartbeat comes while we wait for a few."""
        heartbeat = self.house.settings.roost_heartbeat_s
        stalled = timedelta(seconds=self.house.settings.roost_stalled_after_s)
        if found.alive_at is None or found.at - found.alive_at > stalled:
            return False
        for _ in range(6):
            await asyncio.sleep(heartbeat / 2)
            again = await store.installation.read(self.house.database.alone)
            if again.alive_at != found.alive_at:
                return True
        return False


_DESCRIBED: Final = {
    Verdict.FORGOT: "the database lacks what this machine has seen in it: it was restored, or"
    " failed over to an older copy",
    Verdict.COPY: "the database is a copy of the one that workers have published from",
}


async def stop_after_restore(
    house: House, restored_to: datetime | None = None, *, why: str = "", copied: bool = False
) -> None:
    """Stop everything, since what was sent after an instant may be missing from the database.

    None: since the instant until which the database itself says that all is known in it.
    """
    now = house.clock.now()
    why = why or "the database was restored"
    what_next = (
        "Cancel or edit again what was changed since; then `roost resume --all`, which looks on X"
        " for what may be missing before anything is sent."
    )
    if copied:
        what_next = (
            "Where the original is no longer used, `roost resume --all --this-is-the-real-one`"
            " makes this one the original."
        )
    async with house.database.statements(None) as transaction:
        await transaction.run("lock_pauses")
        # Read here, since the server may be another one than a moment ago.
        known_until = (await store.installation.read(transaction)).known_until
        to = restored_to or known_until or _EVER
        known = f"nothing after {to.isoformat(timespec='seconds')} is known in it"
        await transaction.run(
            "stop_after_restore", why=f"{why}; {known}", to=to, copied=copied, at=now,
            who=house.who,
        )  # fmt: skip
        await store.alarms.sound(
            transaction, None, AlertKind.COPIED if copied else AlertKind.RESTORED, SUBJECT, at=now,
            message=f"Nothing goes out: {why}; {known}.", next=what_next,
        )  # fmt: skip
