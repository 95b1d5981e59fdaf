"""Reads the keyed figures back out of each form of a report, with independent readers."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import openpyxl
import pypdf
import pypdfium2

_NUMBER: Final = re.compile(r"\d+(?:[.,:/\u202f\u00a0-]\d+)*")
#: The address of a post contains its id.
_ADDRESS: Final = re.compile(r"https?://[^\s)>\]]+")
_REFERENCE: Final = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\]\[f(\d+)\]")
_DEFINITION: Final = re.compile(r'^\[f(\d+)\]: #glossary "(.*) = (.*)"$', re.MULTILINE)
_LIST_NUMBER: Final = re.compile(r"^ *\d+\. ", re.MULTILINE)
#: A PDF reader needs some points around the box of a link to find all its letters.
_MARGIN: Final = 1.0


@dataclass(frozen=True)
class Keyed:
    """A figure as a form shows it."""

    key: str
    raw: str
    """The value in full precision; empty if it is not known."""
    printed: str | None
    """The visible text; None if the form shows the raw number only."""


@dataclass
class Parsed:
    """The figures of a form, and the numbers in its other text."""

    figures: list[Keyed] = field(default_factory=list)
    other_numbers: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Violations of the rules by which keys are written."""


def find_numbers(text: str) -> list[str]:
    """Return the numbers in a text, each with its separators."""
    return _NUMBER.findall(_ADDRESS.sub("", text))


class _Page(HTMLParser):
    """Collects `<data class="figure">` and the text outside it. Drawn charts are left out."""

    _SKIPPED: Final = frozenset({"svg", "style", "script", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parsed = Parsed()
        self.others: list[str] = []
        self._skipped: list[str] = []
        self._figure: tuple[str, str] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in self._SKIPPED:
            self._skipped.append(tag)
        elif tag == "data" and values.get("class") == "figure":
            self._figure = (values.get("data-key") or "", values.get("value") or "")
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()
        elif tag == "data" and self._figure is not None:
            self.parsed.figures.append(Keyed(*self._figure, "".join(self._text)))
            self._figure = None

    def handle_data(self, data: str) -> None:
        if self._figure is not None:
            self._text.append(data)
        elif not self._skipped:
            self.others.append(data)


def parse_html(page: str) -> Parsed:
    """Return the figures of a page."""
    reader = _Page()
    reader.feed(page)
    reader.close()
    reader.parsed.other_numbers = find_numbers(" ".join(reader.others))
    return reader.parsed


def parse_markdown(text: str) -> Parsed:
    """Return the figures of a Markdown file: reference links, and their definitions."""
    parsed = Parsed()
    definitions = {number: (key, raw) for number, key, raw in _DEFINITION.findall(text)}
    body = _DEFINITION.sub("", text)
    numbers = []
    for printed, number in _REFERENCE.findall(body):
        numbers.append(number)
        if number not in definitions:
            parsed.faults.append(f"no definition of f{number}")
            continue
        parsed.figures.append(Keyed(*definitions[number], _unescape(printed)))
    if numbers != [str(n + 1) for n in range(len(definitions))]:
        parsed.faults.append("the numbers of references are not 1, 2, 3 …")
    rest = _LIST_NUMBER.sub("", _REFERENCE.sub("", body))
    parsed.other_numbers = find_numbers(_unescape(rest))
    return parsed


def _unescape(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def parse_pdf(content: bytes) -> Parsed:
    """Return the figures of a PDF: links into the glossary, and the rows of `figures.csv`.

    The text of each row must be readable at the place of its link.
    """
    parsed = Parsed()
    reader = pypdf.PdfReader(io.BytesIO(content))
    rows = list(csv.DictReader(io.StringIO(reader.attachments["figures.csv"][0].decode("utf-8"))))
    links = [
        (number, annotation["/Rect"], str(annotation.get("/Dest", "")))
        for number, page in enumerate(reader.pages)
        for annotation in (each.get_object() for each in page.get("/Annots") or ())
        if annotation.get("/Subtype") == "/Link"
    ]
    into = [each for each in links if each[2].startswith("definition-")]
    headings = [each for each in links if each[2] == "section-glossary"]
    # The first link to the heading of the glossary is that of the table of contents.
    into = [each for each in links if each in into or each in headings[1:]]
    if len(into) != len(rows):
        parsed.faults.append(f"{len(into)} links into the glossary, {len(rows)} rows")
    document = pypdfium2.PdfDocument(content)
    texts = [page.get_textpage() for page in document]
    for (number, box, _), row in zip(into, rows, strict=False):
        left, bottom, right, top = (float(each) for each in box)
        shown = texts[number].get_text_bounded(
            left - _MARGIN, bottom - _MARGIN, right + _MARGIN, top + _MARGIN
        )
        if _squeeze(row["printed"]) not in _squeeze(shown):
            parsed.faults.append(f"{row['key']}: {row['printed']!r} is not in {shown!r}")
        parsed.figures.append(Keyed(row["key"], row["value"], row["printed"]))
    document.close()
    return parsed


def _squeeze(text: str) -> str:
    return re.sub(r"\s|\u2060|\xad", "", text).replace("\ufffe", "-")


def parse_xlsx(content: bytes) -> Parsed:
    """Return the figures of a workbook: the sheet `Figures`, and the keys beside each table."""
    parsed = Parsed()
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        if any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row):
            parsed.faults.append(f"{sheet.title} has a formula")
        if sheet.title == "Figures":
            parsed.figures += [
                Keyed(str(row[0]), _raw(row[2]), str(row[5] or "")) for row in rows[1:]
            ]
        else:
            _parse_table(parsed, rows)
    return parsed


def parse_csvs(files: Mapping[str, str]) -> Parsed:
    """Return the figures of CSV files."""
    parsed = Parsed()
    for name, content in files.items():
        rows: list[list[Any]] = [list(row) for row in csv.reader(io.StringIO(content))]
        if name == "figures":
            parsed.figures += [Keyed(row[0], row[2], row[5]) for row in rows[1:]]
        else:
            _parse_table(parsed, rows)
    return parsed


def _parse_table(parsed: Parsed, rows: list[list[Any]]) -> None:
    """Add the figures of a table, whose last columns `key: TITLE` have the keys."""
    if not rows:
        return
    head = [str(each or "") for each in rows[0]]
    key_columns = [n for n, title in enumerate(head) if title.startswith("key: ")]
    values = {n: head.index(head[n].removeprefix("key: ")) for n in key_columns}
    for row in rows[1:]:
        keyed = set()
        for n, column in values.items():
            key = str(row[n] or "")
            if key and " " not in key:
                keyed.add(column)
                if not isinstance(row[column], str) or _is_number(row[column]):
                    parsed.figures.append(Keyed(key, _raw(row[column]), None))
        for n, cell in enumerate(row):
            if n not in keyed and n not in values and isinstance(cell, str | int | float):
                parsed.other_numbers += find_numbers(str(cell))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == ""
    return True


def _raw(value: object) -> str:
    return "" if value is None else str(value)


def parse_printed(printed: str, language: str) -> tuple[float, float] | None:
    """Return a printed number and the largest distance of the value that rounds to it.

    Return None if the text has no digit, as for a value that is not known.
    """
    text = printed.replace("\u2212", "-")
    match = re.search(r"\d[\d.,\u202f\u00a0\u2019]*", text)
    if match is None:
        return None
    decimal, thousands = (",", ".") if language == "de" else (".", ",")
    digits = re.sub(r"[\u202f\u00a0\u2019]", "", match[0]).replace(thousands, "").rstrip(decimal)
    whole, _, fraction = digits.partition(decimal)
    number = float(f"{whole}.{fraction or 0}")
    half = 0.5 * 10.0 ** -len(fraction)
    if "-" in text[: match.start()]:
        number = -number
    is_percent = "%" in text or "percentage point" in text or "Prozentpunkt" in text
    scale = 0.01 if is_percent else 1.0
    return number * scale, half * scale * (1 + 1e-9)


def join_numbers(texts: Iterable[str]) -> set[str]:
    """Return the numbers of some texts."""
    return {number for text in texts for number in find_numbers(text)}
