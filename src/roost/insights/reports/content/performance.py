"""The sections about what was gained, what published posts earned, and what was published."""

from roost.insights.reports.content.figure_tables import (
    compare_figures,
    compare_means,
    number_column,
)
from roost.insights.reports.content.subject import SubjectContent
from roost.insights.reports.document import Block, Section, Table
from roost.models import Metric

_METRICS = (Metric.IMPRESSIONS, Metric.ENGAGEMENTS, Metric.LINK_CLICKS, Metric.PROFILE_CLICKS)
_RATES = ("rate_by_impressions", "rate_by_followers")
_ACTIVITY = ("posts", "parts", "active_days", "posts_per_week", "late", "missed", "failed")
_SPENT = ("posts", "media", "post_reads", "account_reads", "other")
_SPENT_RATES = ("per_engagement", "per_thousand_impressions")
#: The metrics whose gains the table of days has.
_DAILY = ("impressions", "engagements")


def describe_gains(content: SubjectContent) -> Section:
    """Return the section about what posts of any age gained in the period."""
    names = [f"gained.{each}" for each in (*_METRICS, *_RATES)]
    return content.section(
        "gained",
        content.note("gained.meaning"),
        compare_figures(content, "gained", names),
        *_table_days(content),
    )


def describe_published(content: SubjectContent) -> Section:
    """Return the section about what the posts published in the period have earned."""
    names = [f"published.{each}" for each in (*_METRICS, *_RATES, "median_rate")]
    return content.section(
        "published",
        content.note("published.meaning"),
        compare_figures(content, "published", names),
        content.note("published.means"),
        compare_means(content, "per-post", _METRICS),
    )


def describe_followers(content: SubjectContent) -> Section:
    """Return the section about the followers."""
    return content.section(
        "followers",
        compare_figures(content, "followers", ("followers.end", "followers.change")),
    )


def describe_activity(content: SubjectContent) -> Section:
    """Return the section about what was published, and what was late, missed or failed."""
    names = [f"activity.{each}" for each in _ACTIVITY]
    return content.section("activity", compare_figures(content, "activity", names))


def describe_costs(content: SubjectContent) -> tuple[Section, ...]:
    """Return the section about what X billed; nothing in a report without costs."""
    if "spent.total" not in content.numbers.figures:
        return ()
    billed = [f"spent.{each}" for each in _SPENT]
    names = ["spent.total", *(each for each in billed if _has_value(content, each))]
    names += [f"spent.{each}" for each in _SPENT_RATES]
    section = content.section(
        "costs",
        content.note("costs.meaning"),
        *(() if content.has_several_accounts and content.is_account else content.charts("costs")),
        compare_figures(content, "costs", names),
    )
    return (section,)


def _has_value(content: SubjectContent, name: str) -> bool:
    """Whether a figure is not zero in one of the periods."""
    figure = content.numbers.figures[name]
    compared = [each.earlier for each in (figure.previous, figure.year_before) if each is not None]
    return any(each.value for each in (figure.current, *compared))


def _table_days(content: SubjectContent) -> tuple[Block, ...]:
    words, days = content.words, content.numbers.days
    measured = [each.value for day in days for each in (day.followers, day.impressions)]
    if all(value is None for value in measured):
        return ()
    names = ("followers", "follower_change", "gained_impressions", "gained_engagements")
    columns = [content.column("day"), *(number_column(words.say(f"column.{n}")) for n in names)]
    rows = tuple(
        (
            (words.day(each.day),),
            (words.figure(each.followers),),
            (words.figure(each.follower_change, signed=True),),
            (words.figure(each.impressions),),
            (words.figure(each.engagements),),
        )
        for each in days
    )
    caption = words.say("table.days")
    shown = 0 if content.has_several_accounts else None
    table = Table(
        content.name("days"), caption, tuple(columns), rows, shown_rows=shown, is_folded=True
    )
    undated = [content.numbers.figures[f"gained.{each}_undated"].current for each in _DAILY]
    notes: tuple[Block, ...] = ()
    if any(each.value for each in undated):
        values = {name: words.figure(figure) for name, figure in zip(_DAILY, undated, strict=True)}
        notes = (content.note("gained.undated", **values),)
    return (table, *notes)
