"""`split_thread`: every part is valid, no text is lost, and no item is split."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from roost.text import Thread, ThreadImpossible, extract_entities, split_thread, weigh

# Items that `split_thread` must not split. The tests join the items with `GAPS`, so they know
# independently of the code under test where a split is allowed.
ITEMS = st.sampled_from(
    [
        *("https://example.com/a_(b)?c=d", "example.org", "https://münchen.de/", "t.co/abc"),
        *("@someone", "@some/list-name", "#hashtag", "#日本語", "$AAPL"),
        *("10 km", "3.5 GHz", "€ 20", "1,000,000", "40 %", "5 years", "$20", "10:30 am"),
        *("👩🏽\u200d🚀", "🇯🇵", "1️⃣", "❤️", "👨\u200d👩\u200d👧\u200d👦", "👍🏿", "🏳️\u200d🌈"),
        *("e\u0323\u0302", "각", "क्षि", "नि", "กำ", "\u0645\u0651"),
    ]
)
WORDS = st.sampled_from(
    ["we", "ship", "Unfortunately", "the", "dashboard", "größer", "сегодня", "e.g."]
)
GAPS = st.sampled_from([" ", " ", " ", ". ", ", ", "! ", "\n", "\n\n", " - ", " (", ") "])
PIECES = st.lists(st.tuples(ITEMS | WORDS, GAPS), min_size=20, max_size=120)
LIMITS = st.sampled_from([60, 100, 280])


def body_spans(thread: Thread, numbering: bool = False) -> list[str]:
    """Return each part without its numbering, and check that parts and spans agree."""
    bodies = [thread.text[start:end] for start, end in thread.spans]
    for part, body in zip(thread.parts, bodies, strict=True):
        assert part.startswith(body)
        assert numbering or part == body
    return bodies


def assert_no_text_is_lost(thread: Thread) -> None:
    at = 0
    for start, end in thread.spans:
        assert start >= at
        assert thread.text[at:start].strip() == ""
        at = end
    assert thread.text[at:].strip() == ""


@settings(deadline=None)
@given(PIECES, LIMITS)
def test_split_thread_never_splits_an_item(pieces: list[tuple[str, str]], limit: int) -> None:
    text = "".join(piece + gap for piece, gap in pieces)
    thread = split_thread(text, limit)
    text = thread.text
    allowed = {0}
    at = 0
    for piece, gap in pieces:
        at += len(weigh(piece).text)
        allowed.update(range(at, at + len(gap) + 1))
        at += len(gap)
    assert at == len(text)
    assert {position for span in thread.spans for position in span} <= allowed
    assert_no_text_is_lost(thread)


@settings(deadline=None)
@given(PIECES, LIMITS, st.sampled_from([None, "1/n", "(1/n)", "【1/n】"]))
def test_split_thread_makes_valid_parts(
    pieces: list[tuple[str, str]], limit: int, numbering: str | None
) -> None:
    thread = split_thread("".join(piece + gap for piece, gap in pieces), limit, numbering)
    assert all(weigh(part, limit).valid for part in thread)
    body_spans(thread, numbering=numbering is not None)
    assert_no_text_is_lost(thread)


@settings(deadline=None)
@given(st.text(max_size=1000), st.integers(30, 100))
def test_split_thread_of_any_text_makes_valid_parts_or_raises(text: str, limit: int) -> None:
    try:
        thread = split_thread(text, limit)
    except ThreadImpossible:
        # Only an entity, a grapheme or a character that X refuses may make a split impossible.
        assume(
            max(map(len, text.split()), default=0) <= 20
            and not re.search("[\ufeff\ufffe\uffff]", text)
        )
        raise
    assert all(weigh(part, limit).valid for part in thread)
    body_spans(thread)
    assert_no_text_is_lost(thread)


@settings(deadline=None)
@given(PIECES, LIMITS)
def test_split_thread_does_not_split_a_part_again(
    pieces: list[tuple[str, str]], limit: int
) -> None:
    for part in split_thread("".join(piece + gap for piece, gap in pieces), limit):
        assert split_thread(part, limit).parts == (part,)


@settings(deadline=None)
@given(PIECES)
def test_split_thread_keeps_the_entities_of_the_text(pieces: list[tuple[str, str]]) -> None:
    thread = split_thread("".join(piece + gap for piece, gap in pieces))
    of_parts = [entity.value for part in thread for entity in extract_entities(part).all()]
    assert of_parts == [entity.value for entity in extract_entities(thread.text).all()]


def test_split_thread_keeps_a_text_that_fits() -> None:
    assert split_thread("  One post.\n\n").parts == ("  One post.\n\n",)


def test_split_thread_of_a_blank_text_has_no_parts() -> None:
    assert split_thread(" \n ").parts == ()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        pytest.param("One. Two.\n\n" + "c" * 15, "One. Two.", id="blank line before sentence"),
        pytest.param("One, two, six. Three, four", "One, two, six.", id="sentence before clause"),
        pytest.param("One two three, four five six", "One two three,", id="clause before word"),
        pytest.param("One two three four five", "One two three four", id="word"),
        pytest.param("今日は公開。明日は休みです", "今日は公開。", id="cjk sentence"),
        pytest.param("a" * 22, "a" * 11, id="letters, balanced"),
        pytest.param("Ask Dr. Who about his box", "Ask Dr. Who about", id="abbreviation"),
    ],
)
def test_split_thread_cuts_where_it_reads_best(text: str, first: str) -> None:
    assert split_thread(text, 20)[0] == first


def test_split_thread_balances_a_short_last_part() -> None:
    thread = split_thread("word " * 57)
    weights = [weigh(part).weighted_length for part in thread]
    assert len(weights) == 2
    assert min(weights) >= 56


def test_split_thread_includes_numbering_in_the_weight() -> None:
    thread = split_thread("word " * 700, numbering="(1/n)")
    count = len(thread)
    assert count >= 10
    for order, part in enumerate(thread, start=1):
        assert part.endswith(f" ({order}/{count})")
        assert weigh(part).valid


def test_split_thread_avoids_a_mention_at_the_start_of_a_part() -> None:
    thread = split_thread("We thank everybody, and @first and @second and @third for it", 40)
    assert len(thread) > 1
    assert not any(part.startswith("@") for part in thread)


def test_split_thread_cuts_before_a_mention__only_mentions() -> None:
    thread = split_thread("@name " * 60)
    assert [weigh(part).valid for part in thread] == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("#" + "a" * 300, id="hashtag"),
        pytest.param("e" + "\u0301" * 300, id="one letter"),
        pytest.param("a" * 300 + "\ufeff", id="refused character"),
    ],
)
def test_split_thread_raises_with_the_span__indivisible(text: str) -> None:
    with pytest.raises(ThreadImpossible) as refused:
        split_thread(text)
    assert refused.value.facts["end"] > refused.value.facts["start"]
    assert "aaa" not in refused.value.message


def test_split_thread_refuses_a_numbering_without_a_number() -> None:
    with pytest.raises(ThreadImpossible, match="has no 1"):
        split_thread("word " * 100, numbering="n")


def test_split_thread_cuts_between_graphemes() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    for part in split_thread(family * 200):
        assert re.fullmatch(f"(?:{family})+", part)
