"""The one rule by which a text counts as none; validation, import, sending and search share it."""

import unicodedata
from typing import Final

_UNSEEN: Final = ("Cc", "Cf")


def has_text(text: str) -> bool:
    """Whether anything in a text can be seen, besides spaces, controls and invisible marks.

    X refuses a post whose text is blank, also beside media: such a text is left out there.
    """
    return not all(char.isspace() or unicodedata.category(char) in _UNSEEN for char in text)


def text_or_none(text: str) -> str | None:
    """The text as it is sent: None where nothing in it can be seen."""
    return text if has_text(text) else None
