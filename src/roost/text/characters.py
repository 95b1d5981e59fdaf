"""Rules about single characters: when a text is blank, and which characters X refuses."""

import re
import unicodedata
from typing import Final

#: Characters that X refuses in a post: two non-characters and the byte order mark.
FORBIDDEN_CHARACTERS: Final = "\ufffe\ufeff\uffff"
_FORBIDDEN: Final = re.compile(f"[{FORBIDDEN_CHARACTERS}\ud800-\udfff]")
_INVISIBLE_CATEGORIES: Final = ("Cc", "Cf")


def has_text(text: str) -> bool:
    """Return whether a text has a visible character.

    Spaces, control characters and format characters are not visible. X refuses a post whose text
    is blank, even with media. Validation, import, sending and search all use this rule, and a post
    with media is sent without its blank text.
    """
    return not all(
        char.isspace() or unicodedata.category(char) in _INVISIBLE_CATEGORIES for char in text
    )


def text_or_none(text: str) -> str | None:
    """Return the text to send; None if the text has no visible character."""
    return text if has_text(text) else None


def find_forbidden_characters(text: str) -> list[str]:
    """Return the names (`U+FEFF`) of the characters that X refuses, sorted.

    Lone surrogates are included, because the database cannot store them.
    """
    return sorted({f"U+{ord(char):04X}" for char in _FORBIDDEN.findall(text)})
