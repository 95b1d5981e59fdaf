"""Reads a model's reply: JSON with text around it; drafts are read also if it is cut off."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_MAX_CHARACTERS: Final = 400_000
_MAX_DRAFTS: Final = 100
_MAX_SENTENCES: Final = 60
#: A longer text is no sentence of a post.
_MAX_SENTENCE: Final = 2000
_decoder = json.JSONDecoder(strict=False)
_draft_starts = re.compile(r'\{\s*"parts"\s*:').finditer
_objects = re.compile(r"[{\[]").finditer


@dataclass(frozen=True, slots=True)
class WrittenSentence:
    """A sentence as the model wrote it, with slots and the ids of facts."""

    text: str
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedDraft:
    """A draft that a model's reply contains."""

    parts: tuple[tuple[WrittenSentence, ...], ...]
    """Empty if the draft does not have the form that the prompt asks for."""


def parse_reply(text: str) -> list[ParsedDraft]:
    """Return the drafts in a model's reply; an empty list if it contains none.

    A draft that is broken is returned without parts, and the others are kept.
    """
    text = text[:_MAX_CHARACTERS]
    for found in _decode(text):
        drafts = found.get("drafts") if isinstance(found, dict) else found
        if isinstance(drafts, list) and any(isinstance(each, dict) for each in drafts):
            return [_parse_draft(each) for each in drafts[:_MAX_DRAFTS]]
    # The reply is cut off, or broken in one place: each draft is read by itself.
    # Each failed attempt may read the whole reply, so their number is limited.
    drafts = []
    for match in itertools.islice(_draft_starts(text), _MAX_DRAFTS):
        try:
            draft, _ = _decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            drafts.append(ParsedDraft(()))
        else:
            drafts.append(_parse_draft(draft))
    return drafts


def parse_paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of the narration in a model's reply.

    The result is empty if the reply does not have the form that the prompt asks for.
    """
    for found in _decode(text[:_MAX_CHARACTERS]):
        paragraphs = found.get("paragraphs") if isinstance(found, dict) else found
        if isinstance(paragraphs, list) and all(isinstance(each, str) for each in paragraphs):
            return tuple(each.strip() for each in paragraphs if each.strip())
    return ()


def _decode(text: str) -> Iterator[Any]:
    """Yield the JSON values of a text, each of which starts after the end of the one before."""
    end, failures = 0, 0
    for match in _objects(text):
        # Deep nesting and many brackets cost time; a reply with drafts has neither.
        if match.start() < end or failures > 200:
            continue
        try:
            found, end = _decoder.raw_decode(text, match.start())
            # Half of a surrogate pair is no character, and can be neither stored nor sent again.
            json.dumps(found, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            failures += 1
            continue
        yield found


def _parse_draft(draft: Any) -> ParsedDraft:
    parts = draft.get("parts") if isinstance(draft, dict) else None
    if not isinstance(parts, list) or not parts:
        return ParsedDraft(())
    if all(isinstance(part, dict) for part in parts):
        parts = [parts]  # one list too few: the sentences of a single part
    parsed = [_parse_part(part) for part in parts]
    return ParsedDraft(tuple(parsed) if all(parsed) else ())


def _parse_part(part: Any) -> tuple[WrittenSentence, ...]:
    """Return the sentences of a part; none if one of them is broken."""
    if not isinstance(part, list) or len(part) > _MAX_SENTENCES:
        return ()
    sentences = []
    for each in part:
        text = each.get("text") if isinstance(each, dict) else None
        facts = each.get("facts", []) if isinstance(each, dict) else None
        if isinstance(facts, str):
            facts = [facts]
        if not isinstance(text, str) or len(text) > _MAX_SENTENCE or not isinstance(facts, list):
            return ()
        if not all(isinstance(fact, str) for fact in facts):
            return ()
        sentences.append(WrittenSentence(text, tuple(dict.fromkeys(facts))))
    return tuple(sentences)
