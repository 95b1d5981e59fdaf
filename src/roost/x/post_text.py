"""The rules of X that a post's text may break: its characters and its length."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from roost.escaping import find_controls
from roost.text import counted_length, has_text, text_limit

#: Non-characters make a text invalid for X.
_FORBIDDEN: Final = frozenset("\ufffe\ufeff\uffff")


def find_text_problems(text: str, *, subscription_type: str | None) -> Iterator[tuple[str, str]]:
    """Yield a code and a sentence for each rule that a text breaks.

    The sentences quote nothing of the text. A blank text breaks no rule here: it depends on the
    post's media. `subscription_type` is X's name of the account's plan; without it the standard
    limit applies.
    """
    if controls := find_controls(text):
        yield (
            "text_control_characters",
            f"The text contains control characters ({', '.join(controls)}); only tabs and line"
            " breaks are allowed.",
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
