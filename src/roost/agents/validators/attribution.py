"""What a draft says of a person, a number or all cases, although a fact says it of another."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roost.agents.lexicons import Lexicon, words
from roost.agents.lexicons.qualifiers import QUALIFIERS
from roost.agents.quantities import Quantity
from roost.agents.terms import fold_quotes, list_terms
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.unstated import ends_question, split_pieces
from roost.agents.written import Doubt, DoubtCode

#: Frequent words that tell one clause of a fact from another: `last time`.
_ORDINALS: Final = words(
    "last next first letzte letzten erste ersten última último dernière dernier"
)
#: A description after a name has at most this many words: `a retired watchmaker`.
_MOST_WORDS: Final = 6
_name = re.compile(
    r"[^\W\d_a-zß-ÿ][^\W\d_]+(?:[-’'][^\W\d_]+)?(?: [^\W\d_a-zß-ÿ][^\W\d_]+(?:[-’'][^\W\d_]+)?)+"
).findall
_description = re.compile(r"\s*,\s*([^.,;:!?–—()\n]+)").match
_last_words = re.compile(r"(?:([^\W\d_]+) )?([^\W\d_][\w'’-]*) $").search
split_clauses = re.compile(r"(?<=[.;:!?,…])\s+|(?<=[。；：、])|\s+[–—]\s+|\n+").split
_split_fact = re.compile(r"(?<=[.;:!?])\s+|(?<=[。；：])|,\s+(?=(?:but|aber|pero|mais)\b)").split


def find_wrong_attributions(candidate: Candidate, context: Context) -> Iterator[Doubt]:
    """Find roles, numbers and absolute words that may belong to something else in the facts."""
    for index, sentence in enumerate(candidate.sentences):
        facts = context.cited(sentence)
        text = context.claim_text(sentence.text)
        if not facts or not text or context.repeats_facts(sentence):
            continue
        yield from _find_roles(index, text, facts, context)
        yield from _find_absolutes(index, text, facts, context)
        yield from _find_moved(index, text, facts, context)


def _find_roles(index: int, text: str, facts: tuple[str, ...], context: Context) -> Iterator[Doubt]:
    """Find what a draft calls a person and the cited facts do not: `Doris Bell, an electrician`."""
    lexicon = context.require_lexicon()
    if not lexicon.spaced:
        return
    known = context.fact_vocabulary((*facts, *context.brief_texts))
    for name in dict.fromkeys(each for fact in facts for each in _list_names(fact)):
        for found in re.finditer(re.escape(name), text):
            said = _describe(text, found, lexicon)
            words = [
                term.word
                for term in context.content(fold_quotes(said))
                if not known.has_word(term.word) and term.word not in lexicon.neutral
            ]
            if words:
                yield Doubt(DoubtCode.ROLE_IN_NO_FACT, index, f"{name}: {', '.join(words)}")


def _list_names(fact: str) -> list[str]:
    """Return each two capitalized words in a row of a fact, among which are its names."""
    return [f"{one} {two}" for each in _name(fact) for one, two in itertools.pairwise(each.split())]


def _describe(text: str, name: re.Match[str], lexicon: Lexicon) -> str:
    """Return the words that describe a name: a title before it, or an apposition."""
    said = ""
    if before := _last_words(text[: name.start()]):
        article, word = before[1] or "", before[2]
        if fold_quotes(article) in lexicon.stopwords or word[0].isupper():
            said = word
    if (after := _description(text, name.end())) and len(after[1].split()) <= _MOST_WORDS:
        ends = text[after.end() : after.end() + 1]
        said += f" {after[1]}" if ends in (",", ".", "") else ""
    return said


def _find_absolutes(
    index: int, text: str, facts: tuple[str, ...], context: Context
) -> Iterator[Doubt]:
    """Find words such as `every` and `always` if the cited facts have no word of the group."""
    lexicon = context.require_lexicon()
    stated = [piece for piece in split_pieces(text) if not ends_question(piece)]
    folded = _idioms.sub(" ", fold_quotes(" . ".join(stated)))
    joined = fold_quotes(" . ".join(facts))
    known = {term.word for term in list_terms(joined, lexicon)}
    terms = list_terms(folded, lexicon)
    dates = {*lexicon.weekdays, *lexicon.months}
    before_date = {term.word for term, after in itertools.pairwise(terms) if after.word in dates}
    said = {term.word for term in terms} - before_date
    for group in QUALIFIERS[lexicon.code].absolutes:
        if lexicon.spaced:
            found = set[str]() if group & known else group & said
        else:
            found = {each for each in group if each in folded and each not in joined}
        if found:
            yield Doubt(DoubtCode.WORDS_IN_NO_FACT, index, ", ".join(sorted(found)))


#: Phrases with such a word that leave cases out, or claim nothing: `any day but`, `at all`.
_idioms = re.compile(
    r"\bat all\b|\ball (?:in|of (?:us|you|them)|day|the same)\b"
    r"|\b(?:any|every) (?:\w+ )?(?:but|except)\b"
    r"|\bany(?:one|body)? (?:under|over|aged|who|with)\b|\bfirst of all\b"
    r"|\b(?:alle|jede\w*) außer\b|\bvor allem\b|\btoda la (?:vida|familia)\b|\btous deux\b"
)


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause of a fact."""

    stems: frozenset[str]
    quantities: tuple[Quantity, ...]


def _find_moved(index: int, text: str, facts: tuple[str, ...], context: Context) -> Iterator[Doubt]:
    """Find a number of one clause of the facts beside the words of another that has a number."""
    clauses = [_read_clause(each, context) for fact in facts for each in _split_fact(fact)]
    if len(clauses) < 2:
        return
    for said in split_clauses(text):
        own = _read_clause(said, context)
        for quantity in own.quantities:
            having = [each for each in clauses if _supports(quantity, each)]
            if len(having) != 1 or own.stems & having[0].stems:
                continue
            others = [
                each
                for each in clauses
                if each is not having[0]
                and own.stems & (each.stems - having[0].stems)
                and any(known.unit == quantity.unit for known in each.quantities)
                and not any(_supports(mine, each) for mine in own.quantities)
            ]
            if others:
                yield Doubt(DoubtCode.NUMBER_MOVED, index, quantity.written)


def _supports(quantity: Quantity, clause: _Clause) -> bool:
    return any(quantity.is_supported_by(each) for each in clause.quantities)


def _read_clause(text: str, context: Context) -> _Clause:
    lexicon = context.require_lexicon()
    stems = frozenset(
        term.stem
        for term in context.content(text)
        if term.word not in lexicon.units
        and (term.word not in lexicon.neutral or term.word in _ORDINALS)
    )
    return _Clause(stems, tuple(context.quantities(text)))
