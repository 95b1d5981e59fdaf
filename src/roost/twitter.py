"""The mission's provider class: X under the names its page uses, thin over `roost.x`.

For a program that has an access token and wants nothing of Roost's store. Accounts that Roost
keeps go through `roost.accounts`, which refreshes, prices and remembers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp

from roost import x
from roost.errors import Refused
from roost.models import Metric, TweetId, XMediaId, XUserId
from roost.settings import read_settings


class HistoryNotKept(Refused):
    """X tells an account's present figures only; the past is what Roost's snapshots kept."""

    default_next = "Ask without dates, or take a report of a connected account (`roost report`)."


class CreatedTweet(NamedTuple):
    """A post and where it is."""

    tweet_id: TweetId
    tweet_url: str


@dataclass(frozen=True, slots=True)
class TweetMetrics:
    """What one post has earned; None where X does not say."""

    impressions: int | None
    """Organic ones where X tells them, else all."""
    engagements: int | None
    likes: int | None
    retweets: int | None
    replies: int | None
    profile_clicks: int | None


@dataclass(frozen=True, slots=True)
class AccountMetrics:
    """What an account counts at present; None where X does not say."""

    followers_count: int | None
    following_count: int | None
    tweet_count: int | None


class _HeldToken:
    """A token that is what it is; without a refresh there is none in its place."""

    def __init__(self, access_token: str) -> None:
        self.access_token = access_token

    async def get(self) -> str:
        return self.access_token

    async def refresh(self, rejected: str) -> str:
        return self.access_token


class TwitterTool:
    """One account by its access token: `async with TwitterTool(token) as tool: …`.

    A class because it holds the connections; they close with it. Errors are those of
    `roost.x.errors`. A create is sent once: `OutcomeUnknown` means, look before sending again.
    """

    def __init__(self, access_token: str, *, base_url: str = "https://api.x.com") -> None:
        self._token = _HeldToken(access_token)
        self._base_url = base_url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # X's cookies would tie the accounts of one program together.
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def create_tweet(
        self,
        text: str | None = None,
        media_ids: Sequence[str] = (),
        reply_to: str | None = None,
        quote_tweet_id: str | None = None,
    ) -> CreatedTweet:
        """Post; see `roost.x.posts.create` for what it costs and raises."""
        created = await x.posts.create(
            self._client(),
            text=text,
            media_ids=[XMediaId(each) for each in media_ids],
            reply_to=TweetId(reply_to) if reply_to else None,
            quote_tweet_id=TweetId(quote_tweet_id) if quote_tweet_id else None,
        )
        return CreatedTweet(created.tweet_id, f"https://x.com/i/web/status/{created.tweet_id}")

    async def upload_media(
        self, buffer_or_path: bytes | Path | str, mime_type: str, category: str = "tweet_image"
    ) -> XMediaId:
        """Upload a file and wait until it can be attached; see `roost.x.media.upload`."""
        uploaded = await x.media.upload(
            self._client(), buffer_or_path, mime_type=mime_type, category=category
        )
        return uploaded.media_id

    async def get_tweet_metrics(self, tweet_id: str) -> TweetMetrics:
        """What a post has earned; engagements and clicks for one's own, for 30 days.

        Raises: NotFoundOnX, RateLimited, OutOfCredits, Reauthorize, XUnavailable.
        """
        wanted = TweetId(tweet_id)
        read = await x.metrics.read_posts(self._client(), [wanted], private_for=[wanted])
        if wanted not in read:
            raise x.errors.NotFoundOnX(
                f"X does not show the post {tweet_id} to this account.", tweet_id=tweet_id
            )
        figures = read[wanted].metrics
        return TweetMetrics(
            impressions=figures[Metric.IMPRESSIONS],
            engagements=figures[Metric.ENGAGEMENTS],
            likes=figures[Metric.LIKES],
            retweets=figures[Metric.REPOSTS],
            replies=figures[Metric.REPLIES],
            profile_clicks=figures[Metric.PROFILE_CLICKS],
        )

    async def get_user_metrics(
        self, user_id: str, start_date: date | None = None, end_date: date | None = None
    ) -> AccountMetrics:
        """What an account counts now.

        Raises: HistoryNotKept (for any range of dates), NotFoundOnX, RateLimited, OutOfCredits,
        Reauthorize, XUnavailable.
        """
        if start_date is not None or end_date is not None:
            raise HistoryNotKept("X does not tell an account's figures of a past range of dates.")
        user = await x.users.read_user(self._client(), XUserId(user_id))
        return AccountMetrics(
            followers_count=user.metrics[Metric.FOLLOWERS],
            following_count=user.metrics[Metric.FOLLOWING],
            tweet_count=user.metrics[Metric.POSTS],
        )

    async def verify(self) -> x.users.XUser:
        """The account that the token belongs to.

        Raises: Reauthorize where X says 401; RateLimited, OutOfCredits, XUnavailable.
        """
        return await x.users.read_me(self._client())

    async def refresh_twitter_token(self, refresh_token: str) -> x.auth.TokenGrant:
        """Trade the refresh token for new tokens; this tool goes on with the new access token.

        The app's credentials are `TWITTER_CLIENT_ID` and `TWITTER_CLIENT_SECRET`. Store the new
        refresh token at once: the old one is used up.

        Raises: SettingInvalid, GrantDead, AppMisconfigured, XUnavailable, OutcomeUnknown.
        """
        settings = read_settings()
        grant = await x.auth.refresh(
            self._open_session(),
            self._base_url,
            client_id=settings.require_x_app(),
            client_secret=settings.twitter_client_secret,
            refresh_token=refresh_token,
        )
        self._token.access_token = grant.access_token
        return grant

    def _client(self) -> x.Client:
        return x.Client(self._token, base_url=self._base_url, session=self._open_session())

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("Use TwitterTool as `async with TwitterTool(token) as tool:`.")
        return self._session
