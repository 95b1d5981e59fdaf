"""The briefs of `bench/data` with their good drafts, and how code puts a draft together."""

import json
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from harness.writer.x_text import find_urls, to_plain
from roost.agents.brief import Brief, read_brief

DATA = Path(__file__).parents[3] / "bench/data"
FRESH = DATA / "fresh"
FRESH2 = DATA / "fresh2"
"""Briefs and drafts by persons who did not know the validators, in the folders of `DATA`."""


class Sentence(TypedDict):
    """A sentence with the ids of its facts, in the form in which a model replies."""

    text: str
    facts: list[str]


class ReplyDraft(TypedDict):
    """A draft in the form in which a model replies: parts, which are lists of sentences."""

    parts: list[list[Sentence]]


@dataclass(frozen=True)
class Case:
    """A brief with everything that the benchmark needs to reply to it."""

    slug: str
    brief: Brief
    drafts: tuple[ReplyDraft, ...]
    """Drafts as a person would write them: true to the facts, and without a fault."""
    recent: ReplyDraft
    """A draft like the others that is already published."""
    flipped: tuple[tuple[str, str], ...]
    """Fact ids, each with a sentence that says the contrary of the fact."""

    @property
    def language(self) -> str:
        """The language of the brief, as a code."""
        return self.brief.language

    @property
    def recent_posts(self) -> tuple[str, ...]:
        """The texts that the account published lately."""
        return tuple(assemble(self.recent, self.brief))

    @property
    def true_text(self) -> str:
        """Everything that a draft may say: facts, the call to action and all good drafts."""
        lines = [fact.text for fact in self.brief.facts]
        lines += [self.brief.call_to_action, self.brief.topic, self.brief.link or ""]
        lines += [text for draft in self.drafts for text in assemble(draft, self.brief)]
        return "\n".join(lines)


def load_cases(folder: Path = DATA) -> list[Case]:
    """Return all cases, sorted by name."""
    return [_load(path, folder) for path in sorted((folder / "briefs").glob("*.yaml"))]


def load_fresh_cases(folder: Path = FRESH, drafts: str = "drafts") -> list[Case]:
    """Return the cases that have drafts only, and no recent post and no faults.

    `drafts` is the subfolder of the drafts: `false` has drafts that each say something false.
    """
    return [
        Case(path.stem, read_brief(path), _load_drafts(path, folder, drafts), {"parts": []}, ())
        for path in sorted((folder / "briefs").glob("*.yaml"))
    ]


def _load_drafts(path: Path, folder: Path, name: str = "drafts") -> tuple[ReplyDraft, ...]:
    drafts = json.loads((folder / name / f"{path.stem}.json").read_text("utf-8"))["drafts"]
    return tuple(drafts)


def _load(path: Path, folder: Path) -> Case:
    faults = json.loads((folder / "faults" / f"{path.stem}.json").read_text("utf-8"))
    flipped = tuple((each["fact"], each["text"]) for each in faults["flipped"])
    return Case(path.stem, read_brief(path), _load_drafts(path, folder), faults["recent"], flipped)


def assemble(draft: ReplyDraft, brief: Brief) -> list[str]:
    """Return the texts of a draft's parts with the brief's link and tags in their slots."""
    tags = " ".join(f"#{tag}" for tag in brief.tags)
    separator = "" if brief.language == "ja" else " "
    texts = []
    for part in draft["parts"]:
        text = separator.join(sentence["text"] for sentence in part)
        text = text.replace("{link}", f" {brief.link or ''} ").replace("{tags}", f" {tags} ")
        texts.append(" ".join(text.split()))
    return texts


@lru_cache(maxsize=1 << 16)
def measure_likeness(one: str, other: str) -> float:
    """Return how alike two texts are, 0 to 1, without their links and hashtags."""
    first, second = _bare(one), _bare(other)
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.real_quick_ratio() < _SURELY_DIFFERENT:
        return matcher.real_quick_ratio()
    return matcher.ratio()


_SURELY_DIFFERENT = 0.5


def _bare(text: str) -> str:
    for url in find_urls(text):
        text = text.replace(url, " ")
    return to_plain(" ".join(word for word in text.split() if word[0] not in "#＃"))
