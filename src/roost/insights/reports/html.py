"""A report as one self-contained HTML file, which includes its charts, style and script.

The page's Content-Security-Policy allows only its own style and script, by their hashes. The text
of a post can therefore never become active content.
"""

import base64
import hashlib
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from roost import escaping
from roost.formats import format_count, format_time
from roost.insights import wording
from roost.insights.reports import page_charts
from roost.insights.reports.report import AccountReport, PageReport, PostReport
from roost.insights.reports.svg import draw_svgs
from roost.insights.series import DailySeries

_TEMPLATES = Path(__file__).with_name("templates")
#: `_TAG` matches a tag of an SVG, in which attribute values contain neither `>` nor quotes.
#: `_REFERENCE` matches what precedes an id, or a reference to an id, in a tag. Ids are changed only
#: in tags, so that the text of a post never changes.
_TAG = re.compile(r"<[^>]*>")
_REFERENCE = re.compile(r'\s(?:id="|(?:xlink:)?href="#|(?!aria-)[\w-]+="url\(#)')


def render_html(report: PageReport) -> str:
    """Render the page. Call this in a thread, because it waits for another process.

    Raises: roost.insights.reports.svg.ChartsNotDrawn.
    """
    style, script = _read_template("report.css"), _read_template("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
        " base-uri 'none'; form-action 'none'"
    )
    # Style and script are files of Roost. Escaping would change their bytes, and so their hashes.
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            period=_format_period(report),
            made=_format_instant(report.made_at),
            pictures=_draw_charts(report),
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
        "count": format_count,
        "signed": wording.format_signed,
        "percent": wording.format_percent,
        "signed_percent": wording.format_signed_percent,
        "dollars": wording.format_dollars,
        "unread": wording.describe_unread,
        "day": _format_sent_day,
        "metrics": _describe_metrics,
        "daily_rows": _daily_rows,
    }
    return environment


def _finalize(value: Any) -> Any:
    """Escape the control characters in a value, unless the value is Roost's own markup."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return escaping.markup(value) if is_text else value


def _read_template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _draw_charts(report: PageReport) -> _Pictures:
    """Draw all charts that have data.

    One process draws them all, because the start of a process takes a second or two.
    """
    specs = [
        page_charts.posts_chart(report.posts),
        page_charts.cost_chart(report.accounts),
    ]
    for account in report.accounts:
        specs += [
            page_charts.followers_chart(account, report),
            page_charts.impressions_chart(account, report),
        ]
    drawn = iter(draw_svgs([spec for spec in specs if spec is not None]))
    posts, cost, *others = (
        None if spec is None else _inline_svg(next(drawn), f"chart{number}-")
        for number, spec in enumerate(specs)
    )
    return _Pictures(
        accounts=tuple(
            _AccountPictures(*pair) for pair in zip(others[::2], others[1::2], strict=True)
        ),
        posts=posts,
        cost=cost,
    )


def _inline_svg(svg: str, prefix: str) -> Markup:
    """Prepare an SVG for the page: let it scale with its box, and put `prefix` before its ids.

    Screen readers skip the picture, because a table next to it contains the same values.
    """
    svg = re.sub(r' (?:width|height)="[\d.]+"(?=[^>]*viewBox)', "", svg, count=2)
    svg = svg.replace("<svg ", '<svg aria-hidden="true" ', 1)
    svg = _TAG.sub(lambda tag: _REFERENCE.sub(rf"\g<0>{prefix}", tag[0]), svg)
    # The SVG is safe as markup, because vl-convert has escaped all texts in it.
    return Markup(svg)  # noqa: S704


def _format_period(report: PageReport) -> str:
    first, last = report.first_day, report.last_day
    if first == last:
        return wording.format_day(first)
    if first.year != last.year:
        return f"{wording.format_day(first)} to {wording.format_day(last)}"
    start = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
    return f"{start} to {wording.format_day(last)}"


def _format_instant(at: datetime) -> str:
    return format_time(at, "UTC")


def _format_sent_day(at: datetime) -> str:
    return wording.format_day(at.astimezone(UTC).date())


def _describe_metrics(post: PostReport) -> list[str]:
    values = (
        (post.impressions, "impression"),
        (post.engagements, "engagement"),
        (post.likes, "like"),
        (post.reposts, "repost"),
        (post.link_clicks, "link click"),
    )
    metrics = [format_count(value, noun) for value, noun in values if value is not None]
    if post.replies is not None:
        metrics.append(f"{post.replies:,} {'reply' if post.replies == 1 else 'replies'}")
    return metrics or ["nothing measured"]


def _daily_rows(account: AccountReport, report: PageReport) -> list[_DayRow]:
    def value(series: DailySeries | None, days_back: int = 0) -> int | None:
        found = series.at(on - timedelta(days=days_back)) if series else math.nan
        return None if math.isnan(found) else int(found)

    rows = []
    for back in range((report.last_day - report.first_day).days + 1):
        on = report.last_day - timedelta(days=back)
        now, before = value(account.followers), value(account.followers, 1)
        rows.append(
            _DayRow(
                day=wording.format_day(on, year=False),
                followers=now,
                change=None if now is None or before is None else now - before,
                impressions=value(account.impressions),
            )
        )
    return rows
