"""The elements of a scenario: accounts, and changes to these accounts at fixed times.

Days count from the scenario's start: the start or the last reset of the emulator. Day 0 is the UTC
date of that instant. All times of day are UTC. The number of an account is its position in the
order of creation, from 0.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise


def _instant(started_at: datetime, day: int, hours: float) -> datetime:
    date = started_at.date() + timedelta(days=day)
    return datetime.combine(date, time(0), UTC) + timedelta(hours=hours)


@dataclass(frozen=True)
class SeedAccount:
    """An account that exists from the scenario's start."""

    username: str
    name: str
    followers: int
    following: int
    posts_before: int
    subscription_type: str | None
    description: str


@dataclass(frozen=True)
class FollowerChange:
    """A sudden change of an account's followers, which begins at noon (UTC) of a day.

    A change at noon is between two daily snapshots. It never coincides with a snapshot.
    """

    account: int
    day: int
    share: float
    """The share of followers that the account loses; negative if the account gains followers."""
    hours: float = 0.0
    """The duration of the change; 0 if the change is instantaneous."""

    def at(self, started_at: datetime) -> datetime:
        """Return the instant at which the change begins."""
        return _instant(started_at, self.day, 12)

    def progress(self, started_at: datetime, at: datetime) -> float:
        """Return the share of the change (0 to 1) that is complete at an instant."""
        since = (at - self.at(started_at)).total_seconds()
        if since < 0:
            return 0.0
        return min(1.0, since / 3600 / self.hours) if self.hours else 1.0


@dataclass(frozen=True)
class ReachChange:
    """A period in which an account's new posts reach more or fewer people than usual."""

    account: int | None
    """The number of the account; None for all accounts."""
    first_day: int
    last_day: int
    """The first day; posts made from its beginning to the end of `last_day` are affected."""
    factor: float
    """The views of affected posts are multiplied by this factor."""

    def affects(self, started_at: datetime, account: int, at: datetime) -> bool:
        """Return whether a post that an account makes at an instant is affected."""
        begins = _instant(started_at, self.first_day, 0)
        ends = _instant(started_at, self.last_day + 1, 0)
        return self.account in (None, account) and begins <= at < ends


@dataclass(frozen=True)
class ViralPost:
    """A viral post: the first post that an account makes on or after a day."""

    account: int
    day: int
    factor: float
    """The views of the post are multiplied by this factor."""
    half_life_factor: float
    """The post's half-life is multiplied by this factor, because people share the post."""
    new_followers: float
    """The followers that the post brings, as a share of the followers at its creation."""

    def earliest(self, started_at: datetime) -> datetime:
        """Return the earliest time of the post that goes viral."""
        return _instant(started_at, self.day, 0)


@dataclass(frozen=True)
class PopularPost:
    """The first post that an account makes on or after a day reaches unusually many people.

    Some posts are always as popular as this post, so it is not an anomaly and brings no followers.
    """

    account: int
    day: int
    luck: float
    """The share of posts, 0 to 1, that reach fewer people by chance: 0.995 is the best of 200."""

    def earliest(self, started_at: datetime) -> datetime:
        """Return the earliest time of the post."""
        return _instant(started_at, self.day, 0)


@dataclass(frozen=True)
class InterestCurve:
    """Interest in an account's subject, which rises and falls gradually. It is not an anomaly."""

    account: int
    points: tuple[tuple[float, float], ...]
    """Days in ascending order, each with the factor for the views of posts made on that day.

    Between two of these days the factor changes linearly; before the first day and after the last
    day it is constant.
    """

    def factor(self, started_at: datetime, at: datetime) -> float:
        """Return the factor for a post that is made at an instant."""
        day = (at - _instant(started_at, 0, 0)) / timedelta(days=1)
        for (since, before), (until, after) in pairwise(self.points):
            if day < until:
                return before + (after - before) * max(0.0, day - since) / (until - since)
        return self.points[-1][1]


@dataclass(frozen=True)
class Outage:
    """A period in which X is down: every v2 request returns 503, and posts get no views."""

    day: int
    hour: float
    minutes: float

    def begins(self, started_at: datetime) -> datetime:
        """Return the first instant of the outage."""
        return _instant(started_at, self.day, self.hour)

    def ends(self, started_at: datetime) -> datetime:
        """Return the first instant after the outage."""
        return self.begins(started_at) + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Revocation:
    """The user of an account revokes the access of every app in X's settings."""

    account: int
    day: int
    hour: float

    def at(self, started_at: datetime) -> datetime:
        """Return the instant of the revocation."""
        return _instant(started_at, self.day, self.hour)


@dataclass(frozen=True)
class Scenario:
    """Accounts, the daily flow of their followers, and changes at fixed times."""

    name: str
    imitates: str
    """The events that the scenario imitates, their source, and the numbers that are estimates."""
    accounts: tuple[SeedAccount, ...]
    daily_gain: float
    """The followers that an account gains in a day, as a share of its current followers."""
    daily_loss: float
    """The followers that an account loses in a day, as a share of its current followers."""
    follower_changes: tuple[FollowerChange, ...] = ()
    reach_changes: tuple[ReachChange, ...] = ()
    viral_posts: tuple[ViralPost, ...] = ()
    popular_posts: tuple[PopularPost, ...] = ()
    interest_curves: tuple[InterestCurve, ...] = ()
    outages: tuple[Outage, ...] = ()
    revocations: tuple[Revocation, ...] = ()

    def is_down(self, started_at: datetime, at: datetime) -> bool:
        """Return whether X is down at an instant."""
        return any(each.begins(started_at) <= at < each.ends(started_at) for each in self.outages)
