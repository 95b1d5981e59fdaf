"""Prints a table: with lines on a terminal, and in plain columns into a pipe or a file."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from roost.cli.output import make_console, print_result

#: The text between two columns of a table that is printed without lines.
_GAP: Final = "  "
#: The width of a table's borders and padding, in characters: `_TABLE_LINES` once for the table,
#: plus `_COLUMN_LINES` for each of its columns.
_TABLE_LINES: Final = 1
_COLUMN_LINES: Final = 3
#: The least width of a terminal in which times are shown in full.
_FULL_WIDTH: Final = 80
#: The least width of a column whose cells may be wrapped.
_WRAPPED_WIDTH: Final = 20


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and how it adapts to a narrow terminal."""

    heading: str
    rank: int
    """If a terminal is too narrow, the column with the highest rank is left out first."""
    wraps: bool = False
    """Whether a terminal may show a cell on several lines."""


def is_narrow_terminal() -> bool:
    """Whether the output is a terminal that is too narrow for times in full."""
    return sys.stdout.isatty() and make_console().width < _FULL_WIDTH


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. Each cell must already be escaped, and must be a single line.

    If the terminal is too narrow for all columns, some columns are left out.
    """
    if sys.stdout.isatty():
        _print_with_lines(columns, rows)
    else:
        print_result(None, "\n".join(plain_lines(columns, rows)), as_json=False)


def plain_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the heading and the rows as lines with aligned columns."""
    lines = [[column.heading for column in columns], *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _print_with_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len
    from rich.table import Table

    console = make_console()
    widths = [
        max(cell_len(cell) for cell in (column.heading, *(row[at] for row in rows)))
        for at, column in enumerate(columns)
    ]
    kept = fit_columns(columns, widths, console.width)
    table = Table()
    for at in kept:
        table.add_column(columns[at].heading, no_wrap=not columns[at].wraps, overflow="fold")
    for row in rows:
        table.add_row(*(row[at] for at in kept))
    console.print(table)


def fit_columns(columns: Sequence[Column], widths: Sequence[int], available: int) -> list[int]:
    """Return the positions of the columns that fit into `available` characters. Pure.

    The positions are in ascending order. `widths` are the widths of each column's widest cell. At
    least one position is returned.
    """
    needed = {
        at: (min(widths[at], _WRAPPED_WIDTH) if column.wraps else widths[at]) + _COLUMN_LINES
        for at, column in enumerate(columns)
    }
    while len(needed) > 1 and sum(needed.values()) + _TABLE_LINES > available:
        del needed[max(needed, key=lambda at: columns[at].rank)]
    return list(needed)
