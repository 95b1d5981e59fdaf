"""Snowflakes: X's ids, whose upper bits are the time of their assignment in milliseconds.

Source: the snowflake layout that X published. This is a separate module, because both the X client
and the pure decisions about posts use it.
"""

from datetime import UTC, datetime
from typing import Final

from roost.models import TweetId

#: The Unix time in milliseconds from which the time in an id counts.
_EPOCH_MS: Final = 1_288_834_974_657
#: The number of bits of an id below the time.
_LOWER_BITS: Final = 22


def snowflake_time(snowflake: str) -> datetime:
    """Return the instant at which X assigned an id, in UTC."""
    return datetime.fromtimestamp(((int(snowflake) >> _LOWER_BITS) + _EPOCH_MS) / 1000, UTC)


def snowflake_at(instant: datetime) -> TweetId:
    """Return the smallest id that X can assign at an instant or later; `instant` is aware."""
    milliseconds = int(instant.timestamp() * 1000) - _EPOCH_MS
    return TweetId(str(max(0, milliseconds) << _LOWER_BITS))
