"""Renders templates, with filters for times, numbers, dollars, states and sparklines."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePath
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from roost import escaping
from roost.formats import format_local_time, format_time
from roost.insights import wording
from roost.insights.labels import shorten
from roost.insights.reports.schedules import describe_time
from roost.models import (
    Actor,
    DraftOrigin,
    DraftState,
    IntegrationStatus,
    PartState,
    PostState,
    ReplySettings,
)
from roost.post_options import describe_duration
from roost.prices import format_range
from roost.publishing import alerts, history
from roost.web import next_actions
from roost.web.draft_cards import describe_rule

#: Length of a shortened text, measured in widths of a Latin letter.
_SHORT_LENGTH: Final = 160
#: The size of a sparkline in the units of its SVG; the page scales the sparkline.
_SPARK_WIDTH: Final = 120
_SPARK_HEIGHT: Final = 32
_SPARK_MARGIN: Final = 2

#: A label and its tone: `good`, `bad`, `wait` or `calm`. The tone determines the colour; the label
#: says the same in words.
Label = tuple[str, str]

_POST_STATES: Final[Mapping[PostState, Label]] = {
    PostState.DRAFT: ("Draft", "calm"),
    PostState.SCHEDULED: ("Scheduled", "wait"),
    PostState.PUBLISHING: ("Publishing", "wait"),
    PostState.PUBLISHED: ("Published", "good"),
    PostState.PARTLY_PUBLISHED: ("Partly published", "bad"),
    PostState.FAILED: ("Failed", "bad"),
    PostState.NEEDS_DECISION: ("Needs a decision", "bad"),
    PostState.CANCELLED: ("Cancelled", "calm"),
    PostState.MISSED: ("Missed", "bad"),
}
_PART_STATES: Final[Mapping[PartState, Label]] = {
    PartState.PENDING: ("Not on X yet", "calm"),
    PartState.SENDING: ("Sending", "wait"),
    PartState.SENT: ("On X", "good"),
    PartState.UNKNOWN: ("Unknown", "bad"),
    PartState.FAILED: ("Failed", "bad"),
}
_ACCOUNT_STATES: Final[Mapping[IntegrationStatus, Label]] = {
    IntegrationStatus.CONNECTED: ("Connected", "good"),
    IntegrationStatus.NEEDS_RECONNECT: ("Needs reconnect", "bad"),
    IntegrationStatus.DISCONNECTED: ("Disconnected", "calm"),
}
_DRAFT_STATES: Final[Mapping[DraftState, Label]] = {
    DraftState.DRAFT: ("Waits for you", "wait"),
    DraftState.APPROVED: ("Approved", "good"),
    DraftState.DISCARDED: ("Discarded", "calm"),
}
_ORIGINS: Final[Mapping[str, str]] = {
    DraftOrigin.MODEL: "a language model",
    DraftOrigin.COMPOSER: "the composer",
    DraftOrigin.PERSON: "a person",
}
_REPLY_SETTINGS: Final[Mapping[ReplySettings, str]] = {
    ReplySettings.FOLLOWING: "accounts that the author follows",
    ReplySettings.MENTIONED_USERS: "accounts that the post mentions",
    ReplySettings.SUBSCRIBERS: "subscribers of the author",
    ReplySettings.VERIFIED: "verified accounts",
}


def state(value: PostState | PartState | DraftState | IntegrationStatus) -> Label:
    """Return the label of a state."""
    if isinstance(value, DraftState):
        return _DRAFT_STATES[value]
    if isinstance(value, PostState):
        return _POST_STATES[value]
    if isinstance(value, PartState):
        return _PART_STATES[value]
    return _ACCOUNT_STATES[value]


def moment(instant: datetime, zone: str) -> Markup:
    """Return an instant in the time zone `zone` as a `<time>` element that names the zone."""
    return _time_element(instant, format_time(instant, zone))


def local_moment(instant: datetime, zone: str) -> Markup:
    """Return an instant in the time zone `zone` as a `<time>` element without the zone's name.

    It is for lists whose heading names the zone.
    """
    return _time_element(instant, format_local_time(instant, zone))


def _time_element(instant: datetime, words: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), words)


def on_day(day: date) -> Markup:
    """Return a UTC day as a `<time>` element."""
    return Markup('<time datetime="{}">{} {}</time>').format(
        day.isoformat(), day.day, f"{day:%b %Y}"
    )


def sentence(text: str) -> Markup:
    """Return an error's sentence as HTML: text in backticks becomes a `<code>` element."""
    pieces = escaping.markup(text).split("`")
    if len(pieces) % 2 == 0:
        return Markup("{}").format("`".join(pieces))
    forms = (Markup("{}"), Markup("<code>{}</code>"))
    return Markup("").join(forms[n % 2].format(piece) for n, piece in enumerate(pieces))


def count(value: float | None) -> str:
    """Return a count with separated thousands; a dash if X reported no count."""
    return "–" if value is None else f"{value:,.0f}"


def who_may_reply(settings: ReplySettings) -> str:
    """Return the words that say who may reply to a post."""
    return _REPLY_SETTINGS[settings]


def editable(text: str) -> Markup:
    """Escape a text for a form's field, so that submitting the field unchanged keeps the text."""
    return Markup("{}").format(escaping.form_value(text))


def _finalize(value: Any) -> Any:
    """Escape every text that a template outputs; only our own markup is left as it is."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return escaping.markup(value) if is_text else value


_TEMPLATES: Final = Environment(
    loader=PackageLoader("roost.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_finalize,
)
_TEMPLATES.filters |= {
    "state": state,
    "schedule_time": describe_time,
    "made_by": lambda report: history.describe_actor(Actor.parse(report.made_by)),
    "moment": moment,
    "local_moment": local_moment,
    "next_of": next_actions.describe_next,
    "alert_message": alerts.describe_alert,
    "alert_next": lambda alert: next_actions.describe_action(alerts.action_for(alert)),
    "reason": history.describe_reason,
    "actor": history.describe_actor,
    "event_sentence": history.describe_event,
    "attempt_outcome": history.describe_outcome,
    "attempt_reads": history.describe_reads,
    "part_media": history.describe_media,
    "on_day": on_day,
    "short": lambda text: shorten(text, _SHORT_LENGTH),
    "sentence": sentence,
    "editable": editable,
    "count": count,
    "signed": lambda number: wording.format_signed(round(number)),
    "dollars": wording.format_dollars,
    "unread": wording.describe_unread,
    "narratives": wording.describe_narratives,
    "percent": wording.format_percent,
    "duration": describe_duration,
    "who_may_reply": who_may_reply,
    "origin": lambda origin: _ORIGINS[origin],
    "price": lambda price: format_range(price.low, price.high),
    "rule": describe_rule,
    "basename": lambda path: PurePath(path).name,
}


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a rendered template as a response."""
    return HTMLResponse(render(template, **values), status)


def render(template: str, **values: Any) -> str:
    """Return a rendered template: a page, or a piece of a page that is sent in pieces."""
    return _TEMPLATES.get_template(template).render(**values)


def sparkline_points(values: Sequence[float]) -> list[str]:
    """Return the points of one `<polyline>` for each run of values without a gap.

    NaN is a gap. A run of one value becomes a short dash. If all values are equal, the line is
    at half height.
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return []
    low, span = min(known), max(known) - min(known)
    step = (_SPARK_WIDTH - 2 * _SPARK_MARGIN) / max(len(values) - 1, 1)
    stretches: list[list[tuple[float, float]]] = [[]]
    for position, value in enumerate(values):
        if math.isnan(value):
            stretches.append([])
            continue
        share = (value - low) / span if span else 0.5
        x = _SPARK_MARGIN + position * step
        y = _SPARK_HEIGHT - _SPARK_MARGIN - share * (_SPARK_HEIGHT - 2 * _SPARK_MARGIN)
        stretches[-1].append((x, y))
    return [_format_points(stretch) for stretch in stretches if stretch]


def _format_points(stretch: list[tuple[float, float]]) -> str:
    if len(stretch) == 1:
        (x, y) = stretch[0]
        stretch = [(x - 1, y), (x + 1, y)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in stretch)
