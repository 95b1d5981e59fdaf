"""X's time: what the `Date` headers of its answers say, and one request that is free to ask.

Only answers that are X's may set it: a proxy's answer carries the clock of the proxy.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from roost.endpoint import XEndpoint
from roost.x.problems import read_problem
from roost.x.wire import Answer, Patience, boot_seconds, exchange

#: `Fri, 27 Nov 2026 12:00:00 GMT` (Source: RFC 9110, IMF-fixdate).
_LENGTH: Final = 29
#: `Date` has whole seconds, cut off: half of one is the error to expect.
_HALF_SECOND: Final = timedelta(seconds=0.5)
#: An answer whose `Date` is so much before X's time was kept by something on the way.
_OLD: Final = timedelta(seconds=30)
_ASK: Final = Patience(total=timedelta(seconds=10))
#: Answered with 401 where there is no token, before X looks at anything else.
_PATH: Final = "/2/usage/tweets"


class ServerTime:
    """The latest `Date` of X, extrapolated with a clock that counts suspended time.

    Noting is cheap, as every answer does it; the header is parsed when it is read.
    """

    def __init__(self) -> None:
        self._header = ""
        self._noted_at = 0.0

    def note(self, headers: Mapping[str, str]) -> bool:
        """Keep the `Date` of an answer of X that has just come; whether there was one.

        Headers without one, and those of a cached answer (`Age`), change nothing.
        """
        header = headers.get("Date", "")
        if len(header) != _LENGTH or "Age" in headers:
            return False
        self._header = header
        self._noted_at = boot_seconds()
        return True

    def is_old(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer that has just come was made before: something has kept it.

        X's time does not go back, so its `Date` shows it, or an `Age`.
        """
        estimate, made_at = self.estimate(), _read_date(headers.get("Date", ""))
        if "Age" in headers:
            return True
        return estimate is not None and made_at is not None and estimate - made_at > _OLD

    @property
    def latest(self) -> datetime | None:
        """The `Date` that came last, aware, in UTC; None: none has come, or it cannot be read."""
        return _read_date(self._header)

    def age_s(self) -> float | None:
        """Seconds since it came, those in which the machine was suspended included."""
        return boot_seconds() - self._noted_at if self._header else None

    def estimate(self) -> datetime | None:
        """X's time now; wrong by half a second and what the answer took on its way.

        It assumes that X's time runs as fast as this machine's.
        """
        latest, age_s = self.latest, self.age_s()
        if latest is None or age_s is None:
            return None
        return latest + timedelta(seconds=age_s) + _HALF_SECOND


def _read_date(header: str) -> datetime | None:
    if not header:
        return None
    try:
        parsed = parsedate_to_datetime(header)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


async def ask(session: aiohttp.ClientSession, endpoint: XEndpoint, server_time: ServerTime) -> bool:
    """Note the `Date` of one request without a token, which X refuses and does not bill.

    False: X did not answer within 10 seconds, or not with its time, or what answered was not X;
    nothing was noted.
    """
    answer = await exchange(session, "GET", endpoint.url(_PATH), headers={}, patience=_ASK)
    if not isinstance(answer, Answer) or read_problem(answer.body) is None:
        return False
    return server_time.note(answer.headers)
