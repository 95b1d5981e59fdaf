"""A draft denies what a cited fact denies, and nothing else."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from roost.agents.lexicons import Lexicon, any_of, drop_conditions, find_conditions, words
from roost.agents.terms import (
    Term,
    Vocabulary,
    content_terms,
    fold_quotes,
    is_related,
    list_terms,
    say_as_draft,
    say_as_facts,
    stem,
)
from roost.agents.validators import unstated
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.written import Doubt, DoubtCode

#: A negation can deny this many words of content after it.
_REACH: Final = 3
_clauses = re.compile(r"[.,;:!?¿¡…\n()。、！？：「」–—]+").split


@dataclass(frozen=True, slots=True)
class _Denial:
    """Which stems a text denies and which it asserts."""

    denials: tuple[frozenset[str], ...]
    """The stems near a negation, for each clause with a negation."""
    asserted: frozenset[str]
    """The stems of clauses without a negation; `A is not needed` does not assert `A`."""
    stems: frozenset[str]
    negations: int
    """The number of negations."""
    most_in_clause: int
    """The most negations in one clause."""
    certainly_denied: frozenset[str]
    """The stems near a plain negation; `instead of A` may mention A as what was before."""

    @property
    def denied(self) -> frozenset[str]:
        """The stems near any negation."""
        return frozenset[str]().union(*self.denials)


def check_negations(candidate: Candidate, context: Context) -> Iterator[str | Doubt]:
    """Find what contradicts the facts: a denial of what they assert, and the contrary.

    A negation is no fault by itself. It contradicts a fact that asserts what it denies, unless a
    fact denies the same; and it claims something if it denies, say, a fee that no fact mentions.
    Whether a sentence with words of its own contradicts a fact is a doubt, and so is whether a
    sentence without a condition contradicts a fact that denies something on a condition.
    """
    lexicon = context.require_lexicon()
    for index, sentence in enumerate(candidate.sentences):
        cited = context.cited(sentence)
        sources = (*cited, *context.brief_texts)
        vocabulary = context.fact_vocabulary(sources)
        text = say_as_facts(context.claim_text(sentence.text), vocabulary, lexicon)
        said = _read(drop_conditions(_drop_questions(text), lexicon), lexicon)
        facts = _read(_as_draft(sources, text, lexicon), lexicon)
        # The call to action may have the word too, but the fact that is cited counts.
        fact = _read(_as_draft(cited, text, lexicon), lexicon) if cited else facts
        added = [*_find_added(said, facts, fact, lexicon)]
        if said.most_in_clause > max(1, facts.negations):
            added.append(f"E-NOT: {said.most_in_clause} in a clause")
        as_written = _read(context.claim_text(sentence.text), lexicon)
        removed = [
            f"E-NOT: {word} (removed)"
            for word in _find_removed(_read(text, lexicon), fact)
            if word not in as_written.denied
        ]
        opposites = [*_find_opposites(text, vocabulary, lexicon)]
        if opposites or not (added or removed):
            yield from (*added, *removed, *opposites)
            continue
        if unstated.has_own_words(text, context) or (
            removed and not added and _has_conditions(cited, lexicon)
        ):
            yield Doubt(DoubtCode.NEGATION_UNCLEAR, index)
        else:
            yield from (*added, *removed)


def _has_conditions(facts: tuple[str, ...], lexicon: Lexicon) -> bool:
    """Whether a fact denies something only on a condition: `If you have a tattoo`."""
    folded = fold_quotes(" . ".join(facts))
    return bool(find_conditions(folded, lexicon) or _restricts(folded))


_restricts = re.compile(
    r"\b(?:those|anyone|people) who\b|\bquien(?:es)?\b|\bceux qui\b|\bwer\b"
).search


def _find_added(said: _Denial, facts: _Denial, fact: _Denial, lexicon: Lexicon) -> Iterator[str]:
    claims = {stem(word, lexicon) for word in lexicon.denied_claims}
    for denied in said.denials:
        if not _is_denied(denied, facts, lexicon):
            new = {word for word in denied & claims if not _has_related(word, facts.stems, lexicon)}
            for word in sorted(denied & fact.asserted | new):
                yield f"E-NOT: {word} (added)"


def _find_removed(said: _Denial, fact: _Denial) -> list[str]:
    """Return the words that the cited facts deny, if a text without a negation asserts them."""
    if said.negations or _has_negative_form(fact.certainly_denied, said.stems):
        return []
    return sorted(said.asserted & fact.certainly_denied - fact.asserted)


def _as_draft(facts: tuple[str, ...], draft: str, lexicon: Lexicon) -> str:
    return say_as_draft(fold_quotes(" . ".join(facts)), draft, lexicon)


def _is_denied(denied: frozenset[str], facts: _Denial, lexicon: Lexicon) -> bool:
    """Whether the facts deny one of these words too, or have it with a prefix: `unworn`."""
    return any(_has_related(word, facts.denied, lexicon) for word in denied) or (
        _has_negative_form(denied, facts.stems)
    )


def _has_related(word: str, stems: frozenset[str], lexicon: Lexicon) -> bool:
    """Whether a word is one of these, or a part of one: `Anmeldung` of `Voranmeldung`."""
    if not lexicon.spaced:
        return any(word in each or each in word for each in stems)
    return word in stems or any(is_related(word, each) for each in stems)


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
    folded = any_of(lexicon.negation_idioms).sub(" ", _drop_short_questions(fold_quotes(text)))
    if lexicon.instead:
        folded = any_of(lexicon.instead).sub(f", {_NOT[lexicon.code]} {_INSTEAD} ", folded)
    if lexicon.code == "fr":
        folded = _no_longer_in_french.sub(rf"\1 pas {_INSTEAD}", folded)
    denials: list[frozenset[str]] = []
    certainly: set[str] = set()
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
        denials += [frozenset(negated)] if negated else []
        certainly |= set() if _is_uncertain(clause) else negated
        asserted |= set() if count else found
    return _Denial(
        tuple(denials), frozenset(asserted), frozenset(stems), total, most, frozenset(certainly)
    )


#: A negation before one of these words does not reach beyond it.
_split_joined = re.compile(
    r"\b(?:and|but|because|und|aber|sondern|weil|y|e|pero|porque|et|mais|car)\b"
).split


#: `Instead of Mondays` denies Mondays.
_NOT: Final = {"en": "not", "de": "nicht", "es": "no", "fr": "pas"}
#: A character of no text, which marks such a negation.
_INSTEAD: Final = "\ue000"
#: A negation that a draft may leave out, because it mentions what was before, or asks politely.
_is_uncertain = re.compile(rf"{_INSTEAD}|遠慮|お断り|禁止|[らせ]ず").search
#: `Ne livrons plus` denies as `ne livrons pas`.
_no_longer_in_french = re.compile(
    r"((?<!\w)(?:ne |n')\S+(?: \S+)?) plus\b(?! (?:d[e']|tard|tôt|qu))"
)
#: A question asserts nothing, unless it is whether the reader knows something.
_drop_questions = functools.partial(
    re.compile(
        r"(?:^|(?<=[.!?？。！…\n]))(?!\s*¿?(?:did you|do you know|wusste|schon gewusst|sab|savi))"
        r"[^.!?？。！…\n]*[?？]"
    ).sub,
    " ",
)
#: A short question claims nothing: `Not sure?`
_drop_short_questions = functools.partial(
    re.compile(r"(?:^|(?<=[.!?？。！…\n:]))\s*¿?(?:[\w'’-]++\s++){0,4}[\w'’-]++\s*[?？]").sub, " "
)


def _count_negations(clause: str, lexicon: Lexicon) -> int:
    if not lexicon.spaced:
        return int(_japanese_negation(clause) is not None)
    found = [term.word for term in list_terms(clause, lexicon) if _is_negation(term.word, lexicon)]
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
    terms = list_terms(clause, lexicon)
    order = [
        (_representative(term, lexicon), _is_negation(term.word, lexicon), term.start in content)
        for term in terms
    ]
    stems = [each for each, negates, matters in order if matters and not negates]
    denied: set[str] = set()
    seen = 0
    for position, (_, negates, matters) in enumerate(order):
        if negates:
            after = stems[
                seen : seen + _count_reached(order[position + 1 :], terms[position + 1 :])
            ]
            # `Montags öffnen wir nicht`: nothing follows the negation, so it denies what precedes.
            before = stems[max(0, seen - _REACH) : seen]
            denied.update(before if terms[position].word in _PROHIBITIONS else after or before)
        elif matters:
            seen += 1
    return set(stems), denied


def _count_reached(order: list[tuple[str, bool, bool]], terms: list[Term]) -> int:
    """Return how many words of content a negation denies, up to a preposition behind one."""
    reached = 0
    for (_, negates, matters), term in zip(order, terms, strict=True):
        if reached and term.word in _ENDS_SCOPE:
            break
        reached += matters and not negates
        if reached == _REACH:
            break
    return reached


#: Negations that deny what precedes them: `les bottes sont interdites à bord`.
_PROHIBITIONS: Final = words(
    """forbidden prohibited banned verboten untersagt prohibido prohibida prohibidos prohibidas
    interdit interdite interdits interdites"""
)
#: Before other words of content, these words end what a negation denies.
_ENDS_SCOPE: Final = words(
    """to for at in on from with until till während für mit bei im am um bis vom aus zu para con en
    desde hasta pour avec dans chez dès jusqu depuis"""
)


def _representative(term: Term, lexicon: Lexicon) -> str:
    """Return one stem for all synonyms: `gratis` is free where `free` is denied."""
    group = next((group for group in lexicon.synonyms if term.word in group), None)
    return stem(min(group), lexicon) if group else term.stem


_japanese_negation = re.compile(
    r"ません|ない|なく|なし|無し|ずに|(?:ら|せ)ず|不可|無用|不要|遠慮|お断り|禁止"
).search


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
