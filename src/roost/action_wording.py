"""Words next actions for people: the sentences that all faces share, and those of one face."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from roost.errors import RoostError
from roost.next_actions import ActionCode, NextAction

#: Sentences for actions that are done in the same place whatever face shows them: on the machine or
#: at X. Facts replace the names in braces.
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
    """Words every action: with a sentence of the face, or else with a shared sentence."""

    sentences: Mapping[ActionCode, str]
    """The sentences of the face."""

    def describe_action(self, action: NextAction) -> str:
        """Describe an action in a sentence."""
        sentence = self.sentences.get(action.code) or _SHARED[action.code]
        return sentence.format_map(action.facts)

    def describe_next(self, error: RoostError) -> str:
        """Describe what to do about an error; empty if Roost knows no next action."""
        action = error.next_action
        return error.next if action is None else self.describe_action(action)

    def error_as_json(self, error: RoostError) -> dict[str, Any]:
        """Return an error for programs, with the next action as a sentence and as a code."""
        return error.as_dict(next_text=self.describe_next(error))
