"""The phrases that the composer may put around facts, for each supported language.

No phrase claims, counts or praises anything. Each phrase is grammatical for every topic and
audience, because a colon, a question mark or a full stop separates it from the following sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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
    """Phrases before the facts, with `{topic}`, `{Topic}` (capitalised) and `{audience}`."""
    closings: Mapping[Tone, tuple[str, ...]]
    """Phrases before the link."""
    separator: str = " "
    """The text between two sentences."""
    full_stop: str = "."


_ENGLISH: Final = Language(
    openings={
        Tone.PLAIN: (
            "",
            "{Topic}: ",
            "Good to know: ",
            "In short: ",
            "For {audience}: ",
            "Worth knowing about {topic}: ",
            "A reminder: ",
        ),
        Tone.WARM: (
            "",
            "Did you know? ",
            "By the way: ",
            "Just so you know: ",
            "Thinking about {topic}? ",
            "For {audience}: ",
            "A note from us: ",
            "A friendly reminder: ",
        ),
        Tone.FORMAL: (
            "",
            "{Topic}: ",
            "Please note: ",
            "For your information: ",
            "A note on {topic}: ",
            "To {audience}: ",
        ),
    },
    closings={
        Tone.PLAIN: ("More: ", "Details: ", "Read more: "),
        Tone.WARM: ("Here is more: ", "Have a look: ", "Read on: "),
        Tone.FORMAL: ("Further information: ", "Details: "),
    },
)

_GERMAN: Final = Language(
    openings={
        Tone.PLAIN: (
            "",
            "{Topic}: ",
            "Gut zu wissen: ",
            "Kurz gesagt: ",
            "Stichwort {topic}: ",
            "Zur Erinnerung: ",
        ),
        Tone.WARM: (
            "",
            "Schon gewusst? ",
            "Übrigens: ",
            "Stichwort {topic}: ",
            "Nur zur Erinnerung: ",
            "Eine Notiz von uns: ",
        ),
        Tone.FORMAL: (
            "",
            "{Topic}: ",
            "Bitte beachten: ",
            "Zur Information: ",
            "Zum Thema {topic}: ",
        ),
    },
    closings={
        Tone.PLAIN: ("Mehr: ", "Details: ", "Weiterlesen: "),
        Tone.WARM: ("Hier steht mehr: ", "Schaut mal: ", "Mehr dazu: "),
        Tone.FORMAL: ("Weitere Informationen: ", "Details: "),
    },
)

_SPANISH: Final = Language(
    openings={
        Tone.PLAIN: (
            "",
            "{Topic}: ",
            "Conviene saberlo: ",
            "En pocas palabras: ",
            "Un recordatorio: ",
        ),
        Tone.WARM: (
            "",
            "¿Lo sabías? ",
            "Por cierto: ",
            "Un apunte: ",
            "Para que lo sepas: ",
            "Un recordatorio: ",
        ),
        Tone.FORMAL: ("", "{Topic}: ", "Nota: ", "Información: ", "Para su información: "),
    },
    closings={
        Tone.PLAIN: ("Más: ", "Detalles: ", "Leer más: "),
        Tone.WARM: ("Aquí hay más: ", "Echa un vistazo: ", "Sigue leyendo: "),
        Tone.FORMAL: ("Más información: ", "Detalles: "),
    },
)

# French puts a no-break space before a colon and a question mark.
_FRENCH: Final = Language(
    openings={
        Tone.PLAIN: (
            "",
            "{Topic}\u00a0: ",
            "Bon à savoir\u00a0: ",
            "En bref\u00a0: ",
            "Pour rappel\u00a0: ",
        ),
        Tone.WARM: (
            "",
            "Le saviez-vous\u00a0? ",
            "Au fait\u00a0: ",
            "À propos\u00a0: ",
            "Petit rappel\u00a0: ",
            "Un mot de notre part\u00a0: ",
        ),
        Tone.FORMAL: (
            "",
            "{Topic}\u00a0: ",
            "À noter\u00a0: ",
            "Pour information\u00a0: ",
            "Nous vous informons\u00a0: ",
        ),
    },
    closings={
        Tone.PLAIN: ("En savoir plus\u00a0: ", "Détails\u00a0: ", "La suite\u00a0: "),
        Tone.WARM: ("Pour en lire plus\u00a0: ", "La suite est ici\u00a0: ", "À lire\u00a0: "),
        Tone.FORMAL: ("Plus d'informations\u00a0: ", "Détails\u00a0: "),
    },
)

_JAPANESE: Final = Language(
    openings={
        Tone.PLAIN: ("", "{topic}について。", "お知らせ：", "ひとことメモ：", "ポイント："),
        Tone.WARM: (
            "",
            "ご存じですか？",
            "ちなみに、",
            "{topic}について。",
            "ひとことメモ：",
            "ここで豆知識：",
        ),
        Tone.FORMAL: ("", "お知らせいたします。", "{topic}について。", "ご案内："),
    },
    closings={
        Tone.PLAIN: ("詳細： ", "続きはこちら： "),
        Tone.WARM: ("詳しくはこちら： ", "続きはこちらでどうぞ： "),
        Tone.FORMAL: ("詳細はこちらです： ", "ご案内はこちら： "),
    },
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
_NAMES: Final = {
    "english": "en",
    "german": "de",
    "deutsch": "de",
    "spanish": "es",
    "español": "es",
    "castellano": "es",
    "french": "fr",
    "français": "fr",
    "japanese": "ja",
    "日本語": "ja",
}
#: Used for unsupported languages: it has no phrases, so a draft consists of facts alone.
FACTS_ONLY: Final = Language(
    openings=dict.fromkeys(Tone, ("",)), closings=dict.fromkeys(Tone, ("",))
)
_TONE_WORDS: Final = {
    Tone.WARM: {"warm", "friendly", "casual", "cheerful", "playful", "personal", "neighbourly"},
    Tone.FORMAL: {"formal", "official", "professional", "serious", "factual"},
}


def select_language(name: str) -> Language:
    """Return the language of a code (`en`, `de-AT`) or name; `FACTS_ONLY` if unsupported."""
    name = name.casefold()
    code = _NAMES.get(name) or name.replace("_", "-").partition("-")[0]
    return _LANGUAGES.get(code, FACTS_ONLY)


def select_tone(words: list[str]) -> Tone:
    """Return the tone of the first word that names a tone; `PLAIN` if no word does."""
    for word in words:
        for tone, tone_words in _TONE_WORDS.items():
            if word in tone_words:
                return tone
    return Tone.PLAIN
