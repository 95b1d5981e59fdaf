"""The widths of a table's columns on a page, estimated from the texts."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from roost.insights.reports.document import Align, Column, Text
from roost.insights.reports.forms.texts import plain_text

#: How many characters of the default font size fit into one line of a page.
_LINE_CHARACTERS: Final = 104
_FONT_SIZE: Final = 8.5
_FONT_SIZE_IN_COLUMNS: Final = 8.0
_SMALLEST_FONT_SIZE: Final = 6.5
#: The padding of a cell, in characters.
_PADDING: Final = 2
_MAX_START_CHARACTERS: Final = 34
#: How much wider the letters of titles are.
_BOLD: Final = 1.15
#: A table with more rows is long; one that needs less of the line than this share is narrow.
_LONG: Final = 32
_HALF: Final = 0.52
#: Beside a column with long texts, which have several lines, a date may have two lines.
_MAX_BESIDE_WIDE: Final = 14
_MIN_WIDE_CHARACTERS: Final = 36
_MAX_WIDE_CHARACTERS: Final = 60
_SMALLEST_SHARE: Final = 0.4
#: By how much a small table is wider than its texts.
_SPACIOUS: Final = 1.5
#: Where a line may be broken.
_BREAK: Final = re.compile(r"[\s\u200b-]+")


@dataclass(frozen=True, slots=True)
class ColumnWidths:
    """How a table fits a page."""

    widths: tuple[float, ...]
    """The relative widths of the columns."""
    share: float
    """The width of the table as a share of the line. A small table does not fill the line, so that
    a reader's eye need not jump from a name to its number."""
    in_columns: bool
    """Whether the page is divided into two columns for a long and narrow table."""
    font_size: float
    """The size in points with which the narrow columns need no line breaks."""


def measure_columns(columns: Sequence[Column], rows: Iterable[Sequence[Text]]) -> ColumnWidths:
    """Choose widths so that numbers and the words of titles stay on one line."""
    cells = [[plain_text(cell) for cell in row] for row in rows]
    wide = [number for number, column in enumerate(columns) if column.is_wide]
    most = _MAX_BESIDE_WIDE if wide else _MAX_START_CHARACTERS
    needed = [
        _measure_column(column, [row[number] for row in cells], most) + _PADDING
        for number, column in enumerate(columns)
    ]
    # The long texts get what the other columns leave of the line.
    left = _LINE_CHARACTERS - sum(needed) + sum(needed[number] for number in wide)
    for number in wide:
        needed[number] = max(_MIN_WIDE_CHARACTERS, min(needed[number], left / len(wide)))
    widths, total = tuple(needed), max(sum(needed), 1)
    if total < _LINE_CHARACTERS * _HALF and len(cells) > _LONG:
        return ColumnWidths(widths, 1.0, in_columns=True, font_size=_FONT_SIZE_IN_COLUMNS)
    scale = min(1.0, _LINE_CHARACTERS / total)
    share = min(1.0, max(_SMALLEST_SHARE, _SPACIOUS * total / _LINE_CHARACTERS))
    font_size = max(_SMALLEST_FONT_SIZE, round(_FONT_SIZE * scale, 1))
    return ColumnWidths(widths, share, in_columns=False, font_size=font_size)


def count_columns(text: str) -> int:
    """Return how many columns of a fixed-width font a text takes; a wide letter takes two."""
    return sum(
        0
        if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Me", "Mn")
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def _measure_column(column: Column, texts: Sequence[str], most: int) -> float:
    longest = max(map(count_columns, texts), default=0)
    word = _BOLD * max(map(count_columns, _BREAK.split(column.title)), default=0)
    if column.is_wide:
        return max(word, _MIN_WIDE_CHARACTERS, min(longest, _MAX_WIDE_CHARACTERS))
    if column.align is Align.END:
        return max(word, longest, 4)
    title = min(count_columns(column.title), 14)
    return max(word, title, min(longest, most))
