"""How values look on a page: times, figures, dollars, states in words, links to X."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import PurePath
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from roost import escaping
from roost.clock import in_time_zone
from roost.insights import wording
from roost.insights.reports.charts import shorten
from roost.models import IntegrationStatus, PartState, PostState, ReplySettings
from roost.post_options import describe_duration
from roost.publishing import history

#: In columns of a Latin letter: enough of a text to know it by.
_SHORT: Final = 160

#: A word and its tone (`good`, `bad`, `wait`, `calm`), so that colour never speaks alone.
Told = tuple[str, str]

_POST_STATES: Final[Mapping[PostState, Told]] = {
    PostState.DRAFT: ("Draft", "calm"),
    PostState.SCHEDULED: ("Scheduled", "wait"),
    PostState.PUBLISHING: ("On its way", "wait"),
    PostState.PUBLISHED: ("Published", "good"),
    PostState.PARTLY_PUBLISHED: ("Partly published", "bad"),
    PostState.FAILED: ("Refused", "bad"),
    PostState.NEEDS_DECISION: ("Needs a decision", "bad"),
    PostState.CANCELLED: ("Cancelled", "calm"),
    PostState.MISSED: ("Missed", "bad"),
}
_PART_STATES: Final[Mapping[PartState, Told]] = {
    PartState.PENDING: ("Not on X yet", "calm"),
    PartState.SENDING: ("Being sent", "wait"),
    PartState.SENT: ("On X", "good"),
    PartState.UNKNOWN: ("Not known", "bad"),
    PartState.FAILED: ("Will not go out", "bad"),
}
_ACCOUNT_STATES: Final[Mapping[IntegrationStatus, Told]] = {
    IntegrationStatus.CONNECTED: ("Connected", "good"),
    IntegrationStatus.NEEDS_RECONNECT: ("Connect again", "bad"),
    IntegrationStatus.DISCONNECTED: ("Disconnected", "calm"),
}
_WHO: Final[Mapping[ReplySettings, str]] = {
    ReplySettings.FOLLOWING: "accounts that the author follows",
    ReplySettings.MENTIONED_USERS: "accounts that the post mentions",
    ReplySettings.SUBSCRIBERS: "subscribers of the author",
    ReplySettings.VERIFIED: "verified accounts",
}


def state(value: PostState | PartState | IntegrationStatus) -> Told:
    """A state as a person reads it."""
    if isinstance(value, PostState):
        return _POST_STATES[value]
    if isinstance(value, PartState):
        return _PART_STATES[value]
    return _ACCOUNT_STATES[value]


def moment(instant: datetime, zone: str) -> Markup:
    """An instant in the tenant's time zone, to the minute."""
    local = in_time_zone(instant, zone)
    words = f"{local:%a} {local.day} {local:%b %Y, %H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), words)


def second(instant: datetime, zone: str) -> Markup:
    """The same to the second, for what follows each other closely."""
    local = in_time_zone(instant, zone)
    words = f"{local.day} {local:%b %Y, %H:%M:%S}"
    return Markup('<time datetime="{}">{}</time>').format(instant.isoformat(), words)


def on_day(day: date) -> Markup:
    """A UTC day."""
    return Markup('<time datetime="{}">{} {}</time>').format(
        day.isoformat(), day.day, f"{day:%b %Y}"
    )


def sentence(text: str) -> Markup:
    """A failure's sentence, with what stands in backticks as code."""
    pieces = escaping.markup(text).split("`")
    if len(pieces) % 2 == 0:
        return Markup("{}").format("`".join(pieces))
    forms = (Markup("{}"), Markup("<code>{}</code>"))
    return Markup("").join(forms[n % 2].format(piece) for n, piece in enumerate(pieces))


def figure(value: float | None) -> str:
    """A count with its thousands apart; a dash where X told none."""
    return "–" if value is None else f"{value:,.0f}"


def who(settings: ReplySettings) -> str:
    """Who may reply, in words."""
    return _WHO[settings]


def editable(text: str) -> Markup:
    """A text to be changed in a form and sent back."""
    return Markup("{}").format(escaping.editable(text))


def _finalize(value: Any) -> Any:
    """What is put into a page: text is made harmless, markup is our own."""
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
    "moment": moment,
    "second": second,
    "told": history.describe_event,
    "outcome": history.describe_outcome,
    "reads": history.describe_reads,
    "media_known": history.describe_media,
    "on_day": on_day,
    "short": lambda text: shorten(text, _SHORT),
    "sentence": sentence,
    "editable": editable,
    "figure": figure,
    "signed": lambda number: wording.format_signed(round(number)),
    "dollars": wording.format_dollars,
    "percent": wording.format_percent,
    "lasting": describe_duration,
    "who": who,
    "basename": lambda path: PurePath(path).name,
}


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A template as an answer."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values), status)
