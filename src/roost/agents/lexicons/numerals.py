"""The numerals from 2 to 99 that are written as words: `twenty-five`, `dix-huit`."""

from collections.abc import Callable, Mapping
from typing import Final

_ENGLISH: Final = (
    """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen""",
    "twenty thirty forty fifty sixty seventy eighty ninety",
)
_GERMAN: Final = (
    """ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn
    sechzehn siebzehn achtzehn neunzehn""",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
)
_SPANISH: Final = (
    """un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis
    diecisiete dieciocho diecinueve""",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
_FRENCH: Final = (
    """un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize
    dix-sept dix-huit dix-neuf""",
    "vingt trente quarante cinquante soixante",
)


def _count(words: tuple[str, str], join: Callable[[str, str], tuple[str, ...]]) -> dict[str, int]:
    """Return the numerals of a language; `join` returns the spellings of tens with a digit."""
    small, tens = (each.split() for each in words)
    found = dict(zip(small[1:], range(2, 20), strict=True))
    for ten, word in enumerate(tens, 2):
        found[word] = 10 * ten
        for digit in range(1, 10):
            found |= dict.fromkeys(join(word, small[digit - 1]), 10 * ten + digit)
    return found


def _count_spanish() -> dict[str, int]:
    def join(ten: str, digit: str) -> tuple[str, ...]:
        if ten == "veinte":
            accents = {"un": "ún", "dos": "dós", "tres": "trés", "seis": "séis"}
            return (f"veinti{accents.get(digit, digit)}", f"veinti{digit}")
        return (f"{ten} y {digit}",)

    found = _count(_SPANISH, join)
    # A numeral that ends in one has a gender: `veintiuna`, `treinta y uno`.
    ones = {name: value for name, value in found.items() if value % 10 == 1 and value > 20}
    return found | {
        name.replace("ún", "un") + end: value for name, value in ones.items() for end in "ao"
    }


def _count_french() -> dict[str, int]:
    def join(ten: str, digit: str) -> tuple[str, ...]:
        if digit == "un":
            return tuple(f"{ten}{sign}et{sign}{one}" for sign in " -" for one in ("un", "une"))
        return (f"{ten}-{digit}", f"{ten} {digit}")

    found = _count(_FRENCH, join)
    for value, word in enumerate(_FRENCH[0].split()[9:], 10):
        # `soixante-dix`, `soixante et onze`, and `quatre-vingt-dix`.
        found |= dict.fromkeys((f"soixante-{word}", f"soixante et {word}"), 60 + value)
        found[f"quatre-vingt-{word}"] = 80 + value
    for value, word in enumerate(_FRENCH[0].split()[:9], 1):
        found[f"quatre-vingt-{word}"] = 80 + value
    return found | {"quatre-vingt": 80, "quatre-vingts": 80, "quatre-vingt-une": 81}


NUMERALS: Final[Mapping[str, Mapping[str, int]]] = {
    "en": _count(_ENGLISH, lambda ten, digit: (f"{ten}-{digit}", f"{ten} {digit}"))
    | {"half a dozen": 6, "a dozen": 12},
    "de": _count(_GERMAN, lambda ten, digit: (f"{digit}und{ten}",))
    | {"zwo": 2, "dreissig": 30, "ein halbes dutzend": 6, "ein dutzend": 12},
    "es": _count_spanish() | {"media docena": 6, "una docena": 12},
    "fr": _count_french() | {"une demi-douzaine": 6, "une douzaine": 12},
}
