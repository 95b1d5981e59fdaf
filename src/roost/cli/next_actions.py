"""Words what a person can do next as commands: the command line's wording table."""

from collections.abc import Mapping
from typing import Any, Final

from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction

#: A sentence for each action; facts are in braces.
_SENTENCES: Final[Mapping[ActionCode, str]] = {
    ActionCode.LIST_POSTS: "`roost posts` lists them.",
    ActionCode.SHOW_POST: "`roost posts {post_id} --history` shows its state.",
    ActionCode.RESCHEDULE_POST: "Give it another time: `roost edit {post_id} --at TIME`.",
    ActionCode.DECIDE_UNKNOWN: (
        "`roost posts {post_id} --history` shows what is known; `roost resolve {post_id} found"
        " URL`, `resend` or `discard` resolves it."
    ),
    ActionCode.DECIDE_PARTLY_PUBLISHED: (
        "`roost resolve {post_id} continue --text …` continues it, `delete` deletes its published"
        " parts from X, `acknowledge` leaves it as it is."
    ),
    ActionCode.DECIDE_MISSED: (
        "`roost resolve {post_id} resend` sends it now, `discard` cancels it."
    ),
    ActionCode.DECIDE_FAILED: (
        "`roost edit {post_id} --text … --at +1m` tries again, `roost resolve {post_id}"
        " acknowledge` leaves it as it is."
    ),
    ActionCode.CHECK_DUPLICATE: (
        "Check the account's timeline and delete what is there twice; then run `roost resolve"
        " {post_id} acknowledge`."
    ),
    ActionCode.CHECK_MEDIA: "Check the file with `roost check --media`, or use another one.",
    ActionCode.REPLACE_MEDIA: "Give the file again: `roost edit POST --media FILE`.",
    ActionCode.RESTORE_MEDIA: (
        "Restore the folder `media` of ROOST_HOME, or give the file again: `roost edit POST --media"
        " FILE`."
    ),
    ActionCode.CONNECT_ACCOUNT: (
        "`roost connect` connects one; `roost doctor` lists those that are connected."
    ),
    ActionCode.CONNECT_FIRST_ACCOUNT: "Run `roost connect`.",
    ActionCode.RECONNECT_ACCOUNT: (
        "`roost connect` connects the account again; its waiting posts are then published."
    ),
    ActionCode.RESUME_ACCOUNT: "`roost resume --account @{username}` resumes them.",
    ActionCode.USE_SAME_VERSION: "Use the `roost connect` of the web server's version.",
    ActionCode.BUY_CREDITS: (
        "Buy credits or raise the cap in X's developer console; requests then succeed again."
    ),
    ActionCode.CHECK_APP: (
        "Check TWITTER_CLIENT_ID, TWITTER_CLIENT_SECRET and the app's plan at X."
    ),
    ActionCode.WAIT_FOR_LIMIT: "Wait until X's limit resets; the posts are then published.",
    ActionCode.CREATE_TENANT: "`roost init --tenant NAME` makes one.",
    ActionCode.INITIALIZE: "Run `roost init`.",
    ActionCode.MIGRATE_DATABASE: "Run `roost init`; it migrates the database.",
    ActionCode.CREATE_VAULT_KEY: (
        "`roost init` makes one, or set ROOST_VAULT_KEYS to `id:base64`."
    ),
    ActionCode.PREPARE_DATABASE: (
        "Run `roost init` with ROOST_ADMIN_DATABASE_URL: the same database as a user who may make"
        " its roles and tables. Or have an administrator run this once, give both roles passwords,"
        " and let ROOST_ADMIN_DATABASE_URL log in as the first."
    ),
    ActionCode.PREPARE_ROLES: (
        "Have an administrator of the database run this, then `roost init` again. Where the server"
        " requires passwords, {role} needs one as well."
    ),
    ActionCode.REVOKE_RIGHTS: (
        "Have an administrator of the database revoke that; `roost init` with"
        " ROOST_ADMIN_DATABASE_URL closes the database to other roles."
    ),
    ActionCode.START_DATABASE: (
        "Check that PostgreSQL runs at DATABASE_URL, then run `roost doctor`."
    ),
    ActionCode.CHECK_DATABASE_URL: (
        "Check that DATABASE_URL has the right server, database, login and password. `roost init`"
        " with ROOST_ADMIN_DATABASE_URL makes the login where it is missing."
    ),
    ActionCode.LOG_IN_AS_ROLE: (
        "Let DATABASE_URL log in as {role}. Where that role is missing, `roost init` makes it: give"
        " it an administrator's address as ROOST_ADMIN_DATABASE_URL."
    ),
    ActionCode.TRY_AGAIN: "Try again; `roost doctor` checks it.",
    ActionCode.START_EMULATOR: "Start `roost emulator`, or unset ROOST_CLOCK_URL.",
    ActionCode.START_WORKER: "Start `roost worker`.",
    ActionCode.CHECK_LATE_POSTS: "Check `roost posts` and the worker's log.",
    ActionCode.RESUME_EVERYTHING: "`roost resume --all` resumes it.",
    ActionCode.RESUME_AGAIN: "Run `roost resume --all` again once X answers.",
    ActionCode.SEARCH_AND_RESUME: (
        "`roost resume --all` searches X for what may be missing, then resumes."
    ),
    ActionCode.CHECK_WORKER: "Check that `roost worker` runs, then run `roost doctor`.",
    ActionCode.SET_CLOCK: (
        "Set the clock (check that NTP runs); the worker then resumes by itself."
    ),
    ActionCode.REPEAT_CHANGES: (
        "Repeat cancellations and edits that were made since; then run `roost resume --all`, which"
        " searches X for what may be missing before anything is sent."
    ),
    ActionCode.ACCEPT_COPY: (
        "If the original is no longer used, `roost resume --all --this-is-the-real-one` makes this"
        " one the original."
    ),
}


def describe_action(action: NextAction) -> str:
    """Describe an action as commands."""
    return _SENTENCES[action.code].format_map(action.facts)


def describe_next(error: RoostError) -> str:
    """Describe what to do about an error; empty where nothing is known."""
    return error.next if error.next_action is None else describe_action(error.next_action)


def error_as_json(error: RoostError) -> dict[str, Any]:
    """Return an error for programs, with what to do next in words and as a code."""
    return error.as_dict(next_text=describe_next(error))
