"""Sentences computed from figures: no model, no adjective that a number does not carry.

Every number a reader meets in an anomaly or a report is worded here.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

_MINUS = "−"
#: A smaller difference is none to a reader.
_ALIKE = 0.005


@dataclass(frozen=True, slots=True)
class Figures:
    """What a period brought, for one account or several together. None: not known."""

    days: int
    """How many UTC days the period touches."""
    followers: int | None
    """At the last reading of the period."""
    followers_change: int | None
    """Since the last reading before the period, or the first in it."""
    impressions: int | None
    """Gained within the period, by posts of whatever age."""
    impressions_before: int | None
    """Gained in the period of the same length just before."""
    engagements: int | None
    engagements_before: int | None
    posts: int
    """Sent in the period and read at least once since."""
    usd: Decimal
    """What X billed."""
    unread_days: int = 0
    """Days between the first and the last reading without a follower count."""
    best_to_median: float | None = None
    """Engagements of the best post to those of the median post; None below four posts."""

    @property
    def followers_share(self) -> float | None:
        """The change of followers as a share of what there was before."""
        if self.followers is None or self.followers_change is None:
            return None
        return ratio(self.followers_change, self.followers - self.followers_change)

    @property
    def impressions_share(self) -> float | None:
        """The change of impressions against the period before."""
        return _growth(self.impressions, self.impressions_before)

    @property
    def engagements_share(self) -> float | None:
        """The change of engagements against the period before."""
        return _growth(self.engagements, self.engagements_before)

    @property
    def engagement_rate(self) -> float | None:
        """Engagements per impression."""
        return ratio(self.engagements, self.impressions)

    @property
    def usd_per_thousand(self) -> Decimal | None:
        """What X billed for each thousand impressions gained."""
        return self.usd * 1000 / self.impressions if self.impressions else None


def narrate(figures: Figures) -> tuple[str, ...]:
    """What the figures say, in the order a reader asks: who, what, how good, what it cost."""
    sentences = (
        _tell_followers(figures),
        _tell_earnings(figures),
        _tell_best(figures),
        _tell_gaps(figures),
        _tell_cost(figures),
    )
    return tuple(sentence for sentence in sentences if sentence)


def tell_change(*, amount: float, before: float, expected: float, on: date, days: float) -> str:
    """An anomaly's sentence: how many followers came or went on a day, and what is usual."""
    verb = "Gained" if amount > 0 else "Lost"
    share = ratio(abs(amount), before)
    of_all = "" if share is None else f" ({percent(share)})"
    when = f"on {day(on)}" if days < 1.5 else f"within {round(days)} days around {day(on)}"
    usual = signed(round(expected)) if round(expected) else "no change"
    return f"{verb} {count(abs(round(amount)), 'follower')}{of_all} {when}; usual is {usual}."


def _tell_followers(figures: Figures) -> str:
    if figures.followers is None:
        return "No follower count was read."
    total = f"{figures.followers:,}"
    if figures.followers_change is None:
        return f"The only follower count read is {total}."
    if figures.followers_change == 0:
        return f"The follower count stands where it stood, at {total}."
    verb = "grew" if figures.followers_change > 0 else "fell"
    share = figures.followers_share
    by = f"{abs(figures.followers_change):,}" + (f" ({percent(abs(share))})" if share else "")
    return f"The follower count {verb} by {by} to {total}."


def _tell_earnings(figures: Figures) -> str:
    was = "was" if figures.posts == 1 else "were"
    sent = f"{count(figures.posts, 'post')} {was} sent" if figures.posts else "No post was sent"
    if figures.impressions is None:
        return f"{sent}; no impressions were read."
    gained = count(figures.impressions, "impression")
    if figures.engagements is not None:
        gained += f" and {count(figures.engagements, 'engagement')}"
    who = "posts" if figures.posts else "earlier posts"
    return f"{sent}; {who} gained {gained}{_compare_impressions(figures)}."


def _compare_impressions(figures: Figures) -> str:
    share = figures.impressions_share
    if share is None:
        return ""
    before = f"impressions {{}} in the {count(figures.days, 'day')} before"
    if abs(share) < _ALIKE:
        return ", about as many " + before.format("as")
    direction = "more" if share > 0 else "fewer"
    return f", {percent(abs(share))} {direction} " + before.format("than")


def _tell_best(figures: Figures) -> str:
    if figures.best_to_median is None or figures.best_to_median < 1.5:
        return ""
    return f"The best post has {figures.best_to_median:.1f} times the median post's engagements."


def _tell_gaps(figures: Figures) -> str:
    if not figures.unread_days:
        return ""
    them = "it" if figures.unread_days == 1 else "them"
    return f"{count(figures.unread_days, 'day')} went unread; the charts leave {them} empty."


def _tell_cost(figures: Figures) -> str:
    if not figures.usd:
        return "X billed nothing."
    per_thousand = figures.usd_per_thousand
    apiece = f", {dollars(per_thousand)} per 1,000 impressions" if per_thousand else ""
    return f"X billed {dollars(figures.usd)}{apiece}."


def count(number: int, noun: str) -> str:
    """`1 post`, `2,000 posts`, `no posts`: for nouns that take an s."""
    if number == 0:
        return f"no {noun}s"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def signed(number: int) -> str:
    """`+1,200`, `−3`, `0`."""
    return f"{number:+,}".replace("-", _MINUS) if number else "0"


def percent(share: float) -> str:
    """`6.0%`; without decimals from 100 % on."""
    return f"{share:.1%}" if abs(share) < 1 else f"{share:,.0%}"


def signed_percent(share: float) -> str:
    """`+6.0%`, `−0.3%`."""
    sign = "+" if share > 0 else _MINUS if share < 0 else ""
    return sign + percent(abs(share))


def dollars(usd: Decimal) -> str:
    """`$12.34`; prices below a dollar to a tenth of a cent."""
    places = Decimal("0.01") if abs(usd) >= 1 or usd == 0 else Decimal("0.001")
    return f"${usd.quantize(places, ROUND_HALF_UP):,}"


def day(on: date, *, year: bool = True) -> str:
    """`3 May 2026`, or `3 May`."""
    return f"{on.day} {on:%B %Y}" if year else f"{on.day} {on:%b}"


def ratio(part: float | None, whole: float | None) -> float | None:
    """A share, where both are known and there is a whole."""
    return None if part is None or not whole else part / whole


def _growth(now: int | None, before: int | None) -> float | None:
    return ratio(None if now is None or before is None else now - before, before)
