"""Finds damage that other software has done to a text.

The kinds of damage are HTML entities, lost characters, mojibake (text decoded with a wrong
encoding), and placeholders that were not filled in. The match of each rule has a maximum length, so
the run time is linear in the length of the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from typing import Final

# --- HTML entities: `&amp;`, `&#39;`, and entities that are escaped twice: `&amp;lt;`.
_ENTITY: Final = re.compile(
    r"&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)

# --- Mojibake: UTF-8 decoded as Windows-1252. Five bytes are undefined in Windows-1252; these are
# decoded as Latin-1.
_BYTES: Final = {
    bytes([byte]).decode("cp1252", "ignore") or chr(byte): byte for byte in range(0x80, 0x100)
} | {chr(byte): byte for byte in range(0x80, 0x100)}
#: Characters that may follow a capital letter in an undamaged text: `CAFÉ…`, `« PÂTÉ »`.
_PUNCTUATION: Final = frozenset("\xa0«»‹›“”‘’–—…·™®©ª°º¹²³")
_TAIL: Final = "".join(sorted(re.escape(c) for c, byte in _BYTES.items() if byte < 0xC0))
_LATIN_LEADS: Final = "ÂÃÄÅ"
#: In mojibake, the first byte of a Cyrillic, Greek, Hebrew or Arabic letter becomes one of these
#: characters. Undamaged texts contain these characters too, so damage is reported only for at least
#: `_MIN_SEQUENCES` such letters in a row.
_NON_LATIN_LEADS: Final = "ÎÏÐÑ×ØÙÚÛ"
_MIN_SEQUENCES: Final = 3
_SEQUENCE: Final = (
    f"(?:[{_LATIN_LEADS}{_NON_LATIN_LEADS}][{_TAIL}]|[à-ï][{_TAIL}]{{2}}|ð[{_TAIL}]{{3}})"
)
#: One or more sequences in a row; a sequence is the mojibake of one character. The last byte of a
#: curly quote is often lost, which leaves `â€`.
_SEQUENCE_RUN: Final = re.compile(f"(?:{_SEQUENCE})+(?:â€)?|â€")
_ONE_SEQUENCE: Final = re.compile(_SEQUENCE)
#: The mojibake of one character, with any possible first byte. Used only if the text is known to be
#: damaged.
_ANY_SEQUENCE: Final = re.compile(f"[Â-ß][{_TAIL}]|[à-ï][{_TAIL}]{{2}}|ð[{_TAIL}]{{3}}|â€")
#: A text may have been decoded wrongly several times; the repair undoes up to this number.
_MAX_ROUNDS: Final = 3

# --- Placeholders: template fields that were not filled in.
_FIELD: Final = (
    r"(?:(?:first|last|full|user|your|company|product|brand|event|customer|client)[ _-]?)?"
    r"(?:name|link|url|date|time|city|company|product|price|amount|e-?mail|phone|address|"
    r"username|handle|brand|title|topic|hashtags?|website|number)"
)
_BRACKETED: Final = (
    rf"(?:{_FIELD}|(?:insert|your|add|enter|fill in|todo|tbd|placeholder)\b"
    r"[ _:-]?[\w ,.'’/-]{0,60}|"
    r"(?-i:[A-Z]{2,20}(?:_[A-Z0-9]{1,20}){1,5}))"
)
_PLACEHOLDER: Final = re.compile(
    r"\{\{[^{}\n]{0,80}\}\}"
    r"|\{%[^{}\n]{1,80}%\}"
    r"|<%[^<>\n]{1,80}%>"
    r"|\$\{[A-Za-z_][\w.]{0,40}\}"
    r"|%%[A-Za-z_]\w{1,40}%%"
    r"|\*\|[A-Za-z_][\w:]{0,40}\|\*"
    rf"|\[\[?{_BRACKETED}\]\]?(?!\()"
    rf"|<{_BRACKETED}>"
    r"|\blorem ipsum\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning about a text; `start` and `end` are code points of the NFC text."""

    code: str
    start: int
    end: int
    message: str
    """The consequence for the post."""
    proposal: str | None = None
    """The text to put in place of the span: empty to delete the span, None if it is unknown."""


def find_damage(text: str) -> Iterator[Finding]:
    """Find damage in an NFC text: the text of a post, an alt text or a poll option."""
    yield from _entities(text)
    yield from _lost_characters(text)
    yield from _mojibake(text)
    yield from _placeholders(text)


def _entities(text: str) -> Iterator[Finding]:
    for match in _ENTITY.finditer(text):
        name = match[1]
        if not name.startswith("#") and f"{name};" not in html5:
            continue
        meant = unescape(f"&{name};").replace("\xa0", " ")
        yield Finding(
            "html_entity",
            match.start(),
            match.end(),
            f"{match[0]} is an HTML entity; readers would see it literally.",
            meant if all(c.isprintable() or c == "\n" for c in meant) and meant else None,
        )


def _lost_characters(text: str) -> Iterator[Finding]:
    for match in re.finditer("\ufffd+", text):
        yield Finding(
            "replacement_character",
            match.start(),
            match.end(),
            "U+FFFD takes the place of a character that was lost in a conversion.",
        )


def _mojibake(text: str) -> Iterator[Finding]:
    """Yield one finding for all mojibake, because a wrong decoding affects the whole text."""
    runs = [run for run in _SEQUENCE_RUN.finditer(text) if _is_garbled(text, run)]
    if not runs:
        return
    start, end = runs[0].start(), runs[-1].end()
    yield Finding(
        "mojibake",
        start,
        end,
        f"{runs[0][0][:12]} is UTF-8 text that was decoded with another encoding.",
        _repair(text[start:end]),
    )


def _is_garbled(text: str, run: re.Match[str]) -> bool:
    if run[0].startswith("â€") or run[0].startswith("ðŸ"):
        return True
    sequences = [one[0] for one in _ONE_SEQUENCE.finditer(run[0]) if _decode(one[0]) is not None]
    if len(sequences) >= _MIN_SEQUENCES:
        return True
    before = text[run.start() - 1 : run.start()]
    after = text[run.end() : run.end() + 1]
    return any(_is_unnatural(sequence, before, after) for sequence in sequences)


def _is_unnatural(sequence: str, before: str, after: str) -> bool:
    """Return whether a single sequence of mojibake would hardly occur in an undamaged text.

    `before` and `after` are the characters before and after the run of sequences.
    """
    lead, tail = sequence[0], sequence[1:]
    if lead in _NON_LATIN_LEADS:
        return False
    if not all(char in _PUNCTUATION for char in tail):
        return True
    if len(tail) > 1 or before.isupper():
        return False
    return lead == "Â" or before.islower() or after.islower()


def _decode(garbled: str) -> str | None:
    try:
        return bytes(_BYTES[char] for char in garbled).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return None


def _repair(garbled: str) -> str | None:
    """Return the original text, or None if a part of the text is lost."""
    repaired = garbled
    for _ in range(_MAX_ROUNDS):
        repaired = _ANY_SEQUENCE.sub(_repair_one, repaired)
    repaired = repaired.replace("\ufeff", "").replace("\xa0", " ")
    is_whole = "\ufffd" not in repaired and not _SEQUENCE_RUN.search(repaired)
    return repaired if is_whole else None


def _repair_one(one: re.Match[str]) -> str:
    return "”" if one[0] == "â€" else _decode(one[0]) or one[0]


def _placeholders(text: str) -> Iterator[Finding]:
    for match in _PLACEHOLDER.finditer(text):
        yield Finding(
            "placeholder",
            match.start(),
            match.end(),
            f"{match[0]} looks like a placeholder that was not filled in.",
        )
