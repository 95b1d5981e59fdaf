"""Splits texts into terms: words with their stems, to recognize a paraphrase of a fact."""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from roost.agents.lexicons import Lexicon
from roost.agents.words import fold

_WORD: Final = re.compile(r"[^\W_]+(?:['\-&.][^\W_]+)*")
#: In Japanese, a term is a run of Han characters, of katakana, or of Latin letters.
_RUN: Final = re.compile(r"[\u3400-\u9fff々]+|[\u30a1-\u30faー]{2,}|[a-z][a-z0-9'&.\-]*")
_SHORTEST_STEM: Final = 3


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a text, with its stem and its position."""

    word: str
    """Folded."""
    stem: str
    start: int
    """The position in the folded text."""


def fold_quotes(text: str) -> str:
    """Fold a text, and replace curly apostrophes by straight ones."""
    return fold(text).replace("’", "'").replace("‘", "'")


def list_terms(text: str, lexicon: Lexicon) -> list[Term]:
    """Return the words of a folded text in order, stopwords included."""
    if not lexicon.spaced:
        return [Term(run[0], run[0], run.start()) for run in _RUN.finditer(text)]
    return list(_split_elisions(text, lexicon))


def _split_elisions(text: str, lexicon: Lexicon) -> Iterator[Term]:
    for match in _WORD.finditer(text):
        word, start = match[0].removesuffix("'s"), match.start()
        first, apostrophe, rest = word.partition("'")
        while apostrophe and rest and first in lexicon.elisions:
            yield Term(first, first, start)
            word, start = rest, start + len(first) + 1
            first, apostrophe, rest = word.partition("'")
        yield Term(word, stem(word, lexicon), start)


def content_terms(text: str, lexicon: Lexicon) -> list[Term]:
    """Return the terms of a text that can claim something.

    Stopwords, numerals and single letters are left out.
    """
    return [
        term
        for term in list_terms(text, lexicon)
        if term.word not in lexicon.stopwords
        and term.word not in lexicon.numbers
        and not term.word[0].isdecimal()
        and (len(term.word) > 1 or not lexicon.spaced)
    ]


def stem(word: str, lexicon: Lexicon) -> str:
    """Return a word without its ending: `opens`, `opening` and `opened` have the same stem."""
    return _stem(word, lexicon.suffixes)


@functools.lru_cache(maxsize=1 << 14)
def _stem(word: str, suffixes: tuple[str, ...]) -> str:
    for suffix in suffixes:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            word = word[: -len(suffix)]
            break
    # A final `y` is removed, so that `city` and `cities` have the same stem.
    if len(word) > _SHORTEST_STEM:
        word = word.removesuffix("y")
    return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] == word[-2] else word


class Vocabulary:
    """The terms of some texts, such as facts, with which the terms of a draft are compared."""

    def __init__(self, texts: Iterable[str], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self.text = " \n ".join(fold_quotes(text) for text in texts)
        terms = list_terms(self.text, lexicon)
        self.words = {term.word for term in terms}
        self.stems = {term.stem for term in terms}
        # The parts of a hyphenated word count too: a text with `spring-check` has the term `check`.
        self.stems |= {stem(part, lexicon) for word in self.words for part in word.split("-")}

    def has(self, term: Term) -> bool:
        """Whether the texts contain the term or a closely related word."""
        if term.stem in self.stems or term.word in self.words:
            return True
        if not self._lexicon.spaced:
            return self._has_run(term.word)
        parts = term.word.split("-")
        if len(parts) > 1 and all(stem(part, self._lexicon) in self.stems for part in parts):
            return True
        return any(is_related(term.stem, known) for known in self.stems)

    def has_word(self, word: str) -> bool:
        """Whether the texts contain this word, possibly with another ending."""
        if not self._lexicon.spaced:
            return word in self.text
        return word in self.words or stem(word, self._lexicon) in self.stems

    def _has_run(self, run: str) -> bool:
        """Whether the texts contain a Japanese run, or two adjacent characters of the run."""
        if run in self.text:
            return True
        return any(run[at : at + 2] in self.text for at in range(len(run) - 1))


def is_related(one: str, other: str) -> bool:
    """Whether two stems share a long beginning, or one stem ends with the other."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 4:
        return False
    if longer.endswith(shorter) and len(shorter) >= 5:
        return True
    common = 0
    for left, right in zip(shorter, longer, strict=False):
        if left != right:
            break
        common += 1
    return common >= max(4, len(shorter) - 1) and common * 10 >= len(longer) * 6


def say_as_facts(text: str, facts: Vocabulary, lexicon: Lexicon) -> str:
    """Replace phrases such as `costs nothing` in a text by the facts' word, such as `free`.

    If the facts contain no such word but a similar phrase, the phrases are replaced by a word that
    the text already contains, or else by the lexicon's first word of this meaning. If the facts
    contain neither, the phrases stay.
    """
    folded = fold_quotes(text)
    for words, pattern in lexicon.equivalents:
        group = words.split()
        word = next((each for each in group if facts.has_word(each)), None)
        if word is None and re.search(pattern, facts.text):
            word = next((each for each in group if _occurs(each, folded, lexicon)), group[0])
        if word is not None:
            folded = re.sub(pattern, f" {word} ", folded)
    return folded


def say_as_draft(facts: str, draft: str, lexicon: Lexicon) -> str:
    """Replace phrases such as `costs nothing` in facts by the draft's word, such as `free`.

    `facts` are folded. `draft` is a text that `say_as_facts` returned.
    """
    for words, pattern in lexicon.equivalents:
        word = next((each for each in words.split() if _occurs(each, draft, lexicon)), None)
        if word is not None:
            facts = re.sub(pattern, f" {word} ", facts)
    return facts


def _occurs(word: str, folded: str, lexicon: Lexicon) -> bool:
    edges = (r"(?<!\w)", r"(?!\w)") if lexicon.spaced else ("", "")
    return re.search(f"{edges[0]}{re.escape(word)}{edges[1]}", folded) is not None
