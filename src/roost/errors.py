"""Every error that a user can see: one class per error, with a stable code.

    RoostError          code, kind, message, did, next
    ├── InvalidInput    kind invalid: the request itself is wrong
    ├── NotFound        kind not_found: no such tenant, account or post
    ├── Conflict        kind conflict: the current state does not allow the request
    ├── Refused         kind refused: X, another service or a safety rule refused the request
    ├── Busy            kind busy: the request is right; try again later
    └── Broken          kind broken: Roost, or something that it needs, does not work

Each package adds its own classes; `roost.x.errors` has the errors of X. docs/reference/errors.md
draws the whole tree. The exit code of a command and the status of an HTTP response depend only on
`kind`, not on the class.
"""

import re
from enum import StrEnum
from typing import Any, ClassVar

from roost import changes
from roost.next_actions import ActionCode, NextAction
from roost.scrub import mask_known_secrets


class Kind(StrEnum):
    """The kinds of errors, which differ in what a caller can do about the error."""

    INVALID = "invalid"
    """The request is wrong and has to be corrected."""
    NOT_FOUND = "not_found"
    """The request names an object that does not exist, or that belongs to another tenant."""
    CONFLICT = "conflict"
    """The object exists, but its state does not allow the request."""
    REFUSED = "refused"
    """X, a budget or a safety rule refused the request."""
    BUSY = "busy"
    """Nothing is wrong; the request will succeed later."""
    BROKEN = "broken"
    """Something does not work, and a person has to repair it."""


class RoostError(Exception):
    """An error: what happened, what Roost did about it, and what to do next.

    `message` says what happened and to whom. `did` says what Roost did; by default, whether the
    command or the web request has changed anything so far. `next` says what the reader can do.
    `facts` are plain values for programs. Secrets from the settings are masked in all of these,
    because a library's message may contain a URL with a password. `code` is the class's name in
    snake case, and stable.
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
        message = mask_known_secrets(message)
        super().__init__(message)
        self.message = message
        self._did = mask_known_secrets(did)
        self.next = mask_known_secrets(next) or self.default_next
        if next_action is None and not next and self.default_action is not None:
            next_action = NextAction(self.default_action)
        self.next_action = next_action
        self.facts: dict[str, Any] = _hide_secrets(facts)

    @property
    def code(self) -> str:
        """The stable name of this error: the class's name in snake case."""
        return snake_case(type(self).__name__)

    @property
    def did(self) -> str:
        """What Roost did; empty if it is not known whether anything was changed."""
        return self._did or changes.describe()

    @did.setter
    def did(self, text: str) -> None:
        self._did = mask_known_secrets(text)

    def set_default_did(self, text: str) -> None:
        """Set `did` to `text`, unless the error already has a `did` of its own."""
        self._did = self._did or text

    def as_dict(self, *, next_text: str | None = None) -> dict[str, Any]:
        """Return the error in the JSON form that the command line and HTTP use.

        `next_text` is a sentence for `next_action`, in the words of the interface that shows it.
        """
        action = self.next_action
        fields = {
            "code": self.code,
            "kind": self.kind.value,
            "message": self.message,
            "did": self.did,
            "next": self.next if next_text is None else next_text,
            "next_action": None if action is None else action.to_json(),
        }
        return fields | {"facts": self.facts} if self.facts else fields


def _hide_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return mask_known_secrets(value)
    if isinstance(value, dict):
        return {name: _hide_secrets(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_hide_secrets(item) for item in value]
    return value


def snake_case(name: str) -> str:
    """Convert `TextTooLong` to `text_too_long`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class InvalidInput(RoostError):
    """The request itself is wrong."""

    kind = Kind.INVALID


class SettingInvalid(InvalidInput):
    """A setting is missing or malformed; the message names the setting and its purpose."""

    default_next = (
        "Set it in the environment, in ROOST_HOME/.env or in the file of --env-file; then start"
        " again."
    )


class BriefInvalid(InvalidInput):
    """The brief of `roost draft` cannot be read, or lacks fields that drafting needs."""


class PlanInvalid(InvalidInput):
    """A plan file cannot be read at all.

    Single invalid rows do not raise this error: they are skipped and reported.
    """


class PostRefused(InvalidInput):
    """A post breaks X's rules; `facts["violations"]` lists every violation.

    `code` is the code of the first violation (`text_too_long`, …), so that a caller who reads
    only the code still gets the reason.
    """

    default_next = "Change the post as each violation says."

    @property
    def code(self) -> str:
        """The first violation's code."""
        violations = self.facts.get("violations") or [{"code": "post_refused"}]
        return str(violations[0]["code"])


class MediaUnreadable(InvalidInput):
    """A file is missing, unreadable, or not media that X accepts."""


class MediaTypeUnsupported(MediaUnreadable):
    """A file has a type that X does not accept, such as HEIC, AVI or MKV."""


class MediaChanged(InvalidInput):
    """A file changed during its upload."""

    default_next = "Upload the file as it is now."


class TenantNameInvalid(InvalidInput):
    """A tenant's name contains a character that is not allowed."""

    default_next = "Use at most 63 lower-case letters, digits, `-` and `_`."


class TimePast(InvalidInput):
    """The time of a post is in the past."""

    default_next = "Give a future time. To publish a new post now, give no time."


class TimeTooFar(InvalidInput):
    """The time of a post is more than five years ahead."""

    default_next = "Give a time within the next five years."


class NotFound(RoostError):
    """The object does not exist, or belongs to another tenant."""

    kind = Kind.NOT_FOUND


class TenantNotFound(NotFound):
    """No tenant has this name."""

    default_action = ActionCode.CREATE_TENANT


class AccountNotFound(NotFound):
    """No connected account has this name."""

    default_action = ActionCode.CONNECT_ACCOUNT


class PostNotFound(NotFound):
    """No post has this number."""

    default_action = ActionCode.LIST_POSTS


class Conflict(RoostError):
    """The state of the object does not allow the request."""

    kind = Kind.CONFLICT


class AccountConnectedElsewhere(Conflict):
    """Another tenant has connected this X account already."""

    default_next = (
        "Use the account in the other tenant, or have an administrator set"
        " ROOST_SHARED_ACCOUNTS=true: posts of both tenants are then published in turn."
    )


class DatabaseCopied(Conflict):
    """The database is a copy of another one, from which workers have published."""

    default_action = ActionCode.ACCEPT_COPY


class PostNotEditable(Conflict):
    """A post that is being published, or is published, can no longer be edited."""


class Refused(RoostError):
    """X, another service or a safety rule refused the request."""

    kind = Kind.REFUSED


class UnsafeHost(Refused):
    """A secret may not be sent to this host, or a web request names a host of another machine."""


class UntrustedPath(Refused):
    """Another user could have changed a file or folder from which secrets are read."""

    default_next = (
        "Make the user who runs Roost the owner (chown), run Roost as the owner, or set ROOST_HOME"
        " to another folder."
    )

    def __init__(self, message: str, *, did: str = "", next: str = "", **facts: Any) -> None:  # noqa: A002
        super().__init__(message, did=did or "Roost did not read it.", next=next, **facts)


class UnsafeListenAddress(Refused):
    """Without login, the web server may listen only on a loopback address."""


class UnsafeDatabaseRole(Refused):
    """DATABASE_URL logs in as a wrong role, or as a role with too many privileges."""


class MediaStoreUnsafe(Refused):
    """Other users may write to the folder of media copies, and could replace validated files."""


class AdministratorNeeded(Refused):
    """Roles or tables are missing, and this database user may not create them.

    `facts["sql"]` is the SQL that an administrator has to run, if it is known.
    """


class DatabaseCreationRefused(InvalidInput):
    """The demo needs a database of its own, which this database user may not create."""


class ConsentDenied(Refused):
    """The user denied consent on X's page."""


class ConnectFlowInvalid(Refused):
    """An attempt to connect an account is unknown, expired or completed.

    The error is also raised if the attempt was started in another browser.
    """

    default_next = "Connect the account again."


class Busy(RoostError):
    """The request is right, but cannot be served now."""

    kind = Kind.BUSY


class MediaStalled(Busy):
    """Reading a file, or Roost's copy of it, timed out."""

    default_next = "Check that the disk or the file server responds; then try again."


class RestoreSearchFailed(Busy):
    """After a restore, X could not be completely searched for posts, so nothing was resumed."""

    default_action = ActionCode.RESUME_AGAIN


class Broken(RoostError):
    """Roost, or something that it needs, does not work."""

    kind = Kind.BROKEN


class DatabaseUnavailable(Broken):
    """The database cannot be reached or started."""

    will_pass = False
    """Whether a long-running process waits, because the database may become available by itself."""


class PoolerUnsupported(Broken):
    """A connection pooler in front of PostgreSQL does not keep one server session per client."""

    default_next = (
        "Connect directly to PostgreSQL, or use the pooler's session mode (PgBouncer:"
        " pool_mode = session)."
    )

    def __init__(self, message: str, *, did: str = "", next: str = "", **facts: Any) -> None:  # noqa: A002
        super().__init__(message, did=did or "Nothing was started.", next=next, **facts)


class SchemaOutdated(Broken):
    """The database's tables do not match this version of Roost."""

    default_action = ActionCode.MIGRATE_DATABASE


class NotSetUp(SchemaOutdated):
    """Roost has no data folder or no tables in the database yet."""

    default_action = ActionCode.INITIALIZE


class DatabaseLostEvents(Broken):
    """The database has lost events: it was restored, or failed over to an older copy."""

    default_action = ActionCode.SEARCH_AND_RESUME


class WatermarkUnreadable(Broken):
    """The watermark, the file with the last event that this machine saw, cannot be read."""

    default_action = ActionCode.SEARCH_AND_RESUME


class VaultKeyMissing(Broken):
    """There is no key to encrypt or decrypt a secret."""

    default_action = ActionCode.CREATE_VAULT_KEY


class VaultDamaged(Broken):
    """A ciphertext cannot be decrypted: its key, its row or its bytes have changed."""


class MediaNotCopied(Broken):
    """A media file of a post could not be copied into the media folder of ROOST_HOME."""

    default_next = "Check that ROOST_HOME is writable and has free space, then try again."


class MediaCopyLost(Broken):
    """Roost's copy of a post's file is missing, or is on another machine."""

    default_action = ActionCode.RESTORE_MEDIA


class MediaCopyDamaged(Broken):
    """Roost's copy of a post's file has changed since it was validated."""

    default_action = ActionCode.REPLACE_MEDIA


class ReconnectNeeded(Broken):
    """Roost has no usable token for an account; the owner has to connect the account again."""

    default_action = ActionCode.RECONNECT_ACCOUNT
