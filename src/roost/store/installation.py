"""Reads and registers what identifies a database, and accepts a restored or copied one."""

from dataclasses import dataclass
from datetime import datetime

from roost.store.database import Queries


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The facts that distinguish a database from a copy or an older state of it."""

    system_identifier: str
    database_oid: int
    timeline: str
    """PostgreSQL's timeline: the first eight digits of the name of the WAL file. A failover or a
    recovery changes the timeline."""
    registered_system: str | None
    """The `system_identifier` that the first worker found; None if no worker has run yet."""
    registered_oid: int | None
    generation: int
    """The number of the generation: incremented when a person resumes publishing after a restore,
    or in a copy."""
    generation_tag: int
    event_id: int | None
    """The id of the newest event; None if there is no event."""
    event_tag: int
    event_at: datetime | None
    """Domain time of the newest event."""
    alive_at: datetime | None
    """Wall time of the last heartbeat of any worker."""
    checked_at: datetime | None
    """Domain time of the last heartbeat of a worker whose watermark matched this database."""
    clean_stop_tag: int | None
    """The tag that the last worker wrote when it stopped cleanly; None if a worker runs or was
    killed."""
    at: datetime
    """Wall time at which this state was read, by the database's clock."""
    server_started_at: datetime
    """Wall time of the start of the database server."""

    @property
    def known_until(self) -> datetime | None:
        """The instant until which this database has a record of every request to X.

        This is not the time of the newest event, because people may have planned posts after the
        database was restored.
        """
        return min(filter(None, (self.event_at, self.checked_at)), default=None)

    @property
    def is_copy(self) -> bool:
        """Whether the server or the database is not the one that the first worker registered."""
        here = (self.system_identifier, self.database_oid)
        return self.registered_system is not None and here != (
            self.registered_system,
            self.registered_oid,
        )


async def read(database: Queries) -> DatabaseState:
    """Read the state of the database."""
    state = await database.fetch_one(DatabaseState, "read_watermark")
    assert state is not None, "the installation has one row"
    return state


async def register(database: Queries, found: DatabaseState) -> None:
    """Record the identity of the database, unless a worker has recorded an identity before."""
    await database.run(
        "register_installation",
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
    )


async def accept(
    database: Queries, found: DatabaseState, *, since: datetime, until: datetime
) -> None:
    """Accept a restored or copied database as the real one; a new generation begins.

    The database may lack requests that were sent after `since`, and such requests may reach X until
    `until`. If a post is due by `until`, its parts without an attempt are therefore searched for on
    X before they are sent.
    """
    await database.run(
        "accept_database",
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
        since=since,
        until=until,
    )
