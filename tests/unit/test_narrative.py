"""The narrative of a report: facts are chosen by code, and no partial figure is stated."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fix_model import ModelServer
from harness.narrations.runs import FACTS
from roost.agents.budget import MemoryBudget
from roost.agents.narrator import NARRATOR_INSTRUCTIONS
from roost.agents.openai_model import OpenAIModel
from roost.insights.reports.document import Printed, Text
from roost.insights.reports.figures import Quality
from roost.insights.reports.model import EffectName, SubjectReport, Verdict
from roost.insights.reports.narrative import FactName, choose_facts, narrate
from roost.insights.reports.patterns import describe_patterns
from roost.insights.reports.words import load_words
from roost.models import Anomaly, IntegrationId, Metric
from roost.report_narratives import Narrative, write_narrative
from unit.test_report_next_steps import DAYS, make_account, report_on

NOISE = np.random.default_rng(1).normal(0, 0.1, 400)
GOOD = "{account} gained {impressions}. The account published {posts}."
INVENTED = "{account} gained {impressions}, a record."


@pytest.fixture(scope="module")
def subject() -> SubjectReport:
    """The report on an account: posts with a link earn more, and one day is an anomaly."""
    records = make_account(
        impressions=lambda n: float(np.exp(7 + NOISE[n] + (0.9 if n % 5 < 2 else 0))),
        text=lambda n: f"News {n} https://example.com" if n % 5 < 2 else f"Hello {n}",
        posts_per_day=lambda _: 4,
    )
    anomaly = Anomaly(IntegrationId(1), Metric.FOLLOWERS, DAYS[70], 9.0, 40.0, 3.0, "")
    return report_on(replace(records, anomalies=(anomaly,))).subjects[-1]


def to_text(paragraph: Text) -> str:
    return "".join(each if isinstance(each, str) else each.text for each in paragraph)


def printed(paragraphs: tuple[Text, ...]) -> Iterator[Printed]:
    for paragraph in paragraphs:
        yield from (each for each in paragraph if isinstance(each, Printed))


def with_figure(subject: SubjectReport, name: str, **changes: Any) -> SubjectReport:
    """Return a copy of the subject whose current figure `name` has `changes`."""
    compared = subject.figures[name]
    changed = replace(compared, current=replace(compared.current, **changes))
    return replace(subject, figures={**subject.figures, name: changed})


@pytest.mark.parametrize("language", ["en", "de"])
def test_narrative_states_facts_with_printed_figures(subject: SubjectReport, language: str) -> None:
    words = load_words(language)
    paragraphs = narrate(subject, words)
    assert 3 <= len(choose_facts(subject, words)) <= 7
    assert len(paragraphs) == 3
    texts = [part for paragraph in paragraphs for part in paragraph if isinstance(part, str)]
    assert not any(character.isdigit() for text in texts for character in text)
    assert {each.name for each in printed(paragraphs)} >= {
        "gained.impressions", "followers.end", "activity.posts", "effect.factor",
        "standing.factor", "day.follower_change",
    }  # fmt: skip
    assert all(to_text(each)[0].isupper() for each in paragraphs)


def test_direction_follows_the_figures(subject: SubjectReport) -> None:
    compared = subject.figures["gained.impressions"]
    assert compared.previous is not None
    for difference, change, phrase in (
        (50, 0.05, "more impressions than in the equally long period before (+5.0%)"),
        (-50, -0.05, "fewer impressions than in the equally long period before (−5.0%)"),
        (1, 0.0000001, "more impressions than in the equally long period before (+1)"),
        (0, 0.0, "as many impressions as in the equally long period before."),
    ):
        previous = replace(
            compared.previous,
            difference=replace(compared.previous.difference, value=difference),
            change=replace(compared.previous.change, value=change),
        )
        figures = {**subject.figures, "gained.impressions": replace(compared, previous=previous)}
        changed = replace(subject, figures=figures)
        assert phrase in to_text(narrate(changed, load_words("en"))[0])


def test_partial_and_missing_figures_are_only_named(subject: SubjectReport) -> None:
    partial = with_figure(subject, "gained.impressions", quality=Quality.PARTIAL, value=987654)
    partial = with_figure(partial, "followers.end", quality=Quality.MISSING, value=None)
    paragraphs = narrate(partial, load_words("en"))
    text = to_text(paragraphs[0])
    assert "The impressions gained were measured only in part" in text
    assert "The number of followers was not measured." in text
    assert "987,654" not in text
    assert not {"followers.end", "followers.change"} & {each.name for each in printed(paragraphs)}


@pytest.mark.parametrize(("number", "noun"), [(1, "1 post"), (2, "2 posts"), (0, "0 posts")])
def test_nouns_agree_with_their_number(subject: SubjectReport, number: int, noun: str) -> None:
    changed = with_figure(subject, "activity.posts", value=number)
    assert f"published {noun}," in to_text(narrate(changed, load_words("en"))[1])
    german = to_text(narrate(changed, load_words("de"))[1])
    assert f"veröffentlichte {number} {'Beitrag' if number == 1 else 'Beiträge'}, " in german


def test_effect_without_claim_is_not_stated(subject: SubjectReport) -> None:
    words = load_words("en")
    assert FactName.EFFECT in {fact.name for fact in choose_facts(subject, words)}
    unclear = tuple(replace(each, verdict=Verdict.NO_CLAIM) for each in subject.effects)
    facts = choose_facts(replace(subject, effects=unclear), words)
    assert FactName.EFFECT not in {fact.name for fact in facts}


def test_gaps_are_stated(subject: SubjectReport) -> None:
    coverage = replace(subject.coverage, gap_days=(DAYS[65],))
    measured = replace(coverage.measured_days, value=29)
    gap = replace(subject, coverage=replace(coverage, measured_days=measured))
    text = to_text(narrate(gap, load_words("en"))[-1])
    assert "29 of 30 closed days were measured completely." in text


def test_slots_are_those_that_the_checker_knows(subject: SubjectReport) -> None:
    facts = choose_facts(subject, load_words("en"))
    slots = {slot for fact in facts if not fact.is_fixed for slot in fact.slots}
    assert slots == set(FACTS[0].slots)


def test_patterns_have_effects_and_best_groups(subject: SubjectReport) -> None:
    patterns = describe_patterns(subject)
    effect = next(each for each in subject.effects if each.name is EffectName.LINK)
    assert effect.verdict is Verdict.MORE
    assert patterns[0].startswith("Posts with a link earned more impressions")
    assert any(each.startswith("By link, posts of the group with_link had") for each in patterns)


async def narrate_with(
    server: ModelServer, subject: SubjectReport, *answers: str, language: str = "en"
) -> Narrative:
    """Return the subject's narrative when the model server replies with `answers` in turn."""
    server.answers = [json.dumps({"paragraphs": [answer]}) for answer in answers]
    async with OpenAIModel("small", server.url, None, 20) as model:
        return await write_narrative(subject, load_words(language), model, MemoryBudget())


async def test_model_words_the_facts__left_out_facts_are_added(
    model_server: ModelServer, subject: SubjectReport
) -> None:
    narrative = await narrate_with(model_server, subject, GOOD)
    impressions = subject.figures["gained.impressions"].current.value
    assert to_text(narrative.paragraphs[0]) == (
        f"@larkbooks gained {impressions:,} impressions. The account published 120 posts."
    )
    rest = to_text(narrative.paragraphs[1])
    assert "The best post" in rest
    assert "This difference need not be caused by the property." in rest
    assert "Every day of the period that is over was measured." in rest
    narration = narrative.narration
    assert narration is not None
    assert (narration.model, len(narration.prompt_hash)) == ("small", 64)
    assert [attempt.verdict.ok for attempt in narration.attempts] == [True]


async def test_refused_narration_is_repaired_with_its_findings(
    model_server: ModelServer, subject: SubjectReport
) -> None:
    narrative = await narrate_with(model_server, subject, INVENTED, GOOD)
    assert to_text(narrative.paragraphs[0]).startswith("@larkbooks gained")
    assert narrative.narration is not None
    assert [call.kind for call in narrative.narration.calls] == ["draft", "repair"]
    assert "WORD: record" in model_server.requests[1]["messages"][1]["content"]


async def test_template_stands_in_after_two_refusals(
    model_server: ModelServer, subject: SubjectReport
) -> None:
    narrative = await narrate_with(model_server, subject, INVENTED, INVENTED)
    assert narrative.paragraphs == narrate(subject, load_words("en"))
    assert narrative.narration is not None
    assert narrative.narration.paragraphs == ()
    assert [attempt.verdict.ok for attempt in narrative.narration.attempts] == [False, False]
    assert len(model_server.requests) == 2


async def test_template_stands_in_if_the_model_fails(
    model_server: ModelServer, subject: SubjectReport
) -> None:
    model_server.answers = [401]
    async with OpenAIModel("small", model_server.url, None, 20) as model:
        narrative = await write_narrative(subject, load_words("de"), model)
    assert narrative.paragraphs == narrate(subject, load_words("de"))
    assert narrative.narration is not None
    assert narrative.narration.calls[0].error


async def test_model_learns_no_number_and_no_text_of_a_post(
    model_server: ModelServer, subject: SubjectReport
) -> None:
    await narrate_with(model_server, subject, GOOD)
    system, user = (message["content"] for message in model_server.requests[0]["messages"])
    assert system == NARRATOR_INSTRUCTIONS
    data = json.loads("\n".join(user.splitlines()[1:-1]))
    assert data["slots"]["best_post"] == "the best post (“…”)"
    assert data["slots"]["impressions"] == "… impressions"
    assert not any(
        character.isdigit() for character in json.dumps(data["slots"], ensure_ascii=False)
    )
    assert "News" not in user
