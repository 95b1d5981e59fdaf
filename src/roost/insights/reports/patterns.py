"""Describes to a model which properties of an account's posts go with more impressions."""

from collections.abc import Iterator
from typing import Final

from roost.insights.reports.figures import Quality
from roost.insights.reports.model import (
    Breakdown,
    BreakdownRow,
    Effect,
    EffectName,
    SubjectReport,
    Verdict,
)

#: A group of a breakdown is compared with the other groups only if it has at least this many posts.
_MIN_GROUP_POSTS: Final = 5
_PROPERTIES: Final = {
    EffectName.MEDIA: "with media",
    EffectName.VIDEO: "with a video",
    EffectName.LINK: "with a link",
    EffectName.HASHTAG: "with a hashtag",
    EffectName.THREAD: "that are threads",
    EffectName.LONG: "with more than 140 characters",
}
_VERDICTS: Final = {
    Verdict.MORE: "earned more impressions than posts without this property",
    Verdict.LESS: "earned fewer impressions than posts without this property",
    Verdict.NO_CLAIM: "earned neither clearly more nor clearly fewer impressions than others",
}


def describe_patterns(subject: SubjectReport) -> tuple[str, ...]:
    """Return a sentence for each comparison of posts, and for each breakdown's best group.

    Comparisons and groups with too few posts are left out. The comparisons were tested
    statistically; the best groups were not, and their sentences say so.
    """
    effects = (_describe_effect(each) for each in subject.effects if each.verdict in _VERDICTS)
    groups = (sentence for each in subject.breakdowns for sentence in _describe_best(each))
    return (*effects, *groups)


def _describe_effect(effect: Effect) -> str:
    counts = f"{effect.with_posts.value} and {effect.without_posts.value} posts compared"
    factor = ""
    if effect.verdict is not Verdict.NO_CLAIM and effect.factor.value is not None:
        factor = f", typically {float(effect.factor.value):.1f} times as many"
    return f"Posts {_PROPERTIES[effect.name]} {_VERDICTS[effect.verdict]}{factor} ({counts})."


def _describe_best(breakdown: Breakdown) -> Iterator[str]:
    rows = [row for row in breakdown.rows if _is_measured(row)]
    if len(rows) < 2:
        return
    best = max(rows, key=lambda row: float(row.median_impressions.value or 0))
    others = ", ".join(row.group for row in rows if row is not best)
    median = float(best.median_impressions.value or 0)
    yield (
        f"By {breakdown.dimension}, posts of the group {best.group} had the highest median of"
        f" impressions, {median:.0f} over {best.posts.value} posts; the other groups are {others}."
        " This was not tested."
    )


def _is_measured(row: BreakdownRow) -> bool:
    median = row.median_impressions
    is_known = median.value is not None and median.quality in (Quality.MEASURED, Quality.IMPORTED)
    return is_known and float(row.posts.value or 0) >= _MIN_GROUP_POSTS
