"""Describes next actions for the pages, and links to the pages on which they are done.

A sentence names a button or a link. If the pages cannot do an action, the sentence says whom to
ask; it never names a shell command.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from roost.action_wording import ActionWording
from roost.next_actions import ActionCode, NextAction

#: The pages' sentence for each action, which names a button or a page.
_SENTENCES: Final[Mapping[ActionCode, str]] = {
    ActionCode.LIST_POSTS: "Start from the list of posts.",
    ActionCode.SHOW_POST: "Open post {post_id}: its page shows its state and its history.",
    ActionCode.DECIDE_UNKNOWN: "Open post {post_id}: its page shows what is known, and you decide.",
    ActionCode.DECIDE_PARTLY_PUBLISHED: (
        "Open post {post_id} to continue the thread, delete its published parts from X, or leave"
        " the post as it is."
    ),
    ActionCode.DECIDE_MISSED: "Open post {post_id} to send it now or to discard it.",
    ActionCode.DECIDE_FAILED: "Open post {post_id} to try again or to leave it as it is.",
    ActionCode.RESCHEDULE_POST: "Open post {post_id} and press “Try again now”.",
    ActionCode.CHECK_MEDIA: "Use another file, in a format that X accepts.",
    ActionCode.REPLACE_MEDIA: "Give the post its file again, or cancel the post.",
    ActionCode.RESTORE_MEDIA: (
        "Ask the operator to restore the folder of media copies, or give the post its file again."
    ),
    ActionCode.CHECK_DUPLICATE: (
        "Check the account's timeline and delete the duplicate; then acknowledge post {post_id}."
    ),
    ActionCode.LIST_DRAFTS: "Start from the list of drafts.",
    ActionCode.SHOW_DRAFT: "Read draft {draft_id} as it is now, and decide.",
    ActionCode.ALLOW_DRAFTS: (
        "Approve the draft yourself, or ask the operator to allow programs to approve drafts."
    ),
    ActionCode.CONNECT_ACCOUNT: (
        "Press “Connect an account”, or start from the list of connected accounts."
    ),
    ActionCode.CONNECT_FIRST_ACCOUNT: "Press “Connect an account”.",
    ActionCode.RECONNECT_ACCOUNT: (
        "Connect the account again; its waiting posts are then published."
    ),
    ActionCode.RESUME_ACCOUNT: "Press “Resume its posts” on the page of @{username}.",
    ActionCode.CHECK_LATE_POSTS: "Open the posts, and ask the operator to check the worker.",
    ActionCode.USE_SAME_VERSION: "Ask the operator to use one version of Roost everywhere.",
    ActionCode.CREATE_TENANT: "Start from the list of accounts, which shows every tenant.",
    ActionCode.INITIALIZE: "Ask the operator to set up Roost.",
    ActionCode.MIGRATE_DATABASE: "Ask the operator to bring the database up to date.",
    ActionCode.CREATE_VAULT_KEY: "Ask the operator to create or restore the vault key.",
    ActionCode.PREPARE_DATABASE: "Ask the operator to create the database's roles and tables.",
    ActionCode.PREPARE_ROLES: "Ask the operator to create the database role {role}.",
    ActionCode.REVOKE_RIGHTS: "Ask the operator to revoke the database role's surplus privileges.",
    ActionCode.START_DATABASE: "Ask the operator to start the database.",
    ActionCode.CHECK_DATABASE_URL: "Ask the operator to check DATABASE_URL.",
    ActionCode.LOG_IN_AS_ROLE: "Ask the operator to let DATABASE_URL log in as {role}.",
    ActionCode.TRY_AGAIN: "Load the page again; if that does not help, ask the operator.",
    ActionCode.START_EMULATOR: "Ask the operator to start the emulator, or to unset its clock.",
    ActionCode.START_WORKER: "Ask the operator to start a worker.",
    ActionCode.CHECK_WORKER: "Ask the operator to check that a worker runs.",
    ActionCode.ACCEPT_COPY: (
        "If the original is no longer used, open “This copy replaces the original” and resume."
    ),
    ActionCode.RESUME_TENANT: "Ask the operator to resume the tenant.",
    ActionCode.RESUME_POST: "Press “Resume” on the page of post {post_id}.",
    ActionCode.RESUME_EVERYTHING: "Press “Resume everything”.",
    ActionCode.RESUME_AGAIN: "Press “Resume everything” again once X answers.",
    ActionCode.SEARCH_AND_RESUME: (
        "Press “Resume everything”: Roost first searches X for posts that the database may lack."
    ),
    ActionCode.REPEAT_CHANGES: (
        "Repeat the cancellations and edits that were lost; then press “Resume everything”. Before"
        " anything is sent, Roost searches X for posts that the database may lack."
    ),
}
_WORDING: Final = ActionWording(_SENTENCES)

describe_action = _WORDING.describe_action
describe_next = _WORDING.describe_next
error_as_json = _WORDING.error_as_json

_CONNECT: Final = "/api/auth/twitter/start"
_POST: Final = "/posts/{post_id}"
#: Label and path of the page where an action is done. The facts of the action replace the names in
#: braces.
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
    ActionCode.RESCHEDULE_POST: ("Open post {post_id}", _POST),
    ActionCode.CHECK_LATE_POSTS: ("All posts", "/posts"),
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
