"""The built-in scenarios."""

from dataclasses import replace
from typing import Any

from x_emulator.scenarios.scenario import (
    Hit,
    Outage,
    Revocation,
    Scenario,
    SeedAccount,
    Shock,
    Spell,
)

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
