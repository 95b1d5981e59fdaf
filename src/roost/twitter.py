"""The mission's provider class: X under the names its page uses, thin over `roost.x`.

For a program that has an access token and wants nothing of Roost's store. Accounts that Roost
keeps go through `roost.account_client`, which refreshes, prices and remembers.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self, cast

import aiohttp

from roost import x
from roost.endpoint import LIVE_X, XEndpoint
from roost.errors import Refused
from roost.models import AccountSnapshot, Metric, TweetId, XMediaId, XUserId
from roost.settings import read_settings
from roost.x.media import UploadApi

#: The last reading of an account from the first instant on and before the second, or None.
#: `roost.history.from_snapshots` is one of the accounts that Roost keeps.
History = Callable[[XUserId, datetime, datetime], Awaitable[AccountSnapshot | None]]

_DAY = timedelta(days=1)


class HistoryNotKept(Refused):
    """X tells an account's present figures only; the past is what Roost's snapshots kept."""

    default_next = (
        "Ask without dates, or give the tool the history of a connected account"
        " (`history=roost.history.from_snapshots(runtime, tenant_id)`)."
    )


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
    """What an account counted at an instant; None where X does not say."""

    followers_count: int | None
    following_count: int | None
    tweet_count: int | None
    read_at: datetime
    """When X told it."""


class TwitterTool:
    """One account by its access token: `async with TwitterTool(token) as tool: …`.

    A class because it holds the connections; they close with it. `oauth1_creds` carry what OAuth
    2.0 cannot, among it all uploads where `upload_api` is `v1.1`. `endpoint` is the X that all of
    them belong to: the real one, or an emulator (`XEndpoint("http://127.0.0.1:8710")`). Errors are
    those of `roost.x.errors`. A create is sent once: `OutcomeUnknown` means, look before sending
    again.
    """

    def __init__(
        self,
        access_token: str,
        oauth1_creds: x.auth.OAuth1 | None = None,
        *,
        upload_api: UploadApi | str = UploadApi.V2,
        endpoint: XEndpoint = LIVE_X,
        history: History | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._tokens = x.FixedToken(access_token, endpoint)
        self._oauth1 = oauth1_creds
        self._upload_api = UploadApi(upload_api)
        self._history = history
        self._session: aiohttp.ClientSession | None = None
        self._subscription_type: str | None = None

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
        """Post; see `roost.x.posts.create` for what it costs and raises.

        A text may have 280 weighted characters; 25,000 after `verify` has seen that the account
        has Premium.
        """
        created = await x.posts.create(
            self._client(),
            subscription_type=self._subscription_type,
            text=text,
            # A string stays one, so that it is not taken for a list of its digits.
            media_ids=cast(
                Sequence[XMediaId], media_ids if isinstance(media_ids, str) else list(media_ids)
            ),
            reply_to=cast(TweetId | None, reply_to),
            quote_tweet_id=cast(TweetId | None, quote_tweet_id),
        )
        return CreatedTweet(created.tweet_id, f"https://x.com/i/web/status/{created.tweet_id}")

    async def upload_media(
        self,
        buffer_or_path: bytes | Path | str | BinaryIO,
        mime_type: str,
        category: str | None = None,
    ) -> XMediaId:
        """Upload a file and wait until it can be attached; see `roost.x.media.upload`.

        Without a category it is that of the MIME type: image, GIF or video.
        A path is opened once, and all is read from what was opened; no copy is kept, because
        this class has no store.

        Raises: besides that, CredentialMissing (`v1.1` without OAuth 1.0a credentials).
        """
        uploaded = await x.media.upload(
            self._client(),
            buffer_or_path,
            mime_type=mime_type,
            category=category,
            upload_api=self._upload_api,
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
        """What an account counts now; with dates, what the last reading in that range counted.

        Dates are days in UTC, the last one included; an open end is now, an open beginning as far
        back as the history goes. A range costs nothing, now costs a user read ($0.010).

        Raises: HistoryNotKept (no history was given, or it has no reading in the range),
        NotFoundOnX, RateLimited, OutOfCredits, Reauthorize, XUnavailable.
        """
        client = self._client()
        if start_date is None and end_date is None:
            user = await x.users.read_user(client, XUserId(user_id))
            return _account_metrics(user.metrics, client.now())
        if self._history is None:
            raise HistoryNotKept("X does not tell an account's figures of a past range of dates.")
        since = datetime.combine(start_date or date.min, time.min, UTC)
        day_after = datetime.combine(end_date, time.min, UTC) + _DAY if end_date else None
        kept = await self._history(XUserId(user_id), since, day_after or client.now())
        if kept is None:
            raise HistoryNotKept(
                f"No reading of the account {user_id} was kept from {start_date or 'the beginning'}"
                f" to {end_date or 'now'}.",
                next="Ask for a range in which the account was connected and read.",
            )
        return _account_metrics(kept.metrics, kept.at)

    async def verify(self) -> x.users.XUser:
        """The account that the token belongs to.

        From then on `create_tweet` knows how long its texts may be.

        Raises: Reauthorize where X says 401; RateLimited, OutOfCredits, XUnavailable.
        """
        user = await x.users.read_me(self._client())
        self._subscription_type = user.subscription_type
        return user

    async def refresh_twitter_token(self, refresh_token: str) -> x.auth.TokenGrant:
        """Trade the refresh token for new tokens; this tool goes on with the new access token.

        The app's credentials are `TWITTER_CLIENT_ID` and `TWITTER_CLIENT_SECRET`, which belong to
        the X of `ROOST_X_BASE_URL`. Store the new refresh token at once: the old one is used up.

        Raises: SettingInvalid, UnsafeHost (that is not this tool's endpoint), GrantDead,
        AppMisconfigured, XUnavailable, OutcomeUnknown.
        """
        grant = await x.auth.refresh(
            self._open_session(),
            self._endpoint,
            app=read_settings().x_app(),
            refresh_token=refresh_token,
        )
        self._tokens = x.FixedToken(grant.access_token, self._endpoint)
        return grant

    def _client(self) -> x.Client:
        return x.Client(
            self._tokens,
            oauth1=self._oauth1,
            session=self._open_session(),
        )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("Use TwitterTool as `async with TwitterTool(token) as tool:`.")
        return self._session


def _account_metrics(metrics: Mapping[Metric, int | None], at: datetime) -> AccountMetrics:
    return AccountMetrics(
        followers_count=metrics[Metric.FOLLOWERS],
        following_count=metrics[Metric.FOLLOWING],
        tweet_count=metrics[Metric.POSTS],
        read_at=at,
    )
