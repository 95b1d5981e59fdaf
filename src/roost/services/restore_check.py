"""Detects a database that was restored, is a copy, or lacks events seen by this machine.

A worker compares the database with the watermark in its ROOST_HOME when it starts, when the
database session of its locks is reopened, and at every heartbeat. If the database and the watermark
do not match, the worker pauses everything until a user resumes publishing. Even if they match, the
database may lack events: after a crash, or if this machine has not used the database before. In
these cases, a post that is due when the worker starts is searched for on X before its first
attempt.
"""

import asyncio
import contextlib
import logging
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

import msgspec

from roost import store, watermark
from roost.errors import WatermarkUnreadable
from roost.models import Actor, AlertKind, Reason, ReasonCode, reason_detail
from roost.models.alerts import DATABASE
from roost.publishing.history import describe_reason, error_reason
from roost.runtime import Runtime
from roost.store.availability import DATABASE_AWAY
from roost.store.installation import DatabaseState
from roost.store.locks import AccountLocks, Fence
from roost.store.statements import json_of
from roost.watermark import Watermark

log = logging.getLogger(__name__)

#: An instant before the first post that Roost can have sent.
_EPOCH: Final = datetime(2006, 1, 1, tzinfo=UTC)


class Verdict(Enum):
    """The result of comparing the database with the watermark."""

    MATCHES = "matches"
    ACCEPTED = "accepted"
    """A user has resumed everything since the watermark was written.

    Resuming searches X for posts that the database lacks."""
    LACKS_EVENTS = "lacks_events"
    """The database is older than the watermark, or is another database."""
    IS_COPY = "is_copy"
    """The database is a copy of the one from which workers have published."""


def compare(kept: Watermark | None, found: DatabaseState, *, has_event: bool) -> Verdict:
    """Compare the database with the watermark. Pure.

    `has_event` says whether the database has an event with the watermark's `event_id` and
    `event_tag`.
    """
    if found.is_copy:
        return Verdict.IS_COPY
    if kept is None:
        return Verdict.MATCHES
    if found.generation != kept.generation:
        is_later = found.generation > kept.generation
        return Verdict.ACCEPTED if is_later else Verdict.LACKS_EVENTS
    if kept.is_refused:
        return Verdict.LACKS_EVENTS
    here = (found.system_identifier, found.database_oid)
    if here != (kept.system_identifier, kept.database_oid):
        # A database without events has no posts, so nothing can be sent twice.
        return Verdict.MATCHES if found.event_id is None else Verdict.LACKS_EVENTS
    if (found.generation_tag, found.timeline) != (kept.generation_tag, kept.timeline):
        return Verdict.LACKS_EVENTS
    return Verdict.MATCHES if has_event or not kept.event_id else Verdict.LACKS_EVENTS


def needs_recheck(
    found: DatabaseState,
    *,
    stop_tag: int | None,
    unclean_stop: bool,
    others_run: bool,
) -> bool:
    """Whether a database may lack events although it matches the watermark. Pure.

    The database lacks nothing after an ordinary restart: the last worker has stopped cleanly, and
    the stop tag that it stored in the database equals `stop_tag`, which this start has computed.
    """
    if found.event_id is None or found.registered_system is None:
        # The database has no events, or no worker has ever run, so nothing was sent.
        return False
    if unclean_stop:
        return True
    if found.clean_stop_tag is None:
        return not others_run
    return found.clean_stop_tag != stop_tag


def _make_watermark(found: DatabaseState, *, is_refused: bool = False) -> Watermark:
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
    """One worker's comparison of the database with this machine's watermark."""

    runtime: Runtime
    locks: AccountLocks
    actor: Actor
    kept: Watermark | None = None
    """The watermark of the newest event in the database; None before the first comparison."""
    problem: str | None = None
    """Why nothing may be sent from this database; None if it matches."""
    _mutex: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> DatabaseState:
        """Compare at the worker's start, and decide whether to search X before first attempts.

        Raises: the errors in `store.availability.DATABASE_AWAY`.
        """
        home, database = self.runtime.settings.home, self.runtime.database.autocommit
        found = await store.installation.read(database)
        await store.installation.register(database, found)
        unclean_stops = await asyncio.to_thread(watermark.list_unclean_stops, home)
        try:
            self.kept = await asyncio.to_thread(watermark.read, home)
        except WatermarkUnreadable as error:
            while not await self._refuse(found, error_reason(error)):
                found = await store.installation.read(database)
            return found
        # `found` is older than `register`, so it shows whether a worker has run before.
        if not await self._compare(found):
            found = await self._read_and_compare()
        if self.problem is None and needs_recheck(
            found,
            stop_tag=await self._compute_stop_tag(found),
            unclean_stop=bool(unclean_stops),
            others_run=found.clean_stop_tag is None and await self._has_other_workers(found),
        ):
            log.warning(
                "posts that are due by now are searched for on X before their first attempt"
            )
            await database.run(
                "begin_recheck", since=found.known_until or _EPOCH, until=self.runtime.clock.now()
            )
        for path in unclean_stops:
            path.unlink(missing_ok=True)
        return await self.check()

    async def check(self) -> DatabaseState:
        """Compare the database with the watermark; if they do not match, pause everything.

        Raises: the errors in `store.availability.DATABASE_AWAY`.
        """
        async with self._mutex:
            found = await self._read_and_compare()
            if self.problem is None:
                await self._advance(found)
                await self.runtime.database.autocommit.run(
                    "record_heartbeat", at=self.runtime.x_now(), timeline=found.timeline,
                    event=found.event_id, tag=found.event_tag,
                )  # fmt: skip
            return found

    async def end(self) -> None:
        """Record that this worker stops cleanly. If this fails, the next worker searches X."""
        if self.problem is not None:
            return
        with contextlib.suppress(OSError, *DATABASE_AWAY):
            found = await self.check()
            if self.problem is None:
                await self._record_clean_stop(found)

    async def _record_clean_stop(self, found: DatabaseState) -> None:
        stop = msgspec.structs.replace(
            _make_watermark(found), clean_stop_tag=secrets.randbelow(2**31)
        )
        await self._write(stop)
        # The stop tag identifies this clean stop (see `watermark.stop_tag`). It is None if the file
        # does not contain the watermark of this stop: the write failed, or another worker of this
        # machine has written a newer watermark.
        tag = await self._compute_stop_tag(found)
        if tag is not None:
            await self.runtime.database.autocommit.run("record_clean_stop", tag=tag)

    async def _compute_stop_tag(self, found: DatabaseState) -> int | None:
        if self.kept is None:
            return None
        settings = self.runtime.settings
        is_private = settings.database_url is None
        return await asyncio.to_thread(
            watermark.stop_tag,
            settings.home,
            self.kept,
            server_started_at=None if is_private else found.server_started_at,
        )

    async def _read_and_compare(self) -> DatabaseState:
        """Read the database's state and compare it with the watermark.

        If a user accepts the database between the two steps, both steps are repeated.
        """
        while True:
            found = await store.installation.read(self.runtime.database.autocommit)
            if await self._compare(found):
                return found

    async def _compare(self, found: DatabaseState) -> bool:
        """Compare a state with the watermark; return False if the state must be read again."""
        has_event = True
        if self.kept is not None and self.kept.event_id:
            row = await self.runtime.database.autocommit.run_one(
                "has_event", event=self.kept.event_id, tag=self.kept.event_tag
            )
            has_event = bool(row and row["found"])
        verdict = compare(self.kept, found, has_event=has_event)
        if verdict in {Verdict.MATCHES, Verdict.ACCEPTED}:
            self.problem = None
            return True
        return await self._refuse(found, Reason(_REASONS[verdict]))

    async def _advance(self, found: DatabaseState) -> None:
        """Move the fence and the watermark to the database's newest event."""
        self.locks.fence = (
            Fence(found.event_id, found.event_tag, found.timeline) if found.event_id else None
        )
        await self._write(_make_watermark(found))

    async def _write(self, new: Watermark) -> None:
        if new == self.kept:
            return
        self.kept = new
        try:
            await asyncio.to_thread(watermark.write, self.runtime.settings.home, new)
        except OSError as error:
            # Publishing continues even if the disk is full. This is safe, because each attempt also
            # checks the fence.
            log.warning("the watermark cannot be written (%s)", type(error).__name__)

    async def _refuse(self, found: DatabaseState, reason: Reason) -> bool:
        """Pause everything; return False if a user has accepted the database since it was read."""
        if self.problem is not None:
            return True
        problem = describe_reason(reason)
        self.locks.close_gate(problem)
        if not await pause_after_restore(
            self.runtime, self.actor, reason=reason, generation=found.generation
        ):
            return False
        self.problem = problem
        self.kept = _make_watermark(found, is_refused=True)
        if reason.code != ReasonCode.IS_COPY:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(watermark.write, self.runtime.settings.home, self.kept)
        return True

    async def _has_other_workers(self, found: DatabaseState) -> bool:
        """Wait up to three heartbeat intervals; return whether another worker sent a heartbeat."""
        heartbeat = self.runtime.settings.heartbeat_interval.total_seconds()
        stalled = self.runtime.settings.worker_timeout
        if found.alive_at is None or found.at - found.alive_at > stalled:
            return False
        for _ in range(6):
            await asyncio.sleep(heartbeat / 2)
            again = await store.installation.read(self.runtime.database.autocommit)
            if again.alive_at != found.alive_at:
                return True
        return False


_REASONS: Final = {
    Verdict.LACKS_EVENTS: ReasonCode.LACKS_EVENTS,
    Verdict.IS_COPY: ReasonCode.IS_COPY,
}
_RESTORED: Final = Reason(ReasonCode.RESTORED)


async def pause_after_restore(
    runtime: Runtime,
    actor: Actor,
    restored_to: datetime | None = None,
    *,
    reason: Reason = _RESTORED,
    generation: int | None = None,
) -> bool:
    """Pause everything: the database may lack posts that were sent after `restored_to`.

    `restored_to` defaults to the instant until which the database has a record of all requests.
    If `generation` is no longer the database's generation, nothing is paused and the result is
    False: a user has resumed everything since the caller compared the database.
    """
    now, is_copy = runtime.clock.now(), reason.code == ReasonCode.IS_COPY
    async with runtime.database.unscoped() as transaction:
        await transaction.run("lock_pauses")
        # The state is read again, because another server may just have replaced the first one.
        state = await store.installation.read(transaction)
        if generation is not None and generation != state.generation:
            return False
        complete_until = restored_to or state.known_until or _EPOCH
        facts = {"complete_until": complete_until.isoformat(timespec="seconds")}
        reason = Reason(reason.code, {**reason.detail, **facts})
        await transaction.run(
            "pause_after_restore", reason=json_of(reason), restored_to=complete_until,
            copied=is_copy, at=now, actor=str(actor),
        )  # fmt: skip
        kind = AlertKind.COPIED if is_copy else AlertKind.RESTORED
        await store.alerts.open_alert(
            transaction, None, kind, DATABASE, at=now, detail=reason_detail(reason)
        )
    return True
