"""The built-in scenarios. They imitate real events, and do not favour any detector."""

from dataclasses import replace
from typing import Any

from x_emulator.scenarios.scenario import (
    FollowerChange,
    InterestCurve,
    Outage,
    PopularPost,
    ReachChange,
    Revocation,
    Scenario,
    SeedAccount,
    ViralPost,
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
    imitates="Small to medium accounts in an ordinary season: followers come and go every day,"
    " fewer at weekends, with some random variation. Slightly more followers come than go.",
    accounts=_ACCOUNTS,
    daily_gain=0.0020,
    daily_loss=0.0014,
)

_PURGE = FollowerChange(account=0, day=21, share=0.06)


def _steady_with(name: str, imitates: str, **changes: Any) -> Scenario:
    """Return a copy of the steady scenario with another name and other changes."""
    return replace(_STEADY, name=name, imitates=imitates, **changes)


_ALL = (
    _STEADY,
    _steady_with(
        "purge",
        "Steady accounts in July 2018, when Twitter stopped counting locked accounts. Twitter"
        " announced that typical larger accounts would lose about 6 % of their followers. The drop"
        " came within a day, for some accounts within minutes, and was permanent.",
        follower_changes=(_PURGE,),
    ),
    _steady_with(
        "month",
        "A month of two small businesses, with the purge in its fourth week. Interest in the first"
        " one's subject doubles within two weeks and falls again, as with a cold spell; interest in"
        " the second one's grows slowly. One post of the first reaches as many people as only one"
        " in 200 does. The factors are plausible, not measured.",
        follower_changes=(_PURGE,),
        popular_posts=(PopularPost(account=0, day=10, luck=0.995),),
        interest_curves=(
            InterestCurve(account=0, points=((1, 0.8), (14, 1.6), (26, 0.7))),
            InterestCurve(account=1, points=((0, 0.8), (28, 1.3))),
        ),
    ),
    _steady_with(
        "growth",
        "Fast-growing accounts: eight times as many followers come as in a steady season, every"
        " day, and nothing unusual happens. A detector that reports an anomaly is wrong.",
        daily_gain=0.0160,
    ),
    _steady_with(
        "viral",
        "A post that is slowly shared far beyond its author's followers and brings a burst of new"
        " followers, as Myers and Leskovec describe (The Bursty Dynamics of the Twitter Information"
        " Network, WWW 2014). The amounts are plausible, not measured.",
        viral_posts=(
            ViralPost(account=0, day=10, factor=40.0, half_life_factor=5.0, new_followers=0.05),
        ),
    ),
    _steady_with(
        "shadow-limited",
        "An account whose reach X restricts without notice. X said in 2023 that posts with such a"
        " label reach about 81 % fewer people (Freedom of Speech, Not Reach).",
        reach_changes=(ReachChange(account=0, first_day=21, last_day=30, factor=0.19),),
    ),
    _steady_with(
        "outage",
        "An incident like the one of 14 April 2026, when X returned 503. For 75 minutes, every"
        " request fails and posts get no views. The duration is our choice.",
        outages=(Outage(day=7, hour=13.0, minutes=75.0),),
    ),
    _steady_with(
        "bot-burst",
        "An account that buys followers: it gains a quarter within six hours, and two weeks later"
        " X removes four fifths of the new followers, as buyers reported (The Follower Factory,"
        " New York Times, January 2018). The shares are plausible, not measured.",
        follower_changes=(
            FollowerChange(account=1, day=21, share=-0.25, hours=6.0),
            FollowerChange(account=1, day=35, share=0.16),
        ),
    ),
    _steady_with(
        "token-revoked",
        "A user who reviews the connected apps in X's settings and revokes the access of all apps."
        " X does not notify the apps.",
        revocations=(Revocation(account=0, day=5, hour=14.5),),
    ),
    _steady_with(
        "rival-hashtag",
        "Three days on which another hashtag takes most of the attention, for which memes compete"
        " (Weng, Flammini, Vespignani, Menczer: Competition among memes in a world with limited"
        " attention, Scientific Reports 2012). Posts of all accounts get fewer views, whatever"
        " their content. The factor is plausible, not measured.",
        reach_changes=(ReachChange(account=None, first_day=21, last_day=23, factor=0.55),),
    ),
)
SCENARIOS = {each.name: each for each in _ALL}
