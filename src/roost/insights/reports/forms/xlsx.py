"""A report as an XLSX workbook: an overview, every figure, and one sheet per table.

Numbers are numbers and dates are dates, with formats. No cell is a formula: texts are written as
strings, whatever they begin with.
"""

import io
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from roost import escaping
from roost.extras import require_extra
from roost.insights.reports.document import Document, Printed
from roost.insights.reports.figures import Unit
from roost.insights.reports.forms.column_widths import count_columns
from roost.insights.reports.forms.sheets import Cell, Sheet, SheetColumn, list_sheets, make_unique
from roost.insights.reports.forms.texts import is_web_address, one_line

#: The limits of Excel.
_LONGEST_NAME: Final = 31
_LONGEST_TEXT: Final = 32_767
_LONGEST_URL: Final = 2_079
_MOST_LINKS: Final = 65_530
_FORBIDDEN_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]+")
#: Excel keeps this name for itself.
_RESERVED_NAME: Final = "history"
_WIDEST_COLUMN: Final = 48
_WIDE_COLUMN: Final = 60
_NARROWEST_COLUMN: Final = 9
#: Room for the filter's button beside a title.
_BUTTON: Final = 4
_FORMATS: Final = {
    Unit.COUNT: "#,##0",
    Unit.SHARE: "0.0%",
    Unit.FACTOR: "0.00",
    Unit.DOLLARS: "[$$-409]#,##0.00",
    Unit.PER_WEEK: "#,##0.0",
}
#: A mean of counts has decimals. A share below one percent and an amount below ten cents need more
#: decimals.
_MEAN_FORMAT: Final = "#,##0.0"
_SMALL_DOLLARS_FORMAT: Final = "[$$-409]#,##0.0000"
_SMALL_DOLLARS: Final = 0.1
_SMALL_SHARE_FORMAT: Final = "0.00%"
_SMALL_SHARE: Final = 0.01


def render_xlsx(document: Document) -> bytes:
    """Render a workbook.

    Raises: roost.extras.ExtraMissing.
    """
    require_extra("reports", purpose="A report as XLSX")
    output = io.BytesIO()
    _Workbook(document, output).write()
    return output.getvalue()


class _Workbook:
    """A workbook that is being written, with the formats that its cells share."""

    def __init__(self, document: Document, output: io.BytesIO) -> None:
        import xlsxwriter

        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._document = document
        self._book = xlsxwriter.Workbook(output, options)
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._links = 0

    def write(self) -> None:
        """Write all sheets, and end the file."""
        document = self._document
        title = one_line(document.title)
        self._book.set_properties(
            {
                "title": title,
                "subject": one_line(document.subtitle),
                "comments": one_line(document.made),
            }
        )
        sheets = list_sheets(document)
        overview, *names = _name_sheets([document.contents_title, *(each.name for each in sheets)])
        self._write_overview(overview, list(zip(names, sheets, strict=True)))
        for name, sheet in zip(names, sheets, strict=True):
            self._write_sheet(name, sheet)
        self._book.close()

    def _format(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **properties})
        return self._formats[key]

    def _write_overview(self, name: str, sheets: Sequence[tuple[str, Sheet]]) -> None:
        page = self._book.add_worksheet(name)
        page.hide_gridlines(2)
        page.set_column(0, 0, _LONGEST_NAME + 3)
        page.set_column(1, 1, _WIDE_COLUMN)
        document = self._document
        page.write_string(0, 0, _cut(document.title), self._format(bold=True, font_size=18))
        page.write_string(1, 0, _cut(document.subtitle), self._format(font_size=12))
        page.write_string(2, 0, _cut(document.made), self._format(font_color="#566270"))
        for row, (title, sheet) in enumerate(sheets, start=4):
            page.write_string(row, 0, title, self._format())
            page.write_string(row, 1, _cut(sheet.caption), self._format())

    def _write_sheet(self, name: str, sheet: Sheet) -> None:
        page = self._book.add_worksheet(name)
        page.freeze_panes(1, 0)
        for number, column in enumerate(sheet.columns):
            is_number = any(cell.printed for cell in column.cells)
            # The indent leaves room for the filter's button.
            side = {"align": "right", "indent": 2} if is_number else {"align": "left"}
            header = self._format(bold=True, bottom=1, bg_color="#f5f7f9", text_wrap=True, **side)
            page.write_string(0, number, _cut(column.title), header)
            # A column of keys is folded: Excel shows it by the button `+` above the columns.
            options = {"level": 1, "hidden": True} if column.is_key else {}
            page.set_column(number, number, _measure(column), None, options)
            for row, cell in enumerate(column.cells, start=1):
                self._write_cell(page, row, number, cell, is_wide=column.is_wide)
        if any(column.is_key for column in sheet.columns):
            page.set_column(len(sheet.columns), len(sheet.columns), None, None, {"collapsed": True})
        last_row = max(len(sheet.columns[0].cells), 1) if sheet.columns else 1
        page.autofilter(0, 0, last_row, max(len(sheet.columns) - 1, 0))

    def _write_cell(self, page: Any, row: int, column: int, cell: Cell, *, is_wide: bool) -> None:
        value = cell.value
        match value:
            case None:
                page.write_blank(row, column, None, self._format())
            case str():
                self._write_text(page, row, column, cell, is_wide=is_wide)
            case int() | float() | Decimal():
                number_format = _choose_format(cell.printed)
                page.write_number(row, column, value, self._format(num_format=number_format))
            case datetime():
                # Excel has no time zones: the time is that of the zone in which the report is.
                local = value.replace(tzinfo=None)
                form = self._format(num_format="yyyy-mm-dd hh:mm", align="left")
                page.write_datetime(row, column, local, form)
            case date():
                form = self._format(num_format="yyyy-mm-dd", align="left")
                page.write_datetime(row, column, value, form)
            case time():
                form = self._format(num_format="hh:mm", align="left")
                page.write_datetime(row, column, value, form)

    def _write_text(self, page: Any, row: int, column: int, cell: Cell, *, is_wide: bool) -> None:
        text = _cut(str(cell.value))
        wrap = {"text_wrap": True} if is_wide else {}
        is_link = is_web_address(cell.url) and len(cell.url) <= _LONGEST_URL
        if not (is_link and text and self._links < _MOST_LINKS):
            page.write_string(row, column, text, self._format(**wrap))
            return
        self._links += 1
        form = self._format(font_color="#0f5f8c", underline=1, **wrap)
        page.write_url(row, column, cell.url, form, text)


def _choose_format(printed: Printed | None) -> str:
    if printed is None or printed.value is None:
        return "General"
    number_format = _FORMATS[printed.unit]
    if printed.unit is Unit.COUNT and not isinstance(printed.value, int):
        number_format = _MEAN_FORMAT
    size = abs(float(printed.value))
    if printed.unit is Unit.DOLLARS and 0 < size < _SMALL_DOLLARS:
        number_format = _SMALL_DOLLARS_FORMAT
    if printed.unit is Unit.SHARE and 0 < size < _SMALL_SHARE:
        number_format = _SMALL_SHARE_FORMAT
    # A change is shown with its sign, as in the other forms.
    is_signed = printed.text.startswith("+")
    return f"+{number_format};-{number_format};{number_format}" if is_signed else number_format


def _name_sheets(names: Sequence[str]) -> list[str]:
    """Return a name per sheet that Excel accepts, and that no other sheet has."""
    valid = []
    for name in names:
        allowed = _FORBIDDEN_IN_NAMES.sub("-", one_line(name)).strip("' ")
        allowed = allowed[:_LONGEST_NAME].strip("' ") or "-"
        valid.append(f"{allowed}-" if allowed.casefold() == _RESERVED_NAME else allowed)
    return make_unique(valid, longest=_LONGEST_NAME)


def _measure(column: SheetColumn) -> int:
    if column.is_wide:
        return _WIDE_COLUMN
    texts = (_show(cell) for cell in column.cells)
    longest = max(map(count_columns, texts), default=0)
    title = max(map(count_columns, column.title.split()), default=0) + _BUTTON
    return min(max(longest + 2, title, _NARROWEST_COLUMN), _WIDEST_COLUMN)


def _show(cell: Cell) -> str:
    if cell.printed is not None:
        return cell.printed.text
    return "0000-00-00 00:00" if isinstance(cell.value, date) else str(cell.value or "")


def _cut(text: str) -> str:
    shown = escaping.terminal(text)
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[: _LONGEST_TEXT - 1]}…"
