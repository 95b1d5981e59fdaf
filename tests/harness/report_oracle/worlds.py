"""Random accounts with posts, and the requested ranges, for the oracle of the report.

The emulator's own functions give the metrics of every account and post at every instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from x_emulator.state import Media, Post, User, World

ZONES: Final = (
    "UTC",
    "Europe/Berlin",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
_SCENARIOS: Final = (
    *("steady", "steady", "growth", "purge", "viral"),
    *("shadow-limited", "outage", "bot-burst", "month"),
)
#: Days on which some zones begin or end daylight saving time, and a leap day.
_SPECIAL_DAYS: Final = (
    *(date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1)),
    *(date(2026, 4, 5), date(2026, 10, 4), date(2027, 1, 1), date(2028, 2, 29)),
)
_SENTENCES: Final = (
    "New books on the shelf this week.",
    "The tide turns at noon.",
    "新しい本が棚に並びました。今週もお待ちしています。",
    "Building in public, day after day, with patience and tea.",
    "We open at nine on Saturday 🎉",
    "=1+2 is a sum, and not a formula.",
    "Does anyone still read on the train? We do, and we would like to know what you read there.",
)
_LINK: Final = "https://example.com/a/rather/long/path/to/a/page/about/books"
_KINDS: Final = {"image": "tweet_image", "gif": "tweet_gif", "video": "tweet_video"}


@dataclass
class PlannedPart:
    """A part, with the emulator's post if X accepted the part."""

    text: str
    state: str
    sent_at: datetime | None
    media: tuple[str, ...] = ()
    has_poll: bool = False
    reply_to: str | None = None
    quote_of: str | None = None
    post: Post | None = None


@dataclass
class PlannedPost:
    """A post in one of the states of the table `posts`."""

    state: str
    due_at: datetime | None
    late_from: datetime | None
    parts: list[PlannedPart]


@dataclass
class PlannedAccount:
    """An account with its posts and with the times at which a worker read its metrics."""

    user: User
    read_since: datetime
    read_at: list[datetime]
    posts: list[PlannedPost] = field(default_factory=list)


@dataclass
class PlannedWorld:
    """Accounts of one tenant, the present instant, and the range of a report."""

    seed: int
    world: World
    zone: ZoneInfo
    now: datetime
    first: date
    last: date
    accounts: list[PlannedAccount]
    has_groups: bool
    has_one_account: bool
    """Whether the report is about the first account only."""


def plan_world(seed: int) -> PlannedWorld:
    """Return the random world of a seed."""
    chance = np.random.default_rng([17, seed])
    zone = ZoneInfo(str(chance.choice(ZONES)))
    day = date(2026, 1, 20) + timedelta(days=int(chance.integers(0, 700)))
    if chance.uniform() < 0.4:
        special = _SPECIAL_DAYS[int(chance.integers(len(_SPECIAL_DAYS)))]
        day = special + timedelta(days=int(chance.integers(0, 40)))
    now = datetime.combine(day, time(), UTC) + timedelta(seconds=int(chance.integers(86_400)))
    days = int(chance.choice([1, 2, 6, 7, 7, 14, 28, 30, 30, 31, 45, 61, 92]))
    last = now.astimezone(zone).date() - timedelta(days=int(chance.choice([0, 0, 1, 1, 2, 9, 40])))
    history = int(chance.choice([3, 20, 70, 130, 200, 480]))
    world = World(str(chance.choice(_SCENARIOS)), int(chance.integers(1 << 30)))
    world.started_at = now - timedelta(days=history, hours=3)
    if chance.uniform() < 0.25:
        world.scenario = replace(world.scenario, daily_gain=0.0005, daily_loss=0.006)
    users = list(world.users.values())[: int(chance.choice([1, 1, 2, 3]))]
    accounts = []
    for user in users:
        user.since = world.started_at
        user.followers = int(np.exp(chance.uniform(np.log(30), np.log(90_000))))
        rate = float(chance.choice([0, 0.1, 0.5, 1, 2.5])) * (0.3 if history > 200 else 1)
        account = PlannedAccount(user, *_plan_reads(chance, world.started_at, now))
        _plan_posts(chance, world, account, rate, now)
        accounts.append(account)
    return PlannedWorld(
        seed,
        world,
        zone,
        now,
        last - timedelta(days=days - 1),
        last,
        accounts,
        has_groups=bool(chance.uniform() < 0.3),
        has_one_account=bool(chance.uniform() < 0.3),
    )


def _plan_reads(
    chance: np.random.Generator, since: datetime, now: datetime
) -> tuple[datetime, list[datetime]]:
    """Return when the first read was due, and the times of reads.

    The worker was away for some hours or days, and reads once when it is back. Some accounts are
    read at other times besides, because a person asked for the present numbers.
    """
    reads = []
    away: list[tuple[datetime, datetime]] = []
    for _ in range(int(chance.choice([0, 0, 1, 3]))):
        begins = since + (now - since) * float(chance.uniform())
        away.append((begins, begins + timedelta(hours=float(chance.choice([6, 30, 80, 220])))))
    span = (now - since).days + 2
    for n in range(span):
        day = since.date() + timedelta(days=n)
        at = datetime.combine(day, time(23, 30), UTC) + timedelta(
            seconds=int(chance.integers(0, 400))
        )
        if chance.uniform() < 0.05:
            at += timedelta(hours=float(chance.uniform(0, 11)))
        reads.append(at)
        if chance.uniform() < 0.03:
            reads.append(at - timedelta(hours=float(chance.uniform(1, 20))))
    kept = [at for at in reads if not any(begins <= at < ends for begins, ends in away)]
    kept += [ends for begins, ends in away if any(begins <= at < ends for at in reads)]
    return since, sorted({at for at in kept if since < at <= now})


def _plan_posts(
    chance: np.random.Generator,
    world: World,
    account: PlannedAccount,
    rate: float,
    now: datetime,
) -> None:
    habits = chance.uniform(0.1, 0.6, 6)
    count = int(chance.poisson(rate * (now - account.read_since).days))
    span = (now - account.read_since).total_seconds() - 4000
    times = sorted(
        account.read_since + timedelta(seconds=float(s)) for s in chance.uniform(0, span, count)
    )
    for at in times:
        account.posts.append(_plan_post(chance, world, account.user, at, habits))
    for state in ("draft", "cancelled", "scheduled"):
        due = now + timedelta(hours=float(chance.uniform(1, 90)))
        past = now - timedelta(days=float(chance.uniform(0, 20)))
        part = PlannedPart("Not sent", "pending", None)
        due_at = {"draft": None, "cancelled": past, "scheduled": due}[state]
        account.posts.append(PlannedPost(state, due_at, None, [part]))


def _plan_post(
    chance: np.random.Generator,
    world: World,
    user: User,
    at: datetime,
    habits: np.ndarray,
) -> PlannedPost:
    state = str(
        chance.choice(
            ["published", "missed", "failed", "partly_published", "needs_decision"],
            p=[0.92, 0.02, 0.02, 0.03, 0.01],
        )
    )
    delay = timedelta(seconds=float(chance.choice([0.4, 3, 60, 119, 121, 900], p=_DELAYS)))
    # The database keeps microseconds, which is also what datetime keeps.
    excused = timedelta(minutes=10) if chance.uniform() < 0.05 else timedelta(0)
    due_at = at - delay - excused
    late_from = due_at + excused if excused else None
    if state == "missed":
        part = PlannedPart("Missed", "pending", None)
        return PlannedPost(state, due_at, None, [part])
    count = int(chance.integers(2, 5)) if chance.uniform() < habits[0] * 0.5 else 1
    if state == "partly_published":
        count = max(count, 2)
    step = float(chance.choice([1.0, 1.0, 40.0, 1200.0]))
    parts: list[PlannedPart] = []
    for n in range(count):
        part = _plan_part(chance, habits, is_first=n == 0)
        is_last = n == count - 1
        if state == "failed" or (state == "partly_published" and is_last):
            part.state = "failed"
        elif state == "needs_decision" and is_last:
            part.state = "unknown"
        else:
            part.state, part.sent_at = "sent", at + timedelta(seconds=n * step)
            part.post = _add_post(world, user, part, parts[-1].post if parts else None)
        parts.append(part)
    return PlannedPost(state, due_at, late_from, parts)


_DELAYS: Final = (0.5, 0.25, 0.1, 0.05, 0.05, 0.05)


def _plan_part(chance: np.random.Generator, habits: np.ndarray, *, is_first: bool) -> PlannedPart:
    words: Sequence[str] = [
        str(chance.choice(_SENTENCES)) for _ in range(int(chance.choice([1, 1, 2, 3])))
    ]
    text = " ".join(words)
    if chance.uniform() < habits[1]:
        text += f" {_LINK}"
    if chance.uniform() < habits[2]:
        text += " #books"
    part = PlannedPart(text, "pending", None)
    if not is_first and chance.uniform() < 0.8:
        return part
    draw = chance.uniform()
    if draw < habits[3]:
        part.media = ("image",) * int(chance.integers(1, 5))
    elif draw < habits[3] + 0.15:
        part.media = (str(chance.choice(["gif", "video"])),)
    elif draw < habits[3] + 0.2:
        part.has_poll = True
    elif draw < habits[3] + 0.27:
        part.quote_of = "1800000000000000001"
    if is_first and chance.uniform() < 0.15:
        part.reply_to = "1800000000000000002"
    return part


def _add_post(world: World, user: User, part: PlannedPart, parent: Post | None) -> Post:
    """Add the emulator's post of a part, from which the emulator computes the metrics."""
    assert part.sent_at is not None
    ordinal = len(world.posts_of[user.id])
    tweet_id = str(int(user.id) + (ordinal + 1) * 1000)
    media = [
        Media("1", "3_1", user.id, "", _KINDS[kind], "", 1, part.sent_at) for kind in part.media
    ]
    post = Post(
        id=tweet_id,
        user_id=user.id,
        client_id=None,
        ordinal=ordinal,
        text=part.text,
        returned_text=part.text,
        entities={},
        created_at=part.sent_at,
        reply_to=parent.id if parent else part.reply_to,
        reply_to_user=None,
        conversation_id=tweet_id,
        quote_of=part.quote_of,
        media=media,
        poll=None,
        reply_settings="everyone",
        has_link=_LINK in part.text,
        is_long=False,
        history=[tweet_id],
    )
    world.posts_of[user.id].append(post)
    return post


def plan_month(posts: int) -> PlannedWorld:
    """Return an account with this many posts in a month, which is over."""
    chance = np.random.default_rng(19)
    now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    world = World("steady", 19)
    world.started_at = now - timedelta(days=70)
    user = next(iter(world.users.values()))
    user.since = world.started_at
    reads = [
        datetime.combine(world.started_at.date() + timedelta(days=n), time(23, 30), UTC)
        for n in range(70)
    ]
    account = PlannedAccount(user, world.started_at, reads)
    habits = np.full(6, 0.4)
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    for at in sorted(chance.uniform(0, 30 * 86_400, posts)):
        account.posts.append(
            _plan_post(chance, world, user, begin + timedelta(seconds=float(at)), habits)
        )
    return PlannedWorld(
        seed=1_000_000 + posts,
        world=world,
        zone=ZoneInfo("Europe/Berlin"),
        now=now,
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
        accounts=[account],
        has_groups=False,
        has_one_account=True,
    )
