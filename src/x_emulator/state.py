"""Everything the emulator knows, as plain data: apps, users, grants, posts, media, requests.

The rules that change it live in `oauth`, `posts` and `media`; what it looks like on the wire in
`answers`. A `World` is filled from a scenario and a seed, and can be emptied again at any time.
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
#: Who deleted a post that no app deleted: a person, at a door or on the page.
BY_HAND = "by hand"

Access = Literal["read", "read-write", "read-write-directmessages"]


@dataclass(slots=True)
class App:
    """A developer's app; `client_secret` is there for confidential ones only."""

    client_id: str
    client_secret: str | None
    name: str
    callbacks: list[str]
    confidential: bool
    api_key: str
    """With `api_secret` it signs OAuth 1.0a requests and asks for the app-only token."""
    api_secret: str
    account_id: str
    """The developer's account, which buys credits."""
    access: Access = "read-write"
    """What the app may do for users who connect by OAuth 1.0a."""
    enrolled: bool = True
    """Attached to a project; otherwise v2 refuses it."""
    credits: Decimal | None = None
    """Dollars left to spend; None: they never run out."""
    owner: str | None = None
    """The user id of the developer, for whom reading what is the developer's own is cheaper."""
    post_cap: int | None = None
    """How many posts it may read in a calendar month (UTC); None: as many as it likes."""
    posts_read: dict[str, int] = field(default_factory=dict)
    """Posts read, by month (`2026-11`)."""
    bearer: str | None = None
    """The app-only token, once asked for and until invalidated."""


@dataclass(slots=True)
class User:
    """An account on X. `followers` and `following` were true at `since`; `metrics` goes on."""

    id: str
    username: str
    name: str
    rank: int
    """Position in order of creation, from 0."""
    created_at: datetime
    since: datetime
    followers: int
    following: int
    posts_before: int
    """Posts made before the emulator started; they are counted but cannot be read."""
    subscription_type: str | None
    verified: bool
    description: str
    suspended: bool = False
    protected: bool = False
    flows: list[tuple[int, int, int]] = field(default_factory=list)
    """Memory of `metrics`: for each UTC day since `since`, the net change of the days before it,
    how many come on it and how many go (negative)."""
    flow_before: int | None = None
    """Memory of `metrics`: what came on the day of `since` before it."""

    @property
    def is_premium(self) -> bool:
        """May post long texts and videos, and edit."""
        return self.subscription_type in ("Premium", "PremiumPlus")


@dataclass(slots=True)
class Grant:
    """What a user allowed an app: the family that its tokens belong to."""

    client_id: str
    user_id: str
    scopes: frozenset[str]
    """Of OAuth 2.0; with OAuth 1.0a there are none."""
    access: Access | None = None
    """What an OAuth 1.0a grant may do; None: it is one of OAuth 2.0."""
    alive: bool = True


@dataclass(slots=True)
class KeyPair:
    """An OAuth 1.0a access token; it does not expire."""

    token: str
    secret: str
    grant: Grant


@dataclass(slots=True)
class RequestToken:
    """An OAuth 1.0a request token: an app's wish that a user shall decide on."""

    token: str
    secret: str
    client_id: str
    callback: str
    """A URL of the app's, or `oob` for a PIN."""
    access: Access
    expires_at: datetime
    user_id: str | None = None
    verifier: str | None = None


@dataclass(slots=True)
class Token:
    """An access or a refresh token."""

    kind: Literal["access", "refresh"]
    grant: Grant
    expires_at: datetime
    used: bool = False
    revoked: bool = False


@dataclass(slots=True)
class Code:
    """An authorization code, good once and for 30 seconds."""

    grant: Grant
    redirect_uri: str
    challenge: str
    method: str
    expires_at: datetime
    used: bool = False


@dataclass(slots=True)
class Media:
    """An upload, from `initialize` on. The bytes are gone once they have been judged."""

    id: str
    media_key: str
    user_id: str
    client_id: str
    category: str
    media_type: str
    total_bytes: int
    expires_at: datetime
    segments: dict[int, int] = field(default_factory=dict)
    """Index to size of the segments that have arrived."""
    state: str = "uploading"
    """uploading, pending, in_progress, succeeded or failed."""
    verdict: str | None = None
    """What decoding found: `ok`, or why not; None while it is under way."""
    polls: int = 0
    sha256: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    alt_text: str | None = None
    subtitles: dict[str, str] = field(default_factory=dict)
    """Language to media id of the track."""
    attached_to: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    """Other users who may attach it."""
    is_synchronous: bool = False
    """Judged at finalize whatever it is, and never shown as being processed."""


@dataclass(slots=True)
class Post:
    """A post that exists or existed."""

    id: str
    user_id: str
    client_id: str | None
    """The app that made it; None: a person wrote it on X."""
    ordinal: int
    """Which post of its user this is, from 0: with seed and username it draws the luck."""
    text: str
    """As it was sent."""
    shown: str
    """As X returns it: links wrapped, the media's link at the end."""
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
    """Weighs more than 280: X returns it cut, with the whole in `note_tweet`."""
    history: list[str]
    """The ids of all versions, oldest first; one list that the versions share."""
    edit_eligible: bool = False
    """It was of a kind, and by an author, that may edit."""
    deleted_at: datetime | None = None
    deleted_by: str | None = None
    """The client id of the app that deleted it, or `BY_HAND`."""
    fate: tuple[float, ...] | None = None
    """Memory of `metrics`: what this post will reach and how fast."""

    def is_live(self) -> bool:
        """Neither deleted nor replaced by a later version."""
        return self.deleted_at is None and self.history[-1] == self.id


@dataclass(slots=True)
class Reactions:
    """What the accounts here have done with a post, beside what the model draws."""

    likes: dict[str, list[datetime]] = field(default_factory=dict)
    """User id to the instants at which the like was given and taken back, in turn."""
    reposts: dict[str, list[datetime]] = field(default_factory=dict)
    """Likewise."""
    replies: list[Post] = field(default_factory=list)
    quotes: list[Post] = field(default_factory=list)


@dataclass(slots=True)
class RequestEntry:
    """A request that came. `status` is None where the connection was cut before the commit."""

    at: datetime
    client_id: str | None
    user_id: str | None
    operation: str
    status: int | None
    usd: Decimal


@dataclass(slots=True)
class Window:
    """How much of a limit has been used since it was opened."""

    opened_at: datetime
    used: int = 0


class World:
    """One X: a clock, a scenario and what has happened since."""

    def __init__(self, scenario: str, seed: int, faults: Sequence[Fault] = ()) -> None:
        self.standing_faults = faults
        """These are there from the start, and again after each reset."""
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
        self.key_pairs: dict[str, KeyPair] = {}
        self.nonces: set[tuple[str, str, str, str]] = set()
        """Signed requests of late: key, token, timestamp and nonce."""
        self.bearers: dict[str, str] = {}
        """App-only token to client id."""
        self.posts: dict[str, Post] = {}
        self.posts_of: dict[str, list[Post]] = {}
        self.latest_by_text: dict[tuple[str, str], Post] = {}
        """By user and text: the post that a duplicate would repeat."""
        self.reactions: dict[str, Reactions] = {}
        """By post id; of most posts there are none."""
        self.media: dict[str, Media] = {}
        self.requests: list[RequestEntry] = []
        self.billed_reads: set[tuple[str, str, str, str]] = set()
        self.windows: dict[tuple[str, ...], Window] = {}
        self.faults = [msgspec.structs.replace(each) for each in self.standing_faults]
        self.journal: list[dict[str, Any]] = []
        self.revocations_done = 0
        """How many of the scenario's revocations have come about."""
        self.judging: set[asyncio.Task[None]] = set()
        self._last_id = 0
        for account in accounts:
            self.add_user(account)

    async def reset(self, accounts: Sequence[SeedAccount] | None = None) -> None:
        """Forget everything, and begin again now with the same scenario and seed.

        `accounts` take the place of the scenario's own.
        """
        await self.clock.restart()
        for task in self.judging:
            task.cancel()
        for each in self.spool.iterdir():
            shutil.rmtree(each, ignore_errors=True)
        self._fill(self.scenario.accounts if accounts is None else accounts)

    def close(self) -> None:
        """Stop the clock's followers and remove what was spooled."""
        self.clock.close()
        self._spool.cleanup()

    @property
    def spool(self) -> Path:
        """Where segments lie until they are judged."""
        return Path(self._spool.name)

    def now(self) -> datetime:
        """Emulated time."""
        return self.clock.now()

    def new_id(self, at: datetime) -> str:
        """A snowflake: ids grow with emulated time."""
        self._last_id = max(self._last_id + 1, snowflake(at))
        return str(self._last_id)

    def add_app(self, app: App) -> None:
        """Register an app, or one again under the same client id."""
        self.apps[app.client_id] = app
        self.app_keys[app.api_key] = app.client_id

    def add_user(self, account: SeedAccount) -> User:
        """Open an account; its id is as old as the account is said to be: three years."""
        now, rank = self.now(), len(self.users)
        created_at = now - timedelta(days=3 * 365 - rank)
        user = User(
            id=str(snowflake(created_at) + rank),
            username=account.username,
            name=account.name,
            rank=rank,
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
        """The account of this name, in any case of letters."""
        user_id = self.user_ids.get(username.casefold())
        return None if user_id is None else self.users[user_id]

    def find_post(self, post_id: str) -> Post | None:
        """The post, unless it never was or has been deleted."""
        post = self.posts.get(post_id)
        return post if post is not None and post.deleted_at is None else None

    def live_posts(self, user_id: str) -> Iterator[Post]:
        """A user's posts that still exist, newest first; of an edited one the last version."""
        return (post for post in reversed(self.posts_of[user_id]) if post.is_live())


def snowflake(at: datetime) -> int:
    """The lowest id of an instant."""
    return (int(at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS) << 22


def instant_of(snowflake_id: str) -> datetime:
    """When an id was given out, to the millisecond."""
    return datetime.fromtimestamp(((int(snowflake_id) >> 22) + SNOWFLAKE_EPOCH_MS) / 1000, UTC)
