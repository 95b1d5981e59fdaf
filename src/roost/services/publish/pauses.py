"""How long posts, accounts and apps wait, in domain time, after X has refused to serve them."""

from datetime import timedelta
from typing import Final

#: After an X that does not answer: the first wait, doubled each time, and the longest.
_PAUSE_UNREACHABLE: Final = timedelta(seconds=20)
_LONGEST_PAUSE: Final = timedelta(minutes=10)
#: X adds bought credits within five minutes (Source: docs.x.com, pricing, auto-recharge).
PAUSE_APP: Final = timedelta(minutes=5)


def growing(rests: int) -> timedelta:
    """The wait after so many consecutive refusals before this one."""
    doubled: int = 2 ** min(rests, 10)
    return min(_PAUSE_UNREACHABLE * doubled, _LONGEST_PAUSE)
