"""Words of a text, also where a script writes none apart, and whether a phrase occurs in it."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
#: Scripts that put no space between words: kana and Han, and those from Thai to Burmese.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_is_unspaced = re.compile(f"[{_UNSPACED}]").search


def folded(text: str) -> str:
    """For comparing: compatible forms made one, case folded, white space made one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def words(text: str) -> list[str]:
    """The words of a text, folded, in their order; an unspaced run counts as one."""
    return _WORD.findall(folded(text).replace("’", "'"))


def is_made_of(word: str, known: Iterable[str]) -> bool:
    """Whether a word is known, or an unspaced run is put together from known ones alone."""
    if word in known:
        return True
    if not _is_unspaced(word):
        return False
    ends = {0}
    for at in range(len(word)):
        if at in ends:
            ends |= {at + len(one) for one in known if word.startswith(one, at)}
    return len(word) in ends


def occurs(phrase: str, text: str) -> bool:
    """Whether a phrase occurs in a text as whole words, in whatever case."""
    wanted = folded(phrase)
    before = "" if _is_unspaced(wanted[:1]) or not wanted[:1].isalnum() else r"(?<!\w)"
    after = "" if _is_unspaced(wanted[-1:]) or not wanted[-1:].isalnum() else r"(?!\w)"
    return re.search(before + re.escape(wanted) + after, folded(text)) is not None
