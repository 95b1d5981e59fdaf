"""A draft is written in the brief's language."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from roost.agents.lexicons import words
from roost.agents.terms import fold_quotes
from roost.agents.validators.candidate import Candidate, Context

#: The scripts of each language, as the first words of the names of their characters.
_SCRIPTS: Final = {
    "ja": {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    "zh": {"CJK"},
    "ko": {"HANGUL", "CJK"},
    "ru": {"CYRILLIC"}, "uk": {"CYRILLIC"}, "bg": {"CYRILLIC"}, "sr": {"CYRILLIC", "LATIN"},
    "el": {"GREEK"}, "ar": {"ARABIC"}, "fa": {"ARABIC"}, "ur": {"ARABIC"}, "he": {"HEBREW"},
    "hi": {"DEVANAGARI"}, "th": {"THAI"},
    **{code: {"LATIN"} for code in (
        "en", "de", "es", "fr", "it", "pt", "nl", "pl", "sv", "da", "no", "nb", "fi", "cs", "hu",
        "ro", "tr", "et", "ca", "id", "vi",
    )},
}  # fmt: skip
_LATIN: Final = frozenset({"LATIN"})
#: For each language: frequent words that few of the other languages here have.
_COMMON: Final = {
    "en": words("""the and of to is are you your we our for with on at this that from it be have
        will not can by as an all every us here has open more"""),
    "de": words("""der die das und ist sind ein eine für mit auf von wir sie ihr nicht den dem zu
        im bei auch uns unser unsere uhr am oder als wird einen einer zum zur"""),
    "es": words("""el la los las y es son un una para con de del en que por nuestro nuestra su se
        no al más desde hasta todos cada lo como"""),
    "fr": words("""le la les et est sont un une pour avec de du des en que par notre nos vous nous
        au aux dans ne pas sur votre chaque à ce qui"""),
    "it": words("""il lo gli e è sono un una per con di del della che non nostro nostra siamo al
        alla ogni nel dalle alle più tutti i"""),
    "pt": words("""o os as e é são um uma para com de do da que não nosso nossa em no na ao mais
        cada todos você às dos das"""),
    "nl": words("""de het een en is zijn voor met van wij we op niet ons onze bij ook naar uit u je
        door aan om"""),
}  # fmt: skip
_word = re.compile(r"[^\W\d_]+").findall
_MOST_FOREIGN: Final = 0.3
_FEWEST_WORDS: Final = 3


def detect_language(texts: Sequence[str]) -> str | None:
    """Return the code of the language that texts certainly have; None if they have none."""
    letters = [_script(character) for text in texts for character in text if character.isalpha()]
    counts = Counter(letters)
    if counts["HIRAGANA"] + counts["KATAKANA"] > len(letters) * _MOST_FOREIGN:
        return "ja"
    found = [word for text in texts for word in _word(fold_quotes(text))]
    scores = {code: sum(word in common for word in found) for code, common in _COMMON.items()}
    best, second = sorted(scores, key=lambda code: scores[code], reverse=True)[:2]
    is_certain = scores[best] >= _FEWEST_WORDS and scores[best] > 1.5 * scores[second] + 1
    return best if is_certain else None


def judges_language(context: Context) -> bool:
    """Whether the script of the brief's language is known."""
    return context.language in _SCRIPTS


def check_language(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find parts in another script, and parts with the frequent words of another language."""
    scripts = _SCRIPTS[context.language]
    for sentence in _texts(candidate, context):
        counts = Counter(_script(character) for character in sentence if character.isalpha())
        total = sum(counts.values())
        foreign = sum(count for script, count in counts.items() if script not in scripts)
        if scripts != _LATIN:
            # Names in Latin letters are common, but a sentence has letters of its own script.
            if total >= 8 and foreign == total and not _in_facts(sentence, context):
                yield f"E-LANGUAGE: not {context.language}"
            foreign -= counts["LATIN"]
        if total and foreign > total * _MOST_FOREIGN and not _in_facts(sentence, context):
            yield f"E-LANGUAGE: not {context.language}"
        elif (
            context.language == "ja"
            and counts["CJK"] >= 8
            and not (counts["HIRAGANA"] or counts["KATAKANA"] or _in_facts(sentence, context))
        ):
            yield "E-LANGUAGE: not ja"
    if scripts == _LATIN:
        yield from _check_common_words(candidate, context)


def _check_common_words(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find the frequent words of another language in Latin letters."""
    own_words = _COMMON.get(context.language)
    found = [word for text in _texts(candidate, context) for word in _word(fold_quotes(text))]
    known = frozenset(_word(context.folded_texts))
    if own_words is None:
        # Frequent words of the brief's language are not known, but its facts have some of them.
        own_words = known
    # A word of the brief shows nothing: its facts may be in another language than its posts.
    other = [word for word in found if word not in known]
    scores = {code: sum(word in common for word in other) for code, common in _COMMON.items()}
    own = sum(word in own_words for word in found)
    best = max(scores, key=lambda code: scores[code])
    if scores[best] >= _FEWEST_WORDS and scores[best] > 1.5 * own + 1:
        yield f"E-LANGUAGE: {best}, not {context.language}"


def _texts(candidate: Candidate, context: Context) -> list[str]:
    return [context.claim_text(sentence.text) for sentence in candidate.sentences]


def _in_facts(text: str, context: Context) -> bool:
    folded = fold_quotes(text).strip(" .!?。")
    return any(folded in fold_quotes(source) for source in context.all_texts)


def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split()[0]
