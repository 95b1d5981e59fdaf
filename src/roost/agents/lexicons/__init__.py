"""Lexicons: the words of each supported language by which validators judge drafts.

`docs/reference/languages.md` lists the languages, and what is judged in each.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Final


def words(text: str) -> frozenset[str]:
    """Split a text at white space, and return the set of its words."""
    return frozenset(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """Return the lines of a text, each of which is a phrase or a pattern."""
    return tuple(line.strip() for line in text.strip().splitlines())


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words and phrases of one language by which validators judge drafts, all folded."""

    code: str
    stopwords: frozenset[str]
    """Words that claim nothing by themselves."""
    neutral: frozenset[str]
    """Other words that a draft may use freely: greetings and invitations."""
    strict: frozenset[str]
    """Words that claim so much that a cited fact must contain them: `best`, `guaranteed`."""
    synonyms: tuple[frozenset[str], ...]
    """Groups of words of which one supports another: `free`, `complimentary`."""
    antonyms: tuple[tuple[str, str], ...]
    """Words that turn a fact into its opposite: `open`, `closed`."""
    negations: frozenset[str]
    negation_idioms: tuple[str, ...]
    """Regular expressions of phrases with a negation that denies nothing: `don't miss`."""
    equivalents: tuple[tuple[str, str], ...]
    """Words, and a regular expression of phrases that say the same with a negation: `free`, and
    `costs nothing`. The first are those of what costs nothing."""
    denied_claims: frozenset[str]
    """Words whose denial claims something: `no contract`, `no additives`."""
    instead: tuple[str, ...]
    """Regular expressions of phrases before what is denied: `instead of`."""
    conditions: tuple[str, ...]
    """Regular expressions of the beginnings of conditions, which deny nothing: `if`. In a language
    without spaces, of whole conditions."""
    strict_idioms: tuple[str, ...]
    """Regular expressions of phrases in which a word of `strict` claims nothing: `best wishes`."""
    numbers: Mapping[str, int]
    """Numerals that are written as words."""
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    units: Mapping[str, str]
    """Units of measurement and of money, each with its canonical name."""
    cliches: tuple[str, ...]
    reasoning: tuple[str, ...]
    """Regular expressions of what a model says about its own work: `Here is the post`."""
    at_least: tuple[str, ...]
    """Phrases beside a number that make it the smallest: `more than`. They follow the number in a
    language without spaces."""
    at_most: tuple[str, ...]
    """Phrases beside a number that make it the largest: `up to`."""
    connectives: frozenset[str]
    """First words of a sentence that needs the sentence before it."""
    suffixes: tuple[str, ...] = ()
    """Endings without which two words are compared, the longest first."""
    elisions: frozenset[str] = field(default_factory=frozenset)
    """Beginnings before an apostrophe, such as `l` in `l'entrée`."""
    capitalizes_nouns: bool = False
    spaced: bool = True
    """Whether words are separated by spaces."""

    def says_free(self, folded: str) -> bool:
        """Whether a folded text says that something costs nothing."""
        free, pattern = self.equivalents[0]
        words = rf"(?<!\w)(?:{free.replace(' ', '|')})(?!\w)" if self.spaced else free
        return bool(re.search(f"{words}|{pattern}", folded))


#: The languages that have a lexicon.
LANGUAGES: Final = ("en", "de", "es", "fr", "ja")


@cache
def find_lexicon(code: str) -> Lexicon | None:
    """Return the lexicon of a language code such as `en`; None if there is none."""
    if code not in LANGUAGES:
        return None
    lexicon: Lexicon = import_module(f"roost.agents.lexicons.{code}").LEXICON
    return lexicon


def find_conditions(folded: str, lexicon: Lexicon) -> list[str]:
    """Return the conditional clauses of a folded text, such as `if it rains`."""
    if not lexicon.conditions:
        return []
    return [match[0] for match in _conditions(lexicon.conditions, lexicon.spaced).finditer(folded)]


def drop_conditions(folded: str, lexicon: Lexicon) -> str:
    """Remove the conditional clauses from a folded text, because such clauses claim nothing."""
    if not lexicon.conditions:
        return folded
    return _conditions(lexicon.conditions, lexicon.spaced).sub(" ", folded)


@cache
def _conditions(begins: tuple[str, ...], spaced: bool) -> re.Pattern[str]:
    pattern = any_of(begins).pattern
    return re.compile(rf"(?<!\w)(?:{pattern})\b[^.,;:!?…\n–—]*" if spaced else pattern)


@cache
def any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Combine regular expressions into one pattern that matches what any of them matches."""
    return re.compile("|".join(f"(?:{each})" for each in patterns))
