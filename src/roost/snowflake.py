"""Converts between times and snowflakes, X's ids.

The upper bits of a snowflake are the time in milliseconds at which X assigned the id. Source: the
snowflake layout that X published. This module is separate, because both the X client and the pure
package `roost.publishing` use it.
"""

from datetime import UTC, datetime
from typing import Final

from roost.models import TweetId

#: The Unix time in milliseconds at which the time in an id is zero.
_EPOCH_MS: Final = 1_288_834_974_657
#: The number of the lower bits of an id, which are not part of the time.
_LOWER_BITS: Final = 22


def snowflake_time(snowflake: str) -> datetime:
    """Return the instant at which X assigned an id, in UTC."""
    return datetime.fromtimestamp(((int(snowflake) >> _LOWER_BITS) + _EPOCH_MS) / 1000, UTC)


def snowflake_at(instant: datetime) -> TweetId:
    """Return the smallest id that X can assign at a timezone-aware instant or later."""
    milliseconds = int(instant.timestamp() * 1000) - _EPOCH_MS
    return TweetId(str(max(0, milliseconds) << _LOWER_BITS))
