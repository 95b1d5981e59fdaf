"""Prices: the list prices of X, and the price of each kind of request."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from roost.models import PartOptions, Poll, TweetId
from roost.prices import (
    PRICE_LIST,
    Operation,
    Price,
    Resource,
    billed_resource,
    price_of,
    price_of_create,
    price_of_part,
    price_of_reads,
    price_of_response,
    sum_prices,
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
def test_unit_usd_is_the_list_price(operation: Operation, usd: str) -> None:
    assert str(unit_usd(operation)) == usd


def test_price_of_knows_every_operation() -> None:
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
def test_price_of_create_is_the_base_price__no_link(text: str) -> None:
    assert dollars(price_of_create(text)) == ("0.015", "0.015")


@pytest.mark.parametrize(
    "text",
    ["See https://example.com/a", "see example.com", "our README.md", "it is done.It was late"],
)
def test_price_of_create_bills_any_url_as_a_link(text: str) -> None:
    assert dollars(price_of_create(text)) == ("0.200", "0.200")


def test_price_of_create_names_the_link_in_its_reason() -> None:
    assert price_of_create("our README.md").reason == "links to README.md"


@pytest.mark.parametrize("kind", ["quote", "card", "deep_link", "media"])
def test_price_of_create_is_a_range__possible_link(kind: str) -> None:
    price = price_of_create("Plain words.", **{kind: True})
    assert dollars(price) == ("0.015", "0.200")
    assert not price.is_certain
    assert ("probably" in price.reason) == (kind != "media")


def test_price_of_create_is_certain__link_in_text_and_media() -> None:
    assert dollars(price_of_create("example.com", media=True, quote=True)) == ("0.200", "0.200")


def test_price_of_create_of_a_summoned_reply_is_lower() -> None:
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
def test_price_of_reads_counts_only_fresh_resources(
    operation: Operation, fresh: int, usd: str
) -> None:
    assert dollars(price_of_reads(operation, fresh)) == (usd, usd)


def test_billed_resource_is_none_for_writes() -> None:
    assert billed_resource(Operation.READ_TIMELINE) is Resource.POST
    assert billed_resource(Operation.READ_USER) is Resource.USER
    assert billed_resource(Operation.CREATE_POST) is None
    assert billed_resource(Operation.TOKEN) is None


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
def test_price_of_part_depends_on_reply_and_quote(
    text: str, options: PartOptions, low: str, high: str
) -> None:
    """Post 8 belongs to the account; the author of post 7 is unknown."""
    price = price_of_part(text, options, has_media=False, own={TweetId("8")})
    assert dollars(price) == (low, high)


def test_sum_prices_lists_equal_reasons_once() -> None:
    total = sum_prices([price_of_create("a"), price_of_create("b"), price_of_create("c.com")])
    assert total.reason == "2 × $0.015: no link; $0.200: links to c.com"


def test_sum_of_one_price_is_that_price() -> None:
    assert sum_prices([price_of_create("a")]) == price_of_create("a")


def test_parts_of_a_sum_of_sums_add_up() -> None:
    """The description of a large total shortens the reasons, but contains every amount."""
    alt_text = price_of(Operation.MEDIA_METADATA)
    threads = [
        sum_prices(
            [
                price_of_create("no link", media=number % 2 == 0),
                price_of_create(f"see shop{number}.com"),
                alt_text,
            ]
        )
        for number in range(20)
    ]
    total = sum_prices(threads)
    low = high = Decimal(0)
    for line in total.reason.split("; "):
        found = re.match(r"(?:(\d+) × )?\$([\d.]+)(?: to \$([\d.]+))?: ", line)
        assert found is not None, line
        count = int(found[1] or 1)
        low += count * Decimal(found[2])
        high += count * Decimal(found[3] or found[2])
    assert (low, high) == (total.low, total.high)
    assert len(total.reason) < 400


def test_free_requests_do_not_explain_a_price() -> None:
    upload = price_of(Operation.MEDIA_UPLOAD)
    assert sum_prices([upload, price_of_create("a"), upload]) == price_of_create("a")
    assert sum_prices([upload, upload]).low == 0


def test_sum_prices_of_nothing_is_zero() -> None:
    assert sum_prices([]) == Price(Decimal(0), Decimal(0), "")


@pytest.mark.parametrize(
    ("status", "low", "high"),
    [(201, "0.200", "0.200"), (403, "0", "0"), (429, "0", "0"), (503, "0", "0.200"),
     (None, "0", "0.200")],
)  # fmt: skip
def test_price_of_response_depends_on_the_status(status: int | None, low: str, high: str) -> None:
    assert dollars(price_of_response(price_of_create("example.com"), status)) == (low, high)


def test_price_list_names_the_source_of_every_price() -> None:
    assert {listed.source.split("/")[2] for listed in PRICE_LIST} == {"docs.x.com"}
