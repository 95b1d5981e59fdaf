"""Accounts on X: who a token belongs to, and what an account counts."""

from collections.abc import Mapping
from typing import Final

import msgspec

from roost.models import Metric, XUserId
from roost.prices import Operation
from roost.x import answers
from roost.x.client import Client
from roost.x.ids import require_id
from roost.x.receipt import Result
from roost.x.request import Request

_USER: Final = msgspec.json.Decoder(answers.User)
_FIELDS: Final = {"user.fields": "public_metrics,subscription_type,verified"}


class XUser(Result, frozen=True):
    """An account as X tells it."""

    id: XUserId
    username: str
    name: str
    subscription_type: str | None
    """`None`, `Basic`, `Premium`, `PremiumPlus`; None where X does not say: the 280 limit."""
    verified: bool | None
    metrics: Mapping[Metric, int | None]
    """Followers, following and posts, now."""


async def read_me(client: Client) -> XUser:
    """The account of the client's token; billed $0.010, once per app and UTC day.

    Raises: Reauthorize (X does not accept the token), RateLimited, OutOfCredits, XUnavailable.
    """
    return await _read(client, "me")


async def read_user(client: Client, user_id: XUserId) -> XUser:
    """Any account; billed $0.010, once per app and UTC day.

    Raises: IdMalformed (nothing was sent), NotFoundOnX, Rejected (suspended), Reauthorize,
    RateLimited, OutOfCredits, XUnavailable.
    """
    return await _read(client, require_id("user_id", user_id))


async def _read(client: Client, who: str) -> XUser:
    request = Request(Operation.READ_USER, "GET", f"/2/users/{who}", params=_FIELDS)
    answer, receipt = await client.call(request, _USER)
    told = answer.data
    assert told is not None, "an answer without an account is a refusal"
    return XUser(
        id=XUserId(told.id),
        username=told.username,
        name=told.name,
        subscription_type=told.subscription_type,
        verified=told.verified,
        metrics={
            Metric.FOLLOWERS: told.public_metrics.followers_count,
            Metric.FOLLOWING: told.public_metrics.following_count,
            Metric.POSTS: told.public_metrics.posts,
        },
        receipt=receipt,
    )
