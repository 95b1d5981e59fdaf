"""Finds numbers and comparisons in a narration, independently of the checker.

The oracle searches for the words of its own lists of forbidden words, whereas the checker has a
list of allowed words. Before the search, the oracle removes what can hide a number: invisible
characters, look-alike letters, hyphens and spaces.
"""

import re
import unicodedata
from typing import Final

_CARDINALS: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
thousand million billion dozen score null eins zwei drei vier fünf sechs sieben acht neun zehn elf
zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig dreißig vierzig
fünfzig sechzig siebzig achtzig neunzig hundert tausend million millionen milliarde dutzend deux
trois quatre cinq sept huit neuf dix onze douze vingt trente cent mille dos tres cuatro cinco seis
siete ocho nueve diez once doce veinte treinta cien mil due tre quattro cinque sette otto nove
dieci undici dodici venti trenta cento
"""
_OTHERS: Final = """
first second third fourth fifth tenth half halves quarter double doubled doubles triple tripled
quadrupled twice thrice tenfold twofold percent majority minority most couple several erste ersten
zweite zweiten dritte dritten hälfte halb halbe halben viertel drittel doppelt doppelte verdoppelt
verdoppelte verdreifacht zweimal dreimal zehnfach zehnfache prozent mehrheit minderheit meisten
paar mehrere both many few nearly almost countless handful once threefold fifty hundreds fifths
beide viele wenige einmal dreifache handvoll fast zahllose anderthalb fünfte hunderte
"""
_COMPARISONS: Final = """
more less fewer higher lower better worse best-ever highest lowest strongest rose fell grew
increased decreased climbed dropped surged soared plummeted jumped record outperformed exceeded
beat topped mehr weniger höher niedriger besser schlechter höchste stärkste stieg stiegen sank
sanken wuchs up down stronger improved declined peaked unprecedented ahead top least never above
expectations erhöht nie höchststand stärker niedriger mindestens oben zugelegt zurückgegangen
spitzenwert größer überdurchschnittlich schoss beste gesunken fiel zugenommen abgenommen übertraf
übertroffen rekord gesteigert gestiegen gefallen verbessert
"""
_CAUSES: Final = "because thanks-to led-to due-to caused weil führte-zu wegen verursacht"
_WORDS: Final = frozenset(
    f"{_CARDINALS} {_OTHERS} {_COMPARISONS} {_CAUSES}".replace("-", " ").split()
) - {"ever", "thanks", "to", "best", "zu", "up"}
#: Number words that can be parts of a compound word, such as `zweihundert` or `twentyfive`.
_STEMS: Final = tuple(word for word in _CARDINALS.split() if len(word) > 3)
_LOOK_ALIKES: Final = str.maketrans(
    "ԝаеорсухіјѕԁһոսνοеаірѵкмтвнАВЕКМНОРСТХΑΒΕΗΙΚΜΝΟΡΤΧ",
    "waeopcyxijsdhnuvoeaipvkmtbhABEKMHOPCTXABEHIKMNOPTX",
)
_CJK: Final = frozenset("〇一二三四五六七八九十百千万億兆壱弐参零两半倍")
_ROMAN: Final = re.compile(
    r"(?<!\w)(?=[IVXLCDM])M*(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?!\w)"
)
_SLOT: Final = re.compile(r"\{[^{}]*\}")


def find_invented(narration: str) -> set[str]:
    """Return the numbers and comparisons that a narration contains outside its slots."""
    found = {each for each in narration if unicodedata.numeric(each, None) is not None}
    found |= set(narration) & _CJK
    text = _SLOT.sub(" § ", narration)
    text = unicodedata.normalize("NFKC", text).translate(_LOOK_ALIKES)
    visible = "".join(each for each in text if unicodedata.category(each) not in ("Cf", "Mn", "So"))
    found |= set(_ROMAN.findall(visible)) - {"X"}
    for reading in (visible, visible.replace("-", ""), _join_letters(visible)):
        words = set(re.findall(r"[^\W_]+", reading.casefold()))
        found |= words & _WORDS
        found |= {word for word in words if _is_compound(word)}
    return found


def _join_letters(text: str) -> str:
    """Join letters that stand alone, such as `t w o` or `t-w-o`, to a word such as `two`."""
    return re.sub(r"(?<=\b\w)[ .·_-](?=\w\b)", "", text)


def _is_compound(word: str) -> bool:
    """Whether a word is composed only of number words, as `zweiundzwanzig` is."""
    rest = word
    for stem in sorted((*_STEMS, "ein", "und", "one", "two", "six", "elf"), key=len, reverse=True):
        rest = rest.replace(stem, "")
    return not rest and any(stem in word for stem in _STEMS)
