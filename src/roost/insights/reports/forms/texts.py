"""The texts and the printed numbers of a document, in the order of reading.

All forms read documents by these functions, so that all forms have the same numbers. Texts may
quote posts and names. Every form therefore gets them with escaped control characters.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from roost import escaping
from roost.insights.reports.document import (
    Block,
    Chart,
    Document,
    Inline,
    Items,
    Link,
    Paragraph,
    Printed,
    Section,
    Table,
    Text,
    Tiles,
)
from roost.insights.reports.figures import Number

#: The name of the last section, and of its table.
GLOSSARY: Final = "glossary"


def plain_text(text: Text) -> str:
    """Return a text without links, as one line."""
    return one_line(plain_text_with_lines(text))


def plain_text_with_lines(text: Text) -> str:
    """Return a text without links, in which the line breaks of posts stay."""
    parts = (each if isinstance(each, str) else each.text for each in text)
    return escaping.terminal("".join(parts)).strip()


def one_line(text: str) -> str:
    """Return a text in which line breaks and tabs are spaces, and control characters escaped."""
    return escaping.one_line(text)


def is_web_address(url: str) -> bool:
    """Return whether a link may open an address: only HTTP, and no character that needs escapes."""
    if not url.isascii() or not url.isprintable() or any(char in url for char in " <>\"'\\`"):
        return False
    try:
        address = urlsplit(url)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname)


def format_raw(value: Number | None) -> str:
    """Return a number in full precision, as keys are followed by it; empty if it is not known."""
    return "" if value is None else str(value)


def list_shown_rows(table: Table) -> tuple[tuple[Text, ...], ...]:
    """Return the rows that a page shows."""
    return table.rows[: table.shown_rows]


def list_printed(document: Document, *, on_pages: bool) -> Iterator[Printed]:
    """Yield every printed number; `on_pages` leaves out the rows that a page does not show."""
    for section in document.sections:
        yield from _list_in_section(section, on_pages)


def list_tables(document: Document) -> Iterator[Table]:
    """Yield all tables, also those of subsections."""
    for section in document.sections:
        yield from _list_section_tables(section)


def list_definition_titles(document: Document) -> dict[str, str]:
    """Return the titles of the glossary's definitions by their names."""
    titles: dict[str, str] = {}
    for table in list_tables(document):
        if table.name == GLOSSARY:
            titles |= {
                name: plain_text(row[0])
                for name, row in zip(table.row_names, table.rows, strict=False)
            }
    return titles


def _list_section_tables(section: Section) -> Iterator[Table]:
    yield from (block for block in section.blocks if isinstance(block, Table))
    for each in section.sections:
        yield from _list_section_tables(each)


def _list_in_section(section: Section, on_pages: bool) -> Iterator[Printed]:
    for block in section.blocks:
        for text in _list_texts(block, on_pages):
            yield from (each for each in text if isinstance(each, Printed))
    for each in section.sections:
        yield from _list_in_section(each, on_pages)


def _list_texts(block: Block, on_pages: bool) -> Iterator[tuple[Inline, ...]]:
    match block:
        case Paragraph():
            yield block.text
        case Items():
            yield from block.items
        case Tiles():
            for tile in block.tiles:
                yield (tile.figure, *tile.change)
        case Table():
            for row in list_shown_rows(block) if on_pages else block.rows:
                yield from row
        case Chart():
            pass


def open_link(link: Link) -> str | None:
    """Return the address of a link; None if the address must not be opened."""
    return link.url if is_web_address(link.url) else None
