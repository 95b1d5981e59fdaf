"""Why X would refuse a post's text: what it may hold, and how much of it."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from roost.escaping import find_controls
from roost.text import counted_length, has_text, text_limit

#: Non-characters, which make a text invalid.
_FORBIDDEN: Final = frozenset("\ufffe\ufeff\uffff")


def find_text_problems(text: str, *, subscription_type: str | None) -> Iterator[tuple[str, str]]:
    """Each rule that a text breaks as a code and a sentence, which quotes nothing of it.

    A blank text breaks none here: whether it may be left out depends on the post's media.

    `subscription_type` is X's word for the account's plan; without it the ordinary limit holds.
    """
    if controls := find_controls(text):
        yield (
            "text_control_characters",
            f"The text holds control characters ({', '.join(controls)}); only tab and line end are"
            " allowed.",
        )
    refused = {each for each in text if each in _FORBIDDEN or "\ud800" <= each <= "\udfff"}
    if refused:
        names = ", ".join(sorted(f"U+{ord(each):04X}" for each in refused))
        yield "text_forbidden_characters", f"The text holds {names}, which X refuses."
    if not has_text(text):
        return
    limit = text_limit(subscription_type)
    length = counted_length(unicodedata.normalize("NFC", text), limit)
    if length > limit:
        yield (
            "text_too_long",
            f"The text has {length:,} characters as X counts them; this account may post"
            f" {limit:,}.",
        )
