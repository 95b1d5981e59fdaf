"""The rules of X that a post's text may break: its characters and its length."""

import unicodedata
from collections.abc import Iterator

from roost.escaping import find_controls
from roost.text import counted_length, find_forbidden_characters, has_text, text_limit


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
    if forbidden := find_forbidden_characters(text):
        names = ", ".join(forbidden)
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
