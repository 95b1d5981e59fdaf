"""Describes next actions for the command line, as sentences that name commands."""

from collections.abc import Mapping
from typing import Any, Final

from roost.action_wording import ActionWording
from roost.cli.tenant_option import name_tenant
from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction

#: The command line's sentence for each action; commands are in backticks. The facts of the action
#: replace the names in braces.
_SENTENCES: Final[Mapping[ActionCode, str]] = {
    ActionCode.LIST_POSTS: "`roost posts` lists the posts.",
    ActionCode.SHOW_POST: "`roost posts {post_id} --history` shows the post's state.",
    ActionCode.DECIDE_UNKNOWN: (
        "`roost posts {post_id} --history` shows what is known; `roost resolve {post_id} found"
        " URL`, `resend` or `discard` resolves the post."
    ),
    ActionCode.DECIDE_PARTLY_PUBLISHED: (
        "`roost resolve {post_id} continue --text …` continues the thread, `delete` deletes its"
        " published parts from X, `acknowledge` leaves the post as it is."
    ),
    ActionCode.DECIDE_MISSED: (
        "`roost resolve {post_id} resend` sends the post now, `discard` cancels it."
    ),
    ActionCode.DECIDE_FAILED: (
        "`roost edit {post_id} --text … --at +1m` tries again, `roost resolve {post_id}"
        " acknowledge` leaves the post as it is."
    ),
    ActionCode.CHECK_DUPLICATE: (
        "Check the account's timeline and delete the duplicate; then run `roost resolve"
        " {post_id} acknowledge`."
    ),
    ActionCode.LIST_DRAFTS: "`roost drafts` lists the drafts.",
    ActionCode.SHOW_DRAFT: "`roost draft --show {draft_id}` shows the draft as it is now.",
    ActionCode.ALLOW_DRAFTS: (
        "Approve the draft at a terminal, or allow programs to approve drafts with `roost tenant"
        " --drafts-without-person`."
    ),
    ActionCode.CONNECT_ACCOUNT: (
        "`roost connect` connects an account; `roost doctor` lists the connected accounts."
    ),
    ActionCode.CONNECT_FIRST_ACCOUNT: "Run `roost connect`.",
    ActionCode.RECONNECT_ACCOUNT: (
        "`roost connect` connects the account again; its waiting posts are then published."
    ),
    ActionCode.RESUME_ACCOUNT: "`roost resume --account @{username}` resumes the account's posts.",
    ActionCode.CHECK_LATE_POSTS: "Check `roost posts` and the worker's log.",
    ActionCode.RESUME_TENANT: "`roost resume --all-accounts` resumes the tenant's posts.",
    ActionCode.RESUME_POST: "`roost resume {post_id}` resumes the post.",
    ActionCode.RESUME_EVERYTHING: "`roost resume --all` resumes publishing.",
    ActionCode.RESUME_AGAIN: "Run `roost resume --all` again once X answers.",
    ActionCode.SEARCH_AND_RESUME: (
        "`roost resume --all` searches X for posts that the database may lack, then resumes."
    ),
    ActionCode.REPEAT_CHANGES: (
        "Repeat the cancellations and edits that were lost; then run `roost resume --all`. Before"
        " anything is sent, Roost searches X for posts that the database may lack."
    ),
    ActionCode.RESCHEDULE_POST: "Give the post another time: `roost edit {post_id} --at TIME`.",
    ActionCode.CHECK_MEDIA: "Check the file with `roost check --media`, or use another file.",
    ActionCode.REPLACE_MEDIA: "Give the file again: `roost edit POST --media FILE`.",
    ActionCode.RESTORE_MEDIA: (
        "Restore the folder `media` of ROOST_HOME, or give the file again: `roost edit POST --media"
        " FILE`."
    ),
    ActionCode.USE_SAME_VERSION: "Run `roost connect` in the same version as the web server.",
    ActionCode.CREATE_TENANT: "`roost init --tenant NAME` creates a tenant.",
    ActionCode.INITIALIZE: "Run `roost init`.",
    ActionCode.MIGRATE_DATABASE: "Run `roost init`; it migrates the database.",
    ActionCode.CREATE_VAULT_KEY: (
        "`roost init` creates a vault key, or set ROOST_VAULT_KEYS to `id:base64`."
    ),
    ActionCode.PREPARE_DATABASE: (
        "Set ROOST_ADMIN_DATABASE_URL to the same database, with a user who may create its roles"
        " and tables, and run `roost init`. Or ask a database administrator to run this SQL once"
        " and to give both roles passwords; then let ROOST_ADMIN_DATABASE_URL log in as the first"
        " role."
    ),
    ActionCode.PREPARE_ROLES: (
        "Ask a database administrator to run this SQL, then run `roost init` again. If the server"
        " requires passwords, {role} needs a password as well."
    ),
    ActionCode.REVOKE_RIGHTS: (
        "Ask a database administrator to revoke this privilege from the role; `roost init` with"
        " ROOST_ADMIN_DATABASE_URL closes the database to other roles."
    ),
    ActionCode.START_DATABASE: (
        "Check that PostgreSQL runs at DATABASE_URL, then run `roost doctor`."
    ),
    ActionCode.CHECK_DATABASE_URL: (
        "Check that DATABASE_URL has the right server, database, login and password. If the login"
        " is missing, `roost init` with ROOST_ADMIN_DATABASE_URL creates it."
    ),
    ActionCode.LOG_IN_AS_ROLE: (
        "Let DATABASE_URL log in as {role}. If that role is missing, set ROOST_ADMIN_DATABASE_URL"
        " to an administrator's address of the database: `roost init` then creates the role."
    ),
    ActionCode.TRY_AGAIN: "Try again; `roost doctor` checks the installation.",
    ActionCode.START_EMULATOR: "Start `roost emulator`, or unset ROOST_CLOCK_URL.",
    ActionCode.START_WORKER: "Start `roost worker`.",
    ActionCode.CHECK_WORKER: "Check that `roost worker` runs, then run `roost doctor`.",
    ActionCode.ACCEPT_COPY: (
        "If the original is no longer used, `roost resume --all --this-is-the-real-one` makes this"
        " database the original."
    ),
}
_WORDING: Final = ActionWording(_SENTENCES)


def describe_action(action: NextAction, tenant_option: str | None = None) -> str:
    """Describe an action in a sentence, with `--tenant` in its commands where it is needed.

    `tenant_option` is a result of `make_option`; the default is the running command's option.
    """
    return name_tenant(_WORDING.describe_action(action), tenant_option)


def describe_next(error: RoostError) -> str:
    """Describe what to do about an error; empty if Roost knows no next action."""
    return name_tenant(_WORDING.describe_next(error))


def error_as_json(error: RoostError) -> dict[str, Any]:
    """Return an error as JSON data, with the next action as a sentence and as a code."""
    return error.as_dict(next_text=describe_next(error))
