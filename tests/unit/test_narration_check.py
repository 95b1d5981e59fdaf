"""The checker accepts a narration only if its numbers and comparisons are all slots."""

import pytest

from harness.narrations.hostile import make_hostile
from harness.narrations.oracle import find_invented
from harness.narrations.runs import FACTS, count_narrations, read_narrations
from roost.agents.lexicons.narration import TOPIC_SLOTS
from roost.agents.lexicons.narration_de import GERMAN
from roost.agents.lexicons.narration_en import ENGLISH
from roost.agents.narration_check import can_check, check_narration

SLOTS = frozenset({"account", *FACTS[0].slots})


def find_codes(text: str, language: str = "en") -> set[str]:
    """Return the codes of the checker's findings in a narration, such as `WORD`."""
    return {finding.partition(":")[0] for finding in check_narration(text, SLOTS, language)}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "{account} gained {impressions} and {engagements}. It has {followers}."),
        ("en", "The account published {posts}, which is {posts_change}."),
        ("en", "{best_post} reached {best_impressions}, which is {best_factor}."),
        ("en", "The comparison of posts shows {effect}. A cause is not shown by this."),
        ("de", "{account} gewann {impressions} und {engagements}. Das Publikum zählt {followers}."),
        ("de", "Ein ungewöhnlicher Tag wurde gefunden: {anomaly}."),
    ],
)
def test_plain_sentences_with_slots_are_accepted(language: str, text: str) -> None:
    assert check_narration(text, SLOTS, language) == ()


@pytest.mark.parametrize(
    "plant",
    ["12", "１２", "١٢", "½", "²", "Ⅻ", "XII", "twelve", "Twelve", "half", "doubled", "a dozen",
     "dou\u200bbled", "dоubled", "dou-bled", "d o u b l e d", "douze", "doce", "dieci", "十二",
     "more", "rose", "record", "most of", "because", "thanks to them", "https://a.example",
     "@someone", "5️⃣", "zwölf"],
)  # fmt: skip
def test_numbers_comparisons_and_causes_are_refused(plant: str) -> None:
    assert find_codes(f"The account {plant} gained {{impressions}}.") & {"WORD", "CHARACTER"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The account gained {reach}.", "SLOT"),
        ("The account gained {impressions:.0f}.", "CHARACTER"),
        ("The account gained {impressions}, {impressions}.", "REPEATED"),
        ("The account published {posts}{followers}.", "TOUCHED"),
        ("The account published {posts}k.", "TOUCHED"),
        ("The account published {posts} {followers}.", "TOUCHED"),
        ("The account has {impressions} followers.", "UNIT"),
        ("The number of followers is {impressions}.", "MEANING"),
        ("On average, the account gained {impressions}.", "MEANING"),
        ("Rhythm: {followers}.", "MEANING"),
        ("{best_post} gained {impressions}.", "SUBJECT"),
        ("The account had {best_impressions}.", "SUBJECT"),
        ("A post gained {impressions}.", "SUBJECT"),
        ("{posts} were sent and gained {impressions}.", "NOTION"),
        ("The account gained over {impressions}.", "LIMIT"),
        ("The account did not gain {impressions}.", "NOT"),
        ("The account gained no impressions.", "NOT"),
        ("The account gained followers.", "MEANING"),
        ("Its posts brought {follower_balance}.", "CAUSE"),
        ("The reason is {best_post}.", "CAUSE"),
        ("The account gained {impressions} on account of the team.", "CAUSE"),
        ("In a day, the account gained {impressions}.", "TIME"),
        ("At the start, the account had {followers}.", "TIME"),
        ("The account gained {impressions}", "FORM"),
    ],
)
def test_slots_keep_their_meaning(text: str, code: str) -> None:
    assert code in find_codes(text)


def test_other_languages_are_refused() -> None:
    assert not can_check("fr")
    assert find_codes("Le compte a {followers}.", "fr") == {"LANGUAGE"}


@pytest.mark.parametrize("words", [ENGLISH, GERMAN])
def test_no_allowed_word_is_a_number_or_a_comparison(words: object) -> None:
    assert isinstance(words, type(ENGLISH))
    assert {word for word in words.allowed if find_invented(word)} == set()
    assert set(words.topics) == set(TOPIC_SLOTS)


def test_oracle_finds_hidden_numbers() -> None:
    assert find_invented("The account {posts} is fine.") == set()
    for text in ("t-w-o", "t w o", "tw\u200bo", "tԝо", "zweiundvierzig", "XIV", "５", "half"):
        assert find_invented(f"The account has {text} posts."), text


async def test_no_hostile_narration_is_released__short_form_of_the_benchmark() -> None:
    counts = await count_narrations(600, seed=3)
    assert counts.released == []
    assert counts.good == 500
    assert len(counts.good_refused) <= 25
    assert counts.good_with_numbers == []


def test_hostile_narrations_depend_on_the_seed_only() -> None:
    carriers = read_narrations("")
    assert make_hostile(carriers, 50, seed=1) == make_hostile(carriers, 50, seed=1)
    assert make_hostile(carriers, 50, seed=1) != make_hostile(carriers, 50, seed=2)
