"""Words next actions as commands, for the command line."""

from collections.abc import Mapping
from typing import Final

from roost.action_wording import ActionWording
from roost.next_actions import ActionCode

#: The sentences that name a command.
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
    ActionCode.CONNECT_ACCOUNT: (
        "`roost connect` connects an account; `roost doctor` lists the connected accounts."
    ),
    ActionCode.CONNECT_FIRST_ACCOUNT: "Run `roost connect`.",
    ActionCode.RECONNECT_ACCOUNT: (
        "`roost connect` connects the account again; its waiting posts are then published."
    ),
    ActionCode.RESUME_ACCOUNT: "`roost resume --account @{username}` resumes the account's posts.",
    ActionCode.CHECK_LATE_POSTS: "Check `roost posts` and the worker's log.",
    ActionCode.RESUME_EVERYTHING: "`roost resume --all` resumes publishing.",
    ActionCode.RESUME_AGAIN: "Run `roost resume --all` again once X answers.",
    ActionCode.SEARCH_AND_RESUME: (
        "`roost resume --all` searches X for posts that the database may lack, then resumes."
    ),
    ActionCode.REPEAT_CHANGES: (
        "Repeat the cancellations and edits that were lost; then run `roost resume --all`. Before"
        " anything is sent, Roost searches X for posts that the database may lack."
    ),
}
_WORDING: Final = ActionWording(_SENTENCES)

describe_action = _WORDING.describe_action
describe_next = _WORDING.describe_next
error_as_json = _WORDING.error_as_json
