"""Accounts with known posts and snapshots, for tests and benchmarks of the report."""

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
#: The metrics of a part as shares of its impressions.
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
    """Return a connected account."""
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
    """Return a part with its own post, unless `properties` name a post."""
    part = SentPart(PartId(number), PostId(number), 1, TweetId(f"18{number:05}"), sent_at, "Hello")
    return replace(part, **properties)  # type: ignore[arg-type]


def reads(days: Iterable[date]) -> list[datetime]:
    """Return the times of the daily reads of some days."""
    return [datetime.combine(day, READ_TIME) for day in days]


def make_snapshot(part: SentPart, at: datetime, impressions: int) -> PostSnapshot:
    """Return a snapshot whose other metrics are shares of the impressions."""
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
    """Return the snapshots that the read plan makes on some days, without the missing days.

    Impressions grow to their final number with a half-life of 80 minutes.
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
    """Return one snapshot of an account per day."""
    return tuple(
        AccountSnapshot(
            IntegrationId(number), datetime.combine(day, READ_TIME), {Metric.FOLLOWERS: level}
        )
        for day, level in levels.items()
    )


def make_records(
    parts: Sequence[SentPart], finals: Mapping[PartId, float], days: Sequence[date]
) -> AccountRecords:
    """Return the records of an account that was read on every day."""
    return AccountRecords(
        make_integration(),
        read_followers({day: 1000 + 3 * n for n, day in enumerate(days)}),
        tuple(parts),
        read_posts(parts, finals, days),
    )


#: The shares of simulated posts that have each property.
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
    """The results of the comparisons over many simulated accounts."""

    accounts: int
    with_false_claim: int
    with_effect: int
    found: int

    @property
    def false_share(self) -> float:
        """The share of the accounts without an effect for which something was claimed."""
        return self.with_false_claim / self.accounts

    @property
    def power(self) -> float:
        """The share of the planted effects that were found."""
        return self.found / self.with_effect


def simulate_posts(
    chance: np.random.Generator, posts: int
) -> tuple[np.ndarray, dict[EffectName, np.ndarray]]:
    """Return the logarithms of the impressions of posts without any effect, and their properties.

    The impressions vary as the emulator's do. Besides, the account grows or shrinks, its reach
    drifts from day to day, one post in a hundred is viral, and some habits change in the middle.
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
    """Compare the posts of simulated accounts without an effect, and with one planted effect.

    The planted effect doubles the impressions of 20 to 60 posts. Accounts with 20 such posts are
    as common as accounts with more of them.
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
