"""`weigh` and `extract_entities`: properties of any text, and exact values."""

import os
import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.text import LONG_LIMIT, extract_entities, weigh

PIECES = st.sampled_from(
    [
        *"aZ9é日한яא .,!?/:-_@#$()'\n\t",
        *(
            "http://",
            "https://",
            "example.com",
            "t.co/a",
            ".com",
            "www.",
            "日本.jp",
            "рф",
            "ſ",
            "İ",
        ),
        *("👩🏽\u200d🚀", "🇯🇵", "1️⃣", "❤️", "\u200d", "\ufe0f", "e\u0301", "한", "ﬁ", "\u2126"),
        *("@user", "#tag", "$AB", "\u2028", "\u200e", "\ufeff", "\U0001f600", "°C", "…", "—"),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("Hello, world! 👋", 16, id="the example in X's documentation"),
        pytest.param("日本", 4, id="cjk is two each"),
        pytest.param("ა … € •", 10, id="georgian one, signs two"),
        pytest.param("see https://example.com/a/very/long/path?with=query", 27, id="url is 23"),
        pytest.param("see example.com", 27, id="url without protocol"),
        pytest.param("👩🏽\u200d🚀", 2, id="joined emoji"),
        pytest.param(
            "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", 2, id="tag flag"
        ),
        pytest.param("🇯🇵1️⃣❤️👍🏿", 8, id="flag, keycap, selector, tone"),
        pytest.param("🧑\u200d🔧", 2, id="newer than emoji 11"),
        pytest.param("©®", 2, id="copyright as text"),
        pytest.param("©\ufe0f", 2, id="copyright as emoji"),
        pytest.param("a\r\nb", 4, id="windows line end is two"),
        pytest.param("e\u0301", 1, id="composed first"),
    ],
)
def test_weigh_counts_as_x_does(text: str, weight: int) -> None:
    assert weigh(text).weighted_length == weight


@pytest.mark.parametrize(
    ("text", "limit", "valid", "fits_until"),
    [
        pytest.param("a" * 280, 280, True, 280, id="full"),
        pytest.param("a" * 281, 280, False, 280, id="one too many"),
        pytest.param("日" * 141, 280, False, 140, id="cjk"),
        pytest.param("a" * 279 + "日", 280, False, 279, id="half a character left"),
        pytest.param("a" * 258 + " t.co/abc", 280, False, 259, id="never inside a url"),
        pytest.param("a" * 279 + "🇯🇵", 280, False, 279, id="never inside an emoji"),
        pytest.param("ab\ufeffcd", 280, False, 2, id="up to a forbidden character"),
        pytest.param("", 280, False, 0, id="nothing"),
        pytest.param("a" * 25_000, LONG_LIMIT, True, 25_000, id="long form full"),
        pytest.param("日" * 12_501, LONG_LIMIT, False, 12_500, id="long form weighted"),
        pytest.param(
            "https://example.com/" + "a" * 20 + " " + "a" * 24_960,
            LONG_LIMIT,
            False,
            25_000,
            id="long form raw",
        ),
    ],
)
def test_weigh_returns_how_much_of_a_text_fits(
    text: str, limit: int, valid: bool, fits_until: int
) -> None:
    weight = weigh(text, limit)
    assert (weight.valid, weight.fits_until) == (valid, fits_until)


@given(TEXTS)
def test_weigh_is_equal_for_every_normal_form(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert weigh(text) == weigh(composed) == weigh(decomposed)


# Both texts begin with a new line, because X treats the start of a text differently: there, an
# accented letter counts as the character before a URL, but elsewhere as the URL's first letter.
@given(TEXTS, TEXTS)
def test_weigh_is_additive_over_separated_parts(one: str, other: str) -> None:
    parts = weigh(f"\n{one}").weighted_length + weigh(f"\n{other}").weighted_length
    assert weigh(f"\n{one}\n{other}").weighted_length == parts


@given(TEXTS, TEXTS)
def test_weigh_grows_with_every_separated_part(one: str, other: str) -> None:
    assert weigh(f"{one}\n{other}").weighted_length > weigh(one).weighted_length


@given(TEXTS, st.integers(1, 40))
def test_fits_until_is_never_inside_a_url(text: str, limit: int) -> None:
    weight = weigh(text, limit)
    if weight.valid:
        assert weight.fits_until == len(weight.text)
    assert weight.fits_until <= len(weight.text)
    inside = [url for url in extract_entities(text).urls if url.start < weight.fits_until < url.end]
    assert inside == []


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=".")))
def test_weigh_of_ascii_is_its_length(text: str) -> None:
    assert weigh(text).weighted_length == len(text)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_weigh_counts_ideographs_as_two(text: str) -> None:
    assert weigh(text).weighted_length == 2 * len(text)


@given(TEXTS)
def test_extract_entities_returns_ordered_spans_that_contain_the_value(text: str) -> None:
    found = extract_entities(text)
    end = 0
    for entity in found.all():
        assert end <= entity.start < entity.end <= len(found.text)
        assert entity.value in found.text[entity.start : entity.end]
        assert not re.search(r"\s", entity.value)
        end = entity.end


@given(TEXTS)
def test_utf16_span_selects_the_same_text(text: str) -> None:
    found = extract_entities(text)
    units = found.text.encode("utf-16-le", "surrogatepass")
    for entity in found.all():
        start, end = found.utf16_span(entity)
        piece = units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
        assert piece == found.text[entity.start : entity.end]


def test_utf16_span_counts_surrogate_pairs_twice() -> None:
    found = extract_entities("😀 #tag")
    assert (found.hashtags[0].start, found.utf16_span(found.hashtags[0])) == (2, (3, 7))


def test_extract_entities_includes_the_slug_of_a_list_mention() -> None:
    (mention,) = extract_entities("by @roost/team-1!").mentions
    assert (mention.value, mention.slug, mention.start, mention.end) == ("roost", "team-1", 3, 16)


def test_extract_entities_keeps_the_leftmost__overlap() -> None:
    found = extract_entities("https://example.com/@user #tag")
    assert [url.value for url in found.urls] == ["https://example.com/@user"]
    assert found.mentions == ()


@pytest.mark.parametrize(
    "text",
    ["Node.js", "file.txt", "e.g.", "U.S.", "v1.2.3", "10.0.0.1", "me@example.com", "#tag.com"],
)
def test_extract_entities_finds_no_url(text: str) -> None:
    assert extract_entities(f"see {text} now").urls == ()


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        pytest.param("/a.", "/a", id="full stop"),
        pytest.param("/a_(b)", "/a_(b)", id="parentheses"),
        pytest.param("/a_(b", "/a_", id="parenthesis never closed"),
        pytest.param("/a(b(c)d)", "/a(b(c)d)", id="one level inside"),
        pytest.param("/a,(b)", "/a", id="parentheses after a comma"),
        pytest.param("/(b)(c).", "/(b)(c)", id="only parentheses"),
        pytest.param("/,(b)c", "/,(b)c", id="a letter after them"),
        pytest.param("/?a=b!", "/?a=b", id="query"),
        pytest.param("?!!", "", id="query of signs alone"),
        pytest.param(":80/x", ":80/x", id="port"),
    ],
)
def test_extract_entities_ends_a_url_with_its_path(path: str, kept: str) -> None:
    (url,) = extract_entities(f"https://example.com{path} next").urls
    assert url.value == f"https://example.com{kept}"


@pytest.mark.parametrize(
    ("length", "found"), [pytest.param(4088, 1, id="longest"), pytest.param(4089, 0, id="too long")]
)
def test_extract_entities_limits_a_url_to_4096_characters(length: int, found: int) -> None:
    url = "https://example.com/"
    assert len(extract_entities(url + "a" * (length - len(url))).urls) == found


def test_import_of_text_loads_no_network_or_database_library() -> None:
    # Coverage measurement loads modules of its own, so the process runs without it.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS_")}
    done = subprocess.run(
        [sys.executable, "-c", "import roost.text, sys; print(*sys.modules)"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    heavy = {"aiohttp", "psycopg", "sqlalchemy", "pydantic", "asyncio", "socket", "ssl", "httpx"}
    assert loaded & heavy == set()
