"""A draft denies what a cited fact denies, and nothing else."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roost.agents.lexicons import Lexicon, any_of
from roost.agents.terms import (
    Term,
    Vocabulary,
    content_terms,
    fold_quotes,
    list_terms,
    say_as_facts,
    stem,
)
from roost.agents.validators.candidate import Candidate, Context

#: A negation can deny this many words of content after it.
_REACH: Final = 3
_clauses = re.compile(r"[.,;:!?¿¡…\n()。、！？：「」–—]+").split


@dataclass(frozen=True, slots=True)
class _Denial:
    """Which stems a text denies and which it asserts."""

    denied: frozenset[str]
    """The stems near a negation."""
    asserted: frozenset[str]
    """The stems of clauses without a negation; `A is not needed` does not assert `A`."""
    stems: frozenset[str]
    negations: int
    """The number of negations."""
    most_in_clause: int
    """The most negations in one clause."""


def check_negations(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find negations that were added or removed, and words that were turned into opposites."""
    lexicon = context.require_lexicon()
    for sentence in candidate.sentences:
        cited = context.cited(sentence)
        sources = (*cited, *context.brief_texts)
        vocabulary = context.fact_vocabulary(sources)
        text = say_as_facts(context.claim_text(sentence.text), vocabulary, lexicon)
        said = _read(text, lexicon)
        facts = _read(" . ".join(sources), lexicon)
        # The call to action may have the word too, but the fact that is cited counts.
        fact = _read(" . ".join(cited), lexicon) if cited else facts
        for word in sorted(said.denied - facts.denied):
            if not facts.negations or word in fact.asserted:
                yield f"E-NOT: {word} (added)"
        if said.most_in_clause > max(1, facts.negations):
            yield f"E-NOT: {said.most_in_clause} in a clause"
        elif said.negations and not said.denied and not facts.negations:
            yield "E-NOT: (added)"
        if not said.negations and not _has_negative_form(fact.denied, said.stems):
            for word in sorted(said.asserted & fact.denied - fact.asserted):
                yield f"E-NOT: {word} (removed)"
        yield from _find_opposites(text, vocabulary, lexicon)


def _has_negative_form(denied: frozenset[str], stems: frozenset[str]) -> bool:
    """Whether a text denies one of these words by a prefix: `ungespritzt`, `unpaid`."""
    return any(
        stem.startswith(_PREFIXES) and word[:4] in stem[2:]
        for stem in stems
        for word in denied
        if len(word) >= 4 and stem != word
    )


_PREFIXES: Final = ("un", "in", "im", "non")


def _read(text: str, lexicon: Lexicon) -> _Denial:
    folded = any_of(lexicon.negation_idioms).sub(" ", _drop_questions(fold_quotes(text)))
    denied: set[str] = set()
    asserted: set[str] = set()
    stems: set[str] = set()
    total = most = 0
    for clause in (each for part in _clauses(folded) for each in _split_joined(part)):
        found, negated = (
            _read_clause(clause, lexicon) if lexicon.spaced else _read_run(clause, lexicon)
        )
        count = _count_negations(clause, lexicon)
        total, most = total + count, max(most, count)
        stems |= found
        denied |= negated
        asserted |= set() if count else found
    return _Denial(frozenset(denied), frozenset(asserted), frozenset(stems), total, most)


#: A negation before one of these words does not reach beyond it.
_split_joined = re.compile(
    r"\b(?:and|but|because|und|aber|sondern|weil|y|e|pero|porque|et|mais|car)\b"
).split


#: A short question claims nothing: `Not sure?`
_drop_questions = functools.partial(
    re.compile(r"(?:^|(?<=[.!?？。！…\n:]))\s*¿?(?:[\w'’-]++\s++){0,4}[\w'’-]++\s*[?？]").sub, " "
)


def _count_negations(clause: str, lexicon: Lexicon) -> int:
    if not lexicon.spaced:
        return int(_japanese_negation(clause) is not None)
    words = [term.word for term in list_terms(clause, lexicon)]
    found = [word for word in words if _is_negation(word, lexicon)]
    # `weder … noch` and `no … ni` deny once.
    return min(1, len(found)) if set(found) & _PAIRED else len(found)


_PAIRED: Final = frozenset(
    {
        "ni",
        "nor",
        "neither",
        "weder",
        "nada",
        "nadie",
        "nunca",
        "ningún",
        "ninguna",
        "ninguno",
        "rien",
        "jamais",
        "aucun",
        "aucune",
    }
)


def _is_negation(word: str, lexicon: Lexicon) -> bool:
    return word in lexicon.negations or word.endswith("n't")


def _read_clause(clause: str, lexicon: Lexicon) -> tuple[set[str], set[str]]:
    """Return the stems of a clause, and those of them that a negation near them denies."""
    content = {term.start for term in content_terms(clause, lexicon)}
    order = [
        (_representative(term, lexicon), _is_negation(term.word, lexicon), term.start in content)
        for term in list_terms(clause, lexicon)
    ]
    stems = [each for each, negates, matters in order if matters and not negates]
    denied: set[str] = set()
    seen = 0
    for _, negates, matters in order:
        if negates:
            after = stems[seen : seen + _REACH]
            # `Montags öffnen wir nicht`: nothing follows the negation, so it denies what precedes.
            denied.update(after or stems[max(0, seen - _REACH) : seen])
        elif matters:
            seen += 1
    return set(stems), denied


def _representative(term: Term, lexicon: Lexicon) -> str:
    """Return one stem for all synonyms: `gratis` is free where `free` is denied."""
    group = next((group for group in lexicon.synonyms if term.word in group), None)
    return stem(min(group), lexicon) if group else term.stem


_japanese_negation = re.compile(r"ません|ない|なく|なし|無し|ずに|不可|無用|不要").search


def _read_run(clause: str, lexicon: Lexicon) -> tuple[set[str], set[str]]:
    """Return the runs of a Japanese clause; a negation denies the last run before it."""
    runs = content_terms(clause, lexicon)
    stems = {_representative(run, lexicon) for run in runs}
    negation = _japanese_negation(clause)
    if negation is None:
        return stems, set()
    before = [_representative(run, lexicon) for run in runs if run.start < negation.start()]
    return stems, set(before[-1:])


def _find_opposites(text: str, vocabulary: Vocabulary, lexicon: Lexicon) -> Iterator[str]:
    """Find words whose opposite is in the facts, while the words themselves are not."""
    folded = fold_quotes(text)
    terms = list_terms(folded, lexicon) if lexicon.spaced else []
    negated = {
        after.start
        for index, term in enumerate(terms)
        if _is_negation(term.word, lexicon)
        for after in terms[index + 1 : index + 3]
    }
    # `We do not close until 6` is no opposite of `open`.
    stems = {term.stem for term in terms if term.start not in negated}
    for pair in lexicon.antonyms:
        for word, opposite in (pair, pair[::-1]):
            if lexicon.spaced:
                own, other = stem(word, lexicon), stem(opposite, lexicon)
                is_said = own in stems and other not in stems
                in_facts = other in vocabulary.stems and own not in vocabulary.stems
            else:
                is_said = word in folded and opposite not in folded
                in_facts = opposite in vocabulary.text and word not in vocabulary.text
            if is_said and in_facts:
                yield f"E-OPPOSITE: {word}"
