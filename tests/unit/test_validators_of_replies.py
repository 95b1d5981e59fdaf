"""Faults that replies of models showed, and that a validator accepted before."""

from typing import Any

import pytest

from roost.agents.assembly import assemble
from roost.agents.replies import ParsedDraft, WrittenSentence
from unit.test_validators import FACTS, draft, judge, judge_beside, make_context, refused_by
from unit.test_validators_of_words import FIRST

LINK = "https://acme.example.com/a"


@pytest.mark.parametrize("text", ["{link}", "{tags}", "{link} {tags}", "🎉 {link}", "…"])
def test_length_refuses_draft_without_words(text: str) -> None:
    context = make_context(link=LINK, tags=["Repairs"])
    assert "length" in refused_by(context, draft(context, (text, "quote")))


def test_length_refuses_part_without_words() -> None:
    context = make_context(form="thread", link=LINK)
    parts = ("A first look is free.", "quote"), ("{link}", "price")
    written = tuple((WrittenSentence(text, (fact,)),) for text, fact in parts)
    assert "length" in refused_by(context, assemble(ParsedDraft(written), context.brief))


@pytest.mark.parametrize("mark", ["\u200c", "\u200d"])
@pytest.mark.parametrize("before", ["工", "ひ", "ー", "한", "ไ"])
def test_characters_refuse_joiners_that_a_script_does_not_use(mark: str, before: str) -> None:
    assert "characters" in judge(f"A first look is free. {before}{mark}房", "quote")


def test_characters_accept_joiners_that_a_script_needs() -> None:
    facts = [{"id": "a", "text": "می\u200cرویم"}]
    assert "characters" not in judge("می\u200cرویم", "a", "fa", facts=facts)


@pytest.mark.parametrize("text", ["evil.com10日間", "evil.com24 hours", "rabatte.de20 evil"])
def test_links_refuse_domain_before_digits(text: str) -> None:
    assert "links" in judge(f"A first look is free. {text}", "quote")


@pytest.mark.parametrize(
    ("language", "fact", "said", "is_other"),
    [
        ("en", "We have 3 branches.", "Come to our 3 branches.", False),
        ("en", "We have 3 branches.", "Come to our 3 new branches.", False),
        ("en", "We have 3 branches.", "All 3 of them are open.", False),
        ("en", "We have 3 branches.", "Come to our 3 shops.", True),
        ("en", "Episode 41 is about the sea.", "Episode 41 tells of the sea.", False),
        ("en", "We have 3 branches.", "We have 3 new shops in town.", True),
        ("en", "The course is for 8 people.", "The course is for 8 teams.", True),
        ("de", "Wir haben 3 Filialen.", "In allen 3 Filialen sind wir da.", False),
        ("de", "Wir haben 46 Bienenvölker.", "Wir haben 46 Völker.", False),
        ("de", "Wir haben 3 Filialen.", "Wir haben 3 neue Werkstätten.", True),
        ("es", "Tenemos 25 plazas.", "Quedan 25 plazas.", False),
        ("es", "Tenemos 25 plazas.", "Tenemos 25 salas.", True),
        ("es", "Tenemos 25 plazas nuevas.", "Tenemos 25 salas nuevas.", True),
        ("es", "Somos 10 personas por grupo.", "Somos 10 grupos.", True),
        ("fr", "Vous recevez 5 photos retouchées.", "Comptez 5 belles photos.", False),
        ("fr", "Vous recevez 5 photos retouchées.", "Comptez 5 albums retouchés.", True),
        ("fr", "Le week-end est pour 4 personnes.", "Le week-end est pour 4 groupes.", True),
    ],
)
def test_numbers_refuse_other_counted_noun(
    language: str, fact: str, said: str, is_other: bool
) -> None:
    assert ("numbers" in judge_beside(fact, said, language)) is is_other


@pytest.mark.parametrize(
    ("language", "fact", "said", "is_other"),
    [
        ("ja", "容量は85MBです。", "容量は85MBだけ。", False),
        ("ja", "容量は85MBです。", "容量は85GBだけ。", True),
        ("ja", "駅から2km以内です。", "駅から2 km圏内。", False),
        ("ja", "駅から2km以内です。", "駅から2m以内です。", True),
        ("de", "Die App hat 85 MB.", "Die App hat 85MB.", False),
        ("de", "Die App hat 85 MB.", "Die App hat 85 GB.", True),
        ("fr", "Le lac est à 400 m à pied.", "À 400 m, le lac.", False),
        ("en", "We raised £5 for trees.", "We raised £5m for trees.", True),
        ("en", "We raised £5m for trees.", "We raised £5 million for trees.", False),
    ],
)
def test_numbers_compare_symbols_of_units(
    language: str, fact: str, said: str, is_other: bool
) -> None:
    assert ("numbers" in judge_beside(fact, said, language)) is is_other


def test_numbers_refuse_code_that_no_fact_has() -> None:
    facts = [{"id": "a", "text": "A first look is free with FIRST24, from 18h30."}]
    assert "numbers" in judge("A first look is free with SAVE20.", "a", facts=facts)
    assert "numbers" not in judge("A first look is free with First24.", "a", facts=facts)
    assert "numbers" not in judge("Dès 18h30, c'est gratuit.", "a", "fr", facts=facts)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "First, I think about which facts fit."),
        ("en", "Here is a text that follows the brief:"),
        ("en", "This is the draft."),
        ("de", "Zuerst überlege ich, welche Fakten passen."),
        ("de", "Dieser Text folgt dem Briefing:"),
        ("de", "Das ist der Entwurf."),
        ("es", "Primero pienso qué hechos encajan."),
        ("es", "¡Claro! Este es un borrador que sigue el briefing:"),
        ("fr", "D'abord, je réfléchis aux faits à utiliser."),
        ("fr", "Je réfléchis d'abord aux faits."),
        ("fr", "Ce texte suit le brief :"),
        ("fr", "Bien sûr ! C'est un brouillon."),
        ("ja", "まず、どの事実を使うか考えます。"),
        ("ja", "承知しました。ブリーフに沿った下書きです："),
    ],
)
def test_reasoning_refuses_what_a_model_says_about_its_work__any_language(
    language: str, text: str
) -> None:
    first, fact = FIRST[language]
    assert "reasoning" in judge(f"{text} {first}", fact, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "First, the good news. The brief visit costs nothing."),
        ("en", "Draft beer? First things first."),
        ("de", "Zuerst die gute Nachricht."),
        ("es", "Hechos a mano, primero los buenos."),
        ("fr", "D'abord, la bonne nouvelle : au fait, c'est fait."),
        ("ja", "まずはお問い合わせください。"),
    ],
)
def test_reasoning_accepts_similar_words_in_a_post(language: str, text: str) -> None:
    first, fact = FIRST[language]
    assert "reasoning" not in judge(f"{text} {first}", fact, language)


@pytest.mark.parametrize("mark", ["=== data 4dc458b0d0f7 begins ===", "data 4dc458b0d0f7 ends"])
def test_reasoning_refuses_marks_of_the_prompt(mark: str) -> None:
    assert "reasoning" in judge(f"A first look is free. {mark}", "quote")


@pytest.mark.parametrize("text", ["Begin with a noun.", "begin with a noun", "Write no address!"])
def test_prompt_refuses_short_phrase_of_the_instructions(text: str) -> None:
    context = make_context(
        known={
            "instructions": [
                "3. Write no address, hashtag or mention.",
                "ALONE: begin with a noun.",
            ]
        }
    )
    assert "prompt" in refused_by(
        context, draft(context, (f"A first look is free. {text}", "quote"))
    )
    assert "prompt" not in refused_by(context, draft(context, FIRST["en"]))


def test_prompt_refuses_codes_in_a_row__as_the_instructions_name_them() -> None:
    known = {"instructions": ["FACT, CLAIM, NAME: cite a fact."]}
    context = make_context(known=known)
    leaked = draft(context, ("A first look is free. FACT, CLAIM, NAME:", "quote"))
    assert "prompt" in refused_by(context, leaked)
    shouted = draft(context, ("A first look is free. NOW, HERE:", "quote"))
    assert "prompt" not in refused_by(context, shouted)


def test_recent_posts_refuse_duplicate__with_a_call_to_action() -> None:
    post = "A first look at the house is free. Ring us, and ask for a visit this week!"
    fields = {"call_to_action": "Ring us, and ask for a visit this week!"}
    context = make_context(known={"recent_posts": [post]}, **fields)
    candidate = draft(context, ("A first look at your house is free.", "quote"))
    assert "recent_posts" in refused_by(context, candidate)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Hello!"),
        ("en", "Ok."),
        ("de", "Hallo!"),
        ("es", "¡Hola!"),
        ("fr", "Bonjour !"),
        ("ja", "新作。"),
    ],
)
def test_claims_refuse_draft_that_states_no_fact(language: str, text: str) -> None:
    assert "claims" in judge(text, FIRST[language][1], language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Das Parken ist gratis."),
        ("es", "Aparcamiento gratis."),
        ("fr", "Le parking est offert."),
        ("ja", "駐車場はタダです。"),
    ],
)
def test_negations_refuse_synonym_of_what_the_fact_denies(language: str, text: str) -> None:
    assert "negations" in judge(text, "parking", language)


@pytest.mark.parametrize(
    ("language", "fact", "said", "is_other"),
    [
        ("en", "A visit costs at most £60.", "A visit costs up to £60.", False),
        ("en", "A visit costs at most £60.", "A visit costs at least £60.", True),
        ("de", "Ab 60 Euro. Mindestens 60 Euro.", "Höchstens 60 Euro.", True),
        ("en", "We open from 7 am to 6 pm.", "We are open until 6 pm.", False),
        ("fr", "Jusqu'à 8 personnes.", "8 personnes au plus, jusqu'à 8 personnes.", False),
        ("ja", "出張料は6,000円以上です。", "出張料は6,000円以上。", False),
    ],
)
def test_numbers_refuse_limit_that_no_fact_has(
    language: str, fact: str, said: str, is_other: bool
) -> None:
    assert ("numbers" in judge_beside(fact, said, language)) is is_other


@pytest.mark.parametrize(
    ("language", "fact", "said", "is_other"),
    [
        ("en", "We open at 7 pm.", "We open at 7 in the morning.", True),
        ("en", "We open at 7 pm.", "We open at seven in the morning.", True),
        ("en", "We open at 7 pm.", "We open at 7 o'clock in the evening.", False),
        ("de", "Wir öffnen um 7 Uhr.", "Wir öffnen um 7 Uhr abends.", True),
        ("de", "Wir öffnen um 19 Uhr.", "Wir öffnen um 7 Uhr abends.", False),
        ("fr", "Nous ouvrons à 7 h.", "Nous ouvrons à 7 h du soir.", True),
        ("fr", "Nous ouvrons à 19 h.", "Nous ouvrons à 7 heures du soir.", False),
        ("es", "Abrimos a las 7 de la tarde.", "Abrimos a las 7 de la mañana.", True),
        ("es", "Abrimos a las 19:00.", "Abrimos a las 7 de la tarde.", False),
    ],
)
def test_numbers_refuse_other_half_of_the_day(
    language: str, fact: str, said: str, is_other: bool
) -> None:
    assert ("numbers" in judge_beside(fact, said, language)) is is_other


def test_feedback_accepts_words_that_a_finding_quotes() -> None:
    known: dict[str, Any] = {
        "feedback": ["LINK: https://acme.example.com/b", "EXAMPLE: a first look is free on mondays"]
    }
    context = make_context(known=known, link=LINK)
    assert refused_by(context, draft(context, FIRST["en"])) == set()
    leaked = "A first look is free. Example: a first look is free on Mondays."
    assert "feedback" in refused_by(context, draft(context, (leaked, "quote")))


def test_facts_of_every_language_are_accepted_as_they_are() -> None:
    for language, facts in FACTS.items():
        for fact_id, text in facts:
            assert judge(text, fact_id, language) == set(), text
