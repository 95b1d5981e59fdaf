"""The drafts composed from eleven briefs equal the drafts that a person approved.

The approved drafts of `briefs/NAME.yaml` are in `briefs/NAME.txt`, separated by a line of dashes.
If you change `compose_drafts` so that these files change, read every new draft as an editor would.
"""

from pathlib import Path

import pytest

from roost.agents.brief import Brief, read_brief
from roost.agents.composer import compose_drafts
from roost.errors import BriefInvalid
from unit.test_writer import brief

FOLDER = Path(__file__).parent / "briefs"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "brief.yaml"
PATHS = {"plumber": EXAMPLE} | {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def written_out(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text("utf-8").rstrip("\n").split("\n---\n")


def stated_facts(text: str, example: Brief) -> set[str]:
    """Return the ids of the facts that `text` contains word for word.

    The first letter and the full stop of a fact may differ or be missing.
    """
    return {fact.id for fact in example.facts if fact.text[1:].rstrip(".") in text}


def test_drafts_of_eleven_briefs_are_written_out() -> None:
    assert len(PATHS) == 11
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PATHS)


@pytest.mark.parametrize("name", PATHS)
def test_compose_drafts_returns_the_approved_drafts(name: str) -> None:
    drafts = compose_drafts(read_brief(PATHS[name]))
    assert [draft.text for draft in drafts] == written_out(name)


@pytest.mark.parametrize("name", PATHS)
def test_compose_drafts_joins_only_facts_that_follow__any_seed(name: str) -> None:
    example = read_brief(PATHS[name])
    joined = {frozenset({fact.id, fact.follows}) for fact in example.facts if fact.follows}
    alone = {frozenset({fact.id}) for fact in example.facts if not fact.follows}
    for seed in range(10):
        for draft in compose_drafts(example, seed=seed):
            assert stated_facts(draft.text, example) == set(draft.fact_ids)
            assert frozenset(draft.fact_ids) in joined | alone


def test_compose_drafts_never_joins_facts__none_follows_another() -> None:
    facts = [{"id": str(n), "text": f"Shop {n} is open."} for n in range(6)]
    for seed in range(20):
        drafts = compose_drafts(brief(facts=facts, topic="shops", n=6), seed=seed)
        assert sorted(draft.text for draft in drafts) == [f"Shop {n} is open." for n in range(6)]


def test_compose_drafts_states_following_fact_only_after_its_lead() -> None:
    facts = [
        {"id": "price", "text": "A check costs £49."},
        {"id": "time", "text": "It takes a day.", "follows": "price"},
        {"id": "hours", "text": "Open from 8 am."},
    ]
    drafts = compose_drafts(brief(facts=facts, topic="the check", n=3))
    assert [(draft.text, draft.fact_ids) for draft in drafts] == [
        ("A check costs £49. It takes a day.", ("price", "time")),
        ("The check: Open from 8 am.", ("hours",)),
        ("A check costs £49.", ("price",)),
    ]


def test_compose_drafts_states_lead_alone__following_fact_too_long() -> None:
    facts = [
        {"id": "a", "text": "x" * 100},
        {"id": "b", "text": "y" * 150, "follows": "a"},
    ]
    (draft,) = compose_drafts(brief(facts=facts, n=1))
    assert draft.fact_ids == ("a",)


@pytest.mark.parametrize(
    ("language", "topic", "text", "draft"),
    [
        ("en", "the Odd Sock Sale", "No code is needed", "The Odd Sock Sale: No code is needed."),
        ("de", "die Büchernacht", "Es gibt Suppe", "Die Büchernacht: Es gibt Suppe."),
        ("es", "el menú", "La terraza abre a las 7", "El menú: la terraza abre a las 7."),
        ("fr", "le bus", "L'entrée coûte 8 €", "Le bus\u00a0: l'entrée coûte 8 €."),
        ("fr", "le bus", "L'Oréal ouvre à 7 h", "Le bus\u00a0: L'Oréal ouvre à 7 h."),
        ("ja", "冬の味噌ラーメン", "1日50杯です", "【冬の味噌ラーメン】1日50杯です。"),
        (
            "et",
            "jõulukontsert",
            "Piletid maksavad 12 eurot",
            "Jõulukontsert: Piletid maksavad 12 eurot.",
        ),
        ("en", "brushes", "Brush twice: now and then", "Brush twice: now and then."),
        ("en", "teeth", "Brush twice: now and then", "Teeth \u2013 Brush twice: now and then."),
    ],
)
def test_compose_drafts_puts_topic_first__fact_does_not_name_it(
    language: str, topic: str, text: str, draft: str
) -> None:
    facts = [{"id": "a", "text": text}]
    (composed,) = compose_drafts(brief(facts=facts, language=language, topic=topic, n=1))
    assert composed.text == draft


@pytest.mark.parametrize(
    ("language", "topic", "text"),
    [
        ("en", "the Odd Sock Sale", "The Odd Sock Sale ends at midnight."),
        ("en", "our new Saturday sourdough class", "The sourdough class runs every Saturday."),
        ("de", "unser neuer Podcast", "Der Podcast „Rheinblick“ startet am 7. Januar."),
        ("es", "las becas de máster", "La universidad concede 85 becas de máster."),
        ("fr", "la nouvelle ligne 12", "La ligne 12 entre en service le 4 janvier."),
        ("ja", "平日限定の宿泊プラン", "平日限定プランは1泊16,500円です。"),
        ("et", "jõulukontsert", "Jõulukontsert algab kell 18."),
    ],
)
def test_compose_drafts_states_fact_alone__fact_names_topic(
    language: str, topic: str, text: str
) -> None:
    facts = [{"id": "a", "text": text}]
    (composed,) = compose_drafts(brief(facts=facts, language=language, topic=topic, n=1))
    assert composed.text == text


@pytest.mark.parametrize(
    ("language", "topic", "text", "draft"),
    [
        ("en", "our game Moss and Ash", "The game has no ads.", "{topic} has no ads."),
        ("de", "unser neuer Podcast", "Der Podcast ist gratis.", "{topic} ist gratis."),
        ("es", "el Festival del Sur", "El festival empieza hoy.", "{topic} empieza hoy."),
        ("fr", "la nouvelle ligne 12", "La ligne ne circule pas.", "{topic} ne circule pas."),
        # The topic cannot replace the noun at the beginning of the fact: the noun is only a part of
        # the topic ("game" in "our game library"), or of a longer noun ("class size").
        ("en", "our game library", "The game has no ads.", "{topic}: The game has no ads."),
        ("en", "our bread and cakes", "The bread is rye.", "{topic}: The bread is rye."),
        ("en", "the class of Ann", "The class size is 8.", "{topic}: The class size is 8."),
        ("es", "el Festival de Cine", "El cine abre a las 7.", "{topic}: el cine abre a las 7."),
    ],
)
def test_compose_drafts_names_topic_in_place_of_its_noun(
    language: str, topic: str, text: str, draft: str
) -> None:
    facts = [{"id": "a", "text": text}]
    (composed,) = compose_drafts(brief(facts=facts, language=language, topic=topic, n=1))
    assert composed.text == draft.format(topic=topic[0].upper() + topic[1:])


@pytest.mark.parametrize(
    ("language", "action", "line"),
    [
        ("en", "Book your place", "Book your place. https://example.com"),
        ("en", "Book your place:", "Book your place. https://example.com"),
        ("de", "Kommt vorbei!", "Kommt vorbei! https://example.com"),
        ("ja", "ご予約をお待ちしております", "ご予約をお待ちしております。 https://example.com"),
        ("ja", "ご予約はこちら", "ご予約はこちら https://example.com"),
        ("en", "", "https://example.com"),
    ],
)
def test_compose_drafts_ends_call_to_action_before_link(
    language: str, action: str, line: str
) -> None:
    facts = [{"id": "a", "text": "予約制です。" if language == "ja" else "24/7"}]
    fields = {"language": language, "call_to_action": action, "link": "https://example.com"}
    (composed,) = compose_drafts(brief(facts=facts, topic="24/7", **fields, n=1))
    assert composed.text.split("\n\n")[1] == line


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "It takes a day."),
        ("en", "Among them is a child's shoe."),
        ("en", "This also helps."),
        ("en", "We also sell soup."),
        ("en", "Costs £12."),
        ("de", "Wir brauchen dafür einen Tag."),
        ("de", "Sie kostet 5 Euro."),
        ("de", "Es wird nur mit Wasser gebraut."),
        ("es", "Las imparte la fisioterapeuta Carmen Ochoa."),
        ("es", "Cuesta 10 euros."),
        ("fr", "Elle relie la gare à l'hôpital."),
        ("fr", "Il coûte 39,90 euros."),
        ("ja", "これも無料です。"),
        ("ja", "サウナもあります。"),
    ],
)
def test_compose_drafts_never_states_fact_alone__it_refers_to_another(
    language: str, text: str
) -> None:
    facts = [{"id": "a", "text": text}]
    with pytest.raises(BriefInvalid, match="refers to another sentence"):
        compose_drafts(brief(facts=facts, language=language))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This winter, the shop opens at 7."),
        ("en", "There are eight places."),
        ("en", "So far we have 1,850 coats."),
        ("de", "Es gibt Suppe."),
        ("de", "Es moderieren Jana Köhler und Murat Aydin."),
        ("de", "Sie brauchen kein Abo."),
        ("de", "Dieses Jahr öffnen wir um 7 Uhr."),
        ("es", "Los martes hay arroz."),
        ("es", "La cocina cierra a las 23:30."),
        ("es", "Los próximos talleres son en mayo."),
        ("es", "Se proyectan 96 películas."),
        ("fr", "Il y a 18 places."),
        ("fr", "Cette année, la salle ouvre à 7 h."),
        ("ja", "子どもは無料です。"),
        ("ja", "この冬は7時に開店します。"),
    ],
)
def test_compose_drafts_states_fact_alone__its_words_are_complete(language: str, text: str) -> None:
    facts = [{"id": "a", "text": text}]
    assert len(compose_drafts(brief(facts=facts, language=language, n=1))) == 1


def test_compose_drafts_leaves_out_fact__topic_would_make_it_a_change() -> None:
    facts = [
        {"id": "start", "text": "From January, food waste is collected every week."},
        {"id": "kerb", "text": "Bins must be at the kerb by 6:30 am."},
        {"id": "why", "text": "A third of all waste is food."},
    ]
    topic = "changes to waste collection"
    drafts = compose_drafts(brief(facts=facts, topic=topic, n=2))
    assert [draft.fact_ids for draft in drafts] == [("start",), ("why",)]
    with pytest.raises(BriefInvalid, match="2 of 3 facts can be used and give only 2"):
        compose_drafts(brief(facts=facts, topic=topic, n=3))


def test_compose_drafts_begins_with_first_fact_and_ends_with_denials() -> None:
    facts = [
        {"id": "main", "text": "Oaks grow slowly."},
        {"id": "no", "text": "No tree needs a stake."},
        {"id": "other", "text": "The shop opens at 7 am."},
        {"id": "named", "text": "Young trees need water."},
    ]
    for seed in range(10):
        drafts = compose_drafts(brief(facts=facts, topic="young trees", n=4), seed=seed)
        assert [each.fact_ids[0] for each in drafts] == ["main", "named", "other", "no"]
