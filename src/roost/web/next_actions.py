"""Words what a person can do next on the pages: the web server's wording table.

A page names its own buttons. What only the command line can do is named as a command.
"""

from collections.abc import Mapping
from typing import Final

from roost.next_actions import ActionCode, NextAction

#: A sentence for each action; facts are in braces, commands in backticks.
_SENTENCES: Final[Mapping[ActionCode, str]] = {
    ActionCode.DECIDE_UNKNOWN: "Open post {post_id}: it shows what is known, and you decide.",
    ActionCode.DECIDE_PARTLY_PUBLISHED: (
        "Open post {post_id} to continue the thread, delete its published parts from X, or leave"
        " it as it is."
    ),
    ActionCode.DECIDE_MISSED: "Open post {post_id} to send it now or to discard it.",
    ActionCode.DECIDE_FAILED: (
        "`roost edit {post_id} --text … --at +1m` tries again; open post {post_id} to leave it as"
        " it is."
    ),
    ActionCode.CHECK_DUPLICATE: (
        "Check the account's timeline and delete what is there twice; then acknowledge post"
        " {post_id}."
    ),
    ActionCode.RECONNECT_ACCOUNT: (
        "Connect the account again; its waiting posts are then published."
    ),
    ActionCode.BUY_CREDITS: (
        "Buy credits or raise the cap in X's developer console; requests then succeed again."
    ),
    ActionCode.CHECK_APP: (
        "Check TWITTER_CLIENT_ID, TWITTER_CLIENT_SECRET and the app's plan at X."
    ),
    ActionCode.WAIT_FOR_LIMIT: "Wait until X's limit resets; the posts are then published.",
    ActionCode.CHECK_WORKER: "Check that `roost worker` runs, then run `roost doctor`.",
    ActionCode.SET_CLOCK: (
        "Set the clock (check that NTP runs); the worker then resumes by itself."
    ),
    ActionCode.REPEAT_CHANGES: (
        "Repeat cancellations and edits that were made since; then press “Resume everything”. X is"
        " searched for what may be missing before anything is sent."
    ),
    ActionCode.ACCEPT_COPY: (
        "If the original is no longer used, `roost resume --all --this-is-the-real-one` makes this"
        " one the original."
    ),
}


def describe_action(action: NextAction) -> str:
    """Describe an action for a page, with commands in backticks."""
    return _SENTENCES[action.code].format_map(action.facts)
