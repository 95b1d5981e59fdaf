"""Makes hostile narrations: good ones with an inserted fault that a checker must refuse.

A narration is the text that a language model writes about the facts of a report. A fault is a
number, a comparison, a cause, a sign or a misused slot.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_NUMBER_WORDS: Final = {
    "en": [
        "two",
        "three",
        "seven",
        "eleven",
        "twelve",
        "twenty",
        "forty-two",
        "ninety",
        "hundred",
        "thousand",
        "million",
        "zero",
    ],
    "de": [
        "zwei",
        "drei",
        "sieben",
        "elf",
        "zwölf",
        "zwanzig",
        "zweiundvierzig",
        "neunzig",
        "hundert",
        "tausend",
        "null",
    ],
}
_AMOUNTS: Final = {
    "en": (
        "half", "a third", "two thirds", "a quarter", "double", "doubled", "tripled", "twice",
        "a dozen", "per cent", "percent", "most of", "the majority of", "hundreds of", "tenfold",
        "the first", "the second", "a couple of", "several", "both", "all", "many", "a few", "once",
        "threefold", "a handful of", "nearly", "almost", "countless", "one in five", "fifty-fifty",
    ),
    "de": (
        "die Hälfte", "ein Drittel", "zwei Drittel", "ein Viertel", "doppelt", "verdoppelt",
        "verdreifacht", "zweimal", "ein Dutzend", "Prozent", "die meisten", "die Mehrheit der",
        "Hunderte von", "zehnfach", "der erste", "die zweite", "ein paar", "mehrere", "beide",
        "alle", "viele", "wenige", "einmal", "das Dreifache", "eine Handvoll", "fast",
        "halb so viele", "zahllose", "anderthalb", "jeder fünfte",
    ),
}  # fmt: skip
_COMPARISONS: Final = {
    "en": (
        "more", "fewer", "rose", "fell", "grew", "increased", "best ever", "a record",
        "the highest", "outperformed", "better", "surged", "dropped", "above average",
        "a new high", "stronger",
        "beat expectations", "lower", "improved", "declined", "at least", "up", "down", "peaked",
        "exceeded", "unprecedented", "ahead of", "the top", "least", "never before",
    ),
    "de": (
        "mehr", "weniger", "stieg", "fiel", "wuchs", "erhöht", "so gut wie nie", "ein Rekord",
        "die höchste", "übertraf", "besser", "schoss hoch", "gesunken", "überdurchschnittlich",
        "ein Höchststand", "stärker", "niedriger", "verbessert", "mindestens", "nach oben", "beste",
        "zugelegt", "zurückgegangen", "Spitzenwert", "größer", "gesteigert", "höher", "abgenommen",
    ),
}  # fmt: skip
_CAUSES: Final = {
    "en": (
        "because",
        "thanks to them",
        "on account of posts",
        "led to",
        "due to",
        "as a consequence",
        "drove",
        "caused",
    ),
    "de": (
        "weil",
        "dank des Links",
        "führte zu",
        "wegen",
        "infolge",
        "bewirkte",
        "verursacht durch",
    ),
}
_FOREIGN: Final = (
    "deux", "trois", "dix", "vingt", "cent", "moitié", "double", "dos", "tres", "diez", "mitad",
    "ciento", "due", "tre", "dieci", "metà", "cento", "二", "三", "十", "百", "千", "万", "半分",
    "倍増", "пять", "десять", "dva", "tolv", "kolme", "on iki", "خمسة", "पाँच", "다섯", "สิบ",
)  # fmt: skip
_ZEROS: Final = "0٠۰०০௦๐０𝟎𝟘𝟢𝟬𝟶߀"
_SIGNS: Final = (
    "½", "¾", "⅓", "²", "³", "¹⁰", "₅", "①", "⑫", "❼", "Ⅻ", "ⅳ", "XII", "IV", "MMXX", "五", "〇",
    "5️⃣", "🔟", "💯", "🥇", "📈", "↑", "±", "×", "%", "‰", "$", "€", "∞", "&#53;", "&frac12;",
    "\\u0035", "%35", "<b>5</b>", "[5](https://x.com)", "https://a.example/5", "@fifty", "#top",
    "1e3", "0x10", "3x", "5k", "10%", "7-fold", "24/7", "10,000", "1.5", "-3", "+7",
)  # fmt: skip
_INVISIBLE: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066\u180e\u034f"
_LOOK_ALIKES: Final = str.maketrans("aeopcyxidhu", "аеорсухіԁһս")
_SLOT_FAULTS: Final = {
    "en": (
        "The account has {impressions} followers.", "Followers came to {impressions}.",
        "{best_post} had {impressions}.", "The account had {best_impressions}.",
        "The account gained {followers}.", "The account gained {impressions} from {posts}.",
        "{posts} gained {impressions}.", "{posts} were sent and gained {impressions}.",
        "The account published {impressions}.", "The account gained over {impressions}.",
        "The account gained {impressions} a day.", "The account did not gain {impressions}.",
        "The account gained no impressions.", "In a day, the account gained {impressions}.",
        "A typical post has {impressions}.", "On average, the account gained {impressions}.",
        "Its posts brought {follower_balance}.", "{best_post} brought {anomaly}.",
        "The frequency was {impressions}.", "The comparison shows {followers}.",
        "The account gained {impressions} {posts}.", "It went from {engagements} to {impressions}.",
        "Visibility came to {followers}, and the audience to {impressions}.",
        "The account gained {impressions} without {engagements}.",
        "The reason is {best_post}.", "The account received {posts_per_week}.",
        "An anomaly was found with {impressions}.", "The median is {followers}.",
    ),
    "de": (
        "Der Account hat {impressions} Follower.", "Die Zahl der Follower beträgt {impressions}.",
        "{best_post} hatte {impressions}.", "Der Account hatte {best_impressions}.",
        "Der Account gewann {followers}.", "Der Account gewann {impressions} mit {posts}.",
        "{posts} gewannen {impressions}.", "{posts} wurden gesendet und gewannen {impressions}.",
        "Der Account veröffentlichte {impressions}.", "Der Account gewann über {impressions}.",
        "Der Account gewann {impressions} am Tag.", "Der Account gewann nicht {impressions}.",
        "Der Account gewann keine Impressionen.", "An einem Tag gewann der Account {impressions}.",
        "Ein typischer Beitrag hat {impressions}.", "Im Durchschnitt waren es {impressions}.",
        "Die Beiträge brachten {follower_balance}.", "{best_post} brachte {anomaly}.",
        "Die Häufigkeit war {impressions}.", "Der Vergleich zeigt {followers}.",
        "Der Account gewann {impressions} {posts}.", "Es ging von {engagements} auf {impressions}.",
        "Die Sichtbarkeit umfasst {followers}, und das Publikum {impressions}.",
        "Der Account gewann {impressions} ohne {engagements}.",
        "Der Grund ist {best_post}.", "Der Account erhielt {posts_per_week}.",
        "Eine Auffälligkeit wurde gefunden, mit {impressions}, über dem üblichen Wert.",
        "Der Median beträgt {followers}.",
    ),
}  # fmt: skip
_SLOT_FORMS: Final = (
    "{f1}", "{reach}", "{}", "{0}", "{impressions:.0f}", "{impressions!r}", "{ impressions }",
    "{{posts}}", "{posts", "posts}", "1{posts}", "{posts}0", "-{posts}", "{posts}k", "{posts}%",
    "${posts}", "{posts}-fold", "{posts}.5", "{posts}/{followers}", "{Posts}", "{posts.value}",
    "{posts}posts", "{posts}{followers}", "{pоsts}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hostile:
    """A narration with an inserted fault, and the category of the fault."""

    language: str
    category: str
    text: str


def make_hostile(carriers: dict[str, list[str]], count: int, seed: int) -> list[Hostile]:
    """Return `count` narrations that the checker must refuse.

    `carriers` are narrations by language that the checker accepts. Each result is made by inserting
    a fault into a carrier, except that some results have only a faulty sentence.
    """
    chance = random.Random(seed)
    makers = list(_MAKERS.items())
    made = []
    for number in range(count):
        category, make = makers[number % len(makers)]
        language = chance.choice(("en", "de"))
        carrier = chance.choice(carriers[language])
        made.append(Hostile(language, category, make(chance, language, carrier)))
    return made


def _insert(chance: random.Random, carrier: str, plant: str) -> str:
    """Insert the text `plant` at a random position between the words of a narration."""
    words = carrier.removesuffix(".").split(" ")
    words.insert(chance.randint(0, len(words)), plant)
    return " ".join(words) + "."


def _replant(plants: Callable[[random.Random, str], str]) -> "Maker":
    return lambda chance, language, carrier: _insert(chance, carrier, plants(chance, language))


Maker = Callable[[random.Random, str, str], str]


def _number_word(chance: random.Random, language: str) -> str:
    word = chance.choice((*_NUMBER_WORDS[language], *_AMOUNTS[language], *_COMPARISONS[language]))
    return word.title() if chance.random() < 0.2 else word


def _digits(chance: random.Random, _: str) -> str:
    number = str(chance.choice((2, 5, 12, 50, 100, 1_000, 48_213)))
    zero = ord(chance.choice(_ZEROS))
    return "".join(chr(zero + int(each)) for each in number)


def _hidden(chance: random.Random, language: str) -> str:
    """Return a number in words or digits, with an invisible character inserted."""
    plant = chance.choice((_single(chance, language), _digits(chance, language)))
    position = chance.randint(1, max(len(plant) - 1, 1))
    return plant[:position] + chance.choice(_INVISIBLE) + plant[position:]


def _look_alike(chance: random.Random, language: str) -> str:
    while True:
        word = _single(chance, language)
        if (changed := word.translate(_LOOK_ALIKES)) != word:
            return changed


def _split_word(chance: random.Random, language: str) -> str:
    word = _single(chance, language)
    joint = chance.choice(("-", " ", ".", "'", "·", "_"))
    if chance.random() < 0.5:
        return joint.join(word)
    position = chance.randint(1, len(word) - 1)
    return f"{word[:position]}{joint}{word[position:]}"


def _single(chance: random.Random, language: str) -> str:
    """Return a random word for a number or an amount; the word has no spaces."""
    amounts = [each for each in _AMOUNTS[language] if " " not in each]
    return chance.choice((*_NUMBER_WORDS[language], *amounts))


def _misuse_slot(chance: random.Random, language: str, carrier: str) -> str:
    """Return a sentence that misuses a slot, alone or after the carrier.

    The sentence uses the slot for another figure, such as `{impressions}` for followers.
    """
    sentence = chance.choice(_SLOT_FAULTS[language])
    return sentence if chance.random() < 0.5 else f"{carrier} {sentence}"


_MAKERS: Final[dict[str, Maker]] = {
    "digits": _replant(_digits),
    "words": _replant(_number_word),
    "amounts": _replant(lambda chance, language: chance.choice(_AMOUNTS[language])),
    "comparisons": _replant(lambda chance, language: chance.choice(_COMPARISONS[language])),
    "causes": _replant(lambda chance, language: chance.choice(_CAUSES[language])),
    "foreign": _replant(lambda chance, _: chance.choice(_FOREIGN)),
    "signs": _replant(lambda chance, _: chance.choice(_SIGNS)),
    "invisible": _replant(_hidden),
    "look_alikes": _replant(_look_alike),
    "split": _replant(_split_word),
    "slot_forms": _replant(lambda chance, _: chance.choice(_SLOT_FORMS)),
    "slot_meanings": _misuse_slot,
}
