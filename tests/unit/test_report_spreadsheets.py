"""The XLSX, CSV and Parquet files of a report, read back by independent readers."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest
from openpyxl.workbook import Workbook
from python_calamine import CalamineWorkbook

from harness.hostile_texts import FORMULAS
from harness.sample_document import BEGIN, make_document, make_printed, with_hostile_names
from roost import escaping
from roost.insights.reports.document import Column, Document, Moment, Section, Table
from roost.insights.reports.figures import Number, Unit
from roost.insights.reports.forms.csv import ENCODING, render_csvs
from roost.insights.reports.forms.parquet import render_parquets
from roost.insights.reports.forms.texts import list_printed
from roost.insights.reports.forms.xlsx import render_xlsx

#: When the first post was published, as a spreadsheet stores a time.
WITHOUT_ZONE = BEGIN.replace(tzinfo=None)
#: What a spreadsheet skips before a formula, and what a formula begins with.
SKIPPED = ' \t\r\n"\u00a0\u200b\ufeff\u2060'
TRIGGERS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦")


def open_workbook(content: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def read_csv(content: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content), delimiter=delimiter))


def with_tables(*tables: Table) -> Document:
    document = make_document(posts=1)
    section = Section("more", "More", tables)
    return replace(document, sections=(section, *document.sections))


def make_table(name: str, *titles: str) -> Table:
    columns = tuple(map(Column, titles or ("Text",)))
    return Table(name, "", columns, (tuple(("x",) for _ in columns),))


def test_xlsx_has_each_figure_once() -> None:
    document = make_document()
    header, *rows = open_workbook(render_xlsx(document))["Figures"].iter_rows(values_only=True)
    assert header == ("Key", "Title", "Value", "Unit", "Quality", "Printed")
    numbers = list(list_printed(document, on_pages=False))
    assert [row[0] for row in rows] == list(dict.fromkeys(each.key for each in numbers))
    assert rows[0] == (
        "account.17/gained.impressions@current",
        "Impressions gained",
        48210,
        "count",
        "measured",
        "48,210",
    )


def test_xlsx_has_numbers_with_formats_and_dates() -> None:
    sheet = open_workbook(render_xlsx(make_document()))["account-17-posts"]
    at, post, impressions, rate, clicks, usual = sheet[2][:6]
    assert (at.value, at.number_format) == (WITHOUT_ZONE, "yyyy-mm-dd hh:mm")
    assert post.hyperlink is not None
    assert post.hyperlink.target == "https://x.com/i/web/status/0"
    assert (impressions.value, impressions.number_format) == (1000, "#,##0")
    assert (rate.value, rate.number_format) == (0.031, "0.0%")
    assert clicks.value is None
    assert usual.value == "usual 900"


def test_xlsx_has_times_of_day() -> None:
    hour = Moment("06:00", time(6))
    table = Table("hours", "Hours", (Column("Hour"),), (((hour,),),))
    sheet = open_workbook(render_xlsx(with_tables(table)))["hours"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert [(cell.value, cell.number_format) for cell in cells[1:2]] == [(time(6), "hh:mm")]


def test_xlsx_shows_dollars_and_signs_by_formats() -> None:
    sheet = open_workbook(render_xlsx(make_document()))["Figures"]
    formats = {row[0].value: row[2].number_format for row in sheet.iter_rows(min_row=2)}
    assert formats["account.17/spent.total@current"] == "[$$-409]#,##0.00"
    assert formats["account.17/gained.impressions.change@current"] == "+0.0%;-0.0%;0.0%"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (12, Unit.COUNT, "#,##0"),
        (12.5, Unit.COUNT, "#,##0.0"),
        (0.0024, Unit.SHARE, "0.00%"),
        (2.5, Unit.FACTOR, "0.00"),
        (Decimal("0.0042"), Unit.DOLLARS, "[$$-409]#,##0.0000"),
        (7.0, Unit.PER_WEEK, "#,##0.0"),
    ],
)
def test_xlsx_chooses_decimals_by_the_size_of_a_number(
    value: Number, unit: Unit, shown: str
) -> None:
    number = make_printed("size", value, "text", unit=unit)
    table = Table("sizes", "", (Column("Size"),), (((number,),),))
    cell = open_workbook(render_xlsx(with_tables(table)))["sizes"]["A2"]
    assert (cell.value, cell.number_format) == (float(value), shown)


def test_xlsx_has_the_keys_in_hidden_columns() -> None:
    sheet = open_workbook(render_xlsx(make_document()))["account-17-posts"]
    titles = [cell.value for cell in sheet[1]]
    assert titles[6:] == [
        "key: Impressions",
        "key: Engagement rate",
        "key: Link clicks",
        "key: Usual",
    ]
    assert sheet["G2"].value == "account.17/post.0.impressions@current"
    assert sheet.column_dimensions["G"].hidden
    assert sheet.column_dimensions["G"].outlineLevel == 1
    assert not sheet.column_dimensions["C"].hidden


def test_xlsx_has_all_rows_a_frozen_header_and_filters() -> None:
    sheet = open_workbook(render_xlsx(make_document(posts=40)))["account-17-posts"]
    assert sheet.max_row == 41
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:J41"
    assert sheet.column_dimensions["B"].width > sheet.column_dimensions["C"].width > 8


def test_xlsx_has_properties_and_an_overview() -> None:
    book = open_workbook(render_xlsx(make_document()))
    assert (book.properties.title, book.properties.subject) == (
        "Monthly report",
        "1 to 30 November 2026 · @larkbooks · 本屋ひばり",
    )
    rows = list(book["Contents"].iter_rows(values_only=True))
    assert rows[0] == ("Monthly report", None)
    assert ("account-17-posts", "All posts") in rows


def test_xlsx_is_read_by_a_second_reader() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(render_xlsx(make_document(posts=3))))
    names = ["Contents", "Figures", "account-17-days", "account-17-posts", "glossary"]
    assert book.sheet_names == names
    rows = book.get_sheet_by_name("account-17-posts").to_python()
    assert rows[1][:4] == [
        WITHOUT_ZONE,
        "We open the bakery at half past seven, with warm croissants and a new rye bread.",
        1000,
        0.031,
    ]


def test_xlsx_gives_every_sheet_a_valid_name_of_its_own() -> None:
    names = ("a" * 40, "a" * 41, "A" * 31, "[x]:*?/\\", "'quoted'", "History", "figures", "", "本")
    book = open_workbook(render_xlsx(with_tables(*map(make_table, names))))
    titles = [sheet.title for sheet in book]
    assert titles[:11] == [
        "Contents",
        "Figures",
        "a" * 31,
        "a" * 27 + " (2)",
        "A" * 27 + " (3)",
        "-x-",
        "quoted",
        "History-",
        "figures (2)",
        "-",
        "本",
    ]
    assert len({title.casefold() for title in titles}) == len(titles)


def test_xlsx_cuts_a_text_that_is_too_long_for_a_cell() -> None:
    long = make_document(posts=1, texts=("x" * 40_000,))
    cell = open_workbook(render_xlsx(long))["account-17-posts"]["B2"]
    assert (len(cell.value), cell.value[-1]) == (32_767, "…")


@pytest.mark.parametrize("payload", FORMULAS)
def test_xlsx_writes_no_formula(payload: str) -> None:
    document = with_hostile_names(make_document(posts=1, texts=(payload,)), payload)
    content = render_xlsx(document)
    book = open_workbook(content)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell for cell in cells if cell.data_type == "f"] == []
    links = {cell.hyperlink.target for cell in cells if cell.hyperlink}
    assert links == {"https://x.com/i/web/status/0"}
    shown = escaping.terminal(payload).strip()
    assert book["account-17-posts"]["B2"].value == shown
    for name, part in read_parts(content):
        assert not re.search(rb"<f[ >]|ddeLink|externalLink|oleObject", part), name


def read_parts(content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            yield name, archive.read(name)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("payload", FORMULAS)
def test_csv_has_no_formula_whatever_separates_columns(payload: str, delimiter: str) -> None:
    document = with_hostile_names(make_document(posts=1, texts=(payload,)), payload)
    for content in render_csvs(document).values():
        for row in csv.reader(io.StringIO(content), delimiter=delimiter):
            for cell in row:
                assert not cell.lstrip(SKIPPED).startswith(TRIGGERS)


def test_csv_has_raw_numbers_dates_and_keys() -> None:
    files = render_csvs(make_document())
    assert list(files) == ["figures", "account-17-days", "account-17-posts", "glossary"]
    header, first, *_ = read_csv(files["account-17-posts"])
    assert header[:3] == ["Published", "Post", "Impressions"]
    assert header[6] == "key: Impressions"
    assert first[0] == "2026-11-01T09:30:00+00:00"
    assert first[2:7] == ["1000", "0.031", "", "usual 900", "account.17/post.0.impressions@current"]


def test_csv_keeps_negative_numbers_and_marks_text_only() -> None:
    document = make_document(posts=1, texts=("@larkbooks is open",))
    rows = read_csv(render_csvs(document)["account-17-posts"])
    assert rows[1][1] == "'@larkbooks is open"
    figures = read_csv(render_csvs(document)["figures"])
    assert figures[2][2:6] == ["0.12", "share", "measured", "'+12.0 %"]


def test_csv_has_a_byte_order_mark() -> None:
    content = render_csvs(make_document())["account-17-posts"].encode(ENCODING)
    assert content.startswith(b"\xef\xbb\xbfPublished,")
    assert "新しい本が入りました" in content.decode("utf-8-sig")


def test_csv_names_files_so_that_every_system_accepts_them() -> None:
    tables = [make_table(name) for name in ("../../etc/x", "a b", "A-B", "", "CON:1")]
    assert list(render_csvs(with_tables(*tables)))[1:6] == [
        "etc-x",
        "a-b",
        "a-b (2)",
        "table",
        "con-1",
    ]


def test_parquet_has_typed_columns(tmp_path: Path) -> None:
    files = render_parquets(make_document(posts=450))
    assert list(files) == ["figures", "account-17-days", "account-17-posts", "glossary"]
    (tmp_path / "posts.parquet").write_bytes(files["account-17-posts"])
    with duckdb.connect() as connection:
        posts = connection.from_parquet(str(tmp_path / "posts.parquet"))
        types = dict(zip(posts.columns, map(str, posts.types), strict=True))
        assert types["Published"] == "TIMESTAMP WITH TIME ZONE"
        assert (types["Post"], types["Impressions"]) == ("VARCHAR", "BIGINT")
        assert (types["Engagement rate"], types["Link clicks"]) == ("DOUBLE", "DOUBLE")
        shown = posts.aggregate('count(*), sum(Impressions), count("Link clicks")').fetchall()
        assert shown == [(450, sum(1000 + 37 * number for number in range(450)), 0)]
        last = posts.project('epoch(Published), "key: Usual"').fetchall()[-1]
        assert last == (
            BEGIN.timestamp() + 449 * 3600,
            "account.17/post.449.usual@current",
        )


def test_parquet_keeps_dollars_exact_and_column_names_apart(tmp_path: Path) -> None:
    document = with_tables(make_table("twice", "Text", "text", 'a "quoted" name', ""))
    files = render_parquets(document)
    (tmp_path / "twice.parquet").write_bytes(files["twice"])
    with duckdb.connect() as connection:
        twice = connection.from_parquet(str(tmp_path / "twice.parquet"))
        assert twice.columns == ["Text", "text (2)", 'a "quoted" name', "-"]
        assert twice.fetchall() == [("x", "x", "x", "x")]


@pytest.mark.parametrize("payload", FORMULAS[:10])
def test_parquet_takes_no_text_for_sql(payload: str) -> None:
    hostile = f"{payload}'); DROP TABLE report; --\""
    files = render_parquets(with_hostile_names(make_document(posts=1), hostile))
    assert len(files) == 5
