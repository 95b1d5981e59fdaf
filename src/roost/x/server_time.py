"""X's time, from the `Date` headers of X's responses or from a free request.

Only X's own responses are recorded, because a proxy's response has the time of the proxy's clock.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from roost.boot_clock import boot_seconds
from roost.endpoint import XEndpoint

if TYPE_CHECKING:
    import aiohttp

#: Length of `Fri, 27 Nov 2026 12:00:00 GMT` (Source: RFC 9110, IMF-fixdate).
_DATE_LENGTH: Final = 29
#: Added to a `Date` header, because the header is truncated to whole seconds: on average, X's time
#: is half a second later.
_HALF_SECOND: Final = timedelta(seconds=0.5)
#: A response came from a cache if its `Date` is earlier than X's time by more than this.
_MAX_AGE: Final = timedelta(seconds=30)
_FETCH_TIMEOUT: Final = timedelta(seconds=10)
#: The path of the free request. Without a token, X responds with 401 and bills nothing.
_PATH: Final = "/2/usage/tweets"


class ServerTime:
    """Knows X's time: X's latest `Date`, plus the time since Roost received it.

    The clock that measures the time since then also runs while the machine is suspended.

    Every response is recorded, so recording must be fast: the header is parsed only when it is
    read. Responses of one second have equal headers, which are parsed once.
    """

    def __init__(self) -> None:
        self._header = ""
        self._recorded_at = 0.0

    def record(self, headers: Mapping[str, str]) -> bool:
        """Record the `Date` of a response that was just received from X.

        Returns False, and records nothing, if there is no `Date`, or if the header `Age` shows that
        the response comes from a cache.
        """
        header = headers.get("Date", "")
        if len(header) != _DATE_LENGTH or "Age" in headers:
            return False
        self._header = header
        self._recorded_at = boot_seconds()
        return True

    def is_cached(self, headers: Mapping[str, str]) -> bool:
        """Whether a response that was just received came from a cache instead of X.

        An `Age` header shows this. So does a `Date` that is much earlier than X's time now.
        """
        estimate, made_at = self.estimate(), _parse_date(headers.get("Date", ""))
        if "Age" in headers:
            return True
        return estimate is not None and made_at is not None and estimate - made_at > _MAX_AGE

    @property
    def latest(self) -> datetime | None:
        """The latest `Date`, aware, in UTC; None if there is none, or if it cannot be parsed."""
        return _parse_date(self._header)

    def age_s(self) -> float | None:
        """Seconds since the latest `Date` was recorded, even if the machine was suspended."""
        return boot_seconds() - self._recorded_at if self._header else None

    def estimate(self) -> datetime | None:
        """Return X's time now, with an error of half a second plus the response's latency.

        X's clock is assumed to run as fast as this machine's clock.
        """
        latest, age_s = self.latest, self.age_s()
        if latest is None or age_s is None:
            return None
        return latest + timedelta(seconds=age_s) + _HALF_SECOND


@lru_cache(maxsize=16)
def _parse_date(header: str) -> datetime | None:
    if not header:
        return None
    try:
        parsed = parsedate_to_datetime(header)
    except ValueError:
        return None
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


async def fetch(
    session: "aiohttp.ClientSession", endpoint: XEndpoint, server_time: ServerTime
) -> bool:
    """Send a request without a token, and record the `Date` of X's response.

    X rejects the request and does not bill it. Returns False, and records nothing, if X does not
    respond within 10 seconds, if the response has no time, or if the response is not X's.
    """
    from roost.x.problems import find_problem
    from roost.x.transport import Response, Timeouts, exchange

    timeouts = Timeouts(total=_FETCH_TIMEOUT)
    response = await exchange(session, "GET", endpoint.url(_PATH), headers={}, timeouts=timeouts)
    if not isinstance(response, Response) or find_problem(response.body) is None:
        return False
    return server_time.record(response.headers)
