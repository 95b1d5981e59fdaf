"""Numbers in messages and on pages, and the sentence about posts that were not read yet."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from roost.formats import format_count
from roost.insights.wording import (
    describe_narratives,
    describe_unread,
    format_dollars,
    format_signed,
)
from roost.models import NarrationVerdict, NarrativeSource


def test_formats_write_numbers_in_one_way() -> None:
    assert [format_count(days, "day") for days in (0, 1, 2000)] == [
        "no days",
        "1 day",
        "2,000 days",
    ]
    assert [format_signed(number) for number in (1200, -3, 0)] == ["+1,200", "−3", "0"]
    assert format_dollars(Decimal(1234)) == "$1,234.00"
    assert format_dollars(Decimal("0.015")) == "$0.015"


@pytest.mark.parametrize(
    ("count", "at", "has_others", "sentence"),
    [
        (2, 23, False, "2 posts were published; their metrics are read on 21 May at 23:30 UTC."),
        (1, None, False, "1 post was published; its metrics have not been read yet."),
        (1, None, True, "1 more post was published; its metrics have not been read yet."),
    ],
)
def test_posts_without_metrics_are_said_to_be_read_later(
    count: int, at: int | None, has_others: bool, sentence: str
) -> None:
    next_read_at = None if at is None else datetime(2026, 5, 21, at, 30, tzinfo=UTC)
    assert describe_unread(count, next_read_at, has_others=has_others) == sentence


WRITTEN = NarrativeSource("tenant", "small", "hash", (NarrationVerdict(True, "hash"),))
REFUSED = NarrativeSource("account.1", "small", "", (NarrationVerdict(False, "hash", ("WORD",)),))
FAILED = NarrativeSource("account.2", "small", error="model_unavailable")


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        ((), ""),
        ((WRITTEN, WRITTEN), "The model small has written the narrative."),
        (
            (WRITTEN, REFUSED),
            "The model small has written 1 of 2 narratives; the other has Roost's own sentences"
            " (its text was refused).",
        ),
        (
            (REFUSED, FAILED),
            "The narrative has Roost's own sentences, not those of the model small"
            " (its text was refused, model_unavailable).",
        ),
    ],
)
def test_report_says_who_has_written_its_narrative(
    sources: tuple[NarrativeSource, ...], sentence: str
) -> None:
    assert describe_narratives(sources) == sentence
