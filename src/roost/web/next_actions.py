"""Describes next actions for the pages, and links to the page where each is done.

If only the command line can do an action, the sentence names the command.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction

#: A sentence for each action, with commands in backticks; facts replace the names in braces.
_SENTENCES: Final[Mapping[ActionCode, str]] = {
    ActionCode.LIST_POSTS: "Start from the list of posts.",
    ActionCode.SHOW_POST: "Open post {post_id}: its page shows its state and its history.",
    ActionCode.RESCHEDULE_POST: "Give the post another time: `roost edit {post_id} --at TIME`.",
    ActionCode.DECIDE_UNKNOWN: "Open post {post_id}: its page shows what is known, and you decide.",
    ActionCode.DECIDE_PARTLY_PUBLISHED: (
        "Open post {post_id} to continue the thread, delete its published parts from X, or leave"
        " the post as it is."
    ),
    ActionCode.DECIDE_MISSED: "Open post {post_id} to send it now or to discard it.",
    ActionCode.DECIDE_FAILED: (
        "`roost edit {post_id} --text … --at +1m` tries again; open post {post_id} to leave the"
        " post as it is."
    ),
    ActionCode.CHECK_DUPLICATE: (
        "Check the account's timeline and delete the duplicate; then acknowledge post {post_id}."
    ),
    ActionCode.CHECK_MEDIA: "Check the file with `roost check --media`, or use another file.",
    ActionCode.REPLACE_MEDIA: "Give the file again: `roost edit POST --media FILE`.",
    ActionCode.RESTORE_MEDIA: (
        "Restore the folder `media` of ROOST_HOME, or give the file again: `roost edit POST --media"
        " FILE`."
    ),
    ActionCode.CONNECT_ACCOUNT: (
        "Press “Connect an account”, or start from the list of connected accounts."
    ),
    ActionCode.CONNECT_FIRST_ACCOUNT: "Press “Connect an account”.",
    ActionCode.RECONNECT_ACCOUNT: (
        "Connect the account again; its waiting posts are then published."
    ),
    ActionCode.RESUME_ACCOUNT: "Press “Resume its posts” on the page of @{username}.",
    ActionCode.USE_SAME_VERSION: "Run `roost connect` in the same version as the web server.",
    ActionCode.BUY_CREDITS: (
        "Buy credits or raise the cap in X's developer console; requests then succeed again."
    ),
    ActionCode.CHECK_APP: (
        "Check TWITTER_CLIENT_ID, TWITTER_CLIENT_SECRET and the app's plan at X."
    ),
    ActionCode.WAIT_FOR_LIMIT: "Wait until X's limit resets; the posts are then published.",
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
    ActionCode.CHECK_LATE_POSTS: "Check the posts, and the worker's log.",
    ActionCode.RESUME_EVERYTHING: "Press “Resume everything”.",
    ActionCode.RESUME_AGAIN: "Press “Resume everything” again once X answers.",
    ActionCode.SEARCH_AND_RESUME: (
        "Press “Resume everything”: Roost first searches X for posts that the database may lack."
    ),
    ActionCode.CHECK_WORKER: "Check that `roost worker` runs, then run `roost doctor`.",
    ActionCode.SET_CLOCK: (
        "Set the machine's clock (check that NTP runs); the worker then resumes by itself."
    ),
    ActionCode.REPEAT_CHANGES: (
        "Repeat the cancellations and edits that were lost; then press “Resume everything”. Before"
        " anything is sent, Roost searches X for posts that the database may lack."
    ),
    ActionCode.ACCEPT_COPY: (
        "If the original is no longer used, `roost resume --all --this-is-the-real-one` makes this"
        " database the original."
    ),
}

_CONNECT: Final = "/api/auth/twitter/start"
_POST: Final = "/posts/{post_id}"
#: Label and path of the page where an action is done; facts replace the names in braces.
_LINKS: Final[Mapping[ActionCode, tuple[str, str]]] = {
    ActionCode.LIST_POSTS: ("All posts", "/posts"),
    ActionCode.SHOW_POST: ("Open post {post_id}", _POST),
    ActionCode.DECIDE_UNKNOWN: ("Decide", _POST),
    ActionCode.DECIDE_PARTLY_PUBLISHED: ("Decide", _POST),
    ActionCode.DECIDE_MISSED: ("Decide", _POST),
    ActionCode.DECIDE_FAILED: ("Decide", _POST),
    ActionCode.CHECK_DUPLICATE: ("Open post {post_id}", _POST),
    ActionCode.CONNECT_ACCOUNT: ("Connect an account", _CONNECT),
    ActionCode.CONNECT_FIRST_ACCOUNT: ("Connect an account", _CONNECT),
    ActionCode.RECONNECT_ACCOUNT: ("Connect the account again", _CONNECT),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the page where an action is done."""

    label: str
    href: str


def find_link(action: NextAction | None, tenant_name: str) -> Link | None:
    """Return the link to the tenant's page for an action; None if there is no such page."""
    if action is None or action.code not in _LINKS:
        return None
    label, path = (text.format_map(action.facts) for text in _LINKS[action.code])
    return Link(label, f"{path}?{urlencode({'tenant': tenant_name})}")


def describe_action(action: NextAction) -> str:
    """Describe an action for a page, with commands in backticks."""
    return _SENTENCES[action.code].format_map(action.facts)


def describe_next(error: RoostError) -> str:
    """Describe what to do about an error; empty if Roost knows no next action."""
    return error.next if error.next_action is None else describe_action(error.next_action)


def error_as_json(error: RoostError) -> dict[str, Any]:
    """Return an error for programs, with the next action as a sentence and as a code."""
    return error.as_dict(next_text=describe_next(error))
