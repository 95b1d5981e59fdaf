"""The validators accept what rephrases the facts, and refuse what contradicts them."""

import pytest

from roost.agents.lexicons import find_lexicon
from roost.agents.quantities import extract_quantities
from unit.test_validators import judge, judge_beside


@pytest.mark.parametrize(
    ("language", "text", "number", "unit"),
    [
        ("en", "Entry for under-16s.", "16", ""),
        ("en", "Music of the 1980s.", "1980", ""),
        ("en", "A clip of 30s.", "30", "second"),
        ("en", "The bar has 90 kcal.", "90", "kcal"),
        ("en", "Forty-two rooms.", "42", ""),
        ("en", "Doors at half past seven.", "19:30", "time"),
        ("en", "Doors at 7 o'clock.", "19:00", "time"),
        ("de", "Beginn ist um halb acht.", "19:30", "time"),
        ("de", "Beginn ist um acht Uhr abends.", "20:00", "time"),
        ("de", "Dreiundzwanzig Zimmer.", "23", ""),
        ("de", "Der Riegel hat 90 Kilokalorien.", "90", "kcal"),
        ("es", "A las siete y media.", "19:30", "time"),
        ("es", "Treinta y dos habitaciones.", "32", ""),
        ("fr", "Dix-neuf mois.", "19", "month"),
        ("fr", "Quatre-vingt-douze pages.", "92", ""),
        ("fr", "À sept heures et demie.", "19:30", "time"),
        ("fr", "Deux heures vingt.", "2:20", "time"),
    ],
)
def test_quantities_are_read_in_any_spelling(
    language: str, text: str, number: str, unit: str
) -> None:
    (found,) = extract_quantities(text, find_lexicon(language))
    assert number in found.readings
    assert found.unit == unit


@pytest.mark.parametrize(
    ("language", "fact", "said", "is_refused"),
    [
        ("en", "The tour has 14 places.", "Room for 14 guests on the tour.", False),
        ("en", "The tour has 14 places.", "The tour has 14 boats.", True),
        ("en", "Each of the 300 families gets a basket.", "300 families, 300 baskets.", False),
        ("en", "There are 14 places in each tour.", "We have 14 tours.", True),
        ("en", "You paint 12 tiles.", "Paint a tile, and repeat 12 times.", False),
        ("en", "The test took 9 seconds, and now takes 5 seconds.", "5 seconds, and not 9.", False),
        ("en", "A ride costs £9.", "A ride costs 9.", True),
        ("en", "A ride takes 9 minutes and costs £4.", "A ride costs £4 and 9 goats.", True),
        ("en", "We won five games.", "Five wins in games. Shall it be six?", True),
        ("en", "The tour takes 40 minutes.", "The tour takes less than an hour.", False),
        ("en", "The tour takes 40 minutes.", "Is it nine yet? The tour takes 40 minutes.", False),
        ("en", "The tour takes 40 minutes.", "Did you know it takes nine? A tour.", True),
        ("en", "The tour costs £4 a month.", "The tour: 1 month costs £4.", False),
        ("de", "Eintritt: 9 Euro, ermäßigt 4 Euro.", "Eintritt 9 Euro (ermäßigt 4).", False),
        ("de", "Kinder unter 8 Jahren sind dabei.", "Für Kinder unter 8.", False),
        ("es", "El viaje es para mayores de 70.", "El viaje es desde los 70 años.", False),
        ("es", "Un grupo tiene como máximo 9 personas.", "Grupos de no más de 9.", False),
        ("es", "Un grupo tiene al menos 9 personas.", "Grupos de no más de 9.", True),
        ("es", "El 3 de mayo y el 9 de junio.", "Tres citas: 3 de mayo y 9 de junio.", True),
        ("es", "El 3 de mayo y el 9 de junio.", "Dos citas: 3 de mayo y 9 de junio.", False),
        ("fr", "La carte est renouvelable deux fois.", "Deux renouvellements de la carte.", False),
        ("ja", "湯は9種類あります。", "9つの湯をどうぞ。", False),
        ("ja", "入場は無料です。", "入場は0円です。", False),
        ("ja", "会費は月額500円です。", "会費は1か月500円です。", False),
        ("ja", "会費は500円、教材は300円です。", "会費は500円、教材は300 ドルです。", True),
    ],
)  # fmt: skip
def test_numbers_accept_what_follows_from_the_facts(
    language: str, fact: str, said: str, is_refused: bool
) -> None:
    assert ("numbers" in judge_beside(fact, said, language)) is is_refused


@pytest.mark.parametrize(
    ("fact", "said", "is_refused"),
    [
        ("Open Monday to Saturday.", "Open on Wednesdays.", False),
        ("Open Monday to Saturday.", "Open any day but Sunday.", False),
        ("Open Monday to Saturday.", "Open on Sundays.", True),
        ("Closed on Sundays.", "Come Monday to Saturday.", False),
        ("Closed on Sundays.", "Come Monday to Friday.", True),
    ],
)
def test_dates_know_the_other_weekdays(fact: str, said: str, is_refused: bool) -> None:
    assert ("dates" in judge_beside(fact, said)) is is_refused


@pytest.mark.parametrize(
    ("language", "fact", "said", "is_refused"),
    [
        ("en", "The tour needs no experience.", "Zero experience needed for the tour.", False),
        ("en", "Children under 5 enter free.", "Children under 5 pay nothing at all.", False),
        ("en", "Children under 5 pay no fee.", "Children under 5 are free.", False),
        ("en", "Children under 5 enter free.", "Children under 5 do not enter.", True),
        ("en", "Tours run weekly instead of daily.", "Tours no longer run daily.", False),
        ("en", "Tours run weekly instead of daily.", "Tours do not run weekly.", True),
        ("en", "The boots are unworn.", "Nobody has ever worn these boots.", False),
        ("en", "The tour starts at the pier.", "If it does not rain, the tour starts.", False),
        ("en", "The tour starts at the pier.", "The tour does not start at the pier.", True),
        ("en", "The tour starts at the pier.", "A tour from the pier, no contract.", True),
        ("en", "The tour starts at the pier.", "Do not cry: the tour starts.", False),
        ("de", "Kinder zahlen keinen Eintritt.", "Kinder kommen umsonst rein.", False),
        ("de", "Kinder zahlen keinen Eintritt.", "Kinder zahlen Eintritt.", True),
        ("de", "Gebacken wird ohne Butter.", "Ohne Butter gebacken.", False),
        ("es", "El museo abre a las 9 h.", "No lo dejes para otro día: el museo abre.", False),
        ("es", "El museo abre a las 9 h.", "El museo no abre a las 9 h.", True),
        ("fr", "Nous ne livrons plus.", "Nous ne livrons pas.", False),
        ("fr", "Nous livrons le pain.", "Nous ne livrons plus le pain.", True),
        ("ja", "銀行と連携できます。", "銀行をつないで、連携できます。", False),
        ("ja", "銀行と連携できます。", "銀行と連携できません。", True),
        ("ja", "会員登録は必要ありません。", "登録いらずです。", False),
    ],
)
def test_negations_refuse_only_contradictions(
    language: str, fact: str, said: str, is_refused: bool
) -> None:
    assert ("negations" in judge_beside(fact, said, language)) is is_refused


@pytest.mark.parametrize(
    ("language", "said", "is_refused"),
    [
        ("en", "Never been? Perfect. The tour starts at the pier.", False),
        ("en", "A perfect tour starts at the pier.", True),
        ("en", "The tour starts at the pier. Free.", True),
        ("en", "Bored tonight? The tour starts at the pier.", False),
        ("en", "The tour starts at the pier tonight.", True),
        ("en", "Live your best life: the tour starts at the pier.", False),
        ("en", "The best tour starts at the pier.", True),
        ("en", "The tour starts at the pier. Santa Claus walks.", False),
    ],
)
def test_claims_accept_hooks_that_say_nothing_of_the_offer(
    language: str, said: str, is_refused: bool
) -> None:
    facts = [{"id": "a", "text": "The tour starts at the pier."}]
    assert ("claims" in judge(said, "a", language, facts=facts)) is is_refused
