"""The tables of a document as typed columns, for spreadsheets, CSV and Parquet.

A cell that consists of one number has the raw number, and a cell that consists of one date has the
date; every other cell has its text. To the right of a table's columns stands one column of keys per
column with figures, whose title is `key: TITLE`. All rows of a table are included, also those that
a page does not show.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from roost.insights.reports.document import Document, Moment, Printed, Table, Text
from roost.insights.reports.figures import Number
from roost.insights.reports.forms.texts import (
    list_definition_titles,
    list_printed,
    list_tables,
    one_line,
    plain_text_with_lines,
)

#: The name of the sheet that has every figure once.
FIGURES: Final = "Figures"

Value = str | Number | date | datetime | time | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a sheet."""

    value: Value
    """None if a number is not known."""
    printed: Printed | None = None
    """The number that the cell consists of."""
    url: str = ""
    """The address that the cell's text opens; empty for none."""


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """A column of a sheet."""

    title: str
    cells: tuple[Cell, ...]
    is_wide: bool = False
    is_key: bool = False
    """Whether the column has the keys of another column's figures."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a report, or the list of all its figures, stored column by column."""

    name: str
    """The unescaped name of the table."""
    caption: str
    columns: tuple[SheetColumn, ...]


def list_sheets(document: Document) -> list[Sheet]:
    """Return the sheet of all figures, and one sheet per table."""
    return [_make_figures(document), *map(_make_sheet, list_tables(document))]


def _make_figures(document: Document) -> Sheet:
    figures: dict[str, Printed] = {}
    for each in list_printed(document, on_pages=False):
        figures.setdefault(each.key, each)
    titles = list_definition_titles(document)
    rows = [
        (
            Cell(one_line(each.key)),
            Cell(titles.get(each.name, "")),
            Cell(each.value, printed=each),
            Cell(each.unit.value),
            Cell(each.quality.value),
            Cell(one_line(each.text)),
        )
        for each in figures.values()
    ]
    columns = ("Key", "Title", "Value", "Unit", "Quality", "Printed")
    return Sheet(
        FIGURES,
        "",
        tuple(
            SheetColumn(title, tuple(row[number] for row in rows), is_wide=title == "Title")
            for number, title in enumerate(columns)
        ),
    )


def _make_sheet(table: Table) -> Sheet:
    columns, keys = [], []
    for number, column in enumerate(table.columns):
        texts = [row[number] for row in table.rows]
        title = one_line(column.title)
        columns.append(SheetColumn(title, tuple(map(_make_cell, texts)), column.is_wide))
        if any(isinstance(each, Printed) for text in texts for each in text):
            cells = tuple(Cell(_join_keys(text)) for text in texts)
            keys.append(SheetColumn(f"key: {title}", cells, is_key=True))
    return Sheet(table.name, one_line(table.caption), (*columns, *keys))


def _make_cell(text: Text) -> Cell:
    parts = [each for each in text if each != ""]
    match parts:
        case [Printed() as printed]:
            return Cell(printed.value, printed=printed)
        case [Moment(value=value)]:
            return Cell(value)
        case _:
            links = [each for each in parts if not isinstance(each, str | Printed | Moment)]
            url = links[0].url if len(links) == 1 and len(parts) == 1 else ""
            return Cell(plain_text_with_lines(text), url=url)


def _join_keys(text: Text) -> str:
    return " ".join(one_line(each.key) for each in text if isinstance(each, Printed))


def make_unique(names: list[str], *, longest: int) -> list[str]:
    """Return the names with numbers behind those that occur twice, whatever their case."""
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name[:longest], 2
        while candidate.casefold() in taken:
            suffix = f" ({number})"
            candidate, number = name[: longest - len(suffix)] + suffix, number + 1
        taken.add(candidate.casefold())
        unique.append(candidate)
    return unique
