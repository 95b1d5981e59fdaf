"""`TwitterTool`: a client for one X account, given the account's access token.

`TwitterTool` is for programs that have an access token and no Roost database; it uses `roost.x`.
For accounts in Roost's database, `roost.account_client` also refreshes the tokens and writes the
ledger.
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
from roost.errors import Refused, SettingInvalid
from roost.models import AccountSnapshot, Metric, TweetId, XMediaId, XUserId
from roost.settings import read_settings
from roost.tweet_urls import tweet_url
from roost.x.auth import OAuth1, OAuth1UserToken
from roost.x.media import UploadApi

#: A function that finds an account's last snapshot from one instant up to, but not including, a
#: later instant. `roost.history.from_snapshots` returns such a function for accounts in Roost's
#: database.
History = Callable[[XUserId, datetime, datetime], Awaitable[AccountSnapshot | None]]

_DAY = timedelta(days=1)


class HistoryNotKept(Refused):
    """An account's past metrics are not available, because X returns only the current ones."""

    default_next = (
        "Leave out the dates, or give the tool the history of a connected account"
        " (`history=roost.history.from_snapshots(runtime, tenant_id)`)."
    )


class CreatedTweet(NamedTuple):
    """A post's id and URL."""

    tweet_id: TweetId
    tweet_url: str


@dataclass(frozen=True, slots=True)
class TweetMetrics:
    """The metrics of one post; a metric is None if X returned no value."""

    impressions: int | None
    """The organic impressions if X returned them, else all impressions."""
    engagements: int | None
    likes: int | None
    retweets: int | None
    replies: int | None
    profile_clicks: int | None


@dataclass(frozen=True, slots=True)
class AccountMetrics:
    """The metrics of an account at an instant; a metric is None if X returned no value."""

    followers_count: int | None
    following_count: int | None
    tweet_count: int | None
    read_at: datetime
    """When the metrics were read from X."""


class TwitterTool:
    """A client for one X account, given the account's access token.

    Use the client as a context manager: `async with TwitterTool(token) as tool: …`. The client
    owns HTTP connections, which are closed at the end of the block.

    `oauth1_creds` are used for operations that OAuth 2.0 does not cover, and for uploads with
    `upload_api="v1.1"`. The credentials are either complete (`roost.x.auth.OAuth1`) or only the
    user's token and secret (`OAuth1UserToken`). In the second case, the app's key and secret are
    read from `TWITTER_API_KEY` and `TWITTER_API_SECRET` when the `async with` block is entered.

    `endpoint` is the X API to which all credentials belong: X's own, or an emulator's
    (`XEndpoint("http://127.0.0.1:8710")`). Methods raise the errors of `roost.x.errors`. The
    request of `create_tweet` is sent once: after `OutcomeUnknown`, look for the post on X before
    you call `create_tweet` again.
    """

    def __init__(
        self,
        access_token: str,
        oauth1_creds: OAuth1 | OAuth1UserToken | None = None,
        *,
        upload_api: UploadApi | str = UploadApi.V2,
        endpoint: XEndpoint = LIVE_X,
        history: History | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._tokens = x.FixedToken(access_token, endpoint)
        self._oauth1_creds = oauth1_creds
        self._upload_api = UploadApi(upload_api)
        self._history = history
        self._oauth1: OAuth1 | None = None
        self._session: aiohttp.ClientSession | None = None
        self._subscription_type: str | None = None

    async def __aenter__(self) -> Self:
        """Open the HTTP session.

        If `oauth1_creds` lack the app's key and secret, both are read from the settings.
        Raises: SettingInvalid if `TWITTER_API_KEY` or `TWITTER_API_SECRET` is then not set;
        UnsafeHost if `ROOST_X_BASE_URL` and the endpoint of `oauth1_creds` then differ.
        """
        self._oauth1 = _complete(self._oauth1_creds)
        # Cookies are not stored: X could use them to link the accounts of one program.
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
        """Create a post; see `roost.x.posts.create` for its price and errors.

        A text may have 280 weighted characters, or 25,000 after `verify` has found that the account
        has Premium.
        """
        created = await x.posts.create(
            self._client(),
            subscription_type=self._subscription_type,
            text=text,
            # `create` refuses a string, but would accept the list of the string's digits.
            media_ids=cast(
                Sequence[XMediaId], media_ids if isinstance(media_ids, str) else list(media_ids)
            ),
            reply_to=cast(TweetId | None, reply_to),
            quote_tweet_id=cast(TweetId | None, quote_tweet_id),
        )
        return CreatedTweet(created.tweet_id, tweet_url(created.tweet_id))

    async def upload_media(
        self,
        buffer_or_path: bytes | Path | str | BinaryIO,
        mime_type: str,
        category: str | None = None,
    ) -> XMediaId:
        """Upload a file and wait until it can be attached; see `roost.x.media.upload`.

        By default, the MIME type determines the category: image, GIF or video. A path is opened
        once, and everything is read from that file; no copy is stored.

        Raises: as `upload`, and CredentialMissing for `v1.1` without OAuth 1.0a credentials.
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
        """Read a post's metrics.

        X returns engagements and profile clicks only for the account's own posts of the last 30
        days.

        Raises: NotFoundOnX, RateLimited, OutOfCredits, ReauthorizationRequired, XUnavailable.
        """
        post_id = TweetId(tweet_id)
        found = await x.metrics.read_posts(self._client(), [post_id], private_for=[post_id])
        if post_id not in found:
            raise x.errors.NotFoundOnX(
                f"X does not show the post {tweet_id} to this account.", tweet_id=tweet_id
            )
        metrics = found[post_id].metrics
        return TweetMetrics(
            impressions=metrics[Metric.IMPRESSIONS],
            engagements=metrics[Metric.ENGAGEMENTS],
            likes=metrics[Metric.LIKES],
            retweets=metrics[Metric.REPOSTS],
            replies=metrics[Metric.REPLIES],
            profile_clicks=metrics[Metric.PROFILE_CLICKS],
        )

    async def get_user_metrics(
        self, user_id: str, start_date: date | None = None, end_date: date | None = None
    ) -> AccountMetrics:
        """Return an account's current metrics, or its last metrics in a range of past dates.

        For a range, the result is the last snapshot in the range. Dates are days in UTC, and the
        range includes the end date. Without an end date, the range lasts until now; without a start
        date, the range begins with the history. A range is free; current metrics cost a user read
        ($0.010).

        Raises: HistoryNotKept if there is no history, or no snapshot in the range,
        NotFoundOnX, RateLimited, OutOfCredits, ReauthorizationRequired, XUnavailable.
        """
        client = self._client()
        if start_date is None and end_date is None:
            user = await x.users.read_user(client, XUserId(user_id))
            return _account_metrics(user.metrics, client.now())
        if self._history is None:
            raise HistoryNotKept("X does not return an account's metrics for past dates.")
        since = datetime.combine(start_date or date.min, time.min, UTC)
        day_after = datetime.combine(end_date, time.min, UTC) + _DAY if end_date else None
        snapshot = await self._history(XUserId(user_id), since, day_after or client.now())
        if snapshot is None:
            raise HistoryNotKept(
                f"There is no snapshot of the account {user_id} from"
                f" {start_date or 'the beginning'} to {end_date or 'now'}.",
                next="Choose a range in which the account was connected and its metrics were read.",
            )
        return _account_metrics(snapshot.metrics, snapshot.at)

    async def verify(self) -> x.users.XUser:
        """Return the account that the token belongs to.

        The result determines how long the texts of later `create_tweet` calls may be.

        Raises: ReauthorizationRequired if X responds with 401, RateLimited, OutOfCredits,
        XUnavailable.
        """
        user = await x.users.read_me(self._client())
        self._subscription_type = user.subscription_type
        return user

    async def refresh_twitter_token(self, refresh_token: str) -> x.auth.TokenGrant:
        """Exchange the refresh token for new tokens; the tool then uses the new access token.

        The app's credentials are `TWITTER_CLIENT_ID` and `TWITTER_CLIENT_SECRET`, which belong to
        `ROOST_X_BASE_URL`. Store the new refresh token at once, because the old token is no longer
        valid.

        Raises: SettingInvalid, UnsafeHost if `ROOST_X_BASE_URL` is not this tool's endpoint,
        RefreshTokenInvalid, AppMisconfigured, XUnavailable, OutcomeUnknown.
        """
        grant = await x.auth.oauth2.refresh(
            self._open_session(),
            self._endpoint,
            app=read_settings().x_app(),
            refresh_token=refresh_token,
        )
        self._tokens = x.FixedToken(grant.access_token, self._endpoint)
        return grant

    def _client(self) -> x.Client:
        session = self._open_session()
        return x.Client(self._tokens, oauth1=self._oauth1, session=session)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("Use TwitterTool as `async with TwitterTool(token) as tool:`.")
        return self._session


def _complete(credentials: OAuth1 | OAuth1UserToken | None) -> OAuth1 | None:
    """Return complete credentials, with the app's key and secret from the settings if missing.

    Raises: SettingInvalid, UnsafeHost.
    """
    if not isinstance(credentials, OAuth1UserToken):
        return credentials
    settings = read_settings()
    if not settings.twitter_api_key or not settings.twitter_api_secret:
        name = "TWITTER_API_SECRET" if settings.twitter_api_key else "TWITTER_API_KEY"
        raise SettingInvalid(
            f"{name} is not set. TWITTER_API_KEY and TWITTER_API_SECRET are the OAuth 1.0a key and"
            " secret of the X app that issued the user's token.",
            setting=name,
        )
    app = OAuth1(
        settings.twitter_api_key, settings.twitter_api_secret, endpoint=settings.x_endpoint
    )
    return credentials.with_app(app)


def _account_metrics(metrics: Mapping[Metric, int | None], at: datetime) -> AccountMetrics:
    return AccountMetrics(
        followers_count=metrics[Metric.FOLLOWERS],
        following_count=metrics[Metric.FOLLOWING],
        tweet_count=metrics[Metric.POSTS],
        read_at=at,
    )
