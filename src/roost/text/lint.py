"""Warns about a text before it is posted: probable mistakes, extra costs, refusals by X."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal

from roost.text.characters import FORBIDDEN_CHARACTERS
from roost.text.damage import Finding, find_damage
from roost.text.emoji import emoji_spans
from roost.text.entities import Entities, Entity, extract_entities

#: X's extra charge for a post with a link: X bills $0.200 instead of $0.015.
LINK_SURCHARGE_USD = Decimal("0.185")
MAX_HASHTAGS = 2
MAX_MENTIONS = 5
MAX_CASHTAGS = 1

# Top-level domains that authors usually write as the extension of a file.
_FILE_EXTENSIONS = {"md", "py", "rs", "sh", "zip", "mov", "java", "cab"}
# File extensions that are also country codes. Such a domain counts as a file name only if the name
# before the extension is in `_FILE_NAMES`.
_COUNTRY_FILE_EXTENSIONS = {"pl", "so", "cc", "ps", "ml", "mm", "mk", "pm", "st", "cr", "as", "la"}
_FILE_NAMES = {
    *("app", "build", "client", "config", "index", "install", "lib", "libc", "main", "makefile"),
    *("readme", "run", "script", "server", "setup", "test", "tests", "utils"),
}

_INVISIBLE = re.compile(
    "(?P<lone_surrogate>[\ud800-\udfff])"
    f"|(?P<forbidden_character>[{FORBIDDEN_CHARACTERS}])"
    "|(?P<bidi_override>[\u202a-\u202e\u2066-\u2069])"
    "|(?P<control_character>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f])"
    "|(?P<zero_width>[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200d\u2060-\u2064"
    "\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e007f])"
)
#: The message for each group of `_INVISIBLE`.
_INVISIBLE_MESSAGES = {
    "lone_surrogate": "Half of a character (a lone surrogate), which cannot be sent.",
    "forbidden_character": "X refuses a post with this character.",
    "bidi_override": "An invisible character that changes the reading direction of later text.",
    "control_character": "An invisible control character, probably pasted by mistake.",
    "zero_width": "An invisible character that splits words, links and search terms.",
}


def lint_text(text: str) -> list[Finding]:
    """Return warnings about a text, in text order; the text itself is not changed.

    A warning is about a probable mistake, an extra cost, or a reason for X to refuse the post.
    """
    text = unicodedata.normalize("NFC", text)
    entities = extract_entities(text)
    findings = [
        *_blank(text),
        *_accidental_links(entities),
        *_too_many(entities),
        *_leading_mention(entities),
        *_invisible(text),
        *find_damage(text),
    ]
    return sorted(findings, key=lambda finding: (finding.start, finding.end, finding.code))


def _blank(text: str) -> Iterator[Finding]:
    visible = _INVISIBLE.sub("", text)
    if not visible.strip():
        yield Finding("blank_text", 0, len(text), "X refuses a post without visible text.")


def _accidental_links(entities: Entities) -> Iterator[Finding]:
    proposals = [_without_link(url.value) for url in entities.urls]
    # One link, or several, cost the same.
    surcharge = (
        "." if None in proposals else f"; a post with a link costs ${LINK_SURCHARGE_USD} more."
    )
    for url, proposal in zip(entities.urls, proposals, strict=True):
        if proposal is not None:
            message = f"X turns {url.value} into a link{surcharge}"
            yield Finding("accidental_link", url.start, url.end, message, proposal)


def _without_link(url: str) -> str | None:
    """Return a spelling without a link if a URL looks accidental; None if it looks intended.

    A link with a protocol, a path or `www.` counts as intended, and so does an ordinary domain in
    lower case. A file name, a missing space after a full stop, or a capitalized name counts as
    accidental.
    """
    name, _, ending = url.rpartition(".")
    if re.search(r"[/:?]", url) or name.lower().startswith("www.") or not name:
        return None
    if ending[:1].isupper() and ending[1:].islower() and name[-1:].islower():
        return f"{name}. {ending}"
    is_common_file = ending in _COUNTRY_FILE_EXTENSIONS and name.lower() in _FILE_NAMES
    if "." not in name and (ending in _FILE_EXTENSIONS or is_common_file):
        return f"{name} (.{ending})"
    if url != url.lower():
        return url.replace(".", " ")
    return None


def _too_many(entities: Entities) -> Iterator[Finding]:
    kinds: tuple[tuple[str, tuple[Entity, ...], int, str], ...] = (
        (
            "several_cashtags",
            entities.cashtags,
            MAX_CASHTAGS,
            "X refuses an API post with more than one cashtag.",
        ),
        (
            "many_hashtags",
            entities.hashtags,
            MAX_HASHTAGS,
            "More than 2 hashtags look like spam to readers and to X.",
        ),
        (
            "many_mentions",
            entities.mentions,
            MAX_MENTIONS,
            "More than 5 mentions look like spam to readers and to X.",
        ),
    )
    for code, found, maximum, message in kinds:
        if len(found) > maximum:
            yield Finding(code, found[maximum].start, found[-1].end, message)


def _leading_mention(entities: Entities) -> Iterator[Finding]:
    for mention in entities.mentions[:1]:
        if not entities.text[: mention.start].strip():
            yield Finding(
                "leading_mention",
                mention.start,
                mention.end,
                "X treats a post that begins with a mention as a reply: few followers see it.",
                f".{entities.text[mention.start : mention.end]}",
            )


def _invisible(text: str) -> Iterator[Finding]:
    """Yield one finding for each run of adjacent invisible characters of one kind."""
    in_emoji = bytearray(len(text))
    for start, end in emoji_spans(text):
        in_emoji[start:end] = b"\x01" * (end - start)
    code, start, end = "", 0, 0
    for match in _INVISIBLE.finditer(text):
        at = match.start()
        kind = match.lastgroup or ""
        if in_emoji[at] or (kind == "zero_width" and _is_needed(text, at)):
            continue
        if kind == code and at == end:
            end += 1
            continue
        if code:
            yield Finding(code, start, end, _INVISIBLE_MESSAGES[code], "")
        code, start, end = kind, at, at + 1
    if code:
        yield Finding(code, start, end, _INVISIBLE_MESSAGES[code], "")


def _is_needed(text: str, at: int) -> bool:
    """Return whether the invisible character at `at` affects the character before it.

    Persian and Hindi words need joiners and non-joiners; some symbols need variation selectors.
    """
    before = text[at - 1] if at else " "
    if text[at] in "\u200c\u200d":
        return before >= "\u0600" and unicodedata.category(before)[0] in "LM"
    return "\ufe00" <= text[at] <= "\ufe0f" and unicodedata.category(before)[0] in "SLM"
