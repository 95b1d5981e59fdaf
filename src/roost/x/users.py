"""Reads accounts on X: the account that a token belongs to, or any account by its id."""

from collections.abc import Mapping
from typing import Final

import msgspec

from roost.models import Metric, XUserId
from roost.prices import Operation
from roost.x import schemas
from roost.x.client import Client
from roost.x.ids import require_id
from roost.x.receipt import Result
from roost.x.request import Request

_USER: Final = msgspec.json.Decoder(schemas.UserResponse)
_FIELDS: Final = {"user.fields": "public_metrics,subscription_type,verified"}


class XUser(Result, frozen=True):
    """An account as X returns it."""

    id: XUserId
    username: str
    name: str
    subscription_type: str | None
    """The account's plan: `None`, `Basic`, `Premium` or `PremiumPlus`. The value is None if X does
    not return it; the text limit is then 280."""
    verified: bool | None
    metrics: Mapping[Metric, int | None]
    """The current numbers of followers, followed accounts and posts."""


async def read_me(client: Client) -> XUser:
    """Read the account that the client's token belongs to.

    X bills $0.010, once per app and UTC day.

    Raises: ReauthorizationRequired (X does not accept the token), RateLimited, OutOfCredits,
    XUnavailable.
    """
    return await _read(client, "me")


async def read_user(client: Client, user_id: XUserId) -> XUser:
    """Read any account. X bills $0.010, once per app and UTC day.

    Raises: IdMalformed (nothing was sent), NotFoundOnX, Rejected (suspended),
    ReauthorizationRequired, RateLimited, OutOfCredits, XUnavailable.
    """
    return await _read(client, require_id("user_id", user_id))


async def _read(client: Client, id_or_me: str) -> XUser:
    request = Request(Operation.READ_USER, "GET", f"/2/users/{id_or_me}", params=_FIELDS)
    body, receipt = await client.call(request, _USER)
    user = body.data
    assert user is not None, "`UserResponse.refusal` is not None without data"
    return XUser(
        id=XUserId(user.id),
        username=user.username,
        name=user.name,
        subscription_type=user.subscription_type,
        verified=user.verified,
        metrics={
            Metric.FOLLOWERS: user.public_metrics.followers_count,
            Metric.FOLLOWING: user.public_metrics.following_count,
            Metric.POSTS: user.public_metrics.posts,
        },
        receipt=receipt,
    )
