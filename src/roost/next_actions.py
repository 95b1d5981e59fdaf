"""What a person can do next, as data: a code, and the facts that its description needs.

The facts are values such as a post's id or the name of a setting.

Each interface describes the action in its own terms: the command line names a command, a web page
names a link or a button, and JSON has the code and the facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ActionCode(StrEnum):
    """The codes of the actions; a member's docstring begins with the names of its facts."""

    # Actions for posts.
    LIST_POSTS = "list_posts"
    SHOW_POST = "show_post"
    """`post_id`: look at the post and its history."""
    RESCHEDULE_POST = "reschedule_post"
    """`post_id`: give the post another due time."""
    DECIDE_UNKNOWN = "decide_unknown"
    """`post_id`: decide whether X has a part of the post."""
    DECIDE_PARTLY_PUBLISHED = "decide_partly_published"
    """`post_id`: continue the thread, delete its published parts, or leave it."""
    DECIDE_MISSED = "decide_missed"
    """`post_id`: send the post now, or discard it."""
    DECIDE_FAILED = "decide_failed"
    """`post_id`: change the post and try again, or leave it."""
    CHECK_DUPLICATE = "check_duplicate"
    """`post_id`: look for duplicates on X, delete them, then acknowledge the post."""
    CHECK_MEDIA = "check_media"
    """Check a file by X's rules, or use another file."""
    REPLACE_MEDIA = "replace_media"
    """Give a post its file again."""
    RESTORE_MEDIA = "restore_media"
    """Restore the folder of copies, or give the post its file again."""
    LIST_DRAFTS = "list_drafts"
    SHOW_DRAFT = "show_draft"
    """`draft_id`: read the draft again."""
    ALLOW_DRAFTS = "allow_drafts"
    """Let a person approve the draft, or let programs approve drafts of the tenant."""

    # Actions for accounts and X apps.
    CONNECT_ACCOUNT = "connect_account"
    """Connect an account, or give the name of a connected account."""
    CONNECT_FIRST_ACCOUNT = "connect_first_account"
    RECONNECT_ACCOUNT = "reconnect_account"
    RESUME_ACCOUNT = "resume_account"
    """`username`: resume the account's posts."""
    USE_SAME_VERSION = "use_same_version"
    """Run the connect command in the same version of Roost as the web server."""
    BUY_CREDITS = "buy_credits"
    CHECK_APP = "check_app"
    WAIT_FOR_LIMIT = "wait_for_limit"

    # Actions for the installation, and all others.
    CREATE_TENANT = "create_tenant"
    INITIALIZE = "initialize"
    """Set up the data folder and the vault key."""
    MIGRATE_DATABASE = "migrate_database"
    CREATE_VAULT_KEY = "create_vault_key"
    PREPARE_DATABASE = "prepare_database"
    """Have an administrator create the roles and tables."""
    PREPARE_ROLES = "prepare_roles"
    """`role`: have an administrator run the SQL, then set up again."""
    REVOKE_RIGHTS = "revoke_rights"
    """Have an administrator revoke a privilege of the role that Roost logs in as."""
    START_DATABASE = "start_database"
    CHECK_DATABASE_URL = "check_database_url"
    LOG_IN_AS_ROLE = "log_in_as_role"
    """`role`: the role that DATABASE_URL has to log in as."""
    TRY_AGAIN = "try_again"
    START_EMULATOR = "start_emulator"
    START_WORKER = "start_worker"
    CHECK_WORKER = "check_worker"
    CHECK_LATE_POSTS = "check_late_posts"
    SET_CLOCK = "set_clock"
    RESUME_TENANT = "resume_tenant"
    RESUME_POST = "resume_post"
    RESUME_EVERYTHING = "resume_everything"
    RESUME_AGAIN = "resume_again"
    """Run the command that resumes everything again, once X responds."""
    SEARCH_AND_RESUME = "search_and_resume"
    """Resume everything; this searches X for posts that a restored database may lack."""
    REPEAT_CHANGES = "repeat_changes"
    """Repeat the changes that were lost by a restore, then resume everything."""
    ACCEPT_COPY = "accept_copy"
    """Resume everything in this copy of the database, if the original is no longer used."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """An action that a person can take next: its code, and the facts of its description."""

    code: ActionCode
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the action as JSON data: its code and facts."""
        return {"code": self.code.value, "facts": dict(self.facts)}
