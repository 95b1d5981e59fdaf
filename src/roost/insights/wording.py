"""Sentences and number formats for metrics. No language model writes them.

Every number of an anomaly's message is formatted here or in `roost.formats`. The words of a report
are in `roost.insights.reports.languages`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from roost.formats import format_count
from roost.models import NarrativeSource

_MINUS = "−"


def describe_change(*, amount: float, before: float, expected: float, on: date, days: float) -> str:
    """Describe an anomaly: the followers gained or lost on a day, and the usual change."""
    verb = "Gained" if amount > 0 else "Lost"
    of_all = f" ({format_percent(abs(amount) / before)})" if before else ""
    when = f"on {format_day(on)}" if days < 1.5 else _describe_span(on, days)
    usual = format_signed(round(expected)) if round(expected) else "zero"
    followers = format_count(abs(round(amount)), "follower")
    return f"{verb} {followers}{of_all} {when}; the usual change is {usual}."


def _describe_span(on: date, days: float) -> str:
    return f"within {round(days)} days around {format_day(on)}"


def describe_unread(count: int, next_read_at: datetime | None, *, has_others: bool) -> str:
    """Describe posts whose metrics were not read yet, and when they are read.

    `count` is at least 1. `has_others` says whether the metrics of other posts were read.
    """
    number = f"{count:,}{' more' if has_others else ''}"
    subject, pronoun = ("post was", "its") if count == 1 else ("posts were", "their")
    when = "have not been read yet"
    if next_read_at is not None:
        when = f"are read {format_read_time(next_read_at)}"
    return f"{number} {subject} published; {pronoun} metrics {when}."


def describe_narratives(sources: Sequence[NarrativeSource]) -> str:
    """Say who has written the narratives of a report; an empty text if no model was set."""
    if not sources:
        return ""
    model = sources[0].model
    written = sum(source.is_by_model for source in sources)
    if written == len(sources):
        return f"The model {model} has written the narrative."
    reasons = sorted({_describe_refusal(each) for each in sources if not each.is_by_model})
    because = f" ({', '.join(reasons)})"
    if not written:
        return f"The narrative has Roost's own sentences, not those of the model {model}{because}."
    narratives = format_count(len(sources), "narrative")
    return (
        f"The model {model} has written {written} of {narratives}; the other"
        f" {'has' if len(sources) - written == 1 else 'ones have'} Roost's own sentences{because}."
    )


def _describe_refusal(source: NarrativeSource) -> str:
    if source.error:
        return source.error
    return "its text was refused" if source.verdicts else "there was nothing to word"


def format_read_time(at: datetime) -> str:
    """Return `on 29 May at 23:30 UTC`."""
    utc = at.astimezone(UTC)
    return f"on {format_day(utc.date(), year=False)} at {utc:%H:%M} UTC"


def format_signed(number: int) -> str:
    """Return `+1,200`, `−3` or `0`."""
    return f"{number:+,}".replace("-", _MINUS) if number else "0"


def format_percent(share: float) -> str:
    """Return a share as `6.0%`; from 100 % on without decimals."""
    return f"{share:.1%}" if abs(share) < 1 else f"{share:,.0%}"


def format_dollars(usd: Decimal) -> str:
    """Return an amount as `$12.34`; below one dollar with tenths of a cent."""
    places = Decimal("0.01") if abs(usd) >= 1 or usd == 0 else Decimal("0.001")
    return f"${usd.quantize(places, ROUND_HALF_UP):,}"


def format_day(on: date, *, year: bool = True) -> str:
    """Return `3 May 2026`; without the year, `3 May`."""
    return f"{on.day} {on:%B %Y}" if year else f"{on.day} {on:%b}"
