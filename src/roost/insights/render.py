"""A report as one HTML file that opens without a network: its pictures, style and script inside.

The page allows itself nothing but its own style and script, by their hashes, so that no text of a
post can become more than text.
"""

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from roost import escaping
from roost.agents import narrator
from roost.insights import charts
from roost.insights.report import AccountReport, PostReport, Report
from roost.insights.series import DailySeries
from roost.insights.svg import draw_svgs

_TEMPLATES = Path(__file__).with_name("templates")
#: A picture's tags (their attributes hold no `>` and no quotes), and their ids and references.
#: Texts between and within them, such as a post's, are left alone.
_TAG = re.compile(r"<[^>]*>")
_REFERENCE = re.compile(r'\s(?:id="|(?:xlink:)?href="#|(?!aria-)[\w-]+="url\(#)')


def render_html(report: Report) -> str:
    """The page; blocks while a process of its own draws the charts, so call it in a thread.

    Raises: roost.insights.svg.ChartsNotDrawn.
    """
    style, script = _read("report.css"), _read("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
        " base-uri 'none'; form-action 'none'"
    )
    # Style and script are our own files, and hashed: escaping would change their bytes.
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            period=_tell_period(report),
            made=_tell_instant(report.made_at),
            pictures=_draw(report),
            policy=policy,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
        )
    )


@dataclass(frozen=True, slots=True)
class _AccountPictures:
    followers: Markup | None
    impressions: Markup | None


@dataclass(frozen=True, slots=True)
class _Pictures:
    accounts: tuple[_AccountPictures, ...]
    posts: Markup | None
    cost: Markup | None


@dataclass(frozen=True, slots=True)
class _DayRow:
    day: str
    followers: int | None
    change: int | None
    impressions: int | None


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "count": narrator.count,
        "signed": narrator.signed,
        "percent": narrator.percent,
        "signed_percent": narrator.signed_percent,
        "dollars": narrator.dollars,
        "day": _tell_day,
        "facts": _tell_facts,
        "daily_rows": _daily_rows,
    }
    return environment


def _finalize(value: Any) -> Any:
    """What is put into the page: text is made harmless, markup is our own."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return escaping.markup(value) if is_text else value


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _draw(report: Report) -> _Pictures:
    """Every chart that has something to show, drawn in one go."""
    specs = [
        charts.posts_chart(report.posts),
        charts.cost_chart(report.accounts),
    ]
    for account in report.accounts:
        specs += [
            charts.followers_chart(account, report),
            charts.impressions_chart(account, report),
        ]
    drawn = iter(draw_svgs([spec for spec in specs if spec is not None]))
    posts, cost, *others = (
        None if spec is None else _inline(next(drawn), f"chart{number}-")
        for number, spec in enumerate(specs)
    )
    return _Pictures(
        accounts=tuple(
            _AccountPictures(*pair) for pair in zip(others[::2], others[1::2], strict=True)
        ),
        posts=posts,
        cost=cost,
    )


def _inline(svg: str, prefix: str) -> Markup:
    """The picture for use inside the page: scales by its box, its ids unlike any other's.

    Readers of the screen are told the table beside it instead.
    """
    svg = re.sub(r' (?:width|height)="[\d.]+"(?=[^>]*viewBox)', "", svg, count=2)
    svg = svg.replace("<svg ", '<svg aria-hidden="true" ', 1)
    svg = _TAG.sub(lambda tag: _REFERENCE.sub(rf"\g<0>{prefix}", tag[0]), svg)
    # Drawn by vl-convert, which escapes the texts it is given.
    return Markup(svg)  # noqa: S704


def _tell_period(report: Report) -> str:
    first, last = report.first_day, report.last_day
    if first == last:
        return narrator.day(first)
    if first.year != last.year:
        return f"{narrator.day(first)} to {narrator.day(last)}"
    start = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
    return f"{start} to {narrator.day(last)}"


def _tell_instant(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{narrator.day(utc.date())}, {utc:%H:%M} UTC"


def _tell_day(at: datetime) -> str:
    return narrator.day(at.astimezone(UTC).date())


def _tell_facts(post: PostReport) -> list[str]:
    told: Sequence[tuple[int | None, str]] = (
        (post.impressions, "impression"),
        (post.engagements, "engagement"),
        (post.likes, "like"),
        (post.reposts, "repost"),
        (post.link_clicks, "link click"),
    )
    facts = [narrator.count(number, noun) for number, noun in told if number is not None]
    if post.replies is not None:
        facts.append(f"{post.replies:,} {'reply' if post.replies == 1 else 'replies'}")
    return facts or ["nothing measured"]


def _daily_rows(account: AccountReport, report: Report) -> list[_DayRow]:
    def value(series: DailySeries | None, days_back: int = 0) -> int | None:
        found = series.at(on - timedelta(days=days_back)) if series else math.nan
        return None if math.isnan(found) else int(found)

    rows = []
    for back in range((report.last_day - report.first_day).days + 1):
        on = report.last_day - timedelta(days=back)
        now, before = value(account.followers), value(account.followers, 1)
        rows.append(
            _DayRow(
                day=narrator.day(on, year=False),
                followers=now,
                change=None if now is None or before is None else now - before,
                impressions=value(account.impressions),
            )
        )
    return rows
