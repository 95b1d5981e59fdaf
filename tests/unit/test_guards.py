"""X's rules for a whole post, held against written-out cases."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from roost.mediafile import MediaFile
from roost.models import MediaKind
from roost.publishing.validation import MediaDraft, PartDraft, price_post, validate_post
from roost.text import text_limit

IMAGE = MediaFile(
    path=Path("a.png"),
    kind=MediaKind.IMAGE,
    mime_type="image/png",
    size_bytes=1000,
    sha256="0" * 64,
    width=100,
    height=100,
)
GIF = replace(IMAGE, path=Path("a.gif"), kind=MediaKind.GIF, mime_type="image/gif", frames=2)


def codes(*parts: PartDraft, subscription_type: str | None = None) -> list[tuple[str, int | None]]:
    return [
        (one.code, one.part) for one in validate_post(parts, subscription_type=subscription_type)
    ]


@pytest.mark.parametrize(
    ("subscription_type", "limit"),
    [(None, 280), ("None", 280), ("", 280), ("Basic", 280), ("Gold", 280),
     ("Premium", 25_000), ("PremiumPlus", 25_000)],
)  # fmt: skip
def test_the_limit_follows_the_subscription(subscription_type: str | None, limit: int) -> None:
    assert text_limit(subscription_type) == limit
    fits, over = PartDraft("x" * limit), PartDraft("x" * (limit + 1))
    assert codes(fits, subscription_type=subscription_type) == []
    assert codes(over, subscription_type=subscription_type) == [("text_too_long", None)]


@pytest.mark.parametrize(
    ("text", "found"),
    [("x" * 300, 300), ("語" * 141, 282), ("x" * 260 + " https://example.com/a", 284)],
    ids=["latin", "cjk", "link"],
)
def test_a_text_that_is_too_long_tells_by_how_much(text: str, found: int) -> None:
    (violation,) = validate_post([PartDraft(text)], subscription_type=None)
    assert (violation.code, violation.limit, violation.found) == ("text_too_long", 280, found)
    assert f"Take out {found - 280}," in violation.next


def test_a_long_link_fits_by_its_weight() -> None:
    assert codes(PartDraft("x" * 256 + " https://example.com/" + "y" * 200)) == []


def test_a_long_post_has_to_fit_unweighted_too() -> None:
    # 1,000 links of 31 characters and a blank: 24,000 as X weighs them, 32,000 as they stand.
    text = "https://example.com/0123456789a " * 1000
    (violation,) = validate_post([PartDraft(text)], subscription_type="Premium")
    assert (violation.code, violation.found) == ("text_too_long", 32_000)


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000", "\u200b\u2060", "\u00ad"])
def test_a_part_says_or_shows_something(text: str) -> None:
    assert codes(PartDraft(text)) == [("text_blank", None)]
    assert codes(PartDraft(text, (MediaDraft(IMAGE),))) == []


def test_a_post_has_a_part() -> None:
    assert codes() == [("post_empty", None)]


@pytest.mark.parametrize(
    ("text", "names"),
    [("a\ufffeb", "U+FFFE"), ("\ufeffa", "U+FEFF"), ("a\uffff", "U+FFFF"), ("a\ud800", "U+D800"),
     ("a\ufffeb\uffff", "U+FFFE, U+FFFF")],
)  # fmt: skip
def test_characters_that_x_refuses_are_named(text: str, names: str) -> None:
    (violation,) = validate_post([PartDraft(text)], subscription_type=None)
    assert (violation.code, violation.found) == ("text_forbidden_characters", names)


@pytest.mark.parametrize(
    "control",
    [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"],
)
def test_control_characters_are_refused_in_texts_and_alt_texts(control: str) -> None:
    name = f"U+{ord(control):04X}"
    (violation,) = validate_post([PartDraft(f"a{control}b")], subscription_type=None)
    assert (violation.code, violation.found) == ("text_control_characters", name)
    media = (MediaDraft(IMAGE, f"a{control}b"),)
    (violation,) = validate_post([PartDraft("a", media)], subscription_type=None)
    assert (violation.code, violation.found) == ("alt_text_control_characters", name)


def test_tabs_and_line_ends_are_allowed() -> None:
    text = "a\tb\nc\r\nd"
    assert codes(PartDraft(text, (MediaDraft(IMAGE, text),))) == []


def test_one_cashtag_is_allowed() -> None:
    assert codes(PartDraft("We read $ACME and paid $20.")) == []
    assert codes(PartDraft("We read $ACME and $LUNE.")) == [("too_many_cashtags", None)]


def test_media_are_judged_with_their_alt_texts() -> None:
    media = (MediaDraft(IMAGE, "x" * 1001), MediaDraft(GIF))
    assert codes(PartDraft("Look", media)) == [("mixed_media", None), ("alt_text_too_long", None)]
    assert codes(PartDraft("Look", (MediaDraft(IMAGE),) * 5)) == [("too_many_images", None)]


def test_every_violation_of_a_thread_is_told_at_once_with_its_part() -> None:
    parts = [
        PartDraft("one"),
        PartDraft("$A $B " + "x" * 300, (MediaDraft(GIF), MediaDraft(GIF))),
        PartDraft(""),
        PartDraft("one "),
    ]
    assert codes(*parts) == [
        ("text_too_long", 2),
        ("too_many_cashtags", 2),
        ("too_many_gifs", 2),
        ("text_blank", 3),
        ("part_repeated", 4),
    ]


def test_the_same_words_with_other_pictures_are_no_repetition() -> None:
    assert codes(PartDraft("Look"), PartDraft("Look", (MediaDraft(IMAGE),))) == []


def test_the_price_counts_links_and_alt_texts() -> None:
    parts = [
        PartDraft("See example.com"),
        PartDraft("plain"),
        PartDraft("Look", (MediaDraft(IMAGE, "A house"), MediaDraft(IMAGE, None))),
    ]
    price = price_post(parts)
    assert price.low == Decimal("0.200") + Decimal("0.015") + Decimal("0.015") + Decimal("0.005")
    assert price.high == Decimal("0.200") + Decimal("0.015") + Decimal("0.200") + Decimal("0.005")
