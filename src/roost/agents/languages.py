"""How the composer punctuates and capitalizes drafts in each supported language."""

from dataclasses import dataclass
from typing import Final

from roost.agents.language_names import language_code


@dataclass(frozen=True, slots=True)
class Language:
    """How the composer punctuates and capitalizes drafts in one language."""

    lead: str = "{topic}: "
    """The topic before a fact that does not name it."""
    lead_before_colon: str = "{topic} \u2013 "
    """The same before a fact that itself has a colon."""
    lower_case_after_colon: frozenset[str] = frozenset()
    """First words that begin in lower case after a colon, because no name begins with them."""
    separator: str = " "
    """The text between two sentences."""
    full_stop: str = "."
    sentence_ends: tuple[str, ...] = ("",)
    """A call to action with one of these endings gets a full stop. A phrase gets none."""


# English and German capitalize a sentence after a colon, so `lower_case_after_colon` is empty.
_ENGLISH: Final = Language()
_GERMAN: Final = Language()
_SPANISH: Final = Language(
    lower_case_after_colon=frozenset({
        "el", "la", "los", "las", "un", "una", "unos", "unas", "nuestro", "nuestra", "nuestros",
        "nuestras", "cada", "todos", "todas", "muchos", "muchas", "hay", "dos", "tres", "cuatro",
        "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce", "se", "no", "a", "en",
        "con", "para", "por", "desde", "hasta", "si", "abrimos", "servimos", "tenemos", "ofrecemos",
        "puedes", "puede", "reserva", "reserve",
    }),
)  # fmt: skip
# French puts a no-break space before a colon.
_FRENCH: Final = Language(
    lead="{topic}\u00a0: ",
    lower_case_after_colon=frozenset({
        "le", "la", "les", "l'", "un", "une", "des", "nous", "vous", "notre", "nos", "chaque",
        "tous", "toutes", "plusieurs", "deux", "trois", "quatre", "cinq", "six", "sept", "huit",
        "neuf", "dix", "onze", "douze", "il", "on", "à", "au", "aux", "du", "en", "pour", "avec",
        "sans", "depuis", "dès", "jusqu'", "aucun", "aucune", "si", "réservez", "commandez",
        "venez", "prenez", "apportez", "pensez", "profitez", "prévoyez",
    }),
)  # fmt: skip
# In Japanese posts, a heading such as the topic is in the brackets 【 and 】.
_JAPANESE: Final = Language(
    lead="【{topic}】",
    lead_before_colon="【{topic}】",
    separator="",
    full_stop="。",
    sentence_ends=("です", "ます", "ません", "ましょう", "ください"),
)
_LANGUAGES: Final = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "es": _SPANISH,
    "fr": _FRENCH,
    "ja": _JAPANESE,
}
_OTHER: Final = Language()


def select_language(name: str) -> Language:
    """Return the rules of the language with this code (`en`, `de-AT`) or name.

    A language that is not supported has the default punctuation.
    """
    return _LANGUAGES.get(language_code(name), _OTHER)
