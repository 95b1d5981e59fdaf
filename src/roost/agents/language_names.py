"""Finds the code of a language, such as `de`, by a name that a brief may use for it."""

from typing import Final

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
    "italian": "it",
    "italiano": "it",
    "portuguese": "pt",
    "português": "pt",
    "dutch": "nl",
    "nederlands": "nl",
    "polish": "pl",
    "polski": "pl",
    "swedish": "sv",
    "svenska": "sv",
    "danish": "da",
    "dansk": "da",
    "norwegian": "no",
    "norsk": "no",
    "finnish": "fi",
    "suomi": "fi",
    "estonian": "et",
    "eesti": "et",
    "czech": "cs",
    "čeština": "cs",
    "hungarian": "hu",
    "magyar": "hu",
    "romanian": "ro",
    "română": "ro",
    "turkish": "tr",
    "türkçe": "tr",
    "catalan": "ca",
    "català": "ca",
    "indonesian": "id",
    "vietnamese": "vi",
    "bulgarian": "bg",
    "serbian": "sr",
    "persian": "fa",
    "urdu": "ur",
    "russian": "ru",
    "русский": "ru",
    "ukrainian": "uk",
    "українська": "uk",
    "greek": "el",
    "ελληνικά": "el",
    "arabic": "ar",
    "العربية": "ar",
    "hebrew": "he",
    "עברית": "he",
    "hindi": "hi",
    "हिन्दी": "hi",
    "korean": "ko",
    "한국어": "ko",
    "chinese": "zh",
    "中文": "zh",
    "thai": "th",
    "ไทย": "th",
}


def find_language_code(name: str) -> str | None:
    """Return the code of the language with this name or code; None if it is unknown."""
    code = language_code(name)
    return code if code in _NAMES.values() else None


def language_code(name: str) -> str:
    """Return the code of a language that a brief names: `de` for `de-AT`, `German`, `Deutsch`.

    An unknown name is returned in lower case, up to the first hyphen. Such a result is the code of
    no language, so the rules of no language apply.
    """
    name = name.casefold()
    return _NAMES.get(name) or name.replace("_", "-").partition("-")[0]
