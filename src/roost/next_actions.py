"""What a person can do next, as data: a code with its facts. Each face words it in its own terms.

The command line names a command, a page names a link or a button, and JSON has code and facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class ActionCode(StrEnum):
    """What to do. A member's facts are named in its docstring."""

    # About posts.
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
    """Check a file by X's rules, or use another one."""
    REPLACE_MEDIA = "replace_media"
    """Give a post its file again."""
    RESTORE_MEDIA = "restore_media"
    """Restore the folder of copies, or give the post its file again."""

    # About accounts and X apps.
    CONNECT_ACCOUNT = "connect_account"
    """Connect an account, or name one that is connected."""
    CONNECT_FIRST_ACCOUNT = "connect_first_account"
    RECONNECT_ACCOUNT = "reconnect_account"
    RESUME_ACCOUNT = "resume_account"
    """`username`: resume the account's posts."""
    USE_SAME_VERSION = "use_same_version"
    """Connect by the version of the web server."""
    BUY_CREDITS = "buy_credits"
    CHECK_APP = "check_app"
    WAIT_FOR_LIMIT = "wait_for_limit"

    # About the installation.
    CREATE_TENANT = "create_tenant"
    INITIALIZE = "initialize"
    """Set up the data folder and the vault key."""
    MIGRATE_DATABASE = "migrate_database"
    CREATE_VAULT_KEY = "create_vault_key"
    PREPARE_DATABASE = "prepare_database"
    """Have an administrator make roles and tables."""
    PREPARE_ROLES = "prepare_roles"
    """`role`: have an administrator run the SQL, then set up again."""
    REVOKE_RIGHTS = "revoke_rights"
    """Have an administrator take rights from the role that Roost logs in as."""
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
    RESUME_EVERYTHING = "resume_everything"
    RESUME_AGAIN = "resume_again"
    """Resume everything again once X answers."""
    SEARCH_AND_RESUME = "search_and_resume"
    """Resume everything, which searches X for what the database may lack."""
    REPEAT_CHANGES = "repeat_changes"
    """Repeat the changes that a restore has lost, then resume everything."""
    ACCEPT_COPY = "accept_copy"
    """Resume everything in this copy, where the original database is no longer used."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do next."""

    code: ActionCode
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the form for programs."""
        return {"code": self.code.value, "facts": dict(self.facts)}
