"""Tables of a subject's figures beside the same figures of earlier periods."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from roost.insights.reports.content.subject import SubjectContent
from roost.insights.reports.document import Align, Column, Printed, Table, Text
from roost.insights.reports.figures import (
    ComparedFigure,
    Comparison,
    Figure,
    Quality,
    Statistic,
)
from roost.insights.reports.model import SubjectKind
from roost.insights.reports.words import Words, join_texts

_EMPTY: Text = ()


def number_column(title: str) -> Column:
    """Return a column of numbers."""
    return Column(title, Align.END)


def describe_change(words: Words, comparison: Comparison) -> Printed:
    """Return the relative change; for a rate or a balance, the difference."""
    is_relative = comparison.change.value is not None or comparison.difference.value is None
    return words.figure(comparison.change if is_relative else comparison.difference, signed=True)


def compare_figures(content: SubjectContent, part: str, names: Iterable[str]) -> Table:
    """Return the table of figures with the columns of the compared periods.

    Figures that the report does not have are left out. For each rate, a note in the table says how
    the rate is calculated.
    """
    figures = [content.numbers.figures[name] for name in names if name in content.numbers.figures]
    words = content.words
    rows: list[tuple[Text, ...]] = [
        (
            (words.title(each.definition.name),),
            (words.figure(each.current, signed=_is_balance(each)),),
            *_comparable_cell(content, each),
            *_earlier_cells(words, each.previous, has_column=_has_previous(figures)),
            *_earlier_cells(words, each.year_before, has_column=_has_year(figures)),
            _describe_note(words, each),
        )
        for each in figures
    ]
    titles = ["value", *(["comparable"] if content.report.periods.open_days else [])]
    titles += ["previous", "change"] if _has_previous(figures) else []
    titles += ["year_before", "year_change"] if _has_year(figures) else []
    columns = [
        content.column("figure"),
        *(number_column(words.say(f"column.{title}")) for title in titles),
        content.column("note"),
    ]
    return drop_empty_columns(
        Table(content.name(part), words.say(f"table.{part}"), tuple(columns), tuple(rows))
    )


#: The figures of the accounts side by side.
_ACCOUNT_FIGURES: Final = (
    "followers.end",
    "followers.change",
    "gained.impressions",
    "gained.rate_by_impressions",
    "activity.posts",
    "spent.total",
)


def compare_accounts(content: SubjectContent) -> Table:
    """Return the table with the main figures of each account of a subject."""
    words = content.words
    names = [each for each in _ACCOUNT_FIGURES if each in content.numbers.figures]
    rows: list[tuple[Text, ...]] = []
    for each in content.report.subjects:
        subject = each.subject
        is_member = set(subject.accounts) <= set(content.numbers.subject.accounts)
        if subject.kind is SubjectKind.ACCOUNT and is_member:
            figures = [each.figures[name] for name in names]
            cells = [(words.figure(f.current, signed=_is_balance(f)),) for f in figures]
            rows.append(((f"@{subject.username}",), *cells))
    columns = [content.column("account"), *(number_column(words.title(name)) for name in names)]
    caption = words.say("table.accounts")
    return Table(content.name("accounts"), caption, tuple(columns), tuple(rows))


def compare_means(content: SubjectContent, part: str, metrics: Sequence[str]) -> Table:
    """Return the table of the means and medians per post, side by side."""
    words = content.words
    figures = content.numbers.figures
    statistics = (Statistic.MEAN, Statistic.MEDIAN)
    compared = {
        (metric, statistic): figures[f"published.{statistic}_{metric}"]
        for metric in metrics
        for statistic in statistics
    }
    has_previous = _has_previous(list(compared.values()))
    columns = [content.column("metric")]
    for statistic in statistics:
        columns.append(number_column(words.say(f"column.{statistic}")))
        if has_previous:
            columns += [
                number_column(words.say(f"column.{statistic}_{name}"))
                for name in ("previous", "change")
            ]
    rows = []
    for metric in metrics:
        row: list[Text] = [(words.say(f"metric.{metric}"),)]
        for statistic in statistics:
            figure = compared[metric, statistic]
            row.append((words.figure(figure.current),))
            row += _earlier_cells(words, figure.previous, has_column=has_previous)
        rows.append(tuple(row))
    return Table(content.name(part), words.say(f"table.{part}"), tuple(columns), tuple(rows))


def drop_empty_columns(table: Table) -> Table:
    """Return a table without the columns in which no row has a text."""
    kept = [
        position
        for position in range(len(table.columns))
        if any(row[position] for row in table.rows)
    ]
    return replace(
        table,
        columns=tuple(table.columns[position] for position in kept),
        rows=tuple(tuple(row[position] for position in kept) for row in table.rows),
    )


def _has_previous(figures: Sequence[ComparedFigure]) -> bool:
    return any(each.previous is not None for each in figures)


def _has_year(figures: Sequence[ComparedFigure]) -> bool:
    return any(each.year_before is not None for each in figures)


def _is_balance(figure: ComparedFigure) -> bool:
    """Whether a figure is a difference itself, and so has a sign."""
    return figure.definition.name == "followers.change"


def _comparable_cell(content: SubjectContent, figure: ComparedFigure) -> Sequence[Text]:
    if not content.report.periods.open_days:
        return ()
    comparison = figure.previous or figure.year_before
    if comparison is None:
        return (_EMPTY,)
    return ((content.words.figure(comparison.now, signed=_is_balance(figure)),),)


def _earlier_cells(
    words: Words, comparison: Comparison | None, *, has_column: bool
) -> Sequence[Text]:
    if not has_column:
        return ()
    if comparison is None:
        return (_EMPTY, _EMPTY)
    is_signed = comparison.earlier.name == "followers.change"
    earlier = words.figure(comparison.earlier, signed=is_signed)
    return ((earlier,), (describe_change(words, comparison),))


def _describe_note(words: Words, figure: ComparedFigure) -> Text:
    """Return how a rate is calculated, and whether measured values are missing."""
    quality = _describe_quality(words, figure)
    if figure.definition.statistic is not Statistic.RATE:
        return quality
    basis = words.text(f"basis.{figure.definition.name}")
    return join_texts(basis, " ", quality) if quality else basis


def _describe_quality(words: Words, figure: ComparedFigure) -> Text:
    if figure.current.quality is not Quality.MEASURED:
        return words.text(f"quality.{figure.current.quality}")
    comparisons = (figure.previous, figure.year_before)
    compared: list[Figure] = [each.earlier for each in comparisons if each is not None]
    if any(each.quality in (Quality.PARTIAL, Quality.MISSING) for each in compared):
        return words.text("quality.compared_partial")
    return ()
