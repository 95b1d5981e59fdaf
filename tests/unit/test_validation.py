"""Validation of whole posts by X's rules; the expected violations are written out."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from roost.mediafile import MediaFile
from roost.models import MediaKind
from roost.publishing.part_input import MediaInput, PartInput
from roost.publishing.validation import price_post, validate_post
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


def media(file: MediaFile, alt_text: str | None = None) -> MediaInput:
    return MediaInput(file.path, alt_text, file)


def codes(*parts: PartInput, subscription_type: str | None = None) -> list[tuple[str, int | None]]:
    return [
        (one.code, one.part) for one in validate_post(parts, subscription_type=subscription_type)
    ]


@pytest.mark.parametrize(
    ("subscription_type", "limit"),
    [(None, 280), ("None", 280), ("", 280), ("Basic", 280), ("Gold", 280),
     ("Premium", 25_000), ("PremiumPlus", 25_000)],
)  # fmt: skip
def test_text_limit_follows_the_subscription(subscription_type: str | None, limit: int) -> None:
    assert text_limit(subscription_type) == limit
    fits, over = PartInput("x" * limit), PartInput("x" * (limit + 1))
    assert codes(fits, subscription_type=subscription_type) == []
    assert codes(over, subscription_type=subscription_type) == [("text_too_long", None)]


@pytest.mark.parametrize(
    ("text", "found"),
    [("x" * 300, 300), ("語" * 141, 282), ("x" * 260 + " https://example.com/a", 284)],
    ids=["latin", "cjk", "link"],
)
def test_text_too_long_says_by_how_much(text: str, found: int) -> None:
    (violation,) = validate_post([PartInput(text)], subscription_type=None)
    assert (violation.code, violation.limit, violation.found) == ("text_too_long", 280, found)
    assert f"Shorten the text by {found - 280}," in violation.next


def test_text_with_a_long_link_counts_by_weight() -> None:
    assert codes(PartInput("x" * 256 + " https://example.com/" + "y" * 200)) == []


def test_long_text_must_also_fit_unweighted() -> None:
    # 1,000 links of 31 characters and a space: 24,000 weighted characters, 32,000 unweighted.
    text = "https://example.com/0123456789a " * 1000
    (violation,) = validate_post([PartInput(text)], subscription_type="Premium")
    assert (violation.code, violation.found) == ("text_too_long", 32_000)


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000", "\u200b\u2060", "\u00ad"])
def test_part_without_text_or_media_is_refused(text: str) -> None:
    assert codes(PartInput(text)) == [("text_blank", None)]
    assert codes(PartInput(text, (media(IMAGE),))) == []


def test_post_without_parts_is_refused() -> None:
    assert codes() == [("post_empty", None)]


@pytest.mark.parametrize(
    ("text", "names"),
    [("a\ufffeb", "U+FFFE"), ("\ufeffa", "U+FEFF"), ("a\uffff", "U+FFFF"), ("a\ud800", "U+D800"),
     ("a\ufffeb\uffff", "U+FFFE, U+FFFF")],
)  # fmt: skip
def test_text_names_the_characters_that_x_refuses(text: str, names: str) -> None:
    (violation,) = validate_post([PartInput(text)], subscription_type=None)
    assert (violation.code, violation.found) == ("text_forbidden_characters", names)


@pytest.mark.parametrize(
    "control",
    [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"],
)
def test_control_characters_are_refused_in_texts_and_alt_texts(control: str) -> None:
    name = f"U+{ord(control):04X}"
    (violation,) = validate_post([PartInput(f"a{control}b")], subscription_type=None)
    assert (violation.code, violation.found) == ("text_control_characters", name)
    part = PartInput("a", (media(IMAGE, f"a{control}b"),))
    (violation,) = validate_post([part], subscription_type=None)
    assert (violation.code, violation.found) == ("alt_text_control_characters", name)


def test_tabs_and_newlines_are_allowed() -> None:
    text = "a\tb\nc\r\nd"
    assert codes(PartInput(text, (media(IMAGE, text),))) == []


def test_text_may_have_one_cashtag() -> None:
    assert codes(PartInput("We read $ACME and paid $20.")) == []
    assert codes(PartInput("We read $ACME and $LUNE.")) == [("too_many_cashtags", None)]


def test_media_are_validated_with_their_alt_texts() -> None:
    files = (media(IMAGE, "x" * 1001), media(GIF))
    assert codes(PartInput("Look", files)) == [("mixed_media", None), ("alt_text_too_long", None)]
    assert codes(PartInput("Look", (media(IMAGE),) * 5)) == [("too_many_images", None)]


def test_thread_lists_every_violation_with_its_part() -> None:
    parts = [
        PartInput("one"),
        PartInput("$A $B " + "x" * 300, (media(GIF), media(GIF))),
        PartInput(""),
        PartInput("one "),
    ]
    assert codes(*parts) == [
        ("text_too_long", 2),
        ("too_many_cashtags", 2),
        ("too_many_gifs", 2),
        ("text_blank", 3),
        ("part_repeated", 4),
    ]


def test_equal_texts_with_different_media_are_no_repetition() -> None:
    assert codes(PartInput("Look"), PartInput("Look", (media(IMAGE),))) == []


def test_price_includes_links_and_alt_texts() -> None:
    parts = [
        PartInput("See example.com"),
        PartInput("plain"),
        PartInput("Look", (media(IMAGE, "A boat"), media(IMAGE, None))),
    ]
    price = price_post(parts)
    assert price.low == Decimal("0.200") + Decimal("0.015") + Decimal("0.015") + Decimal("0.005")
    assert price.high == Decimal("0.200") + Decimal("0.015") + Decimal("0.200") + Decimal("0.005")
