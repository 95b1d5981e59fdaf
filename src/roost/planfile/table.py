"""Parses the CSV of a plan file into rows of named cells, each with its line in the file."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost.errors import PlanInvalid
from roost.input_file import read_input
from roost.planfile import options

#: The required columns of a plan. The optional columns are `options.COLUMNS`.
COLUMNS: Final = ("account", "at", "text", "media", "alt", "thread")
_HEADER_ADVICE: Final = (
    f"Write {','.join(COLUMNS)} as its first line, separated by commas; optional columns are"
    f" {', '.join(options.COLUMNS)}."
)
_MAX_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a plan file: its line and its cells."""

    line: int
    """The line of the file on which the row begins, from 1. A quoted text may take more lines."""
    cells: Mapping[str, str]
    """The cells by column. If the file lacks a column, the cell is empty."""


@dataclass(frozen=True, slots=True)
class MiscountedRow:
    """A row with too few or too many cells, so that the columns of its cells are unknown."""

    line: int
    cells: tuple[str, ...]
    expected: int
    """The number of columns in the file."""


def read_file(path: Path) -> bytes:
    """Return the content of a regular file of at most 16 MiB.

    Raises: PlanInvalid.
    """
    return read_input(path, max_bytes=_MAX_BYTES, error=PlanInvalid)


def read_table(data: bytes, name: str) -> tuple[list[TableRow], list[MiscountedRow]]:
    """Return the rows with the right number of cells, and those with a wrong number.

    Empty rows are left out.

    Raises: PlanInvalid.
    """
    if not data.strip():
        raise PlanInvalid(f"{name} is empty.", next=_HEADER_ADVICE)
    numbered = _numbered_rows(data, name)
    _, header = next(numbered, (1, []))
    columns = _columns(header, name)
    rows, miscounted = [], []
    for line, cells in numbered:
        if len(cells) == len(columns):
            missing = dict.fromkeys(options.COLUMNS, "")
            rows.append(TableRow(line, missing | dict(zip(columns, cells, strict=True))))
        else:
            miscounted.append(MiscountedRow(line, tuple(cells), len(columns)))
    return rows, miscounted


def _columns(header: list[str], name: str) -> list[str]:
    columns = [column.strip().lower() for column in header]
    missing = [column for column in COLUMNS if column not in columns]
    is_known = set(columns) <= {*COLUMNS, *options.COLUMNS}
    if not missing and is_known and len(set(columns)) == len(columns):
        return columns
    # The header is not quoted in the message, because the file may be anything, even a secret.
    if len(header) == 1 and set(COLUMNS) <= {cell.strip() for cell in columns[0].split(";")}:
        problem = "its columns are separated by semicolons."
    elif missing:
        problem = f"{', '.join(missing)} missing."
    else:
        problem = f"its first line has {len(columns)} columns, and some are unknown or repeated."
    raise PlanInvalid(
        f"{name} does not begin with the columns of a plan: {problem}", next=_HEADER_ADVICE
    )


def _numbered_rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty, each with the number of its first line."""
    reader = csv.reader(io.StringIO(_decode(data, name), newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        # After a wrong quotation mark, the ends of rows are unknown, so the whole file is refused.
        reason, advice = _describe_csv_error(error)
        raise PlanInvalid(
            f"{name}: the row that begins on line {line} is not valid CSV: {reason}.",
            next=advice,
            line=line,
        ) from None


def _describe_csv_error(error: csv.Error) -> tuple[str, str]:
    """Return what is wrong with a row and how to correct it, without the CSV library's words."""
    quotes = 'Close the quotation marks of the row, and write `""` for each `"` inside a text.'
    message = str(error)
    if "unexpected end" in message:
        return "a quotation mark is not closed", quotes
    if "expected after" in message:
        return "a quotation mark is followed by other characters than a comma", quotes
    if "field limit" in message:
        return (
            f"a cell has more than {csv.field_size_limit():,} characters",
            "Shorten the cell; if its text is short, a quotation mark before it is not closed.",
        )
    return "its quotation marks or line ends are wrong", quotes


def _decode(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PlanInvalid(
            f"{name} is not UTF-8: line {line} contains invalid bytes.",
            next="Save it as CSV UTF-8.",
            line=line,
        ) from None
    if "\0" in text:
        raise PlanInvalid(f"{name} is not a text file.", next="Save it as CSV UTF-8.")
    return text
