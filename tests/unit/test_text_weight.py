"""Properties of the weight that hold for any text, and values written out."""

import os
import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.text import LONG_LIMIT, entities, weigh

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
        pytest.param("Hello, world! 👋", 16, id="the example of X's documents"),
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
        pytest.param("ab\ufeffcd", 280, False, 2, id="up to what X refuses"),
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
def test_weigh_says_up_to_where_a_text_fits(
    text: str, limit: int, valid: bool, fits_until: int
) -> None:
    weight = weigh(text, limit)
    assert (weight.valid, weight.fits_until) == (valid, fits_until)


@given(TEXTS)
def test_weight_is_the_same_in_every_normal_form(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert weigh(text) == weigh(composed) == weigh(decomposed)


# Both begin with a new line: at the very start of a text X takes an accented letter as what
# stands before a URL, elsewhere as its first letter.
@given(TEXTS, TEXTS)
def test_weight_adds_up_over_separated_parts(one: str, other: str) -> None:
    parts = weigh(f"\n{one}").weighted_length + weigh(f"\n{other}").weighted_length
    assert weigh(f"\n{one}\n{other}").weighted_length == parts


@given(TEXTS, TEXTS)
def test_weight_grows_with_every_separated_part(one: str, other: str) -> None:
    assert weigh(f"{one}\n{other}").weighted_length > weigh(one).weighted_length


@given(TEXTS, st.integers(1, 40))
def test_what_fits_is_inside_the_limit_and_one_step_more_is_not(text: str, limit: int) -> None:
    weight = weigh(text, limit)
    if weight.valid:
        assert weight.fits_until == len(weight.text)
    assert weight.fits_until <= len(weight.text)
    inside = [url for url in entities(text).urls if url.start < weight.fits_until < url.end]
    assert inside == []


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=".")))
def test_plain_ascii_weighs_its_length(text: str) -> None:
    assert weigh(text).weighted_length == len(text)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_ideographs_weigh_two_each(text: str) -> None:
    assert weigh(text).weighted_length == 2 * len(text)


@given(TEXTS)
def test_entities_are_in_order_and_hold_what_their_span_holds(text: str) -> None:
    found = entities(text)
    end = 0
    for entity in found.all():
        assert end <= entity.start < entity.end <= len(found.text)
        assert entity.value in found.text[entity.start : entity.end]
        assert not re.search(r"\s", entity.value)
        end = entity.end


@given(TEXTS)
def test_utf16_spans_cut_the_same_piece(text: str) -> None:
    found = entities(text)
    units = found.text.encode("utf-16-le", "surrogatepass")
    for entity in found.all():
        start, end = found.utf16_span(entity)
        piece = units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")
        assert piece == found.text[entity.start : entity.end]


def test_utf16_offsets_count_pairs_twice() -> None:
    found = entities("😀 #tag")
    assert (found.hashtags[0].start, found.utf16_span(found.hashtags[0])) == (2, (3, 7))


def test_a_list_mention_spans_its_slug() -> None:
    (mention,) = entities("by @roost/team-1!").mentions
    assert (mention.value, mention.slug, mention.start, mention.end) == ("roost", "team-1", 3, 16)


def test_of_two_entities_that_overlap_the_left_one_counts() -> None:
    found = entities("https://example.com/@user #tag")
    assert [url.value for url in found.urls] == ["https://example.com/@user"]
    assert found.mentions == ()


@pytest.mark.parametrize(
    "text",
    ["Node.js", "file.txt", "e.g.", "U.S.", "v1.2.3", "10.0.0.1", "me@example.com", "#tag.com"],
)
def test_what_only_looks_like_a_link_is_none(text: str) -> None:
    assert entities(f"see {text} now").urls == ()


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
def test_a_url_ends_where_its_path_does(path: str, kept: str) -> None:
    (url,) = entities(f"https://example.com{path} next").urls
    assert url.value == f"https://example.com{kept}"


@pytest.mark.parametrize(
    ("length", "found"), [pytest.param(4088, 1, id="longest"), pytest.param(4089, 0, id="too long")]
)
def test_a_url_has_at_most_4096_characters_with_its_protocol_twice(length: int, found: int) -> None:
    url = "https://example.com/"
    assert len(entities(url + "a" * (length - len(url))).urls) == found


def test_the_text_rules_load_no_library_for_files_networks_or_databases() -> None:
    # Without the measuring of coverage, which loads modules of its own.
    plain = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS_")}
    done = subprocess.run(
        [sys.executable, "-c", "import roost.text, sys; print(*sys.modules)"],
        env=plain,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    heavy = {"aiohttp", "psycopg", "sqlalchemy", "pydantic", "asyncio", "socket", "ssl", "httpx"}
    assert loaded & heavy == set()
