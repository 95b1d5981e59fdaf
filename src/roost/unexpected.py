"""Makes the error that a user sees for an exception, also for one that no code expects."""

import logging
import sys

from roost.errors import Broken, DatabaseUnavailable, RoostError
from roost.next_actions import ActionCode, NextAction
from roost.telemetry import describe_exception

log = logging.getLogger(__name__)


def wrap_unexpected(error: Exception) -> RoostError:
    """Return the error to show for an exception; log any exception that is not a RoostError.

    The message of such an exception is neither shown nor logged, because it may quote a
    statement's values or a secret.
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
        next="Roost's log names the place in the code; report the error to the operator.",
    )


def _is_database_away(error: Exception) -> bool:
    # If the list is not loaded, no code has used the database. The base cannot load the list.
    if "roost.store.away" not in sys.modules:
        return False
    from roost.store.away import DATABASE_AWAY

    return isinstance(error, DATABASE_AWAY)
