"""Sentences and number formats for metrics. No language model writes them.

Every number that a report or an anomaly message shows is formatted here or in `roost.formats`.
"""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from roost.formats import format_count
from roost.insights.period import PeriodMetrics, ratio

_MINUS = "−"
#: If two numbers differ by less than this share, the text says "about as many".
_SAME_SHARE = 0.005


def describe_period(metrics: PeriodMetrics) -> tuple[str, ...]:
    """Describe followers, posts and gains, the best post, gaps and cost, in this order."""
    sentences = (
        _describe_followers(metrics),
        _describe_gains(metrics),
        describe_unread(metrics),
        _describe_best_post(metrics),
        _describe_gaps(metrics),
        _describe_cost(metrics),
    )
    return tuple(sentence for sentence in sentences if sentence)


def describe_change(*, amount: float, before: float, expected: float, on: date, days: float) -> str:
    """Describe an anomaly: the followers gained or lost on a day, and the usual change."""
    verb = "Gained" if amount > 0 else "Lost"
    share = ratio(abs(amount), before)
    of_all = "" if share is None else f" ({format_percent(share)})"
    when = f"on {format_day(on)}" if days < 1.5 else _describe_span(on, days)
    usual = format_signed(round(expected)) if round(expected) else "zero"
    followers = format_count(abs(round(amount)), "follower")
    return f"{verb} {followers}{of_all} {when}; the usual change is {usual}."


def _describe_span(on: date, days: float) -> str:
    return f"within {round(days)} days around {format_day(on)}"


def _describe_followers(metrics: PeriodMetrics) -> str:
    if metrics.followers is None:
        return "No follower count was read."
    total = f"{metrics.followers:,}"
    if metrics.followers_change is None:
        return f"The only follower count read is {total}."
    if metrics.followers_change == 0:
        return f"The follower count did not change and is {total}."
    verb = "grew" if metrics.followers_change > 0 else "fell"
    share = metrics.followers_share
    percent = f" ({format_percent(abs(share))})" if share else ""
    return f"The follower count {verb} by {abs(metrics.followers_change):,}{percent} to {total}."


def _describe_gains(metrics: PeriodMetrics) -> str:
    if not metrics.posts and metrics.unread and metrics.impressions is None:
        return ""  # Nothing was read yet; `describe_unread` says so.
    was = "was" if metrics.posts == 1 else "were"
    sent = f"{format_count(metrics.posts, 'post')} {was} sent and measured; "
    if not metrics.unread:
        sent = f"{format_count(metrics.posts, 'post')} {was} sent; "
    if not metrics.posts:
        sent = "" if metrics.unread else "No post was sent; "
    if metrics.impressions is None:
        return f"{sent}no impressions were read."
    gained = format_count(metrics.impressions, "impression")
    if metrics.engagements is not None:
        gained += f" and {format_count(metrics.engagements, 'engagement')}"
    subject = "posts" if metrics.posts else "earlier posts" if sent else "Earlier posts"
    return f"{sent}{subject} gained {gained}{_compare_impressions(metrics)}."


def describe_unread(metrics: PeriodMetrics) -> str:
    """Describe the posts whose metrics were not read yet, and when they are read."""
    if not metrics.unread:
        return ""
    number = f"{metrics.unread:,}{' more' if metrics.posts else ''}"
    subject, pronoun = ("post was", "its") if metrics.unread == 1 else ("posts were", "their")
    when = "have not been read yet"
    if metrics.next_read_at is not None:
        when = f"are read {format_read_time(metrics.next_read_at)}"
    return f"{number} {subject} published; {pronoun} metrics {when}."


def format_read_time(at: datetime) -> str:
    """Return `on 29 May at 23:30 UTC`."""
    utc = at.astimezone(UTC)
    return f"on {format_day(utc.date(), year=False)} at {utc:%H:%M} UTC"


def _compare_impressions(metrics: PeriodMetrics) -> str:
    share = metrics.impressions_share
    if share is None:
        return ""
    previous = f"in the {format_count(metrics.days, 'day')} before"
    if abs(share) < _SAME_SHARE:
        return f", about as many impressions as {previous}"
    direction = "more" if share > 0 else "fewer"
    return f", {format_percent(abs(share))} {direction} impressions than {previous}"


def _describe_best_post(metrics: PeriodMetrics) -> str:
    if metrics.best_to_median is None or metrics.best_to_median < 1.5:
        return ""
    return f"The best post has {metrics.best_to_median:.1f} times the median post's engagements."


def _describe_gaps(metrics: PeriodMetrics) -> str:
    if not metrics.missing_days:
        return ""
    verb, pronoun = ("has", "it") if metrics.missing_days == 1 else ("have", "them")
    days = format_count(metrics.missing_days, "day")
    return f"{days} {verb} no follower count; the charts leave {pronoun} empty."


def _describe_cost(metrics: PeriodMetrics) -> str:
    if not metrics.usd:
        return "X billed nothing."
    per_thousand = metrics.usd_per_thousand
    rate = f", {format_dollars(per_thousand)} per 1,000 impressions" if per_thousand else ""
    return f"X billed {format_dollars(metrics.usd)}{rate}."


def format_signed(number: int) -> str:
    """Return `+1,200`, `−3` or `0`."""
    return f"{number:+,}".replace("-", _MINUS) if number else "0"


def format_percent(share: float) -> str:
    """Return a share as `6.0%`; from 100 % on without decimals."""
    return f"{share:.1%}" if abs(share) < 1 else f"{share:,.0%}"


def format_signed_percent(share: float) -> str:
    """Return `+6.0%` or `−0.3%`."""
    sign = "+" if share > 0 else _MINUS if share < 0 else ""
    return sign + format_percent(abs(share))


def format_dollars(usd: Decimal) -> str:
    """Return an amount as `$12.34`; below one dollar with tenths of a cent."""
    places = Decimal("0.01") if abs(usd) >= 1 or usd == 0 else Decimal("0.001")
    return f"${usd.quantize(places, ROUND_HALF_UP):,}"


def format_day(on: date, *, year: bool = True) -> str:
    """Return `3 May 2026`; without the year, `3 May`."""
    return f"{on.day} {on:%B %Y}" if year else f"{on.day} {on:%b}"
