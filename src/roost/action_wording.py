"""Turns the codes of next actions into sentences for people.

A face is one of Roost's interfaces: the command line, the web pages or the Python API. Some
sentences are the same in all faces; each face has its own sentence for any other action.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction

#: Sentences that all faces share, because the action is always done in the same place: in a
#: terminal, on the machine or at X. Commands are in backticks; facts replace the names in braces.
_SHARED: Final[Mapping[ActionCode, str]] = {
    ActionCode.RESCHEDULE_POST: "Give the post another time: `roost edit {post_id} --at TIME`.",
    ActionCode.CHECK_MEDIA: "Check the file with `roost check --media`, or use another file.",
    ActionCode.REPLACE_MEDIA: "Give the file again: `roost edit POST --media FILE`.",
    ActionCode.RESTORE_MEDIA: (
        "Restore the folder `media` of ROOST_HOME, or give the file again: `roost edit POST --media"
        " FILE`."
    ),
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
    ActionCode.CHECK_WORKER: "Check that `roost worker` runs, then run `roost doctor`.",
    ActionCode.SET_CLOCK: (
        "Set the machine's clock (check that NTP runs); the worker then resumes by itself."
    ),
    ActionCode.ACCEPT_COPY: (
        "If the original is no longer used, `roost resume --all --this-is-the-real-one` makes this"
        " database the original."
    ),
}


@dataclass(frozen=True, slots=True)
class ActionWording:
    """Describes each action by the face's own sentence, or else by a shared sentence."""

    sentences: Mapping[ActionCode, str]
    """The face's own sentences."""

    def describe_action(self, action: NextAction) -> str:
        """Describe an action in a sentence."""
        sentence = self.sentences.get(action.code) or _SHARED[action.code]
        return sentence.format_map(action.facts)

    def describe_next(self, error: RoostError) -> str:
        """Describe what to do about an error; empty if Roost knows no next action."""
        action = error.next_action
        return error.next if action is None else self.describe_action(action)

    def error_as_json(self, error: RoostError) -> dict[str, Any]:
        """Return an error as JSON data, with the next action as a sentence and as a code."""
        return error.as_dict(next_text=self.describe_next(error))
