"""A draft denies what a cited fact denies, and nothing else."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roost.agents.lexicons import Lexicon, any_of
from roost.agents.terms import (
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
    asserted: frozenset[str]
    has_negation: bool


def check_negations(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find negations that were added or removed, and words that were turned into opposites."""
    lexicon = context.require_lexicon()
    for sentence in candidate.sentences:
        sources = (*context.cited(sentence), *context.brief_texts)
        facts = _read(" . ".join(sources), lexicon)
        vocabulary = context.fact_vocabulary(sources)
        written = context.claim_text(sentence.text)
        text = say_as_facts(written, vocabulary, lexicon)
        said = _read(text, lexicon)
        for word in sorted(said.denied):
            if word in facts.denied:
                continue
            # Beside a word that the fact denies, a negation may reach others.
            if not facts.has_negation or (
                word in facts.asserted and not said.denied & facts.denied
            ):
                yield f"E-NOT: {word} (added)"
        if said.has_negation and not said.denied and not facts.has_negation:
            yield "E-NOT: (added)"
        if not said.has_negation:
            for word in sorted(said.asserted & facts.denied - facts.asserted):
                yield f"E-NOT: {word} (removed)"
        yield from _find_opposites(text, vocabulary, lexicon)


def _read(text: str, lexicon: Lexicon) -> _Denial:
    folded = any_of(lexicon.negation_idioms).sub(" ", _drop_questions(fold_quotes(text)))
    denied: set[str] = set()
    asserted: set[str] = set()
    has_negation = False
    for clause in _clauses(folded):
        found = _read_clause(clause, lexicon) if lexicon.spaced else _read_run(clause, lexicon)
        stems, negated = found
        denied |= negated
        asserted |= stems - negated
        has_negation = has_negation or _has_negation(clause, lexicon)
    return _Denial(frozenset(denied), frozenset(asserted), has_negation)


#: A question claims nothing: `Not sure?`
_drop_questions = functools.partial(re.compile(r"[^.!?？。！…\n:]*[?？]").sub, " ")


def _has_negation(clause: str, lexicon: Lexicon) -> bool:
    if not lexicon.spaced:
        return _japanese_negation(clause) is not None
    return any(_is_negation(term.word, lexicon) for term in list_terms(clause, lexicon))


def _is_negation(word: str, lexicon: Lexicon) -> bool:
    return word in lexicon.negations or word.endswith("n't")


def _read_clause(clause: str, lexicon: Lexicon) -> tuple[set[str], set[str]]:
    """Return the stems of a clause, and those of them that a negation near them denies."""
    content = {term.start for term in content_terms(clause, lexicon)}
    order = [
        (term.stem, _is_negation(term.word, lexicon), term.start in content)
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


_japanese_negation = re.compile(r"ません|ない|なく|なし|無し|ずに|不可|無用").search


def _read_run(clause: str, lexicon: Lexicon) -> tuple[set[str], set[str]]:
    """Return the runs of a Japanese clause; a negation denies the last run before it."""
    runs = content_terms(clause, lexicon)
    stems = {run.stem for run in runs}
    negation = _japanese_negation(clause)
    if negation is None:
        return stems, set()
    before = [run.stem for run in runs if run.start < negation.start()]
    return stems, set(before[-1:])


def _find_opposites(text: str, vocabulary: Vocabulary, lexicon: Lexicon) -> Iterator[str]:
    """Find words whose opposite is in the facts, while the words themselves are not."""
    folded = _drop_questions(fold_quotes(text))
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
