"""Every claim cites a fact of the brief, and the fact supports the claim."""

import re
from collections.abc import Iterator
from typing import Final

from roost.agents.terms import Term, Vocabulary, fold_quotes, say_as_facts
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.written import CitedSentence

#: A sentence may have this many words of content that no fact has, and twice as many as it shares.
_FREE_WORDS: Final = 4
#: A sentence that shares nothing with its facts may have fewer words of its own than this.
_UNSTATED_WORDS: Final = 2
#: In Japanese, a run of characters may be one word or several, and a paraphrase has other runs.
_UNSTATED_RUNS: Final = 3
#: A sentence beside one that states a fact may have fewer words of its own than this.
_UNRELATED_WORDS: Final = 3
#: A question may have this many words of content that the brief does not have.
_QUESTION_WORDS: Final = 4
_capitalized = re.compile(r"[^\W_]+(?:['’\-&.][^\W_]+)*").finditer
_starts_sentence = re.compile(r"(?:^|[.!?:…\n\"“”„«»(¿¡。！？]|[^\w\s,;'’\-&])\s*$").search


def check_citations(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find citations of facts that the brief does not have, and a draft without a fact."""
    for sentence in candidate.sentences:
        for fact_id in sentence.fact_ids:
            if not context.has_fact(fact_id):
                yield f"E-FACT: unknown id {fact_id[:40]!r}"
    if not any(context.cited(sentence) for sentence in candidate.sentences):
        yield "E-FACT: none cited"


def check_claims(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find claims that cite no fact, and claims that the cited facts do not contain."""
    citing = [sentence for sentence in candidate.sentences if context.cited(sentence)]
    if citing and not any(_states_fact(sentence, context) for sentence in citing):
        yield "E-FACT: none stated"
    for sentence in candidate.sentences:
        text = context.claim_text(sentence.text)
        if not text or _is_call_to_action(text, context):
            continue
        sources = context.cited(sentence)
        facts = context.fact_vocabulary((*sources, *context.brief_texts))
        yield from _find_strict(text, facts, context)
        yield from _find_names(text, context)
        if sources:
            yield from _check_support(text, sources, facts, context)
            yield from _check_pieces(text, facts, context)
        else:
            yield from _check_uncited(text, context)


def _states_fact(sentence: CitedSentence, context: Context) -> bool:
    """Whether a sentence shares a word or a number with the facts that it cites."""
    sources = context.cited(sentence)
    cited = context.fact_vocabulary(sources)
    text = context.claim_text(sentence.text)
    folded = say_as_facts(text, cited, context.require_lexicon())
    if any(
        cited.has(term) or _supports(term.word, cited, context) for term in context.content(folded)
    ):
        return True
    numbers = {
        reading for fact in sources for q in context.quantities(fact) for reading in q.readings
    }
    return any(q.readings & numbers for q in context.quantities(text))


def _is_call_to_action(text: str, context: Context) -> bool:
    """Whether the text is the brief's call to action, perhaps with other punctuation."""
    wanted = _bare(context.brief.call_to_action)
    return bool(wanted) and _bare(text) == wanted


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", fold_quotes(text)).strip()


def _find_strict(text: str, facts: Vocabulary, context: Context) -> Iterator[str]:
    """Find words that claim much, such as `best`, and that no cited fact contains."""
    lexicon = context.require_lexicon()
    folded = fold_quotes(text)
    if not lexicon.spaced:
        for word in sorted(lexicon.strict):
            if word in folded and not _supports(word, facts, context):
                yield f"E-CLAIM: {word}"
        return
    for term in dict.fromkeys(context.content(text)):
        if term.word in lexicon.strict and not _supports(term.word, facts, context):
            yield f"E-CLAIM: {term.word}"


def _supports(word: str, facts: Vocabulary, context: Context) -> bool:
    groups = [group for group in context.require_lexicon().synonyms if word in group]
    return any(facts.has_word(each) for each in {word}.union(*groups))


def _find_names(text: str, context: Context) -> Iterator[str]:
    """Find names that are nowhere in the brief: a capital inside a sentence shows a name."""
    lexicon = context.require_lexicon()
    if lexicon.capitalizes_nouns or not lexicon.spaced:
        return
    known = context.vocabulary
    words = list(_capitalized(text))
    if sum(match[0][0].isupper() for match in words) * 2 > len(words):
        return  # a title or a shout: capitals show nothing
    for match in words:
        word = match[0]
        if not word[0].isupper() or _starts_sentence(text[: match.start()]):
            continue
        folded = fold_quotes(word)
        terms = [term for term in context.content(folded) if len(term.word) > 1]
        is_date = folded in lexicon.weekdays or folded in lexicon.months
        if is_date or all(known.has(term) or term.word in lexicon.neutral for term in terms):
            continue
        yield f"E-NAME: {word}"


def _check_support(
    text: str, sources: tuple[str, ...], facts: Vocabulary, context: Context
) -> Iterator[str]:
    """Find a sentence that shares nothing with its facts, or says much besides them."""
    cited = context.fact_vocabulary(sources)
    terms = _distinct(context.content(say_as_facts(text, cited, context.require_lexicon())))
    shared = [term for term in terms if cited.has(term)]
    numbers = {
        reading for fact in sources for q in context.quantities(fact) for reading in q.readings
    }
    shares_number = any(q.readings & numbers for q in context.quantities(text))
    unknown = [term for term in terms if not facts.has(term) and not _is_neutral(term, context)]
    says_other = len(unknown) >= (
        _UNSTATED_WORDS if context.require_lexicon().spaced else _UNSTATED_RUNS
    )
    if not shared and not shares_number and (says_other or not (terms or unknown)):
        yield "E-FACT: not stated"
    support = len(shared) + shares_number
    if len(unknown) > max(_FREE_WORDS, 2 * support):
        yield f"E-CLAIM: {', '.join(term.word for term in unknown[:6])}"


def _check_pieces(text: str, facts: Vocabulary, context: Context) -> Iterator[str]:
    """Find a sentence that shares nothing with the facts, inside a text that cites them."""
    pieces = [piece for piece in _split_pieces(text) if piece.strip()]
    if len(pieces) < 2:
        return
    negations = context.require_lexicon().negations
    for piece in pieces:
        if piece.rstrip(" \"'”»’").endswith(("?", "？")) or context.quantities(piece):
            continue
        terms = _distinct(context.content(piece))
        unknown = [
            term for term in terms if not _is_neutral(term, context) and term.word not in negations
        ]
        if len(unknown) >= _UNRELATED_WORDS and not any(facts.has(term) for term in terms):
            yield f"E-CLAIM: {', '.join(term.word for term in unknown[:6])}"


_split_pieces = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+").split


def _check_uncited(text: str, context: Context) -> Iterator[str]:
    """Find what a sentence without a citation claims."""
    known = context.brief_vocabulary
    unknown = [
        term
        for term in _distinct(context.content(text))
        if not known.has(term) and not _is_neutral(term, context)
    ]
    if context.quantities(text) and not _in_brief_texts(text, context):
        yield "E-CLAIM: number without a fact"
    is_question = text.rstrip(" \"'”»’").endswith(("?", "？"))
    if len(unknown) > (_QUESTION_WORDS if is_question else 0):
        yield f"E-CLAIM: {', '.join(term.word for term in unknown[:6])} without a fact"


def _in_brief_texts(text: str, context: Context) -> bool:
    known = [each for source in context.brief_texts for each in context.quantities(source)]
    return all(
        any(quantity.is_supported_by(each) for each in known)
        for quantity in context.quantities(text)
    )


def _is_neutral(term: Term, context: Context) -> bool:
    lexicon = context.require_lexicon()
    if not lexicon.spaced:
        return all(
            character in "".join(lexicon.neutral | lexicon.stopwords) for character in term.word
        )
    return term.word in lexicon.neutral


def _distinct(terms: list[Term]) -> list[Term]:
    return list({term.stem: term for term in terms}.values())
