"""What happens to the accounts, as data: each scenario says what it imitates.

None is built to suit a detector. Days count from the scenario's start, which is the emulator's
start (or its last reset): day 0 is the UTC date of that instant. All times of day are UTC.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta


def _instant(started_at: datetime, day: int, hours: float) -> datetime:
    date = started_at.date() + timedelta(days=day)
    return datetime.combine(date, time(0), UTC) + timedelta(hours=hours)


@dataclass(frozen=True)
class SeedAccount:
    """An account that exists from the start."""

    username: str
    name: str
    followers: int
    following: int
    posts_before: int
    subscription_type: str | None
    description: str


@dataclass(frozen=True)
class Shock:
    """A sudden change of followers, from noon of a day, so that every daily reading, whatever
    its hour, has a change at once inside one step."""

    rank: int
    """Whose: the position in the order of creation."""
    day: int
    """Which day after the scenario's start."""
    share: float
    """Which share of the followers of that moment goes away; negative: comes."""
    hours: float = 0.0
    """How long it takes; 0: at once."""

    def at(self, started_at: datetime) -> datetime:
        """The instant of the change, or of its beginning."""
        return _instant(started_at, self.day, 12)

    def done(self, started_at: datetime, at: datetime) -> float:
        """How much of it has happened by an instant, 0 to 1."""
        since = (at - self.at(started_at)).total_seconds()
        if since < 0:
            return 0.0
        return min(1.0, since / 3600 / self.hours) if self.hours else 1.0


@dataclass(frozen=True)
class Spell:
    """Some days on which posts are shown to more or fewer people than otherwise."""

    rank: int | None
    """Whose posts; None: everybody's."""
    first_day: int
    last_day: int
    """Posts made from the first day to the end of the last one."""
    factor: float
    """By which their views are multiplied."""

    def holds(self, started_at: datetime, rank: int, at: datetime) -> bool:
        """Whether a post that this account makes now is under the spell."""
        begins = _instant(started_at, self.first_day, 0)
        return self.rank in (None, rank) and begins <= at < _instant(
            started_at, self.last_day + 1, 0
        )


@dataclass(frozen=True)
class Hit:
    """The first post that an account makes on a day or after it goes around the world."""

    rank: int
    day: int
    factor: float
    """By which its views are multiplied."""
    slower: float
    """By which its half-life is multiplied: it is handed on, not just shown to followers."""
    new_followers: float
    """How many followers come with it, as a share of those of that moment."""

    def opens(self, started_at: datetime) -> datetime:
        """From when on a post may be the one."""
        return _instant(started_at, self.day, 0)


@dataclass(frozen=True)
class Outage:
    """X is down: every v2 request is answered 503, and nobody sees a post."""

    day: int
    hour: float
    minutes: float

    def begins(self, started_at: datetime) -> datetime:
        """Its first instant."""
        return _instant(started_at, self.day, self.hour)

    def ends(self, started_at: datetime) -> datetime:
        """The first instant after it."""
        return self.begins(started_at) + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Revocation:
    """The user withdraws what was granted to every app, in X's settings, at an instant."""

    rank: int
    day: int
    hour: float

    def at(self, started_at: datetime) -> datetime:
        """When."""
        return _instant(started_at, self.day, self.hour)


@dataclass(frozen=True)
class Scenario:
    """Accounts, how their followers come and go, and what befalls them."""

    name: str
    imitates: str
    accounts: tuple[SeedAccount, ...]
    daily_gain: float
    """New followers a day, as a share of those there are."""
    daily_loss: float
    """Followers who leave a day, as a share."""
    shocks: tuple[Shock, ...] = ()
    spells: tuple[Spell, ...] = ()
    hits: tuple[Hit, ...] = ()
    outages: tuple[Outage, ...] = ()
    revocations: tuple[Revocation, ...] = ()

    def is_out(self, started_at: datetime, at: datetime) -> bool:
        """Whether X is down at an instant."""
        return any(each.begins(started_at) <= at < each.ends(started_at) for each in self.outages)
