"""A plan's table: comma-separated values into rows of named cells, each with its true line."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost.errors import PlanInvalid
from roost.input_file import read_input
from roost.planfile import options

#: The columns of every plan; those of `options` may stand beside them.
COLUMNS: Final = ("account", "at", "text", "media", "alt", "thread")
_MAX_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table by its columns."""

    number: int
    """The line of the file on which it begins, from 1; a quoted text may take several."""
    cells: Mapping[str, str]
    """By column; one that the file does not have is empty."""


@dataclass(frozen=True, slots=True)
class StrayLine:
    """A row with too few or too many cells: nobody can tell which is which."""

    number: int
    cells: tuple[str, ...]
    expected: int
    """How many cells its file's rows have."""


def read_file(path: Path) -> bytes:
    """The bytes of a regular file of at most 16 MiB. Raises: PlanInvalid."""
    return read_input(path, max_bytes=_MAX_BYTES, error=PlanInvalid)


def read_table(data: bytes, name: str) -> tuple[list[Line], list[StrayLine]]:
    """Every row that is not empty, those with a wrong number of cells apart.

    Raises: PlanInvalid.
    """
    rows = _rows(data, name)
    _, header = next(rows, (1, []))
    columns = _columns(header, name)
    lines, strays = [], []
    for number, cells in rows:
        if len(cells) == len(columns):
            absent = dict.fromkeys(options.COLUMNS, "")
            lines.append(Line(number, absent | dict(zip(columns, cells, strict=True))))
        else:
            strays.append(StrayLine(number, tuple(cells), len(columns)))
    return lines, strays


def _columns(header: list[str], name: str) -> list[str]:
    columns = [column.strip().lower() for column in header]
    missing = [column for column in COLUMNS if column not in columns]
    is_known = set(columns) <= {*COLUMNS, *options.COLUMNS}
    if not missing and is_known and len(set(columns)) == len(columns):
        return columns
    # The header itself is not repeated: it may be the first line of any file at all.
    raise PlanInvalid(
        f"{name} does not begin with the columns of a plan: "
        + (f"{', '.join(missing)} missing." if missing else f"there are {len(columns)}."),
        next=f"Make its first line {','.join(COLUMNS)}, with commas between the columns; behind"
        f" them may stand {', '.join(options.COLUMNS)}.",
    )


def _rows(data: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not empty, with the line on which it begins."""
    reader = csv.reader(io.StringIO(_decode(data, name), newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        # What follows a broken quote may be text or rows: nobody can tell, so nothing goes in.
        raise PlanInvalid(
            f"{name}: the row that begins on line {begins} is not CSV ({error}).",
            next='Close its quotes, and write a quote inside a quoted text twice: "".',
            line=begins,
        ) from None


def _decode(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PlanInvalid(
            f"{name} is not UTF-8: line {line} holds other bytes.",
            next="Save it as CSV UTF-8.",
            line=line,
        ) from None
    if "\0" in text:
        raise PlanInvalid(f"{name} is not a text file.", next="Save it as CSV UTF-8.")
    return text
