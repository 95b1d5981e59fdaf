"""The oracle of `./dev bench writer` finds what is planted, and nothing in the good drafts."""

import random
from collections import Counter

import pytest

from harness.writer.cases import Case, ReplyDraft, assemble, load_cases, measure_likeness
from harness.writer.oracle import count_alike, find_violations
from harness.writer.planted import FaultKind, Planted, Sign
from harness.writer.replies import plan_replies
from harness.writer.text_faults import PLANTS
from harness.writer.x_text import (
    count_weight,
    find_hidden_characters,
    find_mentions,
    find_tags,
    find_urls,
    to_windows,
)
from roost.text import weigh

_CASES = {case.slug: case for case in load_cases()}
_SOME = [_CASES[slug] for slug in ("en_games", "de_klettern", "es_dental", "fr_velo", "ja_app")]


def _parts(slug: str, text: str) -> list[str]:
    brief = _CASES[slug].brief
    return assemble({"parts": [[{"text": text, "facts": [brief.facts[0].id]}]]}, brief)


def _violations(slug: str, text: str) -> list[str]:
    case = _CASES[slug]
    return find_violations(_parts(slug, text), case.brief, case.recent_posts)


def test_bench_data_has_ten_drafts_for_each_of_fifty_briefs() -> None:
    languages = Counter(case.language for case in _CASES.values())
    assert languages == {"en": 10, "de": 10, "es": 10, "fr": 10, "ja": 10}
    assert {len(case.drafts) for case in _CASES.values()} == {10}
    assert all(3 <= len(case.brief.facts) <= 8 for case in _CASES.values())


@pytest.mark.parametrize("case", _CASES.values(), ids=_CASES)
def test_oracle_finds_nothing_in_good_drafts(case: Case) -> None:
    for draft in case.drafts:
        parts = assemble(draft, case.brief)
        assert find_violations(parts, case.brief, case.recent_posts) == []
        assert all(count_weight(part) < case.brief.limit for part in parts)
    ids = {fact.id for fact in case.brief.facts}
    cited = {
        fact_id
        for draft in (*case.drafts, case.recent)
        for part in draft["parts"]
        for sentence in part
        for fact_id in sentence["facts"]
    }
    assert cited <= ids
    assert {fact_id for fact_id, _ in case.flipped} <= ids


@pytest.mark.parametrize("kind", [kind for kind in PLANTS if kind is not FaultKind.EMPTY_TEXT])
def test_oracle_finds_what_is_planted_and_only_there(kind: FaultKind) -> None:
    found = 0
    for case in _SOME:
        for number, draft in enumerate(case.drafts[:5]):
            result = PLANTS[kind](case, draft, random.Random(number))
            if result is None:
                continue
            faulty, fault = result
            assert fault.is_present(assemble(faulty, case.brief), case.true_text), fault
            assert not any(
                fault.is_present(assemble(each, case.brief), case.true_text) for each in case.drafts
            ), fault
            found += 1
    assert found


@pytest.mark.parametrize(
    ("text", "violation"),
    [
        ("", "empty"),
        ("{link} {tags}", "empty"),
        ("Our library has 640 games. " * 9 + "{link} {tags}", "too_long"),
        ("Our library has 640 games. {link} {tags} more.example.com", "url"),
        ("Our library has 640 games. {tags}", "link"),
        ("Our library has 640 games. {link}", "tags"),
        ("Our library has 640 games. {link} {tags} #Leeds #GameNight #Deal", "tags"),
        ("Our library has 640 games, @someone. {link} {tags}", "mention"),
        ("Our library has 640 games $AAPL. {link} {tags}", "cashtag"),
        ("Our lib\u200brary has 640 games. {link} {tags}", "hidden_character"),
        ("Our library has 640 games, n\u200berd. {link} {tags}", "banned_word"),
        ("Our library has 641 games. {link} {tags}", "number"),
        ("A table costs €5. {link} {tags}", "money"),
        ("<think>Games.</think> Our library has 640 games. {link} {tags}", "markup"),
        ("Our library has 640 games. {link} {tags} {more}", "slot"),
        ("Pick one of 640 games, sit down and stay all evening for £5. {link} {tags}", "duplicate"),
        (
            "We counted: there are exactly 640 games; there are exactly 11,208 wooden cubes in"
            " this house. {link} {tags}",
            "copied_example",
        ),
    ],
)
def test_oracle_names_the_broken_rule(text: str, violation: str) -> None:
    assert violation in _violations("en_games", text)


def test_oracle_accepts_allowed_tags_and_mentions() -> None:
    text = "640 games are here, says @leedsgames. {link} {tags} #Leeds #GameNight"
    assert _violations("en_games", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Plain words, and 10 am.",
        "今日は営業しています。",
        "👩🏽\u200d🚀 and 👨\u200d👩\u200d👧\u200d👦 and 🇯🇵 and 1️⃣",
        "See https://example.com/a?b=c&d=e, or example.co.uk.",
        "詳しくはexample.comへ",
        "“Quoted” – dashed… it’s 5 € and ½",
        "e\u0301te\u0301",
    ],
)
def test_count_weight_counts_like_roost_text(text: str) -> None:
    assert count_weight(text) == weigh(text).weighted_length


def test_x_text_finds_urls_tags_mentions_and_hidden_characters() -> None:
    assert find_urls("a.com, https://b.org/c (d.jp)。詳しくはe.shopへ 7.30 pm") == [
        "a.com",
        "https://b.org/c",
        "d.jp",
        "e.shop",
    ]
    assert find_tags("#one ＃two https://a.com/#three") == ["one", "two"]
    assert find_mentions("@one ＠two") == ["one", "two"]
    assert find_hidden_characters("👩🏽\u200d🚀 ❤️\n") == []
    assert find_hidden_characters("a\u200db\u202ec\ufeff\x07") == [
        "\ufeff",
        "\u202e",
        "\u200d",
        "\x07",
    ]


def test_windows_are_words_or_twice_as_many_letters() -> None:
    assert to_windows("One, two - three!", 2) == {"one two", "two three"}
    assert to_windows("本を読む。", 2) == {"本を読む"}


def test_likeness_ignores_links_and_tags() -> None:
    assert measure_likeness("We open at 7. https://a.com #One", "We open at 7! #Two") == 1
    assert count_alike(["We open at 7.", "Bread costs £3.", "We open at 7!"]) == 1


def test_flipped_sentence_differs_from_the_same_words_inside_a_true_one() -> None:
    planted = Planted(FaultKind.NEGATION_FLIPPED, Sign.SENTENCE, "Hace falta experiencia")
    assert planted.is_present(["Ven. Hace falta experiencia. https://a.es #Surf"], "")
    assert not planted.is_present(["No hace falta experiencia."], "")


def test_plan_replies_plants_a_fault_in_half_of_them__every_seed_differs() -> None:
    case = _CASES["fr_velo"]
    replies = plan_replies(case, 100, seed=1, timeout_s=1)
    assert len(replies) == 100
    assert sum(reply.kind is None for reply in replies) == 50
    assert len({reply.kind for reply in replies}) > 30
    again = plan_replies(case, 100, seed=1, timeout_s=1)
    other = plan_replies(case, 100, seed=2, timeout_s=1)
    assert [each.spec for each in replies] == [each.spec for each in again]
    assert [each.spec for each in replies] != [each.spec for each in other]


def test_all_kinds_of_faults_are_planted() -> None:
    replies = [reply for case in _SOME for reply in plan_replies(case, 200, 7, 1.0)]
    assert {reply.kind for reply in replies} == {None, *FaultKind}


def test_assemble_puts_link_and_tags_into_their_slots() -> None:
    draft: ReplyDraft = {
        "parts": [[{"text": "One.", "facts": []}, {"text": "Two: {link} {tags}", "facts": []}]]
    }
    assert assemble(draft, _CASES["en_games"].brief) == [
        "One. Two: https://dicehouse.example.com/tables #BoardGames"
    ]
