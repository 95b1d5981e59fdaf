"""Snowflakes: the time in an id of X. The upper bits of an id are a millisecond.

Source: the snowflake layout that X published. A module of its own, because both the client for X
and the pure decisions about posts use it.
"""

from datetime import UTC, datetime
from typing import Final

from roost.models import TweetId

#: The Unix time in milliseconds at which X's ids start.
_EPOCH_MS: Final = 1_288_834_974_657
#: Bits below the millisecond.
_LOWER_BITS: Final = 22


def snowflake_time(snowflake: str) -> datetime:
    """Return the instant at which X assigned an id, in UTC."""
    return datetime.fromtimestamp(((int(snowflake) >> _LOWER_BITS) + _EPOCH_MS) / 1000, UTC)


def snowflake_at(instant: datetime) -> TweetId:
    """Return the smallest id that X can assign to a post at an instant (aware) or later."""
    milliseconds = int(instant.timestamp() * 1000) - _EPOCH_MS
    return TweetId(str(max(0, milliseconds) << _LOWER_BITS))
