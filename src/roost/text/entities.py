"""Extracts the entities that X makes clickable: URLs, mentions, lists, hashtags, cashtags."""

import re
import unicodedata
from dataclasses import dataclass

from roost.text.urls import LATIN_ACCENTS, url_spans

_MENTION = re.compile(
    r"(?:\A|[^a-zA-Z0-9_!#$%&*@＠]|(?:\A|[^a-zA-Z0-9_+~.-])[rR][tT]:?)"
    r"[@＠]([a-zA-Z0-9_]{1,20})(/[a-zA-Z][a-zA-Z0-9_-]{0,24})?"
)
_spoils_mention = re.compile(f"[@＠{LATIN_ACCENTS}]|://").match

_HASH = re.compile("[#＃](?!\ufe0f|\u20e3)([A-Za-z0-9_]*+)")
_spoils_hashtag = re.compile("[#＃]|://").match
_ALSO_IN_HASHTAG = frozenset(
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\xb7"
)

_SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CASHTAG = re.compile(
    rf"(?:\A|[{_SPACES}])\$([A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?)"
    # X uses two definitions of a space: JavaScript's after a cashtag, and `_SPACES` before one.
    rf"(?=\Z|[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
    r"!'#%&()*+,\\\-./:;<=>?@\[\]\^_{|}~$])"
)


@dataclass(frozen=True, slots=True)
class Entity:
    """One clickable span of a text; `start` and `end` are code points of the NFC text."""

    value: str  #: The entity as written, without `#`, `$` or `@`.
    start: int
    end: int  #: One past the entity's last code point; a list's slug is part of the entity.
    slug: str = ""  #: The slug of a list mention: `name` in `@user/name`.


@dataclass(frozen=True, slots=True)
class Entities:
    """The entities of a text, each kind from left to right; entities never overlap."""

    text: str  #: The NFC text to which `start` and `end` of the entities refer.
    urls: tuple[Entity, ...]
    mentions: tuple[Entity, ...]
    hashtags: tuple[Entity, ...]
    cashtags: tuple[Entity, ...]

    def all(self) -> list[Entity]:
        """Return every entity, left to right."""
        found = (*self.urls, *self.mentions, *self.hashtags, *self.cashtags)
        return sorted(found, key=lambda entity: entity.start)

    def utf16_span(self, entity: Entity) -> tuple[int, int]:
        """Return an entity's span in UTF-16 code units, the unit of JavaScript and X's entities."""
        start = _utf16_length(self.text[: entity.start])
        return start, start + _utf16_length(self.text[entity.start : entity.end])


def extract_entities(text: str) -> Entities:
    """Find the entities of a text as X does; if two overlap, the leftmost counts.

    Source: twitter-text 3.1, with the top-level domains of `data_versions`.
    """
    text = unicodedata.normalize("NFC", text)
    spans = url_spans(text)
    kinds: tuple[list[Entity], ...] = (
        [Entity(text[start:end], start, end) for start, end in spans],
        _mentions(text) if "@" in text or "＠" in text else [],
        _hashtags(text) if "#" in text or "＃" in text else [],
        _cashtags(text) if "$" in text else [],
    )
    if sum(map(bool, kinds)) > 1:
        kinds = _without_overlap(kinds)
    urls, mentions, hashtags, cashtags = map(tuple, kinds)
    return Entities(text, urls, mentions, hashtags, cashtags)


def _without_overlap(kinds: tuple[list[Entity], ...]) -> tuple[list[Entity], ...]:
    kept: tuple[list[Entity], ...] = tuple([] for _ in kinds)
    by_start = [
        (entity.start, kind, entity) for kind, found in enumerate(kinds) for entity in found
    ]
    end = 0
    for start, kind, entity in sorted(by_start, key=lambda item: item[:2]):
        if start >= end:
            kept[kind].append(entity)
            end = entity.end
    return kept


def _mentions(text: str) -> list[Entity]:
    found = []
    for match in _MENTION.finditer(text):
        if not _spoils_mention(text, match.end()):
            slug = (match[2] or "")[1:]
            found.append(Entity(match[1], match.start(1) - 1, match.end(), slug))
    return found


def _hashtags(text: str) -> list[Entity]:
    found = []
    at = 0  # The text before this position belongs to earlier matches.
    for match in _HASH.finditer(text):
        start, end = match.span()
        if start < at or not _may_precede_hashtag(text, start, at):
            continue
        has_letter = any(char not in "0123456789_" for char in match[1])
        while end < len(text) and (kind := _hashtag_kind(text[end])):
            has_letter = has_letter or kind == "letter"
            end += 1
        if not has_letter:
            continue
        at = end
        if not _spoils_hashtag(text, end):
            found.append(Entity(text[start + 1 : end], start, end))
    return found


def _hashtag_kind(char: str) -> str:
    """Return a character's kind: `letter`, `other` (digits, some signs), or "" (any other).

    A character of the kind "" ends a hashtag.
    """
    category = unicodedata.category(char)
    if category[0] in "LM":
        return "letter"
    return "other" if category == "Nd" or char in _ALSO_IN_HASHTAG else ""


def _may_precede_hashtag(text: str, start: int, at: int) -> bool:
    if start == at:
        return start == 0
    before = text[start - 1]
    return before in "\ufe0e\ufe0f" or not (before == "&" or _hashtag_kind(before))


def _cashtags(text: str) -> list[Entity]:
    return [Entity(match[1], match.start(1) - 1, match.end(1)) for match in _CASHTAG.finditer(text)]


def _utf16_length(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
