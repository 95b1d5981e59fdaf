"""Who acts, and for which tenant: every use case for one tenant takes a `Scope`."""

from dataclasses import dataclass
from enum import StrEnum

from roost.models.ids import TenantId


class ActorKind(StrEnum):
    """What kind of process or person acts."""

    WORKER = "worker"
    """A worker; its name is its id, `host:process`."""
    DISPATCHER = "dispatcher"
    """The database function that queues due posts."""
    COMMAND_LINE = "command_line"
    """A person at a terminal; the name is the system user and the machine, `user@host`."""
    WEB_SERVER = "web_server"
    """A person who uses the pages. There is no login yet, so it has no name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. It is written with every event."""

    kind: ActorKind
    name: str = ""
    """Distinguishes actors of one kind; empty if there is only one."""

    def __str__(self) -> str:
        """Return the form in which an actor is stored, for example `worker host:17`."""
        return f"{self.kind} {self.name}" if self.name else self.kind.value

    @classmethod
    def parse(cls, stored: str) -> "Actor":
        """Return the actor of a stored form. Raises: ValueError if its kind is unknown."""
        kind, _, name = stored.partition(" ")
        return cls(ActorKind(kind), name)


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenant that a use case may read and change, and who acts."""

    tenant_id: TenantId
    """An id and not a `Tenant`: a worker has only ids, and reads no tenant for a job."""
    actor: Actor
