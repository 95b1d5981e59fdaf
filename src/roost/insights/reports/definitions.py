"""The definition of every figure of a report, in the order of the report's glossary.

The titles and sentences of the definitions are in the files of `languages/`.
"""

from collections.abc import Iterator
from typing import Final

from roost.insights.reports.figures import Definition, Notion, Statistic, Unit

_POST_METRICS: Final = ("impressions", "engagements", "link_clicks", "profile_clicks")
#: The kinds of spending, with the operations in the ledger that belong to each.
SPENDING_KINDS: Final = {
    "posts": frozenset({"create_post", "delete_post"}),
    "media": frozenset({"media_upload", "media_status", "media_metadata", "media_subtitles"}),
    "post_reads": frozenset(
        {"read_posts", "read_timeline", "read_post_analytics", "read_media_analytics"}
    ),
    "account_reads": frozenset({"read_user"}),
    #: All other operations.
    "other": frozenset[str](),
}


def _gained() -> Iterator[Definition]:
    for name in _POST_METRICS:
        yield Definition(f"gained.{name}", Unit.COUNT, Notion.GAINED)
        yield Definition(f"gained.{name}_undated", Unit.COUNT, Notion.GAINED)
    for name in ("rate_by_impressions", "rate_by_followers"):
        yield Definition(f"gained.{name}", Unit.SHARE, Notion.GAINED, Statistic.RATE)


def _published() -> Iterator[Definition]:
    published = Notion.PUBLISHED
    for name in _POST_METRICS:
        yield Definition(f"published.{name}", Unit.COUNT, published)
        for statistic in (Statistic.MEAN, Statistic.MEDIAN):
            yield Definition(f"published.{statistic}_{name}", Unit.COUNT, published, statistic)
    yield Definition("published.rate_by_impressions", Unit.SHARE, published, Statistic.RATE)
    yield Definition("published.median_rate", Unit.SHARE, published, Statistic.MEDIAN)
    yield Definition("published.rate_by_followers", Unit.SHARE, published, Statistic.RATE)


def _account_and_activity() -> Iterator[Definition]:
    for name in ("end", "change"):
        yield Definition(f"followers.{name}", Unit.COUNT, Notion.ACCOUNT)
    for name in ("posts", "parts", "active_days", "late", "missed", "failed"):
        yield Definition(f"activity.{name}", Unit.COUNT, Notion.ACTIVITY)
    yield Definition("activity.posts_per_week", Unit.PER_WEEK, Notion.ACTIVITY, Statistic.RATE)


def _spent() -> Iterator[Definition]:
    statistics = dict.fromkeys(("total", *SPENDING_KINDS), Statistic.TOTAL)
    statistics |= dict.fromkeys(("per_engagement", "per_thousand_impressions"), Statistic.RATE)
    for name, statistic in statistics.items():
        yield Definition(f"spent.{name}", Unit.DOLLARS, Notion.SPENT, statistic, is_cost=True)


def _coverage_and_days() -> Iterator[Definition]:
    for name in ("days", "closed_days", "measured_days", "measured_posts"):
        yield Definition(f"coverage.{name}", Unit.COUNT, Notion.ACTIVITY)
    for name in ("followers", "follower_change"):
        yield Definition(f"day.{name}", Unit.COUNT, Notion.ACCOUNT)
    for name in ("impressions", "engagements"):
        yield Definition(f"day.{name}", Unit.COUNT, Notion.GAINED)


def _posts() -> Iterator[Definition]:
    count, published = Unit.COUNT, Notion.PUBLISHED
    yield Definition("post.metric", count, published)
    yield Definition("post.parts", count, Notion.ACTIVITY)
    yield Definition("post.rate", Unit.SHARE, published, Statistic.RATE)
    yield Definition("standing.value", count, published)
    yield Definition("standing.usual", count, published, Statistic.MEDIAN)
    yield Definition("standing.factor", Unit.FACTOR, published)
    yield Definition("standing.compared_posts", count, Notion.ACTIVITY)


def _groups() -> Iterator[Definition]:
    count, published = Unit.COUNT, Notion.PUBLISHED
    yield Definition("group.posts", count, Notion.ACTIVITY)
    for metric in ("impressions", "engagements"):
        for statistic in (Statistic.MEAN, Statistic.MEDIAN):
            yield Definition(f"group.{statistic}_{metric}", count, published, statistic)
    yield Definition("group.rate", Unit.SHARE, published, Statistic.RATE)
    yield Definition("decay.posts", count, Notion.ACTIVITY)
    yield Definition("decay.share", Unit.SHARE, published, Statistic.MEDIAN)
    yield Definition("effect.posts", count, Notion.ACTIVITY)
    yield Definition("effect.factor", Unit.FACTOR, published)


#: The definitions of all figures by name.
DEFINITIONS: Final = {
    definition.name: definition
    for section in (
        _gained,
        _published,
        _account_and_activity,
        _spent,
        _coverage_and_days,
        _posts,
        _groups,
    )
    for definition in section()
}
#: The names of the figures that a report shows for each subject, and compares with other periods.
SUBJECT_FIGURES: Final = tuple(
    name
    for name in DEFINITIONS
    if name.startswith(("gained.", "published.", "followers.", "activity.", "spent."))
)
