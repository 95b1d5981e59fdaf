"""A report as Parquet files: one per table, and one with every figure, with typed columns."""

import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from roost.extras import require_extra
from roost.insights.reports.document import Document
from roost.insights.reports.forms.csv import name_files
from roost.insights.reports.forms.sheets import Sheet, SheetColumn, list_sheets, make_unique

#: DuckDB gets several rows per statement, as a statement takes longer than its rows.
_ROWS_PER_STATEMENT: Final = 200
_LONGEST_NAME: Final = 120
#: Dollars are decimals. A cost per post may have more digits, which are rounded.
_DECIMAL_TYPE: Final = "DECIMAL(38, 18)"


def render_parquets(document: Document) -> dict[str, bytes]:
    """Return the content of each file by its name without `.parquet`.

    Call this in a thread.

    Raises: roost.extras.ExtraMissing.
    """
    require_extra("parquet", purpose="A report as Parquet")
    import duckdb

    sheets = list_sheets(document)
    # An extension that is not installed must not be downloaded.
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    names = name_files([each.name for each in sheets])
    with (
        tempfile.TemporaryDirectory(prefix="roost-report-") as folder,
        duckdb.connect(":memory:", config=config) as connection,
    ):
        files = {}
        for name, sheet in zip(names, sheets, strict=True):
            path = Path(folder) / "table.parquet"
            _write_file(connection, sheet, path)
            files[name] = path.read_bytes()
    return files


def _write_file(connection: Any, sheet: Sheet, path: Path) -> None:
    columns = sheet.columns
    titles = make_unique([each.title or "-" for each in columns], longest=_LONGEST_NAME)
    types = [_choose_type(each) for each in columns]
    declared = ", ".join(
        f"{_quote(title)} {kind}" for title, kind in zip(titles, types, strict=True)
    )
    connection.execute(f"CREATE OR REPLACE TABLE report ({declared})")
    rows = list(zip(*(_list_values(each) for each in columns), strict=True))
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        batch = rows[start : start + _ROWS_PER_STATEMENT]
        marks = ", ".join([f"({', '.join('?' * len(columns))})"] * len(batch))
        # The statement has only question marks and quoted names.
        connection.execute(
            f"INSERT INTO report VALUES {marks}",  # noqa: S608
            [value for row in batch for value in row],
        )
    connection.execute("COPY report TO ? (FORMAT parquet)", [str(path)])


def _choose_type(column: SheetColumn) -> str:
    """Return the narrowest type that has every value of a column; text if the values differ."""
    kinds = {type(cell.value) for cell in column.cells if cell.value is not None}
    if not kinds and any(cell.printed for cell in column.cells):
        return "DOUBLE"
    if kinds == {int}:
        return "BIGINT"
    if kinds and kinds <= {int, Decimal}:
        return _DECIMAL_TYPE
    if kinds and kinds <= {int, float, Decimal}:
        return "DOUBLE"
    if kinds == {date}:
        return "DATE"
    if kinds == {datetime}:
        return "TIMESTAMP WITH TIME ZONE"
    return "VARCHAR"


def _list_values(column: SheetColumn) -> Sequence[Any]:
    if _choose_type(column) != "VARCHAR":
        return [cell.value for cell in column.cells]
    return [None if cell.value is None else str(cell.value) for cell in column.cells]


def _quote(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
