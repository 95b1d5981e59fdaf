"""Which database this is, how far its history goes, and what its workers have agreed on."""

from dataclasses import dataclass
from datetime import datetime

from roost.store.database import Runs


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """One reading of what distinguishes a database from a copy of it."""

    system_identifier: str
    database_oid: int
    timeline: str
    """First eight digits of the log file's name; a fail-over and a recovery change it."""
    registered_system: str | None
    """Where the first worker found this database; None: no worker has run yet."""
    registered_oid: int | None
    generation: int
    """Grows when a person lets publishing go on after a restore, or in a copy."""
    generation_tag: int
    event_id: int | None
    """The newest event; None: there is none."""
    event_tag: int
    event_at: datetime | None
    """Domain time."""
    alive_at: datetime | None
    """Wall time of the last heartbeat of any worker."""
    checked_at: datetime | None
    """Domain time of the last heartbeat of a worker that this database fitted."""
    clean_stop_tag: int | None
    """Written by the last worker that ended in order; None: one runs, or ended otherwise."""
    at: datetime
    """The database's wall clock."""
    server_started_at: datetime
    """Wall time of the start of the database server."""

    @property
    def known_until(self) -> datetime | None:
        """Until when all that was sent is known here, should it have been restored.

        The newest event alone does not tell: people plan posts in a restored database.
        """
        return min(filter(None, (self.event_at, self.checked_at)), default=None)

    @property
    def is_copy(self) -> bool:
        """Whether it was moved to another server or another database since a worker first ran."""
        here = (self.system_identifier, self.database_oid)
        return self.registered_system is not None and here != (
            self.registered_system,
            self.registered_oid,
        )


async def read(database: Runs) -> DatabaseState:
    """Read the state of the database."""
    row = await database.run_one("read_watermark")
    assert row is not None, "the installation has one row"
    return DatabaseState(**row)


async def register(database: Runs, found: DatabaseState) -> None:
    """Note which database this is, unless a worker has before."""
    await database.run(
        "register_installation",
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
    )


async def accept(database: Runs, found: DatabaseState, *, since: datetime, until: datetime) -> None:
    """Go on with this database, whatever it lacks: a new generation begins.

    It may lack what was sent after `since`. Requests made before may arrive until `until`; then
    each part without an attempt, of a post due by then, is looked for on X.
    """
    await database.run(
        "accept_database",
        system_identifier=found.system_identifier,
        database_oid=found.database_oid,
        since=since,
        until=until,
    )
