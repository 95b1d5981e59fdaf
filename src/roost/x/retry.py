"""Retry policies: how often a failed request is repeated, and how long to wait before."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from roost.x import errors
from roost.x.request import Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with jitter, for requests that may be repeated."""

    max_attempts: int
    first_pause_s: float
    max_pause_s: float

    def pause_s(self, attempts: int) -> float:
        """Return the wall seconds to wait before the next attempt.

        The wait is random, so that the retries of several requests do not coincide.
        """
        longest = min(self.max_pause_s, self.first_pause_s * 2.0 ** (attempts - 1))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  jitter


READS: Final = RetryPolicy(max_attempts=3, first_pause_s=0.2, max_pause_s=0.4)
#: Six attempts, because an upload has many requests: if one request in ten fails, four attempts
#: would lose one 512 MB video in eighty.
UPLOADS: Final = RetryPolicy(max_attempts=6, first_pause_s=0.5, max_pause_s=4.0)


def may_repeat_read(request: Request, error: errors.XError, *, attempts: int) -> bool:
    """Whether the client repeats a request: only a read, and only if X was unavailable."""
    return request.method == "GET" and attempts < READS.max_attempts and _may_succeed_later(error)


async def repeat_upload_step(send: Callable[[], Awaitable[T]]) -> T:
    """Send a repeatable upload request until it succeeds or the attempts are used up."""
    for attempts in range(1, UPLOADS.max_attempts):
        try:
            return await send()
        except errors.XUnavailable as error:
            if not _may_succeed_later(error):
                raise
            await asyncio.sleep(UPLOADS.pause_s(attempts))
    return await send()


def _may_succeed_later(error: errors.XError) -> bool:
    """Whether a retry may succeed; False after a 401, as each retry would refresh the token."""
    if not isinstance(error, errors.XUnavailable):
        return False
    return error.receipt is None or error.receipt.status != 401
