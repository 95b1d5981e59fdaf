"""Remembers runs of `roost connect`, so that the command can ask why an OAuth flow failed.

In this module, such a run is called an attempt. The command creates a random id for the attempt,
and opens the start page with this id. The server keeps only the newest attempts, in memory. After a
restart of the server, the command no longer learns of a failure, but still finds the new account in
the database.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Query

from roost.errors import RoostError
from roost.web import next_actions

#: The number of attempts that the server remembers.
_MAX_ATTEMPTS: Final = 256

#: The id of an attempt in a request: 256 random bits, or empty if a person started the flow by a
#: button on a page.
AttemptId = Annotated[str, Query(pattern=r"^([A-Za-z0-9_-]{43})?$")]


@dataclass
class Attempts:
    """The newest attempts, and the OAuth flows that they have started."""

    _by_state: OrderedDict[str, str] = field(default_factory=OrderedDict, repr=False)
    _failures: OrderedDict[str, dict[str, Any]] = field(default_factory=OrderedDict, repr=False)

    def start(self, attempt_id: str, state: str) -> None:
        """Record that an attempt has started an OAuth flow, and forget an earlier failure.

        `state` is the flow's OAuth parameter `state`.
        """
        self._failures.pop(attempt_id, None)
        self._by_state[state] = attempt_id
        if len(self._by_state) > _MAX_ATTEMPTS:
            self._by_state.popitem(last=False)

    def fail(self, state: str, error: RoostError) -> None:
        """Record the error that ended a flow, if an attempt started the flow."""
        attempt_id = self._by_state.pop(state, None)
        if attempt_id is None:
            return
        self._failures[attempt_id] = next_actions.error_as_json(error)
        if len(self._failures) > _MAX_ATTEMPTS:
            self._failures.popitem(last=False)

    def find_failure(self, attempt_id: str) -> dict[str, Any] | None:
        """Return, as JSON data, the error that ended an attempt; None if there is no error."""
        return self._failures.get(attempt_id)
