"""A report as sections, tables and charts in one language; every form renders these types.

The content of a report (`model.Report`) becomes a document, in which all words are chosen and all
numbers are formatted. A form (HTML, PDF, Markdown, XLSX) decides only how a document looks.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from roost.insights.reports.figures import Number, Quality, Unit


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as a reader sees it, with the key of its figure."""

    key: str
    """The figure's key, such as `account.17/gained.impressions@current`."""
    text: str
    """The formatted number, such as `1,234` or `6.0 %`; a dash if the value is not known."""
    value: Number | None
    """The number in full precision."""
    unit: Unit
    quality: Quality
    name: str
    """The name of the figure's definition, under which the glossary has an entry; empty if the
    figure has no definition of its own."""


@dataclass(frozen=True, slots=True)
class Link:
    """Text that opens an address, such as a post on X."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of a day or an hour. A spreadsheet stores the value, other forms the text."""

    text: str
    value: date | datetime | time


Inline = str | Printed | Link | Moment
Text = tuple[Inline, ...]
"""A run of text. Strings are plain text: a form escapes them."""


class Tone(StrEnum):
    """How a paragraph or a cell is set off from others."""

    PLAIN = "plain"
    NOTE = "note"
    """Small print: a definition, a reason, what is not known."""
    WARNING = "warning"
    """Something is missing or went wrong."""
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text."""

    text: Text
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Items:
    """A list of short texts, such as next steps."""

    items: tuple[Text, ...]
    is_numbered: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A main figure with its change."""

    title: str
    figure: Printed
    change: Text
    """The comparison with the previous period; empty if there is none."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Tiles:
    """The main figures of a section, side by side."""

    tiles: tuple[Tile, ...]


class Align(StrEnum):
    """How the cells of a column are aligned."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    align: Align = Align.START
    is_wide: bool = False
    """Whether the column takes the width that the others leave, because it has long texts."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows have one text per column."""

    name: str
    """A name that is unique in the document, for a sheet or a file: `account-17-posts`."""
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    shown_rows: int | None = None
    """How many rows a page shows; XLSX and CSV have all. None shows all rows; 0 leaves the table
    out of pages."""
    omitted: str = ""
    """The sentence that says how many rows are not shown, and which form has them."""
    is_folded: bool = False
    """Whether HTML shows the table only on request, because a chart has the same values."""
    row_names: tuple[str, ...] = ()
    """A name per row, for links to the row; empty if no form links to a row. The rows of the
    glossary have the names of their definitions, and their titles in the first column."""

    @property
    def is_on_pages(self) -> bool:
        """Whether HTML, PDF and Markdown have the table."""
        return self.shown_rows != 0


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as a Vega-Lite specification, with its text alternative."""

    name: str
    """A name that is unique in the document, for a file: `account-17-followers`."""
    title: str
    description: str
    """What the chart shows, for a reader who cannot see the chart."""
    spec: dict[str, Any]


Block = Paragraph | Items | Tiles | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document with a heading."""

    name: str
    """An identifier that is unique in the document, for links: `account-17`, `glossary`."""
    title: str
    blocks: tuple[Block, ...]
    sections: tuple["Section", ...] = ()


@dataclass(frozen=True, slots=True)
class Logo:
    """The picture at the head of a report."""

    content: bytes
    mime_type: str
    """`image/png`, `image/jpeg` or `image/svg+xml`."""


@dataclass(frozen=True, slots=True)
class Brand:
    """How a tenant's reports look."""

    title: str = ""
    """The title of the report; empty for the title of the language."""
    cover_note: str = ""
    """A text at the beginning, in paragraphs separated by an empty line."""
    accent: str = ""
    """The colour of headings and charts, such as `#0f766e`; empty for Roost's own."""
    logo: Logo | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report, ready to be rendered."""

    language: str
    """A language tag, such as `en` or `de`."""
    title: str
    subtitle: str
    """The period and the accounts, such as `1 to 30 November 2026 · @larkbooks`."""
    made: str
    """When the report was made, and by what, as a sentence."""
    contents_title: str
    """The heading of the table of contents."""
    brand: Brand
    sections: tuple[Section, ...]
    """The glossary is the last section, with the name `glossary`. Its table `glossary` has one row
    per definition, and the names of the definitions in `row_names`."""
