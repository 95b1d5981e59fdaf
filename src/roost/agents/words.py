"""Splits texts into words, and searches texts for phrases, also in scripts without spaces."""

import re
import unicodedata
from typing import Final

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
#: Characters of scripts without spaces between words: kana, Han, Thai, Lao, Burmese and Khmer.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_is_unspaced = re.compile(f"[{_UNSPACED}]").search


def fold(text: str) -> str:
    """Normalize a text for comparison: apply NFKC, fold the case, and reduce white space.

    Each run of white space becomes one space.
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def split_words(text: str) -> list[str]:
    """Return the words of a text in order, normalized by `fold`.

    In scripts without spaces, a run of adjacent letters counts as one word.
    """
    return _WORD.findall(fold(text).replace("’", "'"))


def contains_phrase(text: str, phrase: str) -> bool:
    """Whether a phrase occurs in a text as whole words, regardless of case."""
    folded = fold(phrase)
    before = "" if _is_unspaced(folded[:1]) or not folded[:1].isalnum() else r"(?<!\w)"
    after = "" if _is_unspaced(folded[-1:]) or not folded[-1:].isalnum() else r"(?!\w)"
    return re.search(before + re.escape(folded) + after, fold(text)) is not None
