"""Which database this is, how far its history goes, and what its workers have recorded in it."""

from dataclasses import dataclass
from datetime import datetime

from roost.store.database import Queries


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What distinguishes a database from a copy of it, at one instant."""

    system_identifier: str
    database_oid: int
    timeline: str
    """First eight digits of the log file's name; a fail-over and a recovery change it."""
    registered_system: str | None
    """Where the first worker found this database; None: no worker has run yet."""
    registered_oid: int | None
    generation: int
    """Grows when a person resumes publishing after a restore, or in a copy."""
    generation_tag: int
    event_id: int | None
    """The newest event; None: there is none."""
    event_tag: int
    event_at: datetime | None
    """Domain time."""
    alive_at: datetime | None
    """Wall time of the last heartbeat of any worker."""
    checked_at: datetime | None
    """Domain time of the last heartbeat of a worker whose watermark matched this database."""
    clean_stop_tag: int | None
    """Written by the last worker that stopped cleanly; None: one runs, or did not stop cleanly."""
    at: datetime
    """The database's wall clock."""
    server_started_at: datetime
    """Wall time of the start of the database server."""

    @property
    def known_until(self) -> datetime | None:
        """The instant until which all that was sent is recorded here, even after a restore.

        The newest event does not prove that alone: people plan posts in a restored database.
        """
        return min(filter(None, (self.event_at, self.checked_at)), default=None)

    @property
    def is_copy(self) -> bool:
        """Whether it is on another server, or another database, than when a worker first ran."""
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
    """Record which database this is, unless a worker has recorded it before."""
    await database.run(
        "register_installation",
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
    )


async def accept(
    database: Queries, found: DatabaseState, *, since: datetime, until: datetime
) -> None:
    """Accept this database with whatever it lacks; a new generation begins.

    It may lack what was sent after `since`. Earlier requests may reach X until `until`. After that,
    each part without an attempt, of a post due by then, is searched for on X.
    """
    await database.run(
        "accept_database",
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
        since=since,
        until=until,
    )
