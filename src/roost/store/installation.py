"""The identity of the database, its newest event, and what workers have recorded about it."""

from dataclasses import dataclass
from datetime import datetime

from roost.store.database import Queries


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The facts that distinguish a database from a copy or an older state of it."""

    system_identifier: str
    database_oid: int
    timeline: str
    """First eight digits of the WAL file's name; a failover and a recovery change them."""
    registered_system: str | None
    """The `system_identifier` that the first worker found; None: no worker has run yet."""
    registered_oid: int | None
    generation: int
    """Incremented when a person resumes publishing after a restore, or in a copy."""
    generation_tag: int
    event_id: int | None
    """The id of the newest event; None: there is no event."""
    event_tag: int
    event_at: datetime | None
    """Domain time of the newest event."""
    alive_at: datetime | None
    """Wall time of the last heartbeat of any worker."""
    checked_at: datetime | None
    """Domain time of the last heartbeat of a worker whose watermark matched this database."""
    clean_stop_tag: int | None
    """Written by the last worker if it stopped cleanly; None: a worker runs, or was killed."""
    at: datetime
    """Wall time of this state, by the database's clock."""
    server_started_at: datetime
    """Wall time of the start of the database server."""

    @property
    def known_until(self) -> datetime | None:
        """The instant until which this database has a record of every request to X.

        The newest event alone does not prove this: people plan posts in a restored database.
        """
        return min(filter(None, (self.event_at, self.checked_at)), default=None)

    @property
    def is_copy(self) -> bool:
        """Whether the server or the database differs from the one that the first worker found."""
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
    """Record the identity of the database, unless a worker has already recorded an identity."""
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
    `until`. So parts without an attempt, of posts that are due by `until`, are searched for on X
    before they are sent.
    """
    await database.run(
        "accept_database",
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
        since=since,
        until=until,
    )
