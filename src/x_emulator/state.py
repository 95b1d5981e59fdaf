"""The emulator's state as plain data: apps, users, grants, posts, media, requests.

`auth` and `rules` change the state, and `routes.serializers` converts it to JSON. A `World` begins
with the accounts of a scenario, and can be reset at any time.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from x_emulator.clock import EmulatedClock
from x_emulator.faults.fault_specs import Fault
from x_emulator.scenarios.catalog import SCENARIOS
from x_emulator.scenarios.scenario import Scenario, SeedAccount
from x_emulator.switches import Switches

#: The instant (4 November 2010) from which the milliseconds in snowflake ids are counted. The count
#: is in the bits above the 22 lowest bits.
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
#: The value of `Post.deleted_by` if a person deleted the post on X itself, not through an app.
DELETED_BY_USER = "user"

Access = Literal["read", "read-write", "read-write-directmessages"]


@dataclass(slots=True)
class App:
    """A developer's app on X. Only a confidential app has a `client_secret`."""

    client_id: str
    client_secret: str | None
    name: str
    callbacks: list[str]
    confidential: bool
    api_key: str
    """The API key; with `api_secret`, it signs OAuth 1.0a requests and gets the app-only token."""
    api_secret: str
    account_id: str
    """The id of the developer account that buys the app's credits."""
    access: Access = "read-write"
    """The access level of the app for users who connect through OAuth 1.0a."""
    enrolled: bool = True
    """Whether the app is attached to a project. If not, v2 refuses its requests."""
    credits: Decimal | None = None
    """The dollars that the app may still spend; None for no limit."""
    owner: str | None = None
    """The user id of the developer, who reads their own data at a lower price."""
    post_cap: int | None = None
    """The number of posts that the app may read in a calendar month (UTC); None for no limit."""
    posts_read: dict[str, int] = field(default_factory=dict)
    """The number of posts that the app has read, by month (`2026-11`)."""
    bearer: str | None = None
    """The app-only token; None before it is requested, and after it is invalidated."""


@dataclass(slots=True)
class User:
    """An account on X. `followers` and `following` are its counts at the instant `since`."""

    id: str
    username: str
    name: str
    index: int
    """The account's position in the order of creation, from 0."""
    created_at: datetime
    since: datetime
    followers: int
    following: int
    posts_before: int
    """The number of posts that the account made before the emulator started; no one can read
    these posts."""
    subscription_type: str | None
    verified: bool
    description: str
    suspended: bool = False
    protected: bool = False
    flows: list[tuple[int, int, int]] = field(default_factory=list)
    """Cache of the module `metrics`. For each UTC day from `since`: the net change of followers on
    all days before, the followers gained on the day, and the followers lost on the day
    (negative)."""
    flow_before: int | None = None
    """Cache of the module `metrics`: the net change of followers on the day of `since`, before
    `since`."""

    @property
    def is_premium(self) -> bool:
        """Whether the user may post long texts and videos, and edit."""
        return self.subscription_type in ("Premium", "PremiumPlus")


@dataclass(slots=True)
class Grant:
    """A user's permission for an app. Each token refers to the grant to which it belongs."""

    client_id: str
    user_id: str
    scopes: frozenset[str]
    """The OAuth 2.0 scopes that the user granted. Empty for an OAuth 1.0a grant."""
    access: Access | None = None
    """The access level of an OAuth 1.0a grant. None for an OAuth 2.0 grant."""
    alive: bool = True


@dataclass(slots=True)
class OAuth1Token:
    """An OAuth 1.0a access token. OAuth 1.0a tokens do not expire."""

    token: str
    secret: str
    grant: Grant


@dataclass(slots=True)
class RequestToken:
    """An OAuth 1.0a request token, which a user allows or denies."""

    token: str
    secret: str
    client_id: str
    callback: str
    """A registered callback URL, or `oob` if the user gets a PIN instead of a redirect."""
    access: Access
    expires_at: datetime
    user_id: str | None = None
    verifier: str | None = None


@dataclass(slots=True)
class Token:
    """An OAuth 2.0 access or refresh token."""

    kind: Literal["access", "refresh"]
    grant: Grant
    expires_at: datetime
    used: bool = False
    revoked: bool = False


@dataclass(slots=True)
class Code:
    """An OAuth 2.0 authorization code. It can be used once, within 30 seconds."""

    grant: Grant
    redirect_uri: str
    challenge: str
    method: str
    expires_at: datetime
    used: bool = False


@dataclass(slots=True)
class Media:
    """An uploaded media file. The file itself is deleted after validation."""

    id: str
    media_key: str
    user_id: str
    client_id: str
    category: str
    media_type: str
    total_bytes: int
    expires_at: datetime
    segments: dict[int, int] = field(default_factory=dict)
    """Maps each segment's index to its size in bytes."""
    state: str = "uploading"
    """One of `uploading`, `pending`, `in_progress`, `succeeded` and `failed`."""
    verdict: str | None = None
    """The result of validation: `ok` or the reason for a refusal. None before validation."""
    polls: int = 0
    sha256: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    alt_text: str | None = None
    subtitles: dict[str, str] = field(default_factory=dict)
    """Maps the language of each subtitle track to the media id of the track."""
    attached_to: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    """Ids of other users who may attach the media to their posts."""
    is_synchronous: bool = False
    """Whether finalize validates the file at once, even a GIF or video, without processing."""


@dataclass(slots=True)
class Post:
    """A post that exists or existed."""

    id: str
    user_id: str
    client_id: str | None
    """The client id of the app that created the post. None if a person wrote it on X itself."""
    ordinal: int
    """The position among the user's posts, from 0. The position and the seed select the random
    numbers of the post."""
    text: str
    """The text as the client sent it."""
    returned_text: str
    """The text as X returns it: with t.co links, and the link to the media at the end."""
    entities: dict[str, list[dict[str, Any]]]
    created_at: datetime
    reply_to: str | None
    reply_to_user: str | None
    conversation_id: str
    quote_of: str | None
    media: list[Media]
    poll: dict[str, Any] | None
    reply_settings: str
    has_link: bool
    is_long: bool
    """Whether the text weighs more than 280. If so, X returns the complete text in `note_tweet`,
    and cuts `text`."""
    history: list[str]
    """The ids of all versions of the post, oldest first. The versions share one list object."""
    edit_eligible: bool = False
    """Whether the post can be edited, as determined at its creation."""
    deleted_at: datetime | None = None
    deleted_by: str | None = None
    """The client id of the app that deleted the post, or `DELETED_BY_USER`."""
    outcome: tuple[float, ...] | None = None
    """Cache of the module `metrics`: the post's half-life in seconds, then its final counts."""

    def is_live(self) -> bool:
        """Return whether the post is neither deleted nor replaced by a later version."""
        return self.deleted_at is None and self.history[-1] == self.id


@dataclass(slots=True)
class Reactions:
    """Reactions of emulated accounts to a post. They are added to the modelled counts."""

    likes: dict[str, list[datetime]] = field(default_factory=dict)
    """Maps each user id to the instants at which the user alternately liked and unliked."""
    reposts: dict[str, list[datetime]] = field(default_factory=dict)
    """Maps each user id to the instants of the user's reposts and their removals, alternating."""
    replies: list[Post] = field(default_factory=list)
    quotes: list[Post] = field(default_factory=list)


@dataclass(slots=True)
class RequestEntry:
    """A received request. `status` is None if a fault cut the connection before the commit."""

    at: datetime
    client_id: str | None
    user_id: str | None
    operation: str
    status: int | None
    usd: Decimal


@dataclass(slots=True)
class Window:
    """A rate-limit window: the time of its first request, and the number of its requests."""

    opened_at: datetime
    used: int = 0


class World:
    """The state of one emulator: apps, accounts, posts, media, requests, clock and scenario."""

    def __init__(self, scenario: str, seed: int, faults: Sequence[Fault] = ()) -> None:
        self.initial_faults = faults
        """The faults that are active from the start and again after each reset."""
        self.scenario: Scenario = SCENARIOS[scenario]
        self.seed = seed
        self.clock = EmulatedClock()
        self._spool = tempfile.TemporaryDirectory(prefix="x-emulator-")
        self._fill(self.scenario.accounts)

    def _fill(self, accounts: Sequence[SeedAccount]) -> None:
        self.started_at = self.clock.now()
        self.switches = Switches()
        self.apps: dict[str, App] = {}
        self.users: dict[str, User] = {}
        self.user_ids: dict[str, str] = {}
        self.grants: list[Grant] = []
        self.tokens: dict[str, Token] = {}
        self.codes: dict[str, Code] = {}
        self.app_keys: dict[str, str] = {}
        """Maps each app's API key to its client id."""
        self.request_tokens: dict[str, RequestToken] = {}
        self.oauth1_tokens: dict[str, OAuth1Token] = {}
        self.nonces: set[tuple[str, str, str, str]] = set()
        """The key, token, timestamp and nonce of each recent signed request, so that X's rule
        against a second use of a nonce can be applied."""
        self.app_tokens: dict[str, str] = {}
        """Maps each app-only token to the client id of its app."""
        self.posts: dict[str, Post] = {}
        self.posts_of: dict[str, list[Post]] = {}
        self.latest_by_text: dict[tuple[str, str], Post] = {}
        """Maps user id and text to the user's latest post with the text, to find duplicates."""
        self.reactions: dict[str, Reactions] = {}
        """The reactions to each post, by post id. Most posts have no entry."""
        self.media: dict[str, Media] = {}
        self.requests: list[RequestEntry] = []
        self.billed_reads: set[tuple[str, str, str, str]] = set()
        self.windows: dict[tuple[str, ...], Window] = {}
        self.faults = [msgspec.structs.replace(each) for each in self.initial_faults]
        self.fault_log: list[dict[str, Any]] = []
        self.revocations_applied = 0
        """The number of the scenario's revocations that have been applied."""
        self.validations: set[asyncio.Task[None]] = set()
        self._last_id = 0
        for account in accounts:
            self.add_user(account)

    async def reset(
        self, accounts: Sequence[SeedAccount] | None = None, starts_at: datetime | None = None
    ) -> None:
        """Delete everything and start again, with the same scenario and seed.

        `accounts` replace those of the scenario. `starts_at` must not be before the machine's time,
        which is the default. Raises: ValueError, before anything is deleted.
        """
        await self.clock.restart(starts_at)
        for task in self.validations:
            task.cancel()
        for each in self.spool.iterdir():
            shutil.rmtree(each, ignore_errors=True)
        self._fill(self.scenario.accounts if accounts is None else accounts)

    def close(self) -> None:
        """End the clock's open polls, and delete the spooled segments."""
        self.clock.close()
        self._spool.cleanup()

    @property
    def spool(self) -> Path:
        """The directory that holds uploaded segments until their validation."""
        return Path(self._spool.name)

    def now(self) -> datetime:
        """Return the emulated time."""
        return self.clock.now()

    def new_id(self, at: datetime) -> str:
        """Return a new snowflake id, which is higher than all earlier ids."""
        self._last_id = max(self._last_id + 1, snowflake(at))
        return str(self._last_id)

    def add_app(self, app: App) -> None:
        """Register an app, which replaces an app with the same client id."""
        self.apps[app.client_id] = app
        self.app_keys[app.api_key] = app.client_id

    def add_user(self, account: SeedAccount) -> User:
        """Create an account that is three years old, as its snowflake id shows."""
        now, index = self.now(), len(self.users)
        created_at = now - timedelta(days=3 * 365 - index)
        user = User(
            id=str(snowflake(created_at) + index),
            username=account.username,
            name=account.name,
            index=index,
            created_at=created_at,
            since=now,
            followers=account.followers,
            following=account.following,
            posts_before=account.posts_before,
            subscription_type=account.subscription_type,
            verified=account.subscription_type not in (None, "None"),
            description=account.description,
        )
        self.users[user.id] = user
        self.user_ids[user.username.casefold()] = user.id
        self.posts_of[user.id] = []
        return user

    def find_user(self, username: str) -> User | None:
        """Find an account by username, ignoring case."""
        user_id = self.user_ids.get(username.casefold())
        return None if user_id is None else self.users[user_id]

    def find_post(self, post_id: str) -> Post | None:
        """Find a post by its id; None if the post never existed or was deleted."""
        post = self.posts.get(post_id)
        return post if post is not None and post.deleted_at is None else None

    def live_posts(self, user_id: str) -> Iterator[Post]:
        """Iterate over the last versions of a user's existing posts, newest first."""
        return (post for post in reversed(self.posts_of[user_id]) if post.is_live())


def snowflake(at: datetime) -> int:
    """Return the lowest snowflake id that an instant can have."""
    return (int(at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22


def instant_of(snowflake_id: str) -> datetime:
    """Return the time at which a snowflake id was created, to a precision of milliseconds."""
    return datetime.fromtimestamp(((int(snowflake_id) >> 22) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)
