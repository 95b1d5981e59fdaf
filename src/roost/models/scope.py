"""Who acts, and for which tenant: every use case for one tenant takes a `Scope`."""

from dataclasses import dataclass
from enum import StrEnum

from roost.models.ids import TenantId


class ActorKind(StrEnum):
    """The kinds of actors, which are people or parts of Roost."""

    WORKER = "worker"
    """A worker; its name is its id, `host:process`."""
    DISPATCHER = "dispatcher"
    """The database function that queues due posts."""
    COMMAND_LINE = "command_line"
    """A person at a terminal; the name is the system user and the machine, `user@host`."""
    WEB_SERVER = "web_server"
    """A person who uses the web pages. There is no login yet, so the actor has no name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The originator of a change. Every event stores its actor."""

    kind: ActorKind
    name: str = ""
    """The name that distinguishes actors of one kind; empty if there is only one actor."""

    def __str__(self) -> str:
        """Return the form in which an actor is stored, for example `worker host:17`."""
        return f"{self.kind} {self.name}" if self.name else self.kind.value

    @classmethod
    def parse(cls, stored: str) -> "Actor":
        """Convert an actor from its stored form, which `str` returns.

        Raises: ValueError if the kind is unknown.
        """
        kind, _, name = stored.partition(" ")
        return cls(ActorKind(kind), name)


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenant that a use case may read and change, and who acts."""

    tenant_id: TenantId
    """The tenant's id instead of a `Tenant`: a worker has only ids, and never loads the tenant."""
    actor: Actor
