"""Every failure a person can meet: its own class, a stable code, and four sentences.

    RoostError                     code, kind, message, did, next
    ├── InvalidInput               kind invalid: the request itself is wrong
    │   ├── SettingInvalid         a setting is missing or malformed
    │   ├── BriefInvalid           a brief cannot be read
    │   ├── PlanInvalid            a plan file cannot be read at all
    │   ├── PostRefused            a post breaks X's rules; carries every violation
    │   ├── MediaUnreadable        a file is not media that X takes
    │   │   └── MediaTypeUnsupported   it is of another type, which the message names
    │   └── MediaChanged           a file was changed while it was uploaded
    ├── NotFound                   kind not_found: no such tenant, account, post
    ├── Conflict                   kind conflict: its state does not allow this
    ├── Refused                    kind refused: the outside, or a rule of safety, said no
    ├── Busy                       kind busy: right request, wrong moment; try again
    └── Broken                     kind broken: Roost or what it stands on does not work

`roost.x.errors` grows the branch of what X answers from `Refused`, `Busy` and `Broken`.
A face (command line, HTTP, MCP) maps `kind`, never a class, to its exit code or status.
"""

import re
from enum import StrEnum
from typing import Any, ClassVar

from roost.next_actions import ActionCode, NextAction
from roost.scrub import hide_known


class Kind(StrEnum):
    """What a caller can do about a failure; each face maps these in one table."""

    INVALID = "invalid"
    """The request is wrong and will stay wrong: correct it."""
    NOT_FOUND = "not_found"
    """What the request names does not exist (or not for this tenant)."""
    CONFLICT = "conflict"
    """The thing exists but is in a state that does not allow this."""
    REFUSED = "refused"
    """Somebody who may say no said no: X, a budget, a rule of safety."""
    BUSY = "busy"
    """Nothing is wrong; later it will work."""
    BROKEN = "broken"
    """Something that should work does not: a person has to look."""


class RoostError(Exception):
    """A failure, told as what happened, what Roost did about it and what to do next.

    `message` says what happened and to whom; `did` what Roost did (empty: nothing was changed);
    `next` what the reader can do. `facts` are plain values for programs. Secrets among the settings
    are taken out of all of them: a library's words may repeat an address with its password.
    `code` is the class's name in snake case, and stable.
    """

    kind: ClassVar[Kind] = Kind.BROKEN
    default_next: ClassVar[str] = ""
    default_action: ClassVar[ActionCode | None] = None

    def __init__(
        self,
        message: str,
        *,
        did: str = "",
        next: str = "",  # noqa: A002  the name in JSON
        next_action: NextAction | None = None,
        **facts: Any,
    ) -> None:
        message = hide_known(message)
        super().__init__(message)
        self.message = message
        self.did = hide_known(did) or "Nothing was changed."
        self.next = hide_known(next) or self.default_next
        if next_action is None and not next and self.default_action is not None:
            next_action = NextAction(self.default_action)
        self.next_action = next_action
        self.facts: dict[str, Any] = _hide_secrets(facts)

    @property
    def code(self) -> str:
        """The stable name of this failure: the class in snake case."""
        return snake_case(type(self).__name__)

    def as_dict(self, *, next_text: str | None = None) -> dict[str, Any]:
        """The failure as every face shows it to a program.

        `next_text` is `next_action` in the words of the face.
        """
        action = self.next_action
        shown = {
            "code": self.code,
            "kind": self.kind.value,
            "message": self.message,
            "did": self.did,
            "next": self.next if next_text is None else next_text,
            "next_action": None if action is None else action.to_json(),
        }
        return shown | {"facts": self.facts} if self.facts else shown


def _hide_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return hide_known(value)
    if isinstance(value, dict):
        return {name: _hide_secrets(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_hide_secrets(item) for item in value]
    return value


def snake_case(name: str) -> str:
    """`TextTooLong` → `text_too_long`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class InvalidInput(RoostError):
    """What was asked is malformed."""

    kind = Kind.INVALID


class SettingInvalid(InvalidInput):
    """A setting is missing or malformed; the message names it and what it is for."""

    default_next = (
        "Set it in the environment, in ROOST_HOME/.env or in the file of --env-file; then start"
        " again."
    )


class BriefInvalid(InvalidInput):
    """A writer's brief cannot be read or lacks what drafting needs."""


class PlanInvalid(InvalidInput):
    """A plan file cannot be read at all (a wrong row is refused alone instead)."""


class PostRefused(InvalidInput):
    """A post breaks X's rules; `facts["violations"]` lists every one.

    `code` is that of the first violation (`text_too_long`, …), so that a caller who looks at
    the code alone still learns the reason.
    """

    default_next = "Change the post as each violation says."

    @property
    def code(self) -> str:
        """The first violation's code."""
        violations = self.facts.get("violations") or [{"code": "post_refused"}]
        return str(violations[0]["code"])


class MediaUnreadable(InvalidInput):
    """A file is missing, unreadable or not media that X takes."""


class MediaTypeUnsupported(MediaUnreadable):
    """A file is of a type that X does not take, such as HEIC, AVI or MKV."""


class MediaChanged(InvalidInput):
    """A file was changed while it was uploaded."""

    default_next = "Upload the file as it is now."


class TenantNameInvalid(InvalidInput):
    """A tenant's name has other characters than it may."""

    default_next = "Use lower-case letters, digits, `-` and `_`, at most 63."


class TimePast(InvalidInput):
    """A post was given a time that is over."""

    default_next = "Give it a time to come, or leave the time out to post now."


class TimeTooFar(InvalidInput):
    """A post was given a time more than five years ahead."""

    default_next = "Give it a time within the next five years."


class NotFound(RoostError):
    """No such thing, or not for this tenant."""

    kind = Kind.NOT_FOUND


class TenantNotFound(NotFound):
    """No tenant has this name."""

    default_action = ActionCode.CREATE_TENANT


class AccountNotFound(NotFound):
    """No connected account answers to this name."""

    default_action = ActionCode.CONNECT_ACCOUNT


class PostNotFound(NotFound):
    """No post has this number."""

    default_action = ActionCode.LIST_POSTS


class Conflict(RoostError):
    """The thing is in another state than the request needs."""

    kind = Kind.CONFLICT


class AccountConnectedElsewhere(Conflict):
    """Another tenant has connected this account of X already."""

    default_next = (
        "Disconnect it there, or have an administrator allow it with ROOST_SHARED_ACCOUNTS=true."
    )


class DatabaseCopied(Conflict):
    """The database is a copy of the one that workers have published from."""

    default_action = ActionCode.ACCEPT_COPY


class PostNotEditable(Conflict):
    """A post that is on its way or out can no longer be changed here."""


class Refused(RoostError):
    """Somebody who may say no said no."""

    kind = Kind.REFUSED


class UnsafeHost(Refused):
    """A secret would have gone to a foreign host, or a request names a host that is not ours."""


class UntrustedPath(Refused):
    """A file or folder that secrets are read from could have been prepared by another user."""

    default_next = (
        "Give it to the user who runs Roost (chown), run Roost as its owner, or set ROOST_HOME to"
        " another folder."
    )

    def __init__(self, message: str, *, did: str = "", next: str = "", **facts: Any) -> None:  # noqa: A002
        super().__init__(message, did=did or "Roost read nothing of it.", next=next, **facts)


class UnsafeListenAddress(Refused):
    """Without log-in the service listens on loopback only."""


class UnsafeDatabaseRole(Refused):
    """DATABASE_URL logs in as another role than the application's, or one that could do more."""


class MediaStoreUnsafe(Refused):
    """Others may write to the folder of media copies, and so exchange what was checked."""


class AdministratorNeeded(Refused):
    """Roles or tables are missing, and this database user may not make them.

    `facts["sql"]` is what an administrator runs, where it is known.
    """


class DatabaseCreationRefused(InvalidInput):
    """The database user may not create a database, which the demo needs for itself."""


class ConsentDenied(Refused):
    """The person at the authorize page said no."""


class ConnectFlowInvalid(Refused):
    """The state of a connection attempt is unknown, used, expired or another browser's."""

    default_next = "Start the connection again."


class Busy(RoostError):
    """Right request, wrong moment."""

    kind = Kind.BUSY


class MediaStalled(Busy):
    """A file, or Roost's copy of it, could not be read in time."""

    default_next = "See that the disk, or the server that it is on, answers; then try again."


class RestoreSearchFailed(Busy):
    """After a restore, X could not be searched for all accounts, so nothing was resumed."""

    default_action = ActionCode.RESUME_AGAIN


class Broken(RoostError):
    """Something Roost stands on does not work."""

    kind = Kind.BROKEN


class DatabaseUnavailable(Broken):
    """The database cannot be reached or started."""

    will_pass = False
    """Whether it may be back by itself; what runs for long waits for it then."""


class PoolerUnsupported(Broken):
    """A connection pooler before PostgreSQL does not keep a session for each client."""

    default_next = (
        "Connect directly to PostgreSQL, or use the pooler's session mode (PgBouncer:"
        " pool_mode = session)."
    )

    def __init__(self, message: str, *, did: str = "", next: str = "", **facts: Any) -> None:  # noqa: A002
        super().__init__(message, did=did or "Nothing was started.", next=next, **facts)


class SchemaOutdated(Broken):
    """The database's tables are not those of this version."""

    default_action = ActionCode.MIGRATE_DATABASE


class DatabaseForgot(Broken):
    """The database lacks what was seen in it: it was restored, or failed over to an older copy."""

    default_action = ActionCode.SEARCH_AND_RESUME


class WatermarkUnreadable(Broken):
    """The file that says what this machine has seen last in the database cannot be read."""

    default_action = ActionCode.SEARCH_AND_RESUME


class VaultKeyMissing(Broken):
    """No key is there to open or seal a secret."""

    default_action = ActionCode.CREATE_VAULT_KEY


class VaultDamaged(Broken):
    """A ciphertext does not open: another key, another row, or changed bytes."""


class MediaNotCopied(Broken):
    """A file that a post is to carry could not be copied into the media folder of ROOST_HOME."""

    default_next = "See that ROOST_HOME has room and may be written to, then try again."


class MediaCopyLost(Broken):
    """Roost's own copy of a post's file is gone, or is on another machine."""

    default_action = ActionCode.RESTORE_MEDIA


class MediaCopyDamaged(Broken):
    """Roost's own copy of a post's file has other bytes than were checked."""

    default_action = ActionCode.REPLACE_MEDIA


class ReconnectNeeded(Broken):
    """An account's grant is dead; only its owner can give a new one."""

    default_action = ActionCode.RECONNECT_ACCOUNT
