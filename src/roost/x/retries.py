"""Whether a request that failed is sent again by the client, and after how long."""

import random
from typing import Final

from roost.x import errors
from roost.x.request import Request

#: So often a read is tried altogether.
_TRIES: Final = 3
_FIRST_PAUSE_SECONDS: Final = 0.2


def may_repeat(request: Request, error: errors.XFailure, *, tried: int) -> bool:
    """Only a read, which changes nothing, and only where X may well answer the next time."""
    if request.method != "GET" or not isinstance(error, errors.XUnavailable) or tried >= _TRIES:
        return False
    # Of a fresh token that X does not accept, each further try would spend another refresh.
    return error.receipt is None or error.receipt.status != 401


def pause(tried: int) -> float:
    """Seconds of wall time before the next try: twice as long each time, and not all at once."""
    jitter = random.uniform(0.5, 1.0)  # noqa: S311  no secret
    return _FIRST_PAUSE_SECONDS * 2.0 ** (tried - 1) * jitter
