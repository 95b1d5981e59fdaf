"""What the whole app has read: X's own count against its cap. For a client with the app's token."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from roost.prices import Operation
from roost.x import answers
from roost.x.client import Client
from roost.x.receipt import Result
from roost.x.request import Credential, Request

#: Not strict: X tells these numbers as texts.
_USAGE: Final = msgspec.json.Decoder(answers.Usage, strict=False)
_FIELDS: Final = "cap_reset_day,project_cap,project_id,project_usage,daily_project_usage"


class Usage(Result, frozen=True):
    """Posts that the project's apps have read together."""

    cap: int | None
    """Posts that it may read in a month of its own, which begins on day `cap_reset_day`."""
    used: int | None
    cap_reset_day: int | None
    by_day: Mapping[date, int]
    """By UTC day, the oldest first."""


async def read(client: Client, *, days: int = 7) -> Usage:
    """The project's usage, with its last `days` (1 to 90) one by one; free.

    `client` has the app's own token (`roost.x.auth.app_token`): X takes no user's.

    Raises: AppMisconfigured (a user's token), RateLimited, Rejected, XUnavailable.
    """
    request = Request(
        Operation.READ_USAGE,
        "GET",
        "/2/usage/tweets",
        params={"days": str(days), "usage.fields": _FIELDS},
        credential=Credential.TOKEN,
    )
    answer, receipt = await client.call(request, _USAGE)
    told = answer.data
    daily = told.daily_project_usage or answers.DailyUsage()
    return Usage(
        cap=told.project_cap,
        used=told.project_usage,
        cap_reset_day=told.cap_reset_day,
        by_day={each.date.date(): each.usage or 0 for each in daily.usage or ()},
        receipt=receipt,
    )
