"""What is worth a word before a text is posted; nothing here changes a text by itself."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

from roost.text.damage import find_damage
from roost.text.emoji import emoji_spans
from roost.text.entities import Entities, Entity, entities
from roost.text.finding import Finding

#: What X charges more for a post with a link (0.200 against 0.015 dollars).
LINK_SURCHARGE_USD = Decimal("0.185")
MOST_HASHTAGS = 2
MOST_MENTIONS = 5
MOST_CASHTAGS = 1

# Top-level domains that people write as the ending of a file's name.
_FILE_ENDINGS = {"md", "py", "rs", "sh", "zip", "mov", "java", "cab"}
# These are countries' too, so only after the names that files have everywhere.
_MAYBE_FILE_ENDINGS = {"pl", "so", "cc", "ps", "ml", "mm", "mk", "pm", "st", "cr", "as", "la"}
_FILE_NAMES = {
    *("app", "build", "client", "config", "index", "install", "lib", "libc", "main", "makefile"),
    *("readme", "run", "script", "server", "setup", "test", "tests", "utils"),
}

_SIGNS = re.compile(
    "(?P<lone_surrogate>[\ud800-\udfff])"
    "|(?P<forbidden_character>[\ufffe\ufeff\uffff])"
    "|(?P<bidi_override>[\u202a-\u202e\u2066-\u2069])"
    "|(?P<control_character>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f])"
    "|(?P<zero_width>[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200d\u2060-\u2064"
    "\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e007f])"
)
_MEANINGS = {
    "lone_surrogate": "Half of a character; it cannot be sent at all.",
    "forbidden_character": "X refuses a post with this character.",
    "bidi_override": "Invisible, and turns the reading direction of what follows.",
    "control_character": "An invisible control character; it was most likely pasted by mistake.",
    "zero_width": "Invisible; it breaks words, links and searches apart.",
}


def lint(text: str) -> list[Finding]:
    """Find what is probably not meant, or costs, or X refuses, in the order it stands there."""
    text = unicodedata.normalize("NFC", text)
    found = entities(text)
    findings = [
        *_blank(text),
        *_accidental_links(found),
        *_too_many(found),
        *_leading_mention(found),
        *_signs(text),
        *find_damage(text),
    ]
    return sorted(findings, key=lambda finding: (finding.start, finding.end, finding.code))


def _blank(text: str) -> Iterator[Finding]:
    invisible = _SIGNS.sub("", text)
    if not invisible.strip():
        yield Finding("blank_text", 0, len(text), "X refuses a post without any text to see.")


def _accidental_links(found: Entities) -> Iterator[Finding]:
    for url in found.urls:
        proposal = _without_link(url.value)
        if proposal is not None:
            yield Finding(
                "accidental_link",
                url.start,
                url.end,
                f"X makes a link of {url.value}; a post with a link costs "
                f"${LINK_SURCHARGE_USD} more.",
                proposal,
            )


def _without_link(url: str) -> str | None:
    """Another spelling of what looks like a link by accident; None where it looks meant.

    A protocol, a path or `www.` show that it is meant, and so does an ordinary domain in lower
    case. A file's name, a space forgotten after a full stop and a capitalised name do not.
    """
    name, _, ending = url.rpartition(".")
    if re.search(r"[/:?]", url) or name.lower().startswith("www.") or not name:
        return None
    if ending[:1].isupper() and ending[1:].islower() and name[-1:].islower():
        return f"{name}. {ending}"
    known = ending in _MAYBE_FILE_ENDINGS and name.lower() in _FILE_NAMES
    if "." not in name and (ending in _FILE_ENDINGS or known):
        return f"{name} (.{ending})"
    if url != url.lower():
        return url.replace(".", " ")
    return None


def _too_many(found: Entities) -> Iterator[Finding]:
    kinds: tuple[tuple[str, tuple[Entity, ...], int, str], ...] = (
        (
            "several_cashtags",
            found.cashtags,
            MOST_CASHTAGS,
            "X refuses more than one cashtag in a post sent by its API.",
        ),
        (
            "many_hashtags",
            found.hashtags,
            MOST_HASHTAGS,
            "More than 2 hashtags read as spam, to people and to X.",
        ),
        (
            "many_mentions",
            found.mentions,
            MOST_MENTIONS,
            "More than 5 mentions read as spam, to people and to X.",
        ),
    )
    for code, some, most, message in kinds:
        if len(some) > most:
            yield Finding(code, some[most].start, some[-1].end, message)


def _leading_mention(found: Entities) -> Iterator[Finding]:
    for mention in found.mentions[:1]:
        if not found.text[: mention.start].strip():
            yield Finding(
                "leading_mention",
                mention.start,
                mention.end,
                "X treats a post that begins with a mention as a reply: few followers see it.",
                f".{found.text[mention.start : mention.end]}",
            )


def _signs(text: str) -> Iterator[Finding]:
    in_emoji = bytearray(len(text))
    for start, end in emoji_spans(text):
        in_emoji[start:end] = b"\x01" * (end - start)
    code, start, end = "", 0, 0
    for match in _SIGNS.finditer(text):
        at = match.start()
        kind = match.lastgroup or ""
        if in_emoji[at] or (kind == "zero_width" and _is_writing(text, at)):
            continue
        if kind == code and at == end:
            end += 1
            continue
        if code:
            yield Finding(code, start, end, _MEANINGS[code], "")
        code, start, end = kind, at, at + 1
    if code:
        yield Finding(code, start, end, _MEANINGS[code], "")


def _is_writing(text: str, at: int) -> bool:
    """Whether a joiner stands where Persian or Hindi need one, or a selector behind its symbol."""
    before = text[at - 1] if at else " "
    if text[at] in "\u200c\u200d":
        return before >= "\u0600" and unicodedata.category(before)[0] in "LM"
    return "\ufe00" <= text[at] <= "\ufe0f" and unicodedata.category(before)[0] in "SLM"
