"""The report's charts as Vega-Lite specifications.

Each mark that a reader can point at has its description as `aria-label`. A picture is 440 units
wide, which fits a phone or half of a desktop page. Pictures have the colours of the light theme;
the page's style sheet replaces each of these colours with that of the current theme.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import altair as alt

from roost.formats import format_count
from roost.insights.labels import shorten
from roost.insights.reports.report import AccountReport, PageReport, PostReport
from roost.insights.series import DailySeries
from roost.insights.wording import format_day, format_dollars, format_signed
from roost.models import Anomaly
from roost.text import has_text

Spec = dict[str, Any]

INK = "#1c1e21"
MUTED = "#5b6470"
RULE = "#e2e5ea"
SERIES = "#2667a8"
ALERT = "#b3261e"
GAP = "#eef0f3"

_WIDTH = 440
_HEIGHT = 220
_ROW_HEIGHT = 46
#: A bar chart shows at most this many bars; tables show all values.
MAX_BARS = 8
_BEST_POST_COLUMNS = 26
#: A chart of at least 28 days has labels only for Mondays, and at most 6 of these labels.
_WEEKLY_FROM_DAYS, _MAX_WEEKLY_LABELS = 28, 6


@dataclass(frozen=True, slots=True)
class _Bar:
    label: str
    value: float
    value_label: str
    description: str


def followers_chart(account: AccountReport, report: PageReport) -> Spec | None:
    """Plot the follower count at the end of each day; anomalies are marked and labelled."""
    series = account.followers
    if series is None:
        return None
    x = alt.X("day:T", title=None, scale=_day_scale(report), axis=_day_axis(report))
    scale = alt.Scale(zero=False, nice=4, padding=14)
    y = alt.Y("level:Q", title=None, scale=scale, axis=_count_axis())
    base = alt.Chart(alt.InlineData(values=_level_rows(series))).encode(x=x, y=y)
    line = base.mark_line(
        color=SERIES,
        strokeWidth=2,
        strokeJoin="round",
        invalid="break-paths-show-domains",
        aria=False,
    )
    known = base.transform_filter("isValid(datum.level)")
    isolated = known.transform_filter("datum.isolated").mark_point(
        color=SERIES, filled=True, opacity=1, size=36, aria=False
    )
    hover = known.mark_point(color=SERIES, filled=True, opacity=0, size=150)
    layers = [line, isolated, hover.encode(description="description:N")]
    if rows := _anomaly_rows(account.anomalies, series):
        marked = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y)
        layers += [
            marked.mark_point(color=ALERT, filled=True, opacity=1, size=70).encode(
                description="description:N"
            ),
            *(
                marked.transform_filter(f"datum.left == {str(left).lower()}").mark_text(
                    color=ALERT,
                    align="right" if left else "left",
                    dx=-9 if left else 9,
                    dy=1 if left else -12,
                    fontSize=12,
                    fontWeight="bold",
                    text=alt.ExprRef("datum.label"),
                    aria=False,
                )
                for left in sorted({row["left"] for row in rows})
            ),
        ]
    return _finish(layers, _HEIGHT)


def impressions_chart(account: AccountReport, report: PageReport) -> Spec | None:
    """Plot the impressions gained on each day; days without a measurement are shaded.

    The best day is labelled with the account's best post, if that post was sent on this day.
    """
    if account.impressions is None:
        return None
    rows = [_gain_row(on, account.impressions.at(on)) for on in _days(report)]
    scale = _day_scale(report)
    x = alt.X("day:T", title=None, scale=scale, axis=_day_axis(report))
    gaps = (
        alt.Chart(alt.InlineData(values=[row for row in rows if row["gained"] is None]))
        .mark_rect(color=GAP, opacity=1)
        .encode(
            x=alt.X("start:T", title=None, scale=scale, axis=_day_axis(report)),
            x2="end:T",
            description="description:N",
        )
    )
    bars = (
        alt.Chart(alt.InlineData(values=[row for row in rows if row["gained"] is not None]))
        .mark_bar(color=SERIES, size=max(0.7 * (_WIDTH - 50) / len(rows), 1.5))
        .encode(
            x=x,
            y=alt.Y("gained:Q", title=None, axis=_count_axis(), scale=alt.Scale(nice=4)),
            description="description:N",
        )
    )
    labels = [
        alt.Chart(alt.InlineData(values=[label]))
        .mark_text(
            color=INK,
            align="right" if label["left"] else "left",
            dx=6 if label["left"] else -6,
            dy=-10,
            fontSize=12,
            aria=False,
        )
        .encode(x=x, y=alt.Y("height:Q"), text="label:N")
        for label in _best_post_labels(account, report, rows)
    ]
    return _finish([gaps, bars, *labels], _HEIGHT)


def _best_post_labels(
    account: AccountReport, report: PageReport, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the label of the best day; no label if the best post was sent on another day."""
    best = max(
        (post for post in report.posts if post.username == account.username),
        key=lambda post: post.impressions or 0,
        default=None,
    )
    measured = [row for row in rows if row["gained"]]
    if best is None or not measured:
        return []
    highest = max(measured, key=lambda row: row["gained"])
    sent_on = best.sent_at.astimezone(UTC).date()
    if highest["day"] != _instant(sent_on):
        return []
    position = (sent_on - report.first_day) / (report.last_day - report.first_day + timedelta(1))
    return [
        {
            "day": highest["day"],
            "height": highest["gained"],
            "label": shorten(_text_or_placeholder(best), _BEST_POST_COLUMNS),
            "left": position > 0.5,
        }
    ]


def posts_chart(posts: Sequence[PostReport]) -> Spec | None:
    """Plot the engagements of the best posts, each bar below the text of its post."""
    return _bar_chart(
        [
            _Bar(
                label=f"{_sent_day(post)} · {_text_or_placeholder(post)}",
                value=post.engagements,
                value_label=f"{post.engagements:,}",
                description=(
                    f"{shorten(_text_or_placeholder(post))}:"
                    f" {format_count(post.engagements, 'engagement')}"
                ),
            )
            for post in posts[:MAX_BARS]
            if post.engagements is not None
        ]
    )


def cost_chart(accounts: Sequence[AccountReport]) -> Spec | None:
    """Plot the costs that X billed for each account, the most expensive account first."""
    by_cost = sorted(accounts, key=lambda account: account.metrics.usd, reverse=True)
    return _bar_chart(
        [
            _Bar(
                label=f"@{account.username}",
                value=float(account.metrics.usd),
                value_label=format_dollars(account.metrics.usd),
                description=f"@{account.username}: {format_dollars(account.metrics.usd)}",
            )
            for account in by_cost[:MAX_BARS]
            if account.metrics.usd
        ]
    )


def _sent_day(post: PostReport) -> str:
    return format_day(post.sent_at.astimezone(UTC).date(), year=False)


def _text_or_placeholder(post: PostReport) -> str:
    return post.text.strip() if has_text(post.text) else "(without text)"


def _bar_chart(bars: Sequence[_Bar]) -> Spec | None:
    if not bars:
        return None
    rows = [
        {
            "row": row,
            "label": shorten(bar.label),
            "value": bar.value,
            "value_label": bar.value_label,
            "description": bar.description,
        }
        for row, bar in enumerate(bars)
    ]
    longest = max(bar.value for bar in bars) or 1
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("row:O", title=None, axis=None, scale=alt.Scale(padding=0)),
        x=alt.X("value:Q", title=None, axis=None, scale=alt.Scale(domain=[0, longest * 1.2])),
    )
    return _finish(
        [
            base.mark_bar(color=SERIES, size=13, yOffset=10, cornerRadiusEnd=2).encode(
                description="description:N"
            ),
            base.mark_text(align="left", dx=6, dy=10, color=INK, fontSize=13, aria=False).encode(
                text="value_label:N"
            ),
            base.mark_text(
                align="left", dy=-9, color=MUTED, fontSize=13, limit=_WIDTH, aria=False
            ).encode(x=alt.value(0), text="label:N"),
        ],
        _ROW_HEIGHT * len(bars),
    )


def _finish(layers: Sequence[Any], height: int) -> Spec:
    chart = (
        alt.layer(*layers)
        .properties(
            width=_WIDTH,
            height=height,
            background="transparent",
            autosize=alt.AutoSizeParams(type="fit", contains="padding"),
            padding=2,
        )
        .configure(font="sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            aria=False,
            labelColor=MUTED,
            labelFontSize=12.5,
            gridColor=RULE,
            domain=False,
            ticks=False,
            labelPadding=7,
        )
        .configure_axisX(grid=False, domain=True, domainColor=RULE)
    )
    spec: Spec = chart.to_dict()
    return spec


def _days(report: PageReport) -> list[date]:
    span = (report.last_day - report.first_day).days
    return [report.first_day + timedelta(days=n) for n in range(span + 1)]


def _instant(on: date, hours: int = 0) -> str:
    # The time has an explicit zone, because a browser west of Greenwich would show a date without
    # zone as the day before.
    at = datetime.combine(on, time(), UTC) + timedelta(hours=hours)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _day_scale(report: PageReport) -> alt.Scale:
    domain = [_instant(report.first_day, -12), _instant(report.last_day, 12)]
    return alt.Scale(type="utc", domain=domain, nice=False)


def _day_axis(report: PageReport) -> alt.Axis:
    days = _days(report)
    if len(days) >= _WEEKLY_FROM_DAYS:
        mondays = [on for on in days if on.weekday() == 0]
        labelled = mondays[:: math.ceil(len(mondays) / _MAX_WEEKLY_LABELS)]
    else:
        step = math.ceil(len(days) / 5)
        labelled = days[step // 2 :: step]
    values = [_instant(on) for on in labelled]
    return alt.Axis(format="%-d %b", values=values, labelFlush=False)


def _count_axis() -> alt.Axis:
    # `labelExpr` formats each label on its own; `format` would write zero as "0k" beside "8k".
    return alt.Axis(tickCount=4, tickMinStep=1, labelExpr="format(datum.value, '~s')")


def _level_rows(series: DailySeries) -> list[dict[str, Any]]:
    rows = []
    for on, level in zip(series.days(), series.values, strict=True):
        known = not math.isnan(level)
        neighbours = (series.at(on - timedelta(days=1)), series.at(on + timedelta(days=1)))
        rows.append(
            {
                "day": _instant(on),
                "level": int(level) if known else None,
                "isolated": known and all(math.isnan(neighbour) for neighbour in neighbours),
                "description": _describe_level(on, int(level)) if known else "",
            }
        )
    return rows


def _describe_level(on: date, followers: int) -> str:
    return f"{format_day(on)}: {format_count(followers, 'follower')}"


def _gain_row(on: date, gained: float) -> dict[str, Any]:
    known = not math.isnan(gained)
    impressions = format_count(int(gained), "impression") if known else "not measured"
    return {
        "day": _instant(on),
        "start": _instant(on, -12),
        "end": _instant(on, 12),
        "gained": int(gained) if known else None,
        "description": f"{format_day(on)}: {impressions}",
    }


def _anomaly_rows(anomalies: Sequence[Anomaly], series: DailySeries) -> list[dict[str, Any]]:
    rows = []
    for anomaly in anomalies:
        # The day of a change across a gap may have no snapshot. In that case, the next day with a
        # snapshot is marked.
        known = [on for on in series.days() if on >= anomaly.day and not math.isnan(series.at(on))]
        if not known:
            continue
        amount = format_signed(round(anomaly.observed))
        position = (known[0] - series.first).days / max(len(series.values) - 1, 1)
        rows.append(
            {
                "day": _instant(known[0]),
                "level": int(series.at(known[0])),
                "label": f"{amount} on {format_day(anomaly.day, year=False)}",
                "left": position > 0.4,
                "description": anomaly.message,
            }
        )
    return rows
