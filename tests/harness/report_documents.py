"""A report with every kind of content, and the plain text of its document."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from harness.report_world import (
    make_integration,
    make_part,
    read_followers,
    read_posts,
)
from roost.insights.reports.compute import ReportRequest, compute_report
from roost.insights.reports.document import (
    Chart,
    Document,
    Items,
    Paragraph,
    Section,
    Table,
    Text,
    Tiles,
)
from roost.insights.reports.model import Report
from roost.insights.reports.periods import DatePeriod
from roost.insights.reports.words import plain_text
from roost.models import (
    AccountRecords,
    Anomaly,
    IntegrationId,
    MediaKind,
    Metric,
    PartId,
    PostId,
    PostOutcome,
    PostState,
    SentPart,
    Spending,
)

#: The days of the records: those of the period before last year's, and those of this year.
DAYS = [
    *(date(2025, 4, 22) + timedelta(days=n) for n in range(40)),
    *(date(2026, 3, 20) + timedelta(days=n) for n in range(72)),
]
ZONE = ZoneInfo("Europe/Berlin")
PERIOD = DatePeriod(date(2026, 5, 1), date(2026, 5, 31), ZONE)
#: The last day of the period is not over.
NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)
#: Days of the period without a measurement.
GAPS = {date(2026, 5, 10), date(2026, 5, 11)}
TEXTS = ("Bread at 7 #bread", "See example.com for 12 recipes", "茶 is ready", "Good morning", "")


@cache
def make_full_report() -> Report:
    """Return a report on two accounts and a group, in which every section has content."""
    records = [_make_account(1, "larkbooks", 2.0), _make_account(2, "hillcafe", 1.0)]
    request = ReportRequest(
        "Lark & Hill",
        PERIOD,
        NOW,
        groups={"Books": [IntegrationId(1)]},
        other_spending=[Spending(date(2026, 5, 3), "read_user", Decimal("0.5"))],
    )
    return compute_report(records, request)


def make_empty_report(accounts: int = 1) -> Report:
    """Return a report on accounts without posts and measurements."""
    request = ReportRequest("Lark & Hill", PERIOD, NOW)
    records = [AccountRecords(make_integration(number + 1)) for number in range(accounts)]
    return compute_report(records, request)


def make_report_without_posts() -> Report:
    """Return a report on an account whose followers were measured on some days of the period."""
    levels = {date(2026, 5, day): 1000 + day for day in range(20, 31)}
    records = AccountRecords(make_integration(), read_followers(levels))
    return compute_report([records], ReportRequest("Lark & Hill", PERIOD, NOW))


def walk(content: object) -> Iterator[object]:
    """Yield every dataclass and string of a document, in the order of reading."""
    if isinstance(content, tuple):
        for each in content:
            yield from walk(each)
        return
    yield content
    for name in getattr(type(content), "__dataclass_fields__", ()):
        yield from walk(getattr(content, name))


def find_tables(document: Document) -> dict[str, Table]:
    """Return the tables of a document by their names."""
    return {each.name: each for each in walk(document.sections) if isinstance(each, Table)}


def write_plain(document: Document) -> str:
    """Return a document as plain text: a paragraph, an item or a row is one line."""
    lines = [document.title, document.subtitle, document.made]
    for section in document.sections:
        lines += _write_section(section, 1)
    return "\n".join(lines)


def _write_section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {section.title}"
    for block in section.blocks:
        match block:
            case Paragraph():
                yield plain_text(block.text)
            case Items():
                yield from (f"- {plain_text(item)}" for item in block.items)
            case Tiles():
                yield from (
                    f"[{tile.title}: {tile.figure.text} ({plain_text(tile.change)})]"
                    for tile in block.tiles
                )
            case Table():
                yield block.caption
                yield _join_cells([(column.title,) for column in block.columns])
                yield from (_join_cells(row) for row in block.rows)
                yield block.omitted
            case Chart():
                yield f"({block.title}: {block.description})"
    for each in section.sections:
        yield from _write_section(each, level + 1)


def _join_cells(cells: list[Text] | tuple[Text, ...]) -> str:
    return " | ".join(plain_text(cell) for cell in cells)


def _make_account(number: int, username: str, factor: float) -> AccountRecords:
    chance = np.random.default_rng(number)
    parts: list[SentPart] = []
    finals: dict[PartId, float] = {}
    for n, day in enumerate(day for day in DAYS for _ in range(2)):
        sent_at = datetime(day.year, day.month, day.day, 7 + 9 * (n % 2), tzinfo=UTC)
        for position in (1, 2) if n % 11 == 0 else (1,):
            part_id = PartId(100_000 * number + len(parts) + 1)
            part = make_part(
                part_id,
                sent_at + timedelta(minutes=position),
                post_id=PostId(100_000 * number + n + 1),
                position=position,
                text=TEXTS[n % len(TEXTS)],
                media=(MediaKind.VIDEO,) if n % 2 == 0 else (),
                is_reply=n % 13 == 5,
                is_quote=n % 17 == 6,
            )
            parts.append(part)
            boost = 3.0 if part.media else 1.0
            finals[part_id] = 900 * factor * boost * float(np.exp(chance.normal(0, 0.4)))
    levels = {day: 1000 + 3 * n + (400 if day >= _JUMP else 0) for n, day in enumerate(DAYS)}
    measured = {day: level for day, level in levels.items() if day not in GAPS}
    return AccountRecords(
        make_integration(number, username),
        read_followers(measured, number),
        tuple(parts),
        tuple(
            replace(each, integration_id=IntegrationId(number))
            for each in read_posts(parts, finals, DAYS, missing=GAPS.__contains__)
        ),
        tuple(_spend(number)),
        _OUTCOMES,
        (Anomaly(IntegrationId(number), Metric.FOLLOWERS, _JUMP, 9.0, 403.0, 3.0, "Gained 403."),),
    )


def _spend(number: int) -> Iterator[Spending]:
    operations = ("create_post", "media_upload", "read_posts", "read_user", "search")
    for n, day in enumerate(DAYS):
        rise = 3 if day >= PERIOD.first else 1
        yield Spending(day, operations[n % len(operations)], Decimal("0.123") * number * rise)


_JUMP = date(2026, 5, 16)
_DUE = datetime(2026, 5, 5, 9, tzinfo=UTC)
_OUTCOMES = (
    *(PostOutcome(_DUE, PostState.PUBLISHED, timedelta(minutes=9)) for _ in range(8)),
    PostOutcome(_DUE, PostState.MISSED, None),
    PostOutcome(_DUE, PostState.FAILED, None),
)
