"""A report's document is unchanged after it was written as JSON and read back."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from roost.insights.reports.document import (
    Align,
    Brand,
    Chart,
    Column,
    Document,
    Items,
    Link,
    Logo,
    Moment,
    Paragraph,
    Printed,
    Section,
    Table,
    Tile,
    Tiles,
    Tone,
)
from roost.insights.reports.document_json import pack_document, read_document, unpack_document
from roost.insights.reports.figures import Number, Quality, Unit


def printed(value: Number | None) -> Printed:
    return Printed("account.1/a@current", "1", value, Unit.COUNT, Quality.PARTIAL, "a")


DOCUMENT = Document(
    "de",
    "Bericht",
    "November",
    "Erstellt",
    "Inhalt",
    Brand("T", "Note", "#0f766e", Logo(b"\x89PNG\x00\xff", "image/png")),
    (
        Section(
            "account-1",
            "@larkbooks",
            (
                Paragraph(("Text ", printed(3), Link("x", "https://x.com")), Tone.WARNING),
                Items((("a",), (printed(0.1 + 0.2),)), is_numbered=True),
                Tiles((Tile("Cost", printed(Decimal("0.2000")), (printed(None),), Tone.GOOD),)),
                Table(
                    "t",
                    "c",
                    (Column("C", Align.END, is_wide=True),),
                    (
                        (("type", Moment("1 Nov", date(2026, 11, 1))),),
                        ((Moment("n", datetime(2026, 11, 1, 8, tzinfo=ZoneInfo("Asia/Tokyo"))),),),
                        ((Moment("u", datetime(2026, 11, 1, 8, tzinfo=UTC)),),),
                    ),
                    shown_rows=1,
                ),
                Chart("c", "t", "d", {"type": "x", "data": {"values": [{"y": 1.5, "z": None}]}}),
            ),
            (Section("glossary", "G", ()),),
        ),
    ),
)


def test_document_is_read_back_from_its_json() -> None:
    read = unpack_document(pack_document(DOCUMENT))
    assert read == DOCUMENT
    assert repr(read) == repr(DOCUMENT)


def test_document_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2"):
        read_document(b'{"format": 2, "document": {}}')
