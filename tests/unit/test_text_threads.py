"""Threads: every part valid, nothing lost, and nothing cut that must stay whole."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from roost.text import Thread, ThreadImpossible, entities, split_thread, weigh

# Each of these is one thing that no cut may go through; what joins them is known here, so where
# cuts may be is known without asking the code under test.
WHOLES = st.sampled_from(
    [
        *("https://example.com/a_(b)?c=d", "example.org", "https://münchen.de/", "t.co/abc"),
        *("@somebody", "@some/list-name", "#hashtag", "#日本語", "$AAPL"),
        *("10 km", "3.5 GHz", "€ 20", "1,000,000", "40 %", "5 years", "$20", "10:30 am"),
        *("👩🏽\u200d🚀", "🇯🇵", "1️⃣", "❤️", "👨\u200d👩\u200d👧\u200d👦", "👍🏿", "🏳️\u200d🌈"),
        *("e\u0323\u0302", "각", "क्षि", "नि", "กำ", "\u0645\u0651"),
    ]
)
WORDS = st.sampled_from(
    ["we", "ship", "Unfortunately", "the", "dashboard", "größer", "сегодня", "e.g."]
)
GAPS = st.sampled_from([" ", " ", " ", ". ", ", ", "! ", "\n", "\n\n", " - ", " (", ") "])
WHOLE_TEXTS = st.lists(st.tuples(WHOLES | WORDS, GAPS), min_size=20, max_size=120)
LIMITS = st.sampled_from([60, 100, 280])


def body_spans(thread: Thread, numbering: bool = False) -> list[str]:
    """What each part says without its numbering; checks that parts and spans agree."""
    bodies = [thread.text[start:end] for start, end in thread.spans]
    for part, body in zip(thread.parts, bodies, strict=True):
        assert part.startswith(body)
        assert numbering or part == body
    return bodies


def assert_nothing_is_lost(thread: Thread) -> None:
    at = 0
    for start, end in thread.spans:
        assert start >= at
        assert thread.text[at:start].strip() == ""
        at = end
    assert thread.text[at:].strip() == ""


@settings(deadline=None)
@given(WHOLE_TEXTS, LIMITS)
def test_split_thread_never_cuts_through_what_must_stay_whole(
    pieces: list[tuple[str, str]], limit: int
) -> None:
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
    assert_nothing_is_lost(thread)


@settings(deadline=None)
@given(WHOLE_TEXTS, LIMITS, st.sampled_from([None, "1/n", "(1/n)", "【1/n】"]))
def test_split_thread_makes_valid_parts(
    pieces: list[tuple[str, str]], limit: int, numbering: str | None
) -> None:
    thread = split_thread("".join(piece + gap for piece, gap in pieces), limit, numbering)
    assert all(weigh(part, limit).valid for part in thread)
    body_spans(thread, numbering=numbering is not None)
    assert_nothing_is_lost(thread)


@settings(deadline=None)
@given(st.text(max_size=1000), st.integers(30, 100))
def test_split_thread_of_any_text_makes_valid_parts_or_says_why_not(text: str, limit: int) -> None:
    try:
        thread = split_thread(text, limit)
    except ThreadImpossible:
        # Only an entity, a grapheme or a refused character may stand in the way.
        assume(
            max(map(len, text.split()), default=0) <= 20
            and not re.search("[\ufeff\ufffe\uffff]", text)
        )
        raise
    assert all(weigh(part, limit).valid for part in thread)
    body_spans(thread)
    assert_nothing_is_lost(thread)


@settings(deadline=None)
@given(WHOLE_TEXTS, LIMITS)
def test_splitting_a_part_again_changes_nothing(pieces: list[tuple[str, str]], limit: int) -> None:
    for part in split_thread("".join(piece + gap for piece, gap in pieces), limit):
        assert split_thread(part, limit).parts == (part,)


@settings(deadline=None)
@given(WHOLE_TEXTS)
def test_a_thread_has_the_entities_of_its_text(pieces: list[tuple[str, str]]) -> None:
    thread = split_thread("".join(piece + gap for piece, gap in pieces))
    of_parts = [entity.value for part in thread for entity in entities(part).all()]
    assert of_parts == [entity.value for entity in entities(thread.text).all()]


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert split_thread("  One post.\n\n").parts == ("  One post.\n\n",)


def test_a_blank_text_has_no_parts() -> None:
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


def test_the_last_part_is_balanced() -> None:
    thread = split_thread("word " * 57)
    weights = [weigh(part).weighted_length for part in thread]
    assert len(weights) == 2
    assert min(weights) >= 56


def test_numbering_counts_and_grows_with_the_number_of_parts() -> None:
    thread = split_thread("word " * 700, numbering="(1/n)")
    count = len(thread)
    assert count >= 10
    for order, part in enumerate(thread, start=1):
        assert part.endswith(f" ({order}/{count})")
        assert weigh(part).valid


def test_no_part_begins_with_a_mention_where_there_is_a_choice() -> None:
    thread = split_thread("We thank everybody, and @first and @second and @third for it", 40)
    assert len(thread) > 1
    assert not any(part.startswith("@") for part in thread)


def test_mentions_alone_are_still_cut() -> None:
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
def test_what_cannot_be_cut_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ThreadImpossible) as refused:
        split_thread(text)
    assert refused.value.facts["end"] > refused.value.facts["start"]
    assert "aaa" not in refused.value.message


def test_a_numbering_without_a_number_is_refused() -> None:
    with pytest.raises(ThreadImpossible, match="has no 1"):
        split_thread("word " * 100, numbering="n")


def test_letters_are_cut_between_graphemes() -> None:
    family = "👨\u200d👩\u200d👧\u200d👦"
    for part in split_thread(family * 200):
        assert re.fullmatch(f"(?:{family})+", part)
