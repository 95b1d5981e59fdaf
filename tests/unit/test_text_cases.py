"""Compares `roost.text` with the recorded results of twitter-text and X for 2,000 texts."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from roost.text import LONG_LIMIT, Entity, extract_entities, weigh

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
    positions = original_positions(text)
    return [
        {name: entity.value, "indices": [positions[entity.start], positions[entity.end]]}
        for entity in found
    ]


def nfc(expected: Any) -> Any:
    """Return an expected result with its texts in NFC, as roost.text returns them."""
    return json.loads(unicodedata.normalize("NFC", json.dumps(expected, ensure_ascii=False)))


def original_positions(text: str) -> dict[int, int]:
    """Map positions in the NFC text to the original text, to which the cases refer."""
    return {len(unicodedata.normalize("NFC", text[:at])): at for at in range(len(text) + 1)}


def users(text: str) -> tuple[Entity, ...]:
    return tuple(mention for mention in extract_entities(text).mentions if not mention.slug)


def users_and_lists(text: str) -> list[dict[str, Any]]:
    return [
        {
            "screen_name": mention.value,
            "list_slug": f"/{mention.slug}" if mention.slug else "",
            "indices": [mention.start, mention.end],
        }
        for mention in extract_entities(text).mentions
    ]


OPERATIONS = {
    "parse": parse,
    "parse_v3": parse,
    "parse_long": lambda text: parse(text, LONG_LIMIT),
    "urls": lambda text: values(extract_entities(text).urls),
    "urls_with_indices": lambda text: spans("url", text, extract_entities(text).urls),
    "hashtags": lambda text: values(extract_entities(text).hashtags),
    "hashtags_with_indices": lambda text: spans("hashtag", text, extract_entities(text).hashtags),
    "cashtags": lambda text: values(extract_entities(text).cashtags),
    "cashtags_with_indices": lambda text: spans("cashtag", text, extract_entities(text).cashtags),
    "mentions": lambda text: values(users(text)),
    "mentions_with_indices": lambda text: spans("screen_name", text, users(text)),
    "mentions_or_lists_with_indices": users_and_lists,
}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in load_cases()])
def test_text_agrees_with_shared_case(case: dict[str, Any]) -> None:
    if case["op"] not in OPERATIONS:
        pytest.skip(f"{case['op']} is not an operation of roost.text")
    assert OPERATIONS[case["op"]](case["text"]) == nfc(case["expected"])


def test_shared_cases_are_available() -> None:
    if not CASES.is_file():
        pytest.skip("the shared text cases are not available next to this checkout")
    assert len(load_cases()) > 1400
