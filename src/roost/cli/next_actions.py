"""Words what a person can do next as commands: the command line's wording table."""

from collections.abc import Mapping
from typing import Final

from roost.next_actions import ActionCode, NextAction

#: A sentence for each action; facts are in braces.
_SENTENCES: Final[Mapping[ActionCode, str]] = {
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
    ActionCode.RECONNECT_ACCOUNT: (
        "`roost connect` connects the account again; its waiting posts are then published."
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
