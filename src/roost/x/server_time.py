"""X's time from the `Date` headers of its responses, and a free request for such a header.

Record only X's own responses, because a proxy's response has the time of the proxy's clock.
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
#: `Date` is truncated to whole seconds, so its expected error is half a second.
_HALF_SECOND: Final = timedelta(seconds=0.5)
#: A response came from a cache if its `Date` is earlier than X's time by more than this.
_MAX_AGE: Final = timedelta(seconds=30)
_FETCH_TIMEOUT: Final = timedelta(seconds=10)
#: X answers a request without a token with 401 here, and does not bill the request.
_PATH: Final = "/2/usage/tweets"


class ServerTime:
    """X's latest `Date`, extrapolated with a clock that includes suspended time.

    Every response is recorded, so recording must be cheap: the header is parsed only when read, and
    responses of the same second have equal headers, which are parsed once.
    """

    def __init__(self) -> None:
        self._header = ""
        self._recorded_at = 0.0

    def record(self, headers: Mapping[str, str]) -> bool:
        """Record the `Date` of a response just received from X; False if there is none.

        Headers without a `Date`, and headers of a cached response (`Age`), are not recorded.
        """
        header = headers.get("Date", "")
        if len(header) != _DATE_LENGTH or "Age" in headers:
            return False
        self._header = header
        self._recorded_at = boot_seconds()
        return True

    def is_cached(self, headers: Mapping[str, str]) -> bool:
        """Whether a response just received came from a cache instead of X.

        X's time never goes back, so a `Date` before the latest one proves a cache, as does an `Age`
        header.
        """
        estimate, made_at = self.estimate(), _parse_date(headers.get("Date", ""))
        if "Age" in headers:
            return True
        return estimate is not None and made_at is not None and estimate - made_at > _MAX_AGE

    @property
    def latest(self) -> datetime | None:
        """The latest `Date`, aware, in UTC; None without a `Date`, or if parsing it fails."""
        return _parse_date(self._header)

    def age_s(self) -> float | None:
        """Seconds since the latest `Date` was recorded, including suspended time."""
        return boot_seconds() - self._recorded_at if self._header else None

    def estimate(self) -> datetime | None:
        """X's time now; the error is half a second plus the latency of the response.

        This assumes that X's clock runs as fast as this machine's.
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
    """Send a request without a token, which X rejects and does not bill; record its `Date`.

    Return False, and record nothing, if X did not answer within 10 seconds, if its response has no
    time, or if the response is not X's.
    """
    from roost.x.problems import find_problem
    from roost.x.transport import Response, Timeouts, exchange

    timeouts = Timeouts(total=_FETCH_TIMEOUT)
    response = await exchange(session, "GET", endpoint.url(_PATH), headers={}, timeouts=timeouts)
    if not isinstance(response, Response) or find_problem(response.body) is None:
        return False
    return server_time.record(response.headers)
