"""The phrases that the composer may put around facts, for each supported language.

No phrase claims, counts, praises or connects anything, so each phrase suits opening hours, prices
and advice alike. Each opening ends with a colon, so that the sentence after the opening stays
grammatical.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from roost.agents.language_names import language_code


class Tone(StrEnum):
    """The tone of the phrases around the facts."""

    PLAIN = "plain"
    """Phrases that are as short as possible."""
    WARM = "warm"
    """Phrases with which people address a neighbour."""
    FORMAL = "formal"
    """Phrases with which people write to an authority."""


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases and punctuation with which a draft in one language is built."""

    openings: Mapping[Tone, tuple[str, ...]]
    """Precede a statement."""
    link_label: str = "{topic}: "
    """The words before the link. They name only the topic, because the fact may be about something
    else."""
    statement_starts: frozenset[str] = frozenset()
    """First words, in lower case, that begin only statements, and never a request."""
    statement_ends: tuple[str, ...] = ()
    """Endings that only statements have, in a language in which the verb comes last."""
    lower_case_after_colon: bool = False
    """Whether a sentence after a colon begins in lower case."""
    colon: str = ": "
    """Separates the call to action from the link."""
    separator: str = " "
    """The text between two sentences."""
    full_stop: str = "."


_ENGLISH: Final = Language(
    openings={
        Tone.PLAIN: ("", "Good to know: "),
        Tone.WARM: ("", "Good to know: ", "By the way: "),
        Tone.FORMAL: ("", "Please note: ", "For your information: "),
    },
    statement_starts=frozenset({
        "a", "an", "the", "i", "we", "you", "my", "our", "your", "every", "each", "all", "most",
        "many", "some", "both", "there", "one", "two", "three", "four", "five", "six", "seven",
        "eight", "nine", "ten", "eleven", "twelve",
    }),
    lower_case_after_colon=True,
)  # fmt: skip

_GERMAN: Final = Language(
    openings={
        Tone.PLAIN: ("", "Gut zu wissen: "),
        Tone.WARM: ("", "Gut zu wissen: ", "Übrigens: "),
        Tone.FORMAL: ("", "Bitte beachten Sie: ", "Zur Information: "),
    },
    statement_starts=frozenset({
        "der", "die", "das", "ein", "eine", "wir", "du", "ihr", "sie", "unser", "unsere", "jeder",
        "jede", "jedes", "alle", "viele", "zwei", "drei", "vier", "fünf", "sechs", "sieben",
        "acht", "neun", "zehn", "elf", "zwölf",
    }),
)  # fmt: skip

_SPANISH: Final = Language(
    openings={
        Tone.PLAIN: ("", "Conviene saberlo: "),
        Tone.WARM: ("", "Por cierto: ", "Para que lo sepas: "),
        Tone.FORMAL: ("", "Nota: ", "Para su información: "),
    },
    statement_starts=frozenset({
        "el", "la", "los", "las", "un", "una", "unos", "unas", "nuestro", "nuestra", "nuestros",
        "nuestras", "cada", "todos", "todas", "muchos", "muchas", "hay", "dos", "tres", "cuatro",
        "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce",
    }),
    lower_case_after_colon=True,
)  # fmt: skip

# French puts a no-break space before a colon.
_FRENCH: Final = Language(
    openings={
        Tone.PLAIN: ("", "Bon à savoir\u00a0: "),
        Tone.WARM: ("", "Bon à savoir\u00a0: ", "Au fait\u00a0: "),
        Tone.FORMAL: ("", "À noter\u00a0: ", "Pour information\u00a0: "),
    },
    statement_starts=frozenset({
        "le", "la", "les", "l'", "un", "une", "des", "nous", "vous", "notre", "nos", "chaque",
        "tous", "toutes", "plusieurs", "deux", "trois", "quatre", "cinq", "six", "sept", "huit",
        "neuf", "dix", "onze", "douze",
    }),
    link_label="{topic}\u00a0: ",
    colon="\u00a0: ",
    lower_case_after_colon=True,
)  # fmt: skip

_JAPANESE: Final = Language(
    openings={
        Tone.PLAIN: ("", "お知らせ：", "ひとことメモ："),
        Tone.WARM: ("", "お知らせ：", "ひとことメモ："),
        Tone.FORMAL: ("", "お知らせ：", "ご案内："),
    },
    link_label="{topic}について： ",
    colon="： ",
    statement_ends=("です", "ます", "ました", "ません"),
    separator="",
    full_stop="。",
)

_LANGUAGES: Final = {
    "en": _ENGLISH,
    "de": _GERMAN,
    "es": _SPANISH,
    "fr": _FRENCH,
    "ja": _JAPANESE,
}
#: The phrases of unsupported languages: none, so that a draft consists of the facts alone.
FACTS_ONLY: Final = Language(openings=dict.fromkeys(Tone, ("",)), link_label="")
_TONE_WORDS: Final = {
    Tone.WARM: {"warm", "friendly", "casual", "cheerful", "playful", "personal", "neighbourly"},
    Tone.FORMAL: {"formal", "official", "professional", "serious", "factual"},
}


def select_language(name: str) -> Language:
    """Return the language with a code (`en`, `de-AT`) or name; `FACTS_ONLY` if unsupported."""
    return _LANGUAGES.get(language_code(name), FACTS_ONLY)


def select_tone(words: list[str]) -> Tone:
    """Return the tone of the first word that names a tone; `PLAIN` if no word does."""
    for word in words:
        for tone, tone_words in _TONE_WORDS.items():
            if word in tone_words:
                return tone
    return Tone.PLAIN
