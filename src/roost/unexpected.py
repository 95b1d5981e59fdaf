"""Converts any exception, expected or not, to the error that a user sees."""

import logging
import sys

from roost.errors import Broken, DatabaseUnavailable, RoostError
from roost.next_actions import ActionCode, NextAction
from roost.telemetry import describe_exception

log = logging.getLogger(__name__)


def to_roost_error(error: Exception) -> RoostError:
    """Return the error to show for an exception, which may itself be a RoostError.

    Any other exception is logged. Its message is neither shown nor logged, because the message may
    quote a statement's values or a secret.
    """
    if isinstance(error, RoostError):
        return error
    if _is_database_away(error):
        log.warning("the database did not respond (%s)", type(error).__name__)
        return DatabaseUnavailable(
            "The database did not respond.", next_action=NextAction(ActionCode.TRY_AGAIN)
        )
    log.error("unexpected exception: %s", describe_exception(error))
    return Broken(
        "An unexpected error occurred in Roost.",
        next="Report the error to the operator; Roost's log names the place in the code.",
    )


def _is_database_away(error: Exception) -> bool:
    # If the module is not loaded, no code has used the database. The base installation lacks the
    # packages that the module needs.
    if "roost.store.availability" not in sys.modules:
        return False
    from roost.store.availability import DATABASE_AWAY

    return isinstance(error, DATABASE_AWAY)
