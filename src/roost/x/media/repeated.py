"""Sending again what may be sent again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from roost.x import errors

_TRIES: Final = 4

T = TypeVar("T")


async def repeated(send: Callable[[], Awaitable[T]]) -> T:
    """Try again, later each time and not all at once, while X is unavailable."""
    for tried in range(1, _TRIES):
        try:
            return await send()
        except errors.XUnavailable as error:
            if error.receipt is not None and error.receipt.status == 401:
                raise  # a fresh token that X does not accept: each try would spend another refresh
            await asyncio.sleep(0.25 * 2**tried * random.uniform(0.5, 1.0))  # noqa: S311  jitter
    return await send()
