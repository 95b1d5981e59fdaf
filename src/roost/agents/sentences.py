"""Turns the facts of a brief into sentences, with capitals and full stops."""

import re
from typing import Final

from roost.agents.languages import Language

_SENTENCE_ENDS: Final = ".!?…。！？"
_CLOSING_MARKS: Final = "\"'”’»)]」』"
#: Symbols after which a sentence still needs a full stop.
_SYMBOLS: Final = "%‰°€$£¥"
_first_word = re.compile(r"\d|[^\W\d_]+['’]?").match
_has_colon = re.compile(r"[:：](?:\s|$)|：").search


def has_colon(text: str) -> bool:
    """Whether a text has a colon other than in a time such as `8:30`."""
    return _has_colon(text) is not None


def capitalize(text: str) -> str:
    """Capitalize a text, unless its first word has its own spelling, such as `iPhone`."""
    first_word = text.partition(" ")[0]
    is_plain = first_word.islower() and re.sub("['’-]", "", first_word).isalpha()
    return text[:1].upper() + text[1:] if is_plain else text


def continue_sentence(text: str, language: Language) -> str:
    """Return a text as it continues after a colon, in lower case if the language requires it.

    Only the first letter changes, and only if the first word is in `lower_case_after_colon` and
    does not seem to begin a name.
    """
    first = _first_word(text)
    if first is None:
        return text
    word, rest = first[0], text[first.end() :].lstrip()
    # `La salle` begins with an ordinary word, but `La Rochelle` and `L'Oréal` begin with a name.
    is_name = rest[:1].isupper() or word != word.capitalize()
    is_plain = _fold_word(word) in language.lower_case_after_colon and not is_name
    return text[0].lower() + text[1:] if is_plain else text


def end_sentence(text: str, language: Language) -> str:
    """Add a full stop if the text ends with a letter, a digit or a symbol such as `%`.

    Closing quotation marks and brackets at the end are ignored.
    """
    last = text.rstrip(_CLOSING_MARKS)[-1:]
    if last in _SENTENCE_ENDS or not (last.isalnum() or last in _SYMBOLS):
        return text
    return text + language.full_stop


def _fold_word(word: str) -> str:
    return word.casefold().replace("’", "'")
