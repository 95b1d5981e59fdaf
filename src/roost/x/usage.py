"""The number of posts that a project's apps have read, and the project's monthly cap.

These requests need the app's own token.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from roost.prices import Operation
from roost.x import schemas
from roost.x.client import Client
from roost.x.receipt import Result
from roost.x.request import Credential, Request

#: The decoder is not strict, because X returns these numbers as strings.
_USAGE: Final = msgspec.json.Decoder(schemas.UsageResponse, strict=False)
_FIELDS: Final = "cap_reset_day,project_cap,project_id,project_usage,daily_project_usage"


class Usage(Result, frozen=True):
    """The number of posts that the project's apps have read together, and the project's cap."""

    cap: int | None
    """The maximum per month; the project's month starts on day `cap_reset_day`."""
    used: int | None
    cap_reset_day: int | None
    by_day: Mapping[date, int]
    """Posts read per UTC day, oldest first."""


async def read(client: Client, *, days: int = 7) -> Usage:
    """Read the project's usage: the total, and that of each of the last `days` (1 to 90) days.

    X does not bill this request. `client` needs the app's own token
    (`roost.x.auth.oauth2.get_app_token`), because X accepts no user's token here.

    Raises: AppMisconfigured (a user's token), RateLimited, Rejected, XUnavailable.
    """
    request = Request(
        Operation.READ_USAGE,
        "GET",
        "/2/usage/tweets",
        params={"days": str(days), "usage.fields": _FIELDS},
        credential=Credential.TOKEN,
    )
    body, receipt = await client.call(request, _USAGE)
    usage = body.data
    daily = usage.daily_project_usage or schemas.DailyUsage()
    return Usage(
        cap=usage.project_cap,
        used=usage.project_usage,
        cap_reset_day=usage.cap_reset_day,
        by_day={each.date.date(): each.usage or 0 for each in daily.usage or ()},
        receipt=receipt,
    )
