"""The emulator's state as plain data: apps, users, grants, posts, media, requests.

`auth` and `rules` change it, and `routes.serializers` turns it into JSON. A `World` is filled from
a scenario and a seed, and can be reset at any time.
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

#: Snowflake ids count milliseconds from here (4 November 2010), above 22 lower bits.
SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
#: `Post.deleted_by` of a post that a person deleted on X itself, not through an app.
DELETED_BY_USER = "user"

Access = Literal["read", "read-write", "read-write-directmessages"]


@dataclass(slots=True)
class App:
    """A developer's app. Only confidential apps have a `client_secret`."""

    client_id: str
    client_secret: str | None
    name: str
    callbacks: list[str]
    confidential: bool
    api_key: str
    """With `api_secret`, signs OAuth 1.0a requests and requests the app-only token."""
    api_secret: str
    account_id: str
    """The developer account that buys credits."""
    access: Access = "read-write"
    """What the app may do for users who connect by OAuth 1.0a."""
    enrolled: bool = True
    """Attached to a project. If not, v2 refuses the app."""
    credits: Decimal | None = None
    """Dollars left to spend. None: unlimited."""
    owner: str | None = None
    """The user id of the developer, who reads their own data at a lower price."""
    post_cap: int | None = None
    """How many posts it may read in a calendar month (UTC). None: unlimited."""
    posts_read: dict[str, int] = field(default_factory=dict)
    """Posts read, by month (`2026-11`)."""
    bearer: str | None = None
    """The app-only token, from its first request until it is invalidated."""


@dataclass(slots=True)
class User:
    """An account on X. `followers` and `following` are the counts at `since`."""

    id: str
    username: str
    name: str
    index: int
    """Position in order of creation, from 0."""
    created_at: datetime
    since: datetime
    followers: int
    following: int
    posts_before: int
    """Posts made before the emulator started. They are counted but cannot be read."""
    subscription_type: str | None
    verified: bool
    description: str
    suspended: bool = False
    protected: bool = False
    flows: list[tuple[int, int, int]] = field(default_factory=list)
    """Cache of `metrics`: for each UTC day from `since`, the net change of all days before it,
    the followers gained that day, and the followers lost (negative)."""
    flow_before: int | None = None
    """Cache of `metrics`: the net change on the day of `since` before that instant."""

    @property
    def is_premium(self) -> bool:
        """Whether the user may post long texts and videos, and edit."""
        return self.subscription_type in ("Premium", "PremiumPlus")


@dataclass(slots=True)
class Grant:
    """What a user allowed an app to do. All its tokens belong to it."""

    client_id: str
    user_id: str
    scopes: frozenset[str]
    """OAuth 2.0 scopes. Empty for OAuth 1.0a."""
    access: Access | None = None
    """The access level of an OAuth 1.0a grant. None: an OAuth 2.0 grant."""
    alive: bool = True


@dataclass(slots=True)
class OAuth1Token:
    """An OAuth 1.0a access token. It does not expire."""

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
    """A registered URL, or `oob` for a PIN."""
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
    """An authorization code, valid once and for 30 seconds."""

    grant: Grant
    redirect_uri: str
    challenge: str
    method: str
    expires_at: datetime
    used: bool = False


@dataclass(slots=True)
class Media:
    """An upload. Its bytes are deleted after validation."""

    id: str
    media_key: str
    user_id: str
    client_id: str
    category: str
    media_type: str
    total_bytes: int
    expires_at: datetime
    segments: dict[int, int] = field(default_factory=dict)
    """Segment index to size in bytes."""
    state: str = "uploading"
    """uploading, pending, in_progress, succeeded or failed."""
    verdict: str | None = None
    """The result of validation: `ok`, or the reason for a refusal. None: not validated yet."""
    polls: int = 0
    sha256: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    alt_text: str | None = None
    subtitles: dict[str, str] = field(default_factory=dict)
    """Language to the track's media id."""
    attached_to: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    """Other users who may attach it."""
    is_synchronous: bool = False
    """Validated at finalize whatever its category, and never reported as processing."""


@dataclass(slots=True)
class Post:
    """A post that exists or existed."""

    id: str
    user_id: str
    client_id: str | None
    """The app that created it. None: a person wrote it on X itself."""
    ordinal: int
    """Position among its user's posts, from 0. Names the post's random numbers, with the seed."""
    text: str
    """The text as sent."""
    returned_text: str
    """The text as X returns it: links wrapped, the media's link at the end."""
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
    """Weighs more than 280: X returns it cut, with the whole text in `note_tweet`."""
    history: list[str]
    """The ids of all versions, oldest first. All versions share one list."""
    edit_eligible: bool = False
    """Whether the kind of post and its author permit edits."""
    deleted_at: datetime | None = None
    deleted_by: str | None = None
    """The client id of the app that deleted it, or `DELETED_BY_USER`."""
    outcome: tuple[float, ...] | None = None
    """Cache of `metrics`: the half-life in seconds and the final counts of this post."""

    def is_live(self) -> bool:
        """Return whether it is neither deleted nor replaced by a later version."""
        return self.deleted_at is None and self.history[-1] == self.id


@dataclass(slots=True)
class Reactions:
    """What emulated accounts did with a post, in addition to the counts of the model."""

    likes: dict[str, list[datetime]] = field(default_factory=dict)
    """User id to the instants at which the user liked and unliked, alternating."""
    reposts: dict[str, list[datetime]] = field(default_factory=dict)
    """User id to the instants at which the user reposted and undid it, alternating."""
    replies: list[Post] = field(default_factory=list)
    quotes: list[Post] = field(default_factory=list)


@dataclass(slots=True)
class RequestEntry:
    """A received request. `status` is None if the connection was cut before the commit."""

    at: datetime
    client_id: str | None
    user_id: str | None
    operation: str
    status: int | None
    usd: Decimal


@dataclass(slots=True)
class Window:
    """A rate-limit window: when it opened and how many requests it has counted."""

    opened_at: datetime
    used: int = 0


class World:
    """One emulated X: a clock, a scenario, and everything that has happened."""

    def __init__(self, scenario: str, seed: int, faults: Sequence[Fault] = ()) -> None:
        self.initial_faults = faults
        """Faults that are active from the start and after each reset."""
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
        """API key to client id."""
        self.request_tokens: dict[str, RequestToken] = {}
        self.oauth1_tokens: dict[str, OAuth1Token] = {}
        self.nonces: set[tuple[str, str, str, str]] = set()
        """Key, token, timestamp and nonce of recent signed requests."""
        self.app_tokens: dict[str, str] = {}
        """App-only token to client id."""
        self.posts: dict[str, Post] = {}
        self.posts_of: dict[str, list[Post]] = {}
        self.latest_by_text: dict[tuple[str, str], Post] = {}
        """User id and text to the latest post, to find duplicates."""
        self.reactions: dict[str, Reactions] = {}
        """By post id. Most posts have none."""
        self.media: dict[str, Media] = {}
        self.requests: list[RequestEntry] = []
        self.billed_reads: set[tuple[str, str, str, str]] = set()
        self.windows: dict[tuple[str, ...], Window] = {}
        self.faults = [msgspec.structs.replace(each) for each in self.initial_faults]
        self.fault_log: list[dict[str, Any]] = []
        self.revocations_applied = 0
        """How many of the scenario's revocations have been applied."""
        self.validations: set[asyncio.Task[None]] = set()
        self._last_id = 0
        for account in accounts:
            self.add_user(account)

    async def reset(
        self, accounts: Sequence[SeedAccount] | None = None, starts_at: datetime | None = None
    ) -> None:
        """Delete everything and start again, with the same scenario and seed.

        `accounts` replace those of the scenario. `starts_at` is not before the machine's time,
        which is the default. Raises: ValueError, before anything is deleted.
        """
        await self.clock.restart(starts_at)
        for task in self.validations:
            task.cancel()
        for each in self.spool.iterdir():
            shutil.rmtree(each, ignore_errors=True)
        self._fill(self.scenario.accounts if accounts is None else accounts)

    def close(self) -> None:
        """End the clock's open polls and delete spooled files."""
        self.clock.close()
        self._spool.cleanup()

    @property
    def spool(self) -> Path:
        """The directory that holds segments until they are validated."""
        return Path(self._spool.name)

    def now(self) -> datetime:
        """Return emulated time."""
        return self.clock.now()

    def new_id(self, at: datetime) -> str:
        """Return a new snowflake id. Ids grow with emulated time."""
        self._last_id = max(self._last_id + 1, snowflake(at))
        return str(self._last_id)

    def add_app(self, app: App) -> None:
        """Register an app, or replace the one with this client id."""
        self.apps[app.client_id] = app
        self.app_keys[app.api_key] = app.client_id

    def add_user(self, account: SeedAccount) -> User:
        """Create an account that is three years old; its id matches that age."""
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
        """Find a post by id; None if it never existed or was deleted."""
        post = self.posts.get(post_id)
        return post if post is not None and post.deleted_at is None else None

    def live_posts(self, user_id: str) -> Iterator[Post]:
        """Iterate over a user's existing posts, newest first; only the last version of each."""
        return (post for post in reversed(self.posts_of[user_id]) if post.is_live())


def snowflake(at: datetime) -> int:
    """Return the lowest id of an instant."""
    return (int(at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22


def instant_of(snowflake_id: str) -> datetime:
    """Return the time at which an id was created, to the millisecond."""
    return datetime.fromtimestamp(((int(snowflake_id) >> 22) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)
