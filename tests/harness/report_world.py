"""Makes accounts with known posts and snapshots, for tests and benchmarks of reports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from roost.insights.read_plan import READ_TIME, plan_reads
from roost.insights.reports.effects import Difference, compare_posts
from roost.insights.reports.model import EffectName, Verdict
from roost.models import (
    AccountRecords,
    AccountSnapshot,
    Environment,
    Integration,
    IntegrationId,
    IntegrationStatus,
    Metric,
    PartId,
    PostId,
    PostSnapshot,
    SentPart,
    TenantId,
    TweetId,
    XUserId,
)

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
#: Each metric of a simulated part as a share of the part's impressions.
SHARES = {
    Metric.IMPRESSIONS: 1.0,
    Metric.ENGAGEMENTS: 0.05,
    Metric.LIKES: 0.02,
    Metric.REPLIES: 0.004,
    Metric.REPOSTS: 0.003,
    Metric.QUOTES: 0.001,
    Metric.BOOKMARKS: 0.002,
    Metric.LINK_CLICKS: 0.01,
    Metric.PROFILE_CLICKS: 0.005,
}
_PRIVATE = (Metric.ENGAGEMENTS, Metric.LINK_CLICKS, Metric.PROFILE_CLICKS)
_DAY = timedelta(days=1)


def make_integration(number: int = 1, username: str = "larkbooks") -> Integration:
    """Return the connection of an account; `number` is its id, and the account's id on X."""
    return Integration(
        id=IntegrationId(number),
        tenant_id=TenantId(1),
        environment=Environment.LIVE,
        x_user_id=XUserId(str(number)),
        username=username,
        name=username.title(),
        client_id="app",
        scopes=(),
        status=IntegrationStatus.CONNECTED,
        subscription_type=None,
        token_expires_at=BEGIN,
        connected_at=BEGIN,
    )


def make_part(number: int, sent_at: datetime, **properties: object) -> SentPart:
    """Return a published part; `properties` replace its fields.

    The part is the only part of its post, unless `properties` has the `post_id` of another part.
    """
    part = SentPart(PartId(number), PostId(number), 1, TweetId(f"18{number:05}"), sent_at, "Hello")
    return replace(part, **properties)  # type: ignore[arg-type]


def reads(days: Iterable[date]) -> list[datetime]:
    """Return the time at which Roost reads metrics on each of the days."""
    return [datetime.combine(day, READ_TIME) for day in days]


def make_snapshot(part: SentPart, at: datetime, impressions: int) -> PostSnapshot:
    """Return a snapshot of a part; `SHARES` gives the other metrics from the impressions.

    From an age of 30 days, the private metrics are None, as on X.
    """
    is_private = at - part.sent_at < timedelta(days=30)
    metrics = {
        metric: int(impressions * share) if is_private or metric not in _PRIVATE else None
        for metric, share in SHARES.items()
    }
    return PostSnapshot(
        IntegrationId(1), part.part_id, part.sent_as, part.sent_at, at, metrics, part.text
    )


def read_posts(
    parts: Sequence[SentPart],
    finals: Mapping[PartId, float],
    days: Sequence[date],
    missing: Callable[[date], bool] = lambda _: False,
) -> tuple[PostSnapshot, ...]:
    """Return the snapshots that Roost stores if it reads metrics on `days`.

    On days for which `missing` returns True, there is no read.
    The impressions of a part reach half of their final number 80 minutes after it was sent.
    """
    snapshots: list[PostSnapshot] = []
    last_read: dict[PartId, datetime] = {}
    for at in reads(day for day in days if not missing(day)):
        sent = [part for part in parts if part.sent_at < at]
        plan = plan_reads(
            [(part.part_id, part.sent_at, last_read.get(part.part_id)) for part in sent], at
        )
        for part in sent:
            if part.part_id in plan.due:
                age = (at - part.sent_at) / timedelta(minutes=1)
                share = 1 / (1 + (80 / age) ** 1.1)
                snapshots.append(make_snapshot(part, at, int(finals[part.part_id] * share)))
                last_read[part.part_id] = at
    return tuple(snapshots)


def read_followers(levels: Mapping[date, int], number: int = 1) -> tuple[AccountSnapshot, ...]:
    """Return one snapshot of an account for each day; `levels` has the numbers of followers."""
    return tuple(
        AccountSnapshot(
            IntegrationId(number), datetime.combine(day, READ_TIME), {Metric.FOLLOWERS: level}
        )
        for day, level in levels.items()
    )


def make_records(
    parts: Sequence[SentPart], finals: Mapping[PartId, float], days: Sequence[date]
) -> AccountRecords:
    """Return the records of an account whose metrics were read on each of the days."""
    return AccountRecords(
        make_integration(),
        read_followers({day: 1000 + 3 * n for n, day in enumerate(days)}),
        tuple(parts),
        read_posts(parts, finals, days),
    )


#: For each property, the share of the simulated posts that have it.
_PREVALENCE = {
    EffectName.MEDIA: 0.45,
    EffectName.VIDEO: 0.25,
    EffectName.LINK: 0.35,
    EffectName.HASHTAG: 0.30,
    EffectName.THREAD: 0.22,
    EffectName.LONG: 0.40,
}
_WEEKDAY = np.log([1.02, 1.06, 1.07, 1.04, 0.99, 0.90, 0.92])
_SIMULATED_DAYS = 30


@dataclass(frozen=True)
class EffectCounts:
    """The numbers of simulated accounts: all, with a false claim, with an effect, and found."""

    accounts: int
    with_false_claim: int
    with_effect: int
    found: int

    @property
    def false_share(self) -> float:
        """The share of the accounts without an effect for which an effect was claimed."""
        return self.with_false_claim / self.accounts

    @property
    def power(self) -> float:
        """The share of the accounts with an effect for which this effect was found."""
        return self.found / self.with_effect


def simulate_posts(
    chance: np.random.Generator, posts: int
) -> tuple[np.ndarray, dict[EffectName, np.ndarray]]:
    """Return the logarithms of the posts' impressions, and the properties of the posts.

    No property has an effect on the impressions. The impressions vary as in the emulator. Besides,
    the account grows or shrinks, its reach drifts from day to day, and one post in a hundred is
    viral. In the second half of the period, some properties are more common.
    """
    at = np.sort(chance.uniform(0, _SIMULATED_DAYS, posts))
    day = at.astype(int)
    drift = np.cumsum(chance.normal(0, 0.08, _SIMULATED_DAYS))
    logs = np.log(chance.uniform(50, 5000)) + chance.normal(0, 0.7, posts)
    logs += _WEEKDAY[day % 7] + drift[day] + chance.normal(0, 0.01) * at
    logs += 3.5 * (chance.uniform(size=posts) < 0.01)
    properties = {}
    for name, share in _PREVALENCE.items():
        changes = chance.uniform() < 0.3
        early, late = (0.5, 1.5) if changes else (1.0, 1.0)
        shares = np.where(at < _SIMULATED_DAYS / 2, share * early, share * late)
        properties[name] = chance.uniform(size=posts) < shares
    return logs, properties


def measure_effects(accounts: int, seed: int, posts: int = 120) -> EffectCounts:
    """Compare posts in accounts without an effect, and in as many accounts with one effect.

    The effect: one property doubles the impressions of a post. In about half of the accounts,
    exactly 20 posts have this property; in the others, from 20 posts to half of all posts.
    """
    chance = np.random.default_rng(seed)
    false_claims = found = 0
    for _ in range(accounts):
        logs, properties = simulate_posts(chance, posts)
        false_claims += any(
            each.verdict in (Verdict.MORE, Verdict.LESS) for each in _compare(logs, properties)
        )
        logs, properties = simulate_posts(chance, posts)
        name = list(_PREVALENCE)[chance.integers(len(_PREVALENCE))]
        size = 20 if chance.uniform() < 0.5 else int(chance.integers(20, posts // 2 + 1))
        planted = np.zeros(posts, dtype=bool)
        planted[chance.choice(posts, size, replace=False)] = True
        properties[name] = planted
        claims = _compare(logs + np.log(2) * planted, properties)
        found += any(each.name is name and each.verdict is Verdict.MORE for each in claims)
    return EffectCounts(accounts, false_claims, accounts, found)


def _compare(logs: np.ndarray, properties: Mapping[EffectName, np.ndarray]) -> list[Difference]:
    flags = {name: [bool(flag) for flag in each] for name, each in properties.items()}
    return compare_posts([float(value) for value in np.exp(logs).round()], flags)
