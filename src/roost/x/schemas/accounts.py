"""Response bodies about users, an app's usage, and tokens."""

from datetime import datetime
from typing import Any

import msgspec

from roost.models import XUserId
from roost.x.schemas.response import ResponseBody, require_content


class UserMetrics(msgspec.Struct, frozen=True):
    """An account's numbers of followers, followed accounts and posts."""

    followers_count: int | None = None
    following_count: int | None = None
    tweet_count: int | None = None
    post_count: int | None = None

    @property
    def posts(self) -> int | None:
        """The number of posts, from `post_count` or `tweet_count`."""
        return self.post_count if self.tweet_count is None else self.tweet_count


class UserData(msgspec.Struct, frozen=True):
    """An account on X."""

    id: str
    username: str
    name: str = ""
    subscription_type: str | None = None
    verified: bool | None = None
    public_metrics: UserMetrics = UserMetrics()


class UserResponse(ResponseBody, frozen=True):
    """One account, or `errors` that say why the account is missing."""

    data: UserData | None = None
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        if self.data is None:
            require_content((), self.errors)

    def users_read(self) -> tuple[XUserId, ...]:
        """Return the id of the account: X bills the account as one resource."""
        return (XUserId(self.data.id),) if self.data else ()

    def refusal(self) -> dict[str, Any] | None:
        """Return the reason why the account is missing."""
        return None if self.data else self.errors[0]


class DayUsage(msgspec.Struct, frozen=True):
    """The number of posts read on one day."""

    date: datetime
    usage: int | None = None


class DailyUsage(msgspec.Struct, frozen=True):
    """The number of posts read per day."""

    usage: list[DayUsage] | None = None


class UsageData(msgspec.Struct, frozen=True):
    """The number of posts that a project has read, and the number that it may read."""

    cap_reset_day: int | None = None
    project_cap: int | None = None
    project_usage: int | None = None
    daily_project_usage: DailyUsage | None = None


class UsageResponse(ResponseBody, frozen=True):
    """The response of the usage endpoint."""

    data: UsageData


class TokenResponse(msgspec.Struct, frozen=True):
    """The tokens that the token endpoint granted."""

    access_token: str
    expires_in: int = 7200
    scope: str = ""
    refresh_token: str | None = None


class TokenErrorResponse(msgspec.Struct, frozen=True):
    """An error of the token endpoint."""

    error: str = ""
    error_description: str = ""


class RevokeResponse(msgspec.Struct, frozen=True):
    """The response of the revocation endpoint."""

    revoked: bool
