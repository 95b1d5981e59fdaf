"""A report as CSV files: one per table, and one with every figure.

The files are UTF-8 with a byte order mark, by which spreadsheets recognize the encoding. A
spreadsheet executes a cell that begins like a formula. An apostrophe before such a text prevents
this. Line breaks and tabs within a text are spaces, because a spreadsheet that separates columns by
semicolons would begin a new row or column after them.
"""

import csv
import io
import re
from decimal import Decimal
from typing import Final

from roost.insights.reports.document import Document
from roost.insights.reports.forms.sheets import Cell, list_sheets, make_unique
from roost.insights.reports.forms.texts import format_raw, one_line

#: The encoding in which the files must be written, which adds the byte order mark.
ENCODING: Final = "utf-8-sig"
_LONGEST_NAME: Final = 80
#: What a formula begins with, in ASCII or as full-width characters, at the start of a cell or after
#: a semicolon. Spreadsheets skip quotes, spaces and invisible characters before a formula.
_INVISIBLE: Final = r"\s\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff"
_FORMULA: Final = re.compile(rf"(?:^|(?<=;))(?=[\"'{_INVISIBLE}]*[=+\-@＝＋－＠﹢﹣﹦﹫])")
_UNSAFE: Final = re.compile(r"[^\w.-]+")


def render_csvs(document: Document) -> dict[str, str]:
    """Return the content of each file by its name without `.csv`; write it with `ENCODING`."""
    sheets = list_sheets(document)
    files = {}
    for name, sheet in zip(name_files([each.name for each in sheets]), sheets, strict=True):
        output = io.StringIO()
        writer = csv.writer(output, lineterminator="\r\n")
        writer.writerow([neutralize_formula(column.title) for column in sheet.columns])
        writer.writerows(
            [_format_cell(cell) for cell in row]
            for row in zip(*(column.cells for column in sheet.columns), strict=True)
        )
        files[name] = output.getvalue()
    return files


def name_files(names: list[str]) -> list[str]:
    """Return a name per table that is valid and unique in a folder of every file system."""
    safe = [_UNSAFE.sub("-", name).strip("-.").lower() or "table" for name in names]
    return make_unique(safe, longest=_LONGEST_NAME)


def neutralize_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return _FORMULA.sub("'", one_line(text))


def _format_cell(cell: Cell) -> str:
    match cell.value:
        case str() as text:
            return neutralize_formula(text)
        case None | int() | float() | Decimal() as number:
            return format_raw(number)
        case day_or_time:
            return day_or_time.isoformat()
