"""Counts which narrations the narrator accepts, if a model replies with good or hostile ones.

A narration is the text that a model writes about the facts of a report. The narrator asks the model
for it, and checks it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.narrations.hostile import make_hostile
from harness.narrations.oracle import find_invented
from roost.agents.model import ModelPrice, Prompt, Reply
from roost.agents.narrator import Narration, NarratorFact, narrate_facts

FOLDER: Final = Path(__file__).parents[3] / "bench" / "data" / "narrations"
LANGUAGES: Final = ("en", "de")
#: The categories of hostile narrations in which the oracle can recognize the inserted fault.
_READABLE: Final = ("digits", "words", "amounts", "invisible", "look_alikes")
#: Every slot that the facts of a report can have. The slot `account` is allowed in all narrations.
_SLOTS: Final = """
impressions engagements impressions_change followers follower_balance posts posts_per_week
posts_change median_impressions best_post best_impressions best_factor best_reason effect anomaly
"""
FACTS: Final = (NarratorFact("all", "", dict.fromkeys(_SLOTS.split(), "…")),)


@dataclass
class Counts:
    """How many good and hostile narrations the narrator accepted and refused."""

    good: int = 0
    good_refused: list[str] = field(default_factory=list)
    fresh: int = 0
    fresh_refused: list[str] = field(default_factory=list)
    hostile: Counter[str] = field(default_factory=Counter)
    released: list[str] = field(default_factory=list)
    """The hostile narrations that were accepted."""
    good_with_numbers: list[str] = field(default_factory=list)
    """Accepted good narrations in which the oracle finds a number."""
    found_by_oracle: int = 0
    readable: int = 0


class _Repeating:
    """A model that gives the same reply to every prompt."""

    name = "repeating"

    def __init__(self, reply: str) -> None:
        self._reply = reply

    async def complete(self, prompt: Prompt) -> Reply:
        return Reply(self._reply, 1, 1)

    def price(self) -> ModelPrice | None:
        return None


def read_narrations(name: str) -> dict[str, list[str]]:
    """Return a set of good narrations by language.

    `name` is the prefix of the set's files: empty for the main set, or `fresh-`.
    """
    return {
        language: [
            line
            for line in (FOLDER / f"{name}{language}.txt").read_text("utf-8").splitlines()
            if line and not line.startswith("#")
        ]
        for language in LANGUAGES
    }


async def narrate(text: str, language: str) -> Narration:
    """Return the result of the narrator if the model replies to every prompt with `text`."""
    reply = json.dumps({"paragraphs": [text]})
    return await narrate_facts(FACTS, language, _Repeating(reply))


async def count_narrations(hostile: int, seed: int) -> Counts:
    """Count the results for all good narrations, and for `hostile` hostile ones.

    A simulated model replies to the narrator with each narration.

    The hostile narrations are made from the good ones that the narrator has accepted.
    """
    counts = Counts()
    carriers: dict[str, list[str]] = {}
    for language, texts in read_narrations("").items():
        refused = await _find_refused(texts, language)
        counts.good += len(texts)
        counts.good_refused += refused
        carriers[language] = [each for each in texts if each not in refused]
        counts.good_with_numbers += [each for each in carriers[language] if find_invented(each)]
    for language, texts in read_narrations("fresh-").items():
        counts.fresh += len(texts)
        counts.fresh_refused += await _find_refused(texts, language)
    for each in make_hostile(carriers, hostile, seed):
        counts.hostile[each.category] += 1
        if each.category in _READABLE:
            counts.readable += 1
            counts.found_by_oracle += bool(find_invented(each.text))
        if (await narrate(each.text, each.language)).paragraphs:
            counts.released.append(f"{each.category}: {each.text}")
    return counts


async def _find_refused(texts: Sequence[str], language: str) -> list[str]:
    return [text for text in texts if not (await narrate(text, language)).paragraphs]
