"""The validators: what each refuses and what it accepts, in every language that it judges."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from roost.agents.assembly import assemble
from roost.agents.brief import Brief, Fact, read_brief
from roost.agents.replies import ParsedDraft, WrittenSentence
from roost.agents.validators import VALIDATORS, validate
from roost.agents.validators.candidate import Candidate, Context

FOLDER = Path(__file__).parent
GOOD = yaml.safe_load((FOLDER / "drafts" / "good.yaml").read_text("utf-8"))
#: Facts that are not about the topics of the briefs; drafts of people may cite them all the same.
MORE_FACTS = yaml.safe_load((FOLDER / "drafts" / "facts.yaml").read_text("utf-8"))

FACTS = {
    "en": [
        ("hours", "The workshop is open from 10 am to 6 pm, Tuesday to Saturday."),
        ("price", "A call-out costs £60, VAT included."),
        ("parking", "Parking at the workshop is not free."),
        ("quote", "A first look is free."),
        ("course", "The course on 12 March lasts 90 minutes and has 8 places."),
    ],
    "de": [
        ("hours", "Die Werkstatt ist von 10 bis 18 Uhr geöffnet, Dienstag bis Samstag."),
        ("price", "Ein Einsatz kostet 60 Euro."),
        ("parking", "Das Parken an der Werkstatt ist nicht kostenlos."),
        ("course", "Der Kurs am 12. März dauert 90 Minuten."),
    ],
    "es": [
        ("hours", "El taller abre de 10 a 18 h, de martes a sábado."),
        ("price", "Una visita cuesta 60 euros."),
        ("parking", "El aparcamiento no es gratuito."),
        ("course", "El curso del 12 de marzo dura 90 minutos."),
    ],
    "fr": [
        ("hours", "L'atelier est ouvert de 10 h à 18 h, du mardi au samedi."),
        ("price", "Un déplacement coûte 60 €."),
        ("parking", "Le parking n'est pas gratuit."),
        ("course", "Le cours du 12 mars dure 90 minutes."),
    ],
    "ja": [
        ("hours", "工房は火曜から土曜の10時から18時まで営業しています。"),
        ("price", "出張料は6,000円です。"),
        ("parking", "駐車場は無料ではありません。"),
        ("course", "3月12日の講座は90分です。"),
    ],
}
TOPICS = {"en": "repairs", "de": "Reparaturen", "es": "reparaciones", "fr": "réparations"}


def make_context(
    language: str = "en", known: dict[str, Any] | None = None, **fields: Any
) -> Context:
    facts = [{"id": name, "text": text} for name, text in FACTS.get(language, FACTS["en"])]
    defaults = {"account": "acme", "topic": TOPICS.get(language, "修理"), "language": language}
    brief = Brief.model_validate(defaults | {"facts": facts} | fields)
    return Context(brief, **(known or {}))


def draft(context: Context, *sentences: tuple[str, str]) -> Candidate:
    """Return an assembled post of sentences, each with the ids of its facts as one text."""
    written = [WrittenSentence(text, tuple(ids.split())) for text, ids in sentences]
    return assemble(ParsedDraft((tuple(written),)), context.brief)


def refused_by(context: Context, candidate: Candidate) -> set[str]:
    return {verdict.validator for verdict in validate(candidate, context) if not verdict.ok}


def judge(text: str, cited: str, language: str = "en", **fields: Any) -> set[str]:
    context = make_context(language, **fields)
    return refused_by(context, draft(context, (text, cited)))


def judge_beside(fact: str, said: str, language: str = "en") -> set[str]:
    """Return the validators that refuse a sentence that cites the only fact of its brief."""
    return judge(said, "a", language, facts=[{"id": "a", "text": fact}])


# Drafts as people write them


@pytest.mark.parametrize("name", GOOD)
def test_validators_accept_drafts_as_people_write_them(name: str) -> None:
    brief = read_brief(FOLDER / "briefs" / f"{name}.yaml")
    facts = [*brief.facts, *map(Fact.model_validate, MORE_FACTS.get(name, []))]
    brief = brief.model_copy(update={"facts": tuple(facts)})
    for sentences in GOOD[name]:
        context = Context(brief)
        candidate = draft(context, *((each["text"], " ".join(each["facts"])) for each in sentences))
        findings = [verdict for verdict in validate(candidate, context) if not verdict.ok]
        assert findings == [], candidate.parts


def test_every_validator_gives_a_verdict() -> None:
    context = make_context()
    verdicts = validate(draft(context, ("A first look is free.", "quote")), context)
    assert [each.validator for each in verdicts] == [each.name for each in VALIDATORS]
    assert all(each.ok and each.judged for each in verdicts)


def test_validators_say_what_they_do_not_judge__language_without_lexicon() -> None:
    facts = [{"id": "a", "text": "Pood avatakse kell 7."}]
    context = make_context("et", facts=facts, topic="pood")
    verdicts = validate(draft(context, ("Pood avatakse kell 7.", "a")), context)
    assert {each.validator for each in verdicts if not each.judged} == {
        "dates", "negations", "claims", "cliches", "thread",
    }  # fmt: skip
    assert all(each.ok for each in verdicts)


# Length and characters


@pytest.mark.parametrize("filler", ["x" * 240, "水" * 120, "🎉" * 120, "👩‍👩‍👧‍👦" * 120, "é" * 240])
def test_length_refuses_weight_of_limit__any_script(filler: str) -> None:
    assert "length" in judge(filler, "quote")


def test_length_counts_the_link_and_the_tags() -> None:
    fields: dict[str, Any] = {"link": "https://example.com/" + "a" * 100, "tags": ["Repairs"]}
    facts = [{"id": "a", "text": "x" * 300}]
    assert "length" not in judge("x" * (239 - 2 - 23 - 1 - 8), "a", facts=facts, **fields)
    assert "length" in judge("x" * (239 - 2 - 23 - 1 - 8 + 1), "a", facts=facts, **fields)


def test_length_follows_the_limit_of_the_brief() -> None:
    facts = [{"id": "a", "text": "x" * 300}]
    assert "length" not in judge("x" * 279, "a", facts=facts, limit=280)
    assert "length" in judge("x" * 280, "a", facts=facts, limit=280)
    assert "length" in judge("  ", "a", facts=facts)


@pytest.mark.parametrize(
    "mark", ["\u200b", "\u202e", "\u2066", "\u0007", "\ufeff", "\u200e", "\xad"]
)
def test_characters_refuse_what_nobody_sees(mark: str) -> None:
    assert "characters" in judge(f"A first{mark} look is free.", "quote")


@pytest.mark.parametrize("emoji", ["👩‍🔧", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "❤️", "🇫🇷", "1️⃣"])
def test_characters_accept_emoji(emoji: str) -> None:
    assert "characters" not in judge(f"A first look is free. {emoji}", "quote")


# Links, hashtags, mentions, cashtags


@pytest.mark.parametrize(
    "text",
    [
        "A first look is free: https://evil.example.com/a",
        "A first look is free: evil.com",
        "A first look is free: evil.example",
        "A first look is free: www.evil",
        "A first look is free: evil[.]com",
        "A first look is free: evil dot com",
        "A first look is free: 192.168.0.1",
        "A first look is free: hxxp://evil",
        "A first look is free: ｅｖｉｌ．ｃｏｍ",
    ],
)
def test_links_refuse_addresses_that_are_not_in_the_brief(text: str) -> None:
    assert "links" in judge(text, "quote", link="https://acme.example.com/a")
    assert "links" in judge(text, "quote")


@pytest.mark.parametrize(
    "text", ["A first look is free, e.g. on taps.", "Free. First look.", "A look at St.Gallen."]
)
def test_links_accept_dots_that_make_no_address(text: str) -> None:
    assert "links" not in judge(text, "quote")


def test_links_follow_link_use() -> None:
    link = "https://acme.example.com/a"
    plain, slot, twice = "A first look is free.", "First look: {link}", "{link} {link}"
    assert judge(plain, "quote", link=link) == set()
    assert judge(plain, "quote", link=link, link_use="optional") == set()
    assert judge(plain, "quote", link=link, link_use="none") == set()
    assert "links" not in judge(slot, "quote", link=link, link_use="optional")
    assert "links" in judge(slot, "quote", link=link, link_use="none")
    assert "links" in judge(twice, "quote", link=link)


@pytest.mark.parametrize("tag", ["#Deal", "＃Deal", "﹟Deal", "#修理"])
def test_hashtags_refuse_tags_that_are_not_in_the_brief(tag: str) -> None:
    assert "hashtags" in judge(f"A first look is free. {tag}", "quote", tags=["Repairs"])


def test_hashtags_follow_tags_and_max_tags() -> None:
    text = "A first look is free."
    assert judge(text, "quote", tags=["Repairs", "Pipes"]) == set()
    assert judge(f"{text} #Frost", "quote", tags=["Repairs"], tags_allowed=["Frost"]) == set()
    assert "hashtags" in judge(
        f"{text} #Frost", "quote", tags=["Repairs"], tags_allowed=["Frost"], max_tags=1
    )
    assert "hashtags" in judge(f"{text} #Repairs #Repairs", "quote", tags=["Repairs"])


@pytest.mark.parametrize("mention", ["@someone", "＠someone", "@ someone", "﹫someone"])
def test_mentions_refuse_accounts_that_are_not_in_the_brief(mention: str) -> None:
    assert "mentions" in judge(f"A first look is free, {mention}", "quote")


def test_mentions_accept_allowed_accounts__not_at_the_start() -> None:
    fields: dict[str, Any] = {"mentions_allowed": ["@partner"]}
    assert "mentions" not in judge("A first look by @partner is free.", "quote", **fields)
    assert "mentions" in judge("@partner A first look is free.", "quote", **fields)


@pytest.mark.parametrize("text", ["$TSLA", "$TSLA $AAPL", "＄TSLA"])
def test_cashtags_refuse_tags_that_no_fact_has(text: str) -> None:
    assert "cashtags" in judge(f"A first look is free. {text}", "quote")


def test_cashtags_accept_one_tag_of_a_fact() -> None:
    facts = [{"id": "a", "text": "We trade as $ACME and $ACMB."}]
    assert "cashtags" not in judge("We trade as $ACME .", "a", facts=facts)
    assert "cashtags" in judge("We trade as $ACME and $ACMB .", "a", facts=facts)


# Numbers and dates


@pytest.mark.parametrize(
    ("language", "text", "fact"),
    [
        ("en", "Doors open at 10, and we close at 6 pm.", "hours"),
        ("en", "Come by between 10:00 and 18:00.", "hours"),
        ("en", "Sixty pounds for a call-out, VAT included.", "price"),
        ("en", "Ninety minutes, that is how long the course lasts.", "course"),
        ("en", "Eight places: the course is on March 12.", "course"),
        ("de", "Zwischen 10:00 und 18:00 Uhr ist die Werkstatt offen.", "hours"),
        ("de", "60 € kostet ein Einsatz.", "price"),
        ("es", "El taller abre a las 10.", "hours"),
        ("es", "Una visita son 60 €.", "price"),
        ("fr", "L'atelier vous attend dès 10 heures.", "hours"),
        ("fr", "Le déplacement ? 60 euros.", "price"),
        ("ja", "営業は10:00〜18:00です。", "hours"),
        ("ja", "出張料は6000円。", "price"),
    ],
)
def test_numbers_accept_other_spellings(language: str, text: str, fact: str) -> None:
    assert "numbers" not in judge(text, fact, language)


@pytest.mark.parametrize(
    ("language", "text", "fact"),
    [
        ("en", "A call-out costs £10.", "hours price"),
        ("en", "A call-out costs $60.", "price"),
        ("en", "A call-out costs 60.", "price"),
        ("en", "A call-out costs £60 an hour.", "price"),
        ("en", "A call-out costs £60 million.", "price"),
        ("en", "A call-out costs -£60.", "price"),
        ("en", "A call-out costs £６１.", "price"),
        ("en", "The workshop is open from 10 pm.", "hours"),
        ("en", "The workshop is open from 10:30 am.", "hours"),
        ("en", "The workshop has 10 kg.", "hours"),
        ("en", "The course lasts 90 hours.", "course"),
        ("en", "The course lasts ninety-five minutes, or twenty.", "course"),
        ("en", "The course has 12 places.", "course"),
        ("de", "Ein Einsatz kostet 60 Dollar.", "price"),
        ("de", "Der Kurs dauert 90 Stunden.", "course"),
        ("de", "Ein Einsatz kostet sechzehn Euro.", "price"),
        ("es", "Una visita cuesta 60 dólares.", "price"),
        ("es", "El curso dura 90 horas.", "course"),
        ("fr", "Un déplacement coûte 60 $.", "price"),
        ("fr", "Le cours dure 90 jours.", "course"),
        ("ja", "出張料は6,000ドルです。", "price"),
        ("ja", "講座は90時間です。", "course"),
        ("en", "Our team has 40 years of experience.", ""),
        ("ja", "10円から18円まで営業しています。", "hours"),
    ],
)
def test_numbers_refuse_other_value_or_unit(language: str, text: str, fact: str) -> None:
    assert "numbers" in judge(text, fact, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Join the course on 12 April."),
        ("de", "Der Kurs ist am 12. April."),
        ("es", "El curso es el 12 de abril."),
        ("fr", "Le cours est le 12 avril."),
    ],
)
def test_dates_refuse_other_month(language: str, text: str) -> None:
    assert "dates" in judge(text, "course", language)


@pytest.mark.parametrize(
    ("language", "text", "is_other"),
    [
        ("en", "The workshop is open on Tuesdays.", False),
        ("en", "The workshop is open on Mondays.", True),
        ("en", "You may visit the workshop.", False),
        ("en", "The workshop opens in May.", True),
        ("de", "Die Werkstatt ist am Samstag geöffnet.", False),
        ("de", "Die Werkstatt ist am Sonntag geöffnet.", True),
        ("es", "El taller abre los martes.", False),
        ("es", "El taller abre los lunes.", True),
        ("fr", "L'atelier est ouvert le mardi.", False),
        ("fr", "L'atelier est ouvert le lundi.", True),
        ("ja", "土曜も営業しています。", False),
        ("ja", "日曜も営業しています。", True),
    ],
)
def test_dates_refuse_other_weekday(language: str, text: str, is_other: bool) -> None:
    assert ("dates" in judge(text, "hours", language)) is is_other


# Negations


@pytest.mark.parametrize(
    ("language", "text", "fact"),
    [
        ("en", "A first look is not free.", "quote"),
        ("en", "A first look isn’t free.", "quote"),
        ("en", "A first look is never really free.", "quote"),
        ("en", "Parking at the workshop is free.", "parking"),
        ("en", "Free parking at the workshop!", "parking"),
        ("en", "The workshop is closed from 10 am to 6 pm.", "hours"),
        ("de", "Die Werkstatt ist nicht geöffnet.", "hours"),
        ("de", "Das Parken ist kostenlos.", "parking"),
        ("de", "Die Werkstatt ist geschlossen.", "hours"),
        ("es", "El taller no abre de 10 a 18 h.", "hours"),
        ("es", "El aparcamiento es gratuito.", "parking"),
        ("fr", "L'atelier n'est pas ouvert.", "hours"),
        ("fr", "Le parking est gratuit.", "parking"),
        ("fr", "L'atelier est fermé.", "hours"),
        ("ja", "工房は営業していません。", "hours"),
        ("ja", "駐車場は無料です。", "parking"),
    ],
)
def test_negations_refuse_opposite_of_fact(language: str, text: str, fact: str) -> None:
    assert "negations" in judge(text, fact, language)


@pytest.mark.parametrize(
    ("language", "text", "fact"),
    [
        ("en", "Parking is not free.", "parking"),
        ("en", "You can't park at the workshop for free.", "parking"),
        ("en", "Don't miss it: a first look costs nothing.", "quote"),
        ("en", "Not sure when? The workshop is open from 10 am.", "hours"),
        ("en", "No rush: the workshop is open until 6 pm.", "hours"),
        ("en", "We don't close until 6 pm.", "hours"),
        ("de", "Parken ist nicht kostenlos.", "parking"),
        ("de", "Nicht vergessen: Die Werkstatt ist ab 10 Uhr geöffnet.", "hours"),
        ("es", "Aparcar no es gratuito.", "parking"),
        ("es", "No te lo pierdas: el taller abre a las 10 h.", "hours"),
        ("es", "El taller no cierra hasta las 18 h.", "hours"),
        ("fr", "Le parking n'est pas gratuit.", "parking"),
        ("fr", "N'oubliez pas : l'atelier est ouvert dès 10 h.", "hours"),
        ("ja", "駐車場は無料ではありません。", "parking"),
        ("ja", "お見逃しなく。工房は10時から営業しています。", "hours"),
    ],
)
def test_negations_accept_what_the_fact_denies_and_idioms(
    language: str, text: str, fact: str
) -> None:
    assert "negations" not in judge(text, fact, language)


# Claims


@pytest.mark.parametrize(
    ("language", "text", "fact"),
    [
        ("en", "The best workshop is open from 10 am to 6 pm.", "hours"),
        ("en", "A call-out costs £60, guaranteed.", "price"),
        ("en", "Free coffee while the workshop is open.", "hours"),
        ("de", "Die beste Werkstatt ist ab 10 Uhr geöffnet.", "hours"),
        ("de", "Kostenloser Kaffee, garantiert, in der Werkstatt.", "hours"),
        ("es", "El mejor taller abre de 10 a 18 h.", "hours"),
        ("fr", "Le meilleur atelier est ouvert dès 10 h.", "hours"),
        ("ja", "日本一の工房は10時から営業しています。", "hours"),
        ("ja", "無料で修理します。工房は10時から。", "hours"),
    ],
)
def test_claims_refuse_what_no_cited_fact_supports(language: str, text: str, fact: str) -> None:
    assert "claims" in judge(text, fact, language)


@pytest.mark.parametrize(
    ("language", "text", "fact"),
    [
        ("en", "Something dripping at home? A first look is free.", "quote"),
        ("en", "Book a visit.", ""),
        ("en", "See you there!", ""),
        ("en", "Complimentary first look.", "quote"),
        ("de", "Reparatur nötig? Die Werkstatt ist ab 10 Uhr für euch da.", "hours"),
        ("es", "¿Reparaciones? El taller abre a las 10 h.", "hours"),
        ("fr", "Des réparations ? L'atelier vous attend dès 10 h.", "hours"),
        ("ja", "修理のことなら。工房は10時から。", "hours"),
    ],
)
def test_claims_accept_connective_words(language: str, text: str, fact: str) -> None:
    assert "claims" not in judge(text, fact, language)


def test_claims_accept_call_to_action_of_the_brief() -> None:
    action = "Grab a spanner and join twenty neighbours!"
    context = make_context(call_to_action=action)
    sentences = ("A first look is free.", "quote"), (action, "")
    assert refused_by(context, draft(context, *sentences)) == set()
    assert refused_by(make_context(), draft(make_context(), *sentences)) == {"numbers"}


def test_citations_refuse_unknown_facts_and_none() -> None:
    assert "citations" in judge("A first look is free.", "nothing")
    assert "citations" in judge("See you there!", "")
