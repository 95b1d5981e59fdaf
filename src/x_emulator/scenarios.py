"""What happens to the accounts, as data: each scenario says what it imitates.

None is built to suit a detector. Days count from the scenario's start, which is the emulator's
start (or its last reset): day 0 is the UTC date of that instant.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta


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
    """A sudden loss of followers, at noon UTC of a day, so that every daily reading, whatever
    its hour, has it inside one step."""

    rank: int
    """Whose: the position in the order of creation."""
    day: int
    """Which day after the scenario's start."""
    share: float
    """Which share of the followers of that moment goes away."""

    def at(self, started_at: datetime) -> datetime:
        """The instant of the loss."""
        day = started_at.date() + timedelta(days=self.day)
        return datetime.combine(day, time(12), UTC)


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

SCENARIOS = {
    "steady": _STEADY,
    "purge": Scenario(
        name="purge",
        imitates="Steady accounts, and July 2018, when Twitter stopped counting locked accounts: it"
        " announced a drop of about 6 % for typical larger accounts, which came within a day and"
        " for some within minutes, and did not come back.",
        accounts=_ACCOUNTS,
        daily_gain=_STEADY.daily_gain,
        daily_loss=_STEADY.daily_loss,
        shocks=(Shock(rank=0, day=21, share=0.06),),
    ),
}
