"""Turns facts into sentences, and decides whether an opening may precede a fact.

An opening precedes a fact only if the fact's own words show that it is a statement. Otherwise the
fact has no opening, because a wrong opening is worse than none: `Good to know: Send us a photo.`
"""

import re
from typing import Final

from roost.agents.languages import Language

_SENTENCE_ENDS: Final = ".!?…。！？"
_CLOSING_MARKS: Final = "\"'”’»)]」』"
#: Symbols that may end a sentence before its full stop.
_SYMBOLS: Final = "%‰°€$£¥"
_first_word = re.compile(r"\d|[^\W\d_]+['’]?").match
_has_colon = re.compile(r"[:：](?:\s|$)|：").search
_asks_or_exclaims = re.compile(r"[?!？！]").search


def is_statement(text: str, language: Language) -> bool:
    """Whether a text is certainly a statement, and no request, question or list."""
    if _asks_or_exclaims(text) or _has_colon(text):
        return False
    if language.statement_ends:
        return text.rstrip(_SENTENCE_ENDS + _CLOSING_MARKS).endswith(language.statement_ends)
    first = _first_word(text)
    return first is not None and (
        first[0].isdecimal() or _fold_word(first[0]) in language.statement_starts
    )


def capitalize(text: str) -> str:
    """Capitalize a text, unless its first word has its own spelling, such as `iPhone`."""
    first_word = text.partition(" ")[0]
    is_plain = first_word.islower() and re.sub("['’-]", "", first_word).isalpha()
    return text[:1].upper() + text[1:] if is_plain else text


def continue_sentence(text: str, language: Language) -> str:
    """Lower-case the first letter of a text after a colon, unless a name comes first."""
    first = _first_word(text)
    if not language.lower_case_after_colon or first is None:
        return text
    word, rest = first[0], text[first.end() :].lstrip()
    # `We open` begins with an ordinary word, but `La Rochelle` and `L'Oréal` begin with a name.
    is_name = rest[:1].isupper() or word != word.capitalize() or word == "I"
    is_plain = _fold_word(word) in language.statement_starts and not is_name
    return text[0].lower() + text[1:] if is_plain else text


def end_sentence(text: str, language: Language) -> str:
    """Add a full stop, unless the text already ends with a punctuation mark or a symbol."""
    last = text.rstrip(_CLOSING_MARKS)[-1:]
    if last in _SENTENCE_ENDS or not (last.isalnum() or last in _SYMBOLS):
        return text
    return text + language.full_stop


def _fold_word(word: str) -> str:
    return word.casefold().replace("’", "'")
