"""Turns the codes of next actions into sentences for people.

Two interfaces use this module: the command line and the web pages. Some actions are described by
the same sentence in both interfaces, the others by a sentence of the interface's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction

#: Sentences that both interfaces share, because a user does these actions outside Roost: on the
#: machine or at X. Facts replace the names in braces.
_SHARED: Final[Mapping[ActionCode, str]] = {
    ActionCode.BUY_CREDITS: (
        "Buy credits or raise the cap in X's developer console; requests then succeed again."
    ),
    ActionCode.CHECK_APP: (
        "Check TWITTER_CLIENT_ID, TWITTER_CLIENT_SECRET and the app's plan at X."
    ),
    ActionCode.WAIT_FOR_LIMIT: "Wait until X's limit resets; the posts are then published.",
    ActionCode.SET_CLOCK: (
        "Set the machine's clock (check that NTP runs); the worker then resumes by itself."
    ),
}


@dataclass(frozen=True, slots=True)
class ActionWording:
    """Describes next actions by an interface's own sentences, or else by shared sentences."""

    sentences: Mapping[ActionCode, str]
    """The interface's own sentences."""

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
