"""Numbers in messages and on pages, and the sentence about posts that were not read yet."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from roost.formats import format_count
from roost.insights.wording import describe_unread, format_dollars, format_signed


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
