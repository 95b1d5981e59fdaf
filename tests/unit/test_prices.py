"""Prices as X's list states them; the expected dollars are written out."""

from datetime import timedelta
from decimal import Decimal

import pytest

from roost.models import PartOptions, Poll, TweetId
from roost.prices import (
    FIGURES,
    Operation,
    Price,
    Resource,
    price_of,
    price_of_answer,
    price_of_create,
    price_of_part,
    price_of_reads,
    resource_read,
    sum_of,
    unit_usd,
)


def dollars(price: Price) -> tuple[str, str]:
    return str(price.low), str(price.high)


@pytest.mark.parametrize(
    ("operation", "usd"),
    [
        (Operation.CREATE_POST, "0.015"),
        (Operation.DELETE_POST, "0.010"),
        (Operation.READ_POSTS, "0.005"),
        (Operation.READ_TIMELINE, "0.005"),
        (Operation.READ_POST_ANALYTICS, "0.005"),
        (Operation.READ_MEDIA_ANALYTICS, "0"),
        (Operation.READ_USAGE, "0"),
        (Operation.READ_USER, "0.010"),
        (Operation.MEDIA_METADATA, "0.005"),
        (Operation.MEDIA_UPLOAD, "0"),
        (Operation.MEDIA_STATUS, "0"),
        (Operation.TOKEN, "0"),
        (Operation.REVOKE, "0"),
    ],
)
def test_unit_price_is_that_of_the_list(operation: Operation, usd: str) -> None:
    assert str(unit_usd(operation)) == usd


def test_every_operation_has_a_price() -> None:
    assert all(price_of(operation).is_certain for operation in Operation)


@pytest.mark.parametrize(
    "text",
    [
        "Plain words.",
        "",
        "Node.js and file.txt",
        "me@example.com",
        "日本語 🎉",
        "v1.2.3 at 10.0.0.1",
    ],
)
def test_text_without_a_link_costs_the_base_price(text: str) -> None:
    assert dollars(price_of_create(text)) == ("0.015", "0.015")


@pytest.mark.parametrize(
    "text",
    ["See https://example.com/a", "see example.com", "our README.md", "it is done.It was late"],
)
def test_any_url_in_the_text_bills_as_a_link(text: str) -> None:
    assert dollars(price_of_create(text)) == ("0.200", "0.200")


def test_the_reason_names_the_link() -> None:
    assert price_of_create("our README.md").reason == "links to README.md"


@pytest.mark.parametrize("kind", ["quote", "card", "deep_link", "media"])
def test_what_may_bill_as_a_link_is_a_range(kind: str) -> None:
    price = price_of_create("Plain words.", **{kind: True})
    assert dollars(price) == ("0.015", "0.200")
    assert not price.is_certain
    assert ("probably" in price.reason) == (kind != "media")


def test_a_link_in_the_text_leaves_no_doubt_about_the_rest() -> None:
    assert dollars(price_of_create("example.com", media=True, quote=True)) == ("0.200", "0.200")


def test_summoned_reply_has_its_own_price() -> None:
    assert dollars(price_of_create("Thank you!", summoned=True)) == ("0.010", "0.010")
    assert dollars(price_of_create("See example.com", summoned=True)) == ("0.010", "0.200")


@pytest.mark.parametrize(
    ("operation", "fresh", "usd"),
    [
        (Operation.READ_POSTS, 100, "0.500"),
        (Operation.READ_TIMELINE, 1, "0.005"),
        (Operation.READ_USER, 1, "0.010"),
        (Operation.READ_USER, 0, "0.000"),
    ],
)
def test_reads_cost_by_what_is_fresh(operation: Operation, fresh: int, usd: str) -> None:
    assert dollars(price_of_reads(operation, fresh)) == (usd, usd)


def test_reads_are_billed_by_resource_and_writes_by_request() -> None:
    assert resource_read(Operation.READ_TIMELINE) is Resource.POST
    assert resource_read(Operation.READ_USER) is Resource.USER
    assert resource_read(Operation.CREATE_POST) is None
    assert resource_read(Operation.TOKEN) is None


@pytest.mark.parametrize(
    ("text", "options", "low", "high"),
    [
        ("Thank you!", PartOptions(reply_to=TweetId("7")), "0.010", "0.015"),
        ("See example.com", PartOptions(reply_to=TweetId("7")), "0.010", "0.200"),
        ("And then", PartOptions(reply_to=TweetId("8")), "0.015", "0.015"),
        ("See example.com", PartOptions(reply_to=TweetId("8")), "0.200", "0.200"),
        ("Look", PartOptions(quote_of=TweetId("7")), "0.015", "0.200"),
        ("Tea?", PartOptions(poll=Poll(("Yes", "No"), timedelta(days=1))), "0.015", "0.015"),
    ],
)
def test_part_costs_by_what_it_answers_and_quotes(
    text: str, options: PartOptions, low: str, high: str
) -> None:
    """Post 8 is the account's own; whose 7 is, is not known."""
    price = price_of_part(text, options, has_media=False, own={TweetId("8")})
    assert dollars(price) == (low, high)


def test_sum_tells_equal_reasons_once() -> None:
    assert sum_of([price_of_create("a"), price_of_create("b")]).reason == "2 × (no link)"


def test_nothing_costs_nothing() -> None:
    assert sum_of([]) == Price(Decimal(0), Decimal(0), "")


@pytest.mark.parametrize(
    ("status", "low", "high"),
    [(201, "0.200", "0.200"), (403, "0", "0"), (429, "0", "0"), (503, "0", "0.200"),
     (None, "0", "0.200")],
)  # fmt: skip
def test_answer_decides_what_was_billed(status: int | None, low: str, high: str) -> None:
    assert dollars(price_of_answer(price_of_create("example.com"), status)) == (low, high)


def test_every_figure_names_the_page_it_is_from() -> None:
    assert {figure.source.split("/")[2] for figure in FIGURES} == {"docs.x.com"}
