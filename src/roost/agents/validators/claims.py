"""Every draft states a fact, and claims that no fact has are refused or left to a person."""

import functools
import re
from collections.abc import Iterator
from typing import Final

from roost.agents.lexicons import any_of, words
from roost.agents.lexicons.qualifiers import QUALIFIERS
from roost.agents.terms import Vocabulary, fold_quotes, list_terms, say_as_facts
from roost.agents.validators import attribution, omissions, unstated
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.implied import tells_by_asking
from roost.agents.written import CitedSentence, Doubt


def check_citations(candidate: Candidate, context: Context) -> Iterator[str]:
    """Find citations of facts that the brief does not have, and a draft without a fact."""
    for sentence in candidate.sentences:
        for fact_id in sentence.fact_ids:
            if not context.has_fact(fact_id):
                yield f"E-FACT: unknown id {fact_id[:40]!r}"
    if not any(context.cited(sentence) for sentence in candidate.sentences):
        yield "E-FACT: none cited"


def check_claims(candidate: Candidate, context: Context) -> Iterator[str | Doubt]:
    """Find claims that no fact has, and what of the facts a draft leaves out.

    Superlatives, guarantees, prices and gifts that no fact has are refused. What else a sentence
    says beside the facts is a doubt.
    """
    citing = [sentence for sentence in candidate.sentences if context.cited(sentence)]
    if citing and not any(_states_fact(sentence, context) for sentence in citing):
        yield "E-FACT: none stated"
    for sentence in candidate.sentences:
        text = context.claim_text(sentence.text)
        if not text or unstated.is_call_to_action(text, context):
            continue
        sources = context.cited(sentence)
        facts = context.fact_vocabulary((*sources, *context.brief_texts))
        yield from _find_strict(text, facts, context)
        if not sources:
            yield from _find_superlatives(text, context)
            yield from _find_gifts(text, context)
    yield from unstated.find_unstated(candidate, context)
    yield from attribution.find_wrong_attributions(candidate, context)
    yield from omissions.find_omissions(candidate, context)


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


def _find_strict(text: str, facts: Vocabulary, context: Context) -> Iterator[str]:
    """Find words that claim much, such as `best`, and that no cited fact contains."""
    lexicon = context.require_lexicon()
    offers = frozenset[str]().union(*lexicon.synonyms)
    folded = _drop_exclamations(any_of(lexicon.strict_idioms).sub(" ", fold_quotes(text)))
    for piece in _split_pieces(folded):
        only_asks = unstated.ends_question(piece) and not tells_by_asking(piece)
        for clause in _split_clauses(piece):
            for word in _list_strict(clause, context):
                if only_asks and word not in offers:
                    continue
                if word in _TIMES and not _speaks_of_offer(clause, facts, context):
                    continue
                if not _supports(word, facts, context):
                    yield f"E-CLAIM: {word}"


def _list_strict(clause: str, context: Context) -> list[str]:
    strict = context.require_lexicon().strict
    if not context.require_lexicon().spaced:
        return sorted(word for word in strict if word in clause)
    found = dict.fromkeys(term.word for term in context.content(clause))
    return [word for word in found if word in strict]


def _speaks_of_offer(clause: str, facts: Vocabulary, context: Context) -> bool:
    """Whether a clause has a number, or a word of the brief other than a strict one."""
    strict = context.require_lexicon().strict
    return bool(context.quantities(clause)) or any(
        facts.has(term) for term in context.content(clause) if term.word not in strict
    )


_split_clauses = re.compile(r"[,;:–—、：]\s*").split
_split_pieces = unstated.split_pieces
#: These words claim something only beside a word of the brief: `Hungry tonight?`
_TIMES: Final = words(
    """tomorrow tonight yesterday half double twice gestern übermorgen halb halbe ayer doble hier
    demain double 明日 昨日 今夜 倍"""
)


#: A sentence that begins with one such word has a person's answer, which claims nothing: `Perfect.`
_drop_exclamations = functools.partial(
    re.compile(
        r"(?:^|(?<=[.!?…\n]))\s*¡?(?:perfect|perfekt|perfecto|parfait)\s*(?=[,.!:…–—]|$)"
    ).sub,
    " ",
)


def _supports(word: str, facts: Vocabulary, context: Context) -> bool:
    lexicon = context.require_lexicon()
    groups = [group for group in lexicon.synonyms if word in group]
    if any(facts.has_word(each) for each in {word}.union(*groups)):
        return True
    # `free` is what costs nothing.
    return any(
        word in group.split() and re.search(pattern, facts.text)
        for group, pattern in lexicon.equivalents
    )


def _find_gifts(text: str, context: Context) -> Iterator[str]:
    """Find gifts that a sentence without a citation promises."""
    gifts = any_of(QUALIFIERS[context.require_lexicon().code].gifts)
    if (gift := gifts.search(fold_quotes(text))) and not unstated.ends_question(text):
        yield f"E-CLAIM: {gift[0]}"


def _find_superlatives(text: str, context: Context) -> Iterator[str]:
    """Find superlatives of the account that no text of the brief has: `los precios más bajos`."""
    lexicon = context.require_lexicon()
    grammar = QUALIFIERS[lexicon.code]
    speaks_of_account = grammar.speaker & {
        each.word for each in list_terms(fold_quotes(text), lexicon)
    }
    if lexicon.spaced and not speaks_of_account:
        return
    for found in any_of(grammar.superlatives).finditer(text):
        if fold_quotes(found[0]) not in context.folded_texts:
            yield f"E-CLAIM: {fold_quotes(found[0])}"
