"""Sending again what may be sent again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from roost.x import errors

#: Where one request in ten fails, four tries would still lose one video of 512 MB in eighty.
_TRIES: Final = 6
_LONGEST_PAUSE_SECONDS: Final = 4.0

T = TypeVar("T")


async def repeated(send: Callable[[], Awaitable[T]]) -> T:
    """Try again, later each time and not all at once, while X is unavailable."""
    for tried in range(1, _TRIES):
        try:
            return await send()
        except errors.XUnavailable as error:
            if error.receipt is not None and error.receipt.status == 401:
                raise  # a fresh token that X does not accept: each try would spend another refresh
            longest = min(_LONGEST_PAUSE_SECONDS, 0.25 * 2**tried)
            await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311  jitter
    return await send()
