"""The doubts: what the validators cannot decide, they release and name."""

from typing import Any

import pytest

from roost.agents.brief import Brief
from roost.agents.brief_lint import lint_brief
from roost.agents.composer import compose_candidates
from roost.agents.doubts import describe_doubt
from roost.agents.ranking import rank_drafts
from roost.agents.validators import validate
from roost.agents.written import Doubt, DoubtCode, Provenance, WrittenDraft, list_doubts
from unit.test_brief_lint import TODAY
from unit.test_validators import FACTS, draft, make_context
from unit.test_validators_of_words import FIRST


def find_doubts(
    fact: str, said: str, language: str = "en", cited: str = "a", **fields: Any
) -> list[Doubt]:
    """Return the doubts of a sentence about a fact; no validator refuses the sentence."""
    context = make_context(language, facts=[{"id": "a", "text": fact}], **fields)
    verdicts = validate(draft(context, (said, cited)), context)
    assert [each for each in verdicts if not each.ok] == [], said
    return list(list_doubts(verdicts))


def codes(*arguments: Any, **fields: Any) -> set[str]:
    return {each.code for each in find_doubts(*arguments, **fields)}


@pytest.mark.parametrize(
    ("language", "fact", "said", "code"),
    [
        (
            "en",
            "The tour starts at the pier.",
            "A retired admiral leads the tour.",
            "words_in_no_fact",
        ),
        (
            "en",
            "The tour starts at the pier.",
            "The tour starts at the pier of London.",
            "words_in_no_fact",
        ),
        (
            "en",
            "The tour takes 80 minutes.",
            "The tour takes less than an hour.",
            "words_in_no_fact",
        ),
        ("en", "Let the loaf rest for an hour.", "A loaf needs a day of rest.", "words_in_no_fact"),
        (
            "en",
            "The tour starts at the pier.",
            "Every tour starts at the pier.",
            "words_in_no_fact",
        ),
        ("fr", "Dix vêtements par mois.", "Dix vêtements par semaine.", "words_in_no_fact"),
        (
            "en",
            "Tours run daily except Mondays, from 7 am.",
            "Mondays start with a tour at 7 am.",
            "qualifier_left_out",
        ),
        ("en", "Towels are not included.", "A towel comes with the seat.", "qualifier_left_out"),
        (
            "en",
            "Anyone who finishes the course gets a day pass.",
            "Sign up, and a day pass is yours.",
            "qualifier_left_out",
        ),
        ("en", "Shoes are up to 20 % off.", "Shoes are 20 % off.", "qualifier_left_out"),
        (
            "de",
            "Eine Rendite ist nicht garantiert.",
            "Sichere dir eine Rendite.",
            "qualifier_left_out",
        ),
        (
            "es",
            "La adopción cuesta 90 euros, vacunas incluidas.",
            "La adopción cuesta 90 euros, vacunas aparte.",
            "qualifier_left_out",
        ),
        (
            "en",
            "The retired watchmaker Doris Bell mends lamps.",
            "Doris Bell, a retired electrician, mends lamps.",
            "role_in_no_fact",
        ),
        (
            "de",
            "Die Vorständin Karin Vogt beantwortet Fragen.",
            "Schulleiterin Karin Vogt beantwortet Fragen.",
            "role_in_no_fact",
        ),
        ("es", "Hay siete tornos, uno por persona.", "Somos siete personas.", "number_moved"),
        ("fr", "On rame à quatre.", "Quatre rameurs.", "number_moved"),
        ("en", "A visit costs £60.", "A visit costs up to £60.", "number_moved"),
        (
            "de",
            "Ein Besuch kostet 60 Euro.",
            "Ein Besuch kostet höchstens 60 Euro.",
            "number_moved",
        ),
        ("ja", "出張料は6,000円です。", "出張料は6,000円以下です。", "number_moved"),
        (
            "en",
            "Our goal is 150 gifts; last time there were 118.",
            "Last time 150 of you came.",
            "number_moved",
        ),
        (
            "en",
            "We fixed 412 of the 560 items.",
            "148 items we could only mourn.",
            "number_computed",
        ),
        ("es", "El taller es de 18:30 a 20:30.", "El taller: dos horas.", "number_computed"),
        (
            "en",
            "If you have a tattoo, you cannot donate.",
            "Wait, then donate blood with a tattoo.",
            "negation_unclear",
        ),
    ],
)  # fmt: skip
def test_doubt_is_named(language: str, fact: str, said: str, code: str) -> None:
    assert code in codes(fact, said, language)


@pytest.mark.parametrize(
    ("language", "fact", "said"),
    [
        ("en", "The tour is open from 6 pm to 9 pm.", "The tour is open six till nine."),
        ("en", "The tour starts at noon.", "The tour starts at noon."),
        ("de", "Der Kurs geht von 19 bis 20 Uhr.", "Der Kurs: immer um sieben."),
        ("es", "El tren sale a las 0:30.", "El tren sale a las doce y media."),
        ("ja", "講座は14時からです。", "講座は昼の2時から。"),
        ("ja", "講座は12時からです。", "講座は正午から。"),
        ("en", "Tours run daily except Mondays.", "Tours run Tuesday to Sunday."),
        ("ja", "講座は2月1日(月)です。", "講座は2月1日(月)。"),
        ("fr", "Ouvert du mercredi au samedi.", "Ouvert quatre jours par semaine."),
        ("fr", "Ouvert toute la semaine.", "Ouvert toute la semaine. Rien de neuf."),
        (
            "en",
            "Donors are 18 to 65 and weigh at least 50 kg.",
            "Are you 18 to 65 and at least 50 kg?",
        ),
        ("en", "There are six places.", "Half a dozen places."),
        ("en", "Aylin learned to swim at the age of 27.", "Aylin was 27."),
    ],
)  # fmt: skip
def test_equal_numbers_and_dates_are_not_refused(language: str, fact: str, said: str) -> None:
    found = codes(fact, said, language)
    assert not found & {"number_moved", "number_computed", "other_fact_used", "qualifier_left_out"}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The course has 12 places."),
        ("en", "The course has no places."),
        ("en", "The best course has 8 places."),
    ],
)
def test_contradictions_are_refused__not_doubted(language: str, said: str) -> None:
    context = make_context(language)
    verdicts = validate(draft(context, (said, "course")), context)
    assert not all(each.ok for each in verdicts)


@pytest.mark.parametrize(
    ("language", "unrelated"),
    [
        ("en", "Pirates sailed across stormy oceans."),
        ("de", "Piraten segelten über stürmische Meere."),
        ("es", "Los piratas navegaron mares lejanos."),
        ("fr", "Des pirates naviguaient sur des mers lointaines."),
        ("ja", "海賊が嵐の海洋を航海し、宝箱を発見した。"),
    ],
)
def test_unrelated_sentence_is_a_doubt__with_and_without_a_citation(
    language: str, unrelated: str
) -> None:
    context = make_context(language)
    first, fact = FIRST[language]
    for cited in (fact, ""):
        verdicts = validate(draft(context, (first, fact), (unrelated, cited)), context)
        assert all(each.ok for each in verdicts)
        (doubt,) = list_doubts(verdicts)
        assert doubt.sentence == 1
        assert doubt.code == ("words_in_no_fact" if cited else "no_fact_cited")


@pytest.mark.parametrize(
    "said", ["Every guest gets a small present.", "Our prices are the lowest."]
)
def test_gift_and_superlative_without_a_fact_are_refused(said: str) -> None:
    context = make_context()
    verdicts = validate(draft(context, FIRST["en"], (said, "")), context)
    assert "claims" in {each.validator for each in verdicts if not each.ok}


def test_number_of_another_fact_names_the_fact() -> None:
    context = make_context()
    verdicts = validate(draft(context, ("A call-out costs £60.", "quote")), context)
    (doubt,) = (each for each in list_doubts(verdicts) if each.code == DoubtCode.OTHER_FACT_USED)
    assert doubt.fact_id == "price"
    assert describe_doubt(doubt) == "The sentence does not cite the fact price, which says: £60."


def test_call_to_action_in_other_words_is_no_doubt() -> None:
    fields: dict[str, Any] = {"call_to_action": "Conoce a los perros.", "topic": "perros"}
    context = make_context("es", **fields)
    first = ("El taller abre a las 10 h.", "hours")
    verdicts = validate(draft(context, first, ("Conócelos aquí:", "")), context)
    assert list_doubts(verdicts) == ()


def test_draft_without_a_doubt_comes_first__also_before_one_with_more_facts() -> None:
    context = make_context()
    provenance = Provenance("", 1, "", "", 0, 0, 0, None)
    written = []
    for sentences in (
        [("A retired admiral mends the workshop.", "hours"), ("A first look is free.", "quote")],
        [("A first look is free.", "quote")],
    ):
        candidate = draft(context, *sentences)
        verdicts = validate(candidate, context)
        written.append(
            WrittenDraft(candidate.parts, candidate.sentences, "model", verdicts, provenance)
        )
    assert [bool(each.doubts) for each in written] == [True, False]
    assert rank_drafts(written, context.brief) == written[::-1]


@pytest.mark.parametrize("code", list(DoubtCode))
def test_every_doubt_has_words(code: DoubtCode) -> None:
    text = describe_doubt(Doubt(code, 0, "except Mondays", "hours"))
    assert text.endswith(".")
    assert code not in text


@pytest.mark.parametrize("language", FACTS)
def test_composer_has_no_doubts(language: str) -> None:
    context = make_context(language, n=3)
    for candidate in compose_candidates(context):
        assert list_doubts(validate(candidate, context)) == ()


@pytest.mark.parametrize(
    ("language", "fact"),
    [
        ("de", "Der Kurs beginnt am Dienstag und ist für alle, die nicht schwimmen können."),
        ("ja", "工房は火曜から土曜の10時から18時まで営業しています。"),
    ],
)
def test_lint_names_the_language_that_a_brief_does_not_set(language: str, fact: str) -> None:
    fields = {"account": "acme", "topic": "Kurs", "facts": [{"id": "a", "text": fact}]}
    found = {
        each.code: each.message for each in lint_brief(Brief.model_validate(fields), today=TODAY)
    }
    assert f"Set `language: {language}`" in found["language_missing"]
    if "no_draft_possible" in found:
        assert f"the facts are in {language!r}" in found["no_draft_possible"]
    named = Brief.model_validate(fields | {"language": language})
    assert "language_missing" not in {each.code for each in lint_brief(named, today=TODAY)}
