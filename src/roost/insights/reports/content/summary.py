"""The summary of a subject, and what was measured."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from roost.insights.reports.content.figure_tables import compare_accounts, describe_change
from roost.insights.reports.content.subject import SubjectContent
from roost.insights.reports.document import (
    Block,
    Items,
    Paragraph,
    Section,
    Text,
    Tile,
    Tiles,
    Tone,
)
from roost.insights.reports.figures import ComparedFigure, Comparison, Quality
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.words import Words

#: The main figures, and whether a higher value is good (1), bad (-1) or neither (0).
_TILES = {
    "gained.impressions": 1,
    "gained.engagements": 1,
    "gained.rate_by_impressions": 1,
    "followers.end": 1,
    "activity.posts": 0,
    "published.median_impressions": 1,
    "spent.total": 0,
    "spent.per_engagement": -1,
}
_DAY = timedelta(days=1)


def summarize(content: SubjectContent) -> tuple[Block, ...]:
    """Return the sentences of the summary, the main figures, their charts, and each account."""
    figures = content.numbers.figures
    tiles = [
        _make_tile(content, figures[name], direction)
        for name, direction in _TILES.items()
        if name in figures
    ]
    return (
        *(Paragraph(each) for each in content.narrative),
        Tiles(tuple(tiles)),
        *content.charts("impressions"),
        *content.charts("followers"),
        *([] if content.is_account else [compare_accounts(content)]),
    )


def explain_emptiness(content: SubjectContent) -> tuple[Block, ...]:
    """Return why there is nothing to report on a subject, and the next step."""
    keys = ("account", "measure") if content.numbers.subject.accounts else ("tenant", "connect")
    texts = (content.paragraph(f"empty.{key}") for key in keys)
    return (*texts, _describe_days(content))


def describe_coverage(content: SubjectContent) -> Section:
    """Return the section about what was measured, what is missing, and what is compared."""
    coverage, words = content.numbers.coverage, content.words
    closed, measured = words.figure(coverage.closed_days), words.figure(coverage.measured_days)
    blocks: list[Block] = [_describe_days(content)]
    if coverage.closed_days.value:
        blocks.append(content.paragraph("coverage.measured", measured=measured, closed=closed))
    if coverage.gap_days:
        days = list_days(words, coverage.gap_days)
        blocks.append(content.paragraph("coverage.gaps", Tone.WARNING, days=days))
    if coverage.open_days:
        days = list_days(words, coverage.open_days)
        blocks.append(content.paragraph("coverage.open", days=days))
    if coverage.imported_days:
        days = list_days(words, coverage.imported_days)
        blocks.append(content.paragraph("coverage.imported", days=days))
    blocks += _describe_posts(content)
    blocks.append(Items(tuple(_describe_comparisons(content))))
    return content.section("coverage", *blocks)


def list_days(words: Words, days: Sequence[date]) -> Text:
    """Return days as a list of ranges, such as `3 Nov to 5 November 2026, 9 November 2026`."""
    ranges: list[tuple[date, date]] = []
    for day in days:
        if ranges and day - ranges[-1][1] == _DAY:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return words.join(words.days(first, last) for first, last in ranges)


def _make_tile(content: SubjectContent, figure: ComparedFigure, direction: int) -> Tile:
    words = content.words
    changes: list[Text] = []
    if figure.definition.name == "followers.end":
        balance = content.numbers.figures["followers.change"].current
        changes.append(words.text("tile.balance", change=words.figure(balance, signed=True)))
        movement = float(balance.value or 0)
    else:
        movement = 0.0
        for key, comparison in (("previous", figure.previous), ("year_before", figure.year_before)):
            if comparison is not None and comparison.difference.value is not None:
                change = describe_change(words, comparison)
                changes.append(words.text(f"tile.{key}", change=change))
        if figure.previous is not None and figure.previous.difference.quality is Quality.MEASURED:
            movement = float(figure.previous.difference.value or 0)
    if figure.previous is not None and _is_invisible(words, figure.previous):
        movement = 0.0
    merit = movement * direction
    tone = Tone.GOOD if merit > 0 else Tone.BAD if merit < 0 else Tone.PLAIN
    title = words.title(figure.definition.name)
    return Tile(title, words.figure(figure.current), words.join(changes, "format.semicolon"), tone)


def _is_invisible(words: Words, comparison: Comparison) -> bool:
    """Whether the compared figures are printed as the same number."""
    return words.figure(comparison.now).text == words.figure(comparison.earlier).text


def _describe_days(content: SubjectContent) -> Paragraph:
    period = content.report.periods.current
    return content.paragraph(
        "coverage.period",
        period=_describe_period(content.words, period),
        days=content.words.figure(content.numbers.coverage.days),
        zone=period.zone.key,
    )


def _describe_posts(content: SubjectContent) -> Iterator[Block]:
    coverage, words = content.numbers.coverage, content.words
    if not coverage.posts.value:
        yield content.paragraph("coverage.no_posts")
        return
    posts, measured = words.figure(coverage.posts), words.figure(coverage.measured_posts)
    yield content.paragraph("coverage.posts", measured=measured, posts=posts)
    if coverage.measured_posts.value == coverage.posts.value:
        return
    if coverage.next_read_at is None:
        yield content.paragraph("coverage.unmeasured_posts", Tone.WARNING)
    else:
        at = content.moment(coverage.next_read_at)
        yield content.paragraph("coverage.later_posts", at=at)


def _describe_comparisons(content: SubjectContent) -> Iterator[Text]:
    periods, words = content.report.periods, content.words
    figures = content.numbers.figures.values()
    for key, period, is_known in (
        ("previous", periods.previous, any(each.previous for each in figures)),
        ("year_before", periods.year_before, any(each.year_before for each in figures)),
    ):
        if is_known:
            yield words.text(f"coverage.{key}", period=_describe_period(words, period))
        else:
            yield words.text(f"coverage.no_{key}")
    if periods.open_days and periods.comparable.days > 0:
        period_text = _describe_period(words, periods.comparable)
        yield words.text("coverage.comparable", period=period_text)


def _describe_period(words: Words, period: DatePeriod) -> Text:
    return words.days(period.first, period.last)
