"""Replies of a model that could need more than linear time, or overflow the stack."""

import json
import sys
from collections import Counter
from types import FrameType

import pytest

from roost.agents.assembly import assemble
from roost.agents.brief import Brief
from roost.agents.lexicons import find_lexicon
from roost.agents.quantities import extract_quantities
from roost.agents.replies import parse_reply
from roost.agents.validators import VALIDATORS, validate
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.written import CitedSentence

BRIEF = Brief.model_validate(
    {"account": "acme", "topic": "taps", "facts": [{"id": "f1", "text": "We open at 10 am."}]}
)
#: Short texts, each of which a model may repeat until its reply has the maximum length.
UNITS = ["a", "1", "1 ", "1-", "(1", "3rd ", "10:", "a-", "a@", "漢", "a\u0301", "ß", "not ", "£"]


def judge(*parts: str) -> list[str]:
    """Validate a draft with these parts; return the names of the validators that judged it."""
    sentences = tuple(CitedSentence(at, part, ("f1",)) for at, part in enumerate(parts))
    return [each.validator for each in validate(Candidate(parts, sentences), Context(BRIEF))]


@pytest.mark.parametrize("unit", UNITS)
def test_only_the_length_of_a_huge_draft_is_judged(unit: str) -> None:
    assert judge(unit * (16_000 // len(unit))) == ["length"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_draft_that_counts_as_twice_the_limit_is_not_read(unit: str) -> None:
    assert judge(unit * (1200 // len(unit))) == ["length"]


def test_only_the_length_of_a_draft_with_many_parts_is_judged() -> None:
    assert judge(*["We open at 10 am."] * 11) == ["length"]


def test_every_validator_reads_a_draft_that_is_a_little_too_long() -> None:
    assert judge("We open at 10 am. " * 20) == [each.name for each in VALIDATORS]


def test_a_long_link_of_the_brief_does_not_count() -> None:
    link = f"https://acme.example.com/{'a' * 3000}"
    brief = BRIEF.model_copy(update={"link": link})
    text = f"We open at 10 am. {link}"
    candidate = Candidate((text,), (CitedSentence(0, text, ("f1",)),))
    assert len(validate(candidate, Context(brief))) == len(VALIDATORS)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ja", "et"])
def test_a_long_chain_of_numbers_is_read(language: str) -> None:
    assert len(extract_quantities("1-" * 1000, find_lexicon(language))) == 1000


def test_the_first_numbers_of_a_range_have_its_unit() -> None:
    found = extract_quantities("10-12-14 kg", find_lexicon("en"))
    assert [each.unit for each in found] == ["kg"] * 3


@pytest.mark.parametrize("unit", ['{"parts":[', '{"parts":"', '{"parts":[["a"],', "[", "{"])
def test_a_broken_reply_is_decoded_a_limited_number_of_times(unit: str) -> None:
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            calls[frame.f_code.co_name] += 1

    sys.setprofile(count)
    try:
        drafts = parse_reply(unit * 16_000)
    finally:
        sys.setprofile(None)
    assert calls["raw_decode"] <= 500
    assert not any(draft.parts for draft in drafts)


def test_a_reply_of_one_character_becomes_a_draft_that_is_refused() -> None:
    text = "a" * 2000
    reply = json.dumps({"drafts": [{"parts": [[{"text": text, "facts": ["f1"]}] * 60] * 2}]})
    (draft,) = parse_reply(reply)
    candidate = assemble(draft, BRIEF)
    assert [len(part) for part in candidate.parts] == [120_059] * 2
    verdicts = validate(candidate, Context(BRIEF))
    assert [(each.validator, each.ok) for each in verdicts] == [("length", False)]
