"""What a person is shown for an exception that no code expects."""

import logging
import sys

from roost.errors import Broken, DatabaseUnavailable, RoostError
from roost.telemetry import describe_exception

log = logging.getLogger(__name__)


def wrap_unexpected(error: Exception) -> RoostError:
    """Return the error to show for an exception; log any that is not a RoostError.

    The exception's message appears in neither: it may quote a statement's values or a secret.
    """
    if isinstance(error, RoostError):
        return error
    if _is_database_away(error):
        log.warning("the database did not respond (%s)", type(error).__name__)
        return DatabaseUnavailable(
            "The database did not respond.", next="Try again; `roost doctor` checks it."
        )
    log.error("unexpected exception: %s", describe_exception(error))
    return Broken(
        "An unexpected error occurred in Roost.",
        next="Its log has the location; report it to the operator of this installation.",
    )


def _is_database_away(error: Exception) -> bool:
    # If nothing has loaded the list, nothing has used the database; the base cannot load it.
    if "roost.store.away" not in sys.modules:
        return False
    from roost.store.away import DATABASE_AWAY

    return isinstance(error, DATABASE_AWAY)
