"""The shared cases: what twitter-text and today's X say about two thousand texts."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from roost.text import LONG_LIMIT, Entity, entities, weigh

CASES = Path(__file__).resolve().parents[2] / "../shared/text/cases.json"


def load_cases() -> list[dict[str, Any]]:
    if not CASES.is_file():
        return []
    cases: list[dict[str, Any]] = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return cases


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(text: str, limit: int = 280) -> dict[str, Any]:
    weight = weigh(text, limit)
    fits = utf16(weight.text[: weight.fits_until])
    return {
        "weightedLength": weight.weighted_length,
        "valid": weight.valid,
        "permillage": weight.permille,
        "displayRangeStart": 0,
        "displayRangeEnd": max(0, utf16(text) - 1),
        "validRangeStart": 0,
        "validRangeEnd": max(0, fits - 1) + utf16(text) - utf16(weight.text),
    }


def values(found: tuple[Entity, ...]) -> list[str]:
    return [entity.value for entity in found]


def spans(name: str, text: str, found: tuple[Entity, ...]) -> list[dict[str, Any]]:
    given = given_positions(text)
    return [
        {name: entity.value, "indices": [given[entity.start], given[entity.end]]}
        for entity in found
    ]


def nfc(expected: Any) -> Any:
    """An expected answer with its texts in NFC, as roost.text gives them."""
    return json.loads(unicodedata.normalize("NFC", json.dumps(expected, ensure_ascii=False)))


def given_positions(text: str) -> dict[int, int]:
    """Position in the NFC text → in the text as given, which is what the cases count in."""
    return {len(unicodedata.normalize("NFC", text[:at])): at for at in range(len(text) + 1)}


def users(text: str) -> tuple[Entity, ...]:
    return tuple(mention for mention in entities(text).mentions if not mention.slug)


def users_and_lists(text: str) -> list[dict[str, Any]]:
    return [
        {
            "screen_name": mention.value,
            "list_slug": f"/{mention.slug}" if mention.slug else "",
            "indices": [mention.start, mention.end],
        }
        for mention in entities(text).mentions
    ]


ANSWERS = {
    "parse": parse,
    "parse_v3": parse,
    "parse_long": lambda text: parse(text, LONG_LIMIT),
    "urls": lambda text: values(entities(text).urls),
    "urls_with_indices": lambda text: spans("url", text, entities(text).urls),
    "hashtags": lambda text: values(entities(text).hashtags),
    "hashtags_with_indices": lambda text: spans("hashtag", text, entities(text).hashtags),
    "cashtags": lambda text: values(entities(text).cashtags),
    "cashtags_with_indices": lambda text: spans("cashtag", text, entities(text).cashtags),
    "mentions": lambda text: values(users(text)),
    "mentions_with_indices": lambda text: spans("screen_name", text, users(text)),
    "mentions_or_lists_with_indices": users_and_lists,
}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in load_cases()])
def test_text_agrees_with_shared_case(case: dict[str, Any]) -> None:
    if case["op"] not in ANSWERS:
        pytest.skip(f"{case['op']} is not an operation of roost.text")
    assert ANSWERS[case["op"]](case["text"]) == nfc(case["expected"])


def test_shared_cases_are_there() -> None:
    if not CASES.is_file():
        pytest.skip("the shared text cases are not beside this checkout")
    assert len(load_cases()) > 1400
