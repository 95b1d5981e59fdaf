"""What happens to the accounts, as data: each scenario says what it imitates.

None is built to suit a detector. Days count from the scenario's start, which is the emulator's
start (or its last reset): day 0 is the UTC date of that instant. All times of day are UTC.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any


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


_ACCOUNTS = (
    SeedAccount(
        "larkbooks", "Lark Books", 18_400, 612, 4_210, "None", "Second-hand books, new readers."
    ),
    SeedAccount(
        "tidewatcher", "Tide Watcher", 5_230, 389, 1_935, "None", "Tides, wind and when to sail."
    ),
    SeedAccount("mira_builds", "Mira Okafor", 41_700, 958, 8_804, "Premium", "Building in public."),
)


_STEADY = Scenario(
    name="steady",
    imitates="Small to middling accounts in an ordinary season: followers come and go every day,"
    " fewer at weekends, some days luckier than others, and slightly more come than go.",
    accounts=_ACCOUNTS,
    daily_gain=0.0020,
    daily_loss=0.0014,
)


def _befalls(name: str, imitates: str, **what: Any) -> Scenario:
    """Steady accounts, and what befalls them."""
    return replace(_STEADY, name=name, imitates=imitates, **what)


_ALL = (
    _STEADY,
    _befalls(
        "purge",
        "Steady accounts, and July 2018, when Twitter stopped counting locked accounts: it"
        " announced a drop of about 6 % for typical larger accounts, which came within a day and"
        " for some within minutes, and did not come back.",
        shocks=(Shock(rank=0, day=21, share=0.06),),
    ),
    _befalls(
        "growth",
        "Accounts that are taking off: eight times as many followers come as in a steady season,"
        " day after day, and nothing unusual happens. A detector that raises an alarm is wrong.",
        daily_gain=0.0160,
    ),
    _befalls(
        "viral",
        "A post that is handed on far beyond its author's followers, slowly, and brings new ones"
        " in a burst, as Myers and Leskovec describe (The Bursty Dynamics of the Twitter"
        " Information Network, WWW 2014). How much is plausible, not measured.",
        hits=(Hit(rank=0, day=10, factor=40.0, slower=5.0, new_followers=0.05),),
    ),
    _befalls(
        "shadow-limited",
        "Reach restricted without a word to the author: X said in 2023 that posts under such a"
        " label get about 81 % less reach (Freedom of Speech, Not Reach).",
        spells=(Spell(rank=0, first_day=21, last_day=30, factor=0.19),),
    ),
    _befalls(
        "outage",
        "An incident like that of 14 April 2026, when X answered 503: an hour and a quarter in"
        " which every request fails and nobody sees a post. How long it took is our choice.",
        outages=(Outage(day=7, hour=13.0, minutes=75.0),),
    ),
    _befalls(
        "bot-burst",
        "Bought followers: a quarter more within six hours, four fifths of whom X removes two"
        " weeks later, as buyers told (The Follower Factory, New York Times, January 2018)."
        " The shares are plausible, not measured.",
        shocks=(
            Shock(rank=1, day=21, share=-0.25, hours=6.0),
            Shock(rank=1, day=35, share=0.16),
        ),
    ),
    _befalls(
        "token-revoked",
        "A user who looks through the connected apps in X's settings and revokes them all; X tells"
        " the apps nothing.",
        revocations=(Revocation(rank=0, day=5, hour=14.5),),
    ),
    _befalls(
        "rival-hashtag",
        "Three days on which somebody else's hashtag takes everybody's attention, as memes compete"
        " for it (Weng, Flammini, Vespignani, Menczer: Competition among memes in a world with"
        " limited attention, Scientific Reports 2012): all accounts are seen less, none is to"
        " blame. How much less is plausible, not measured.",
        spells=(Spell(rank=None, first_day=21, last_day=23, factor=0.55),),
    ),
)
SCENARIOS = {each.name: each for each in _ALL}
