"""Turns the codes of next actions into sentences for people.

A face is one of Roost's interfaces: the command line, the web pages or the Python API. Some
sentences are the same in all faces; each face has its own sentence for any other action.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction

#: Sentences that all faces share, because the action is always done in the same place: on the
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
