"""Every claim cites a fact of the brief, and the fact supports the claim."""

import functools
import re
from collections.abc import Iterator
from typing import Final

from roost.agents.lexicons import Lexicon, any_of, find_conditions, words
from roost.agents.terms import Term, Vocabulary, fold_quotes, say_as_facts
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.implied import tells_by_asking
from roost.agents.written import CitedSentence

#: A sentence may have this many words of content that no fact has, and twice as many as it shares.
_FREE_WORDS: Final = 4
#: A sentence that shares nothing with its facts may have fewer words of its own than this.
_UNSTATED_WORDS: Final = 2
#: In Japanese, a run of characters may be one word or several, and a paraphrase has other runs.
_UNSTATED_RUNS: Final = 3
#: A sentence beside one that states a fact may have fewer words of its own than this.
_UNRELATED_WORDS: Final = 3
#: The same for the runs of characters of a Japanese sentence.
_UNRELATED_RUNS: Final = 4
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
    offers = frozenset[str]().union(*lexicon.synonyms)
    folded = _drop_exclamations(any_of(lexicon.strict_idioms).sub(" ", fold_quotes(text)))
    for piece in _split_pieces(folded):
        only_asks = _ends_question(piece) and not tells_by_asking(piece)
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
#: These words claim something only beside a word of the brief: `Hungry tonight?`
_TIMES: Final = words(
    """tomorrow tonight yesterday half double twice gestern übermorgen halb halbe ayer doble hier
    demain double 明日 昨日 今夜 倍"""
)


#: A sentence of one such word is a person's answer, and claims nothing: `Perfect.`
_drop_exclamations = functools.partial(
    re.compile(r"(?:^|(?<=[.!?…\n]))\s*¡?(?:perfect|perfekt|perfecto|parfait)\s*(?=[.!…]|$)").sub,
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
    lexicon = context.require_lexicon()
    terms = _distinct(context.content(say_as_facts(text, cited, lexicon)))
    asked = {
        term.stem
        for piece in (*_list_questions(text), *find_conditions(fold_quotes(text), lexicon))
        for term in context.content(piece)
    }
    shared = [term for term in terms if cited.has(term)]
    numbers = {
        reading for fact in sources for q in context.quantities(fact) for reading in q.readings
    }
    shares_number = any(q.readings & numbers for q in context.quantities(text))
    unknown = [
        term
        for term in terms
        if not facts.has(term) and not _is_neutral(term, context) and term.stem not in asked
    ]
    says_other = len(unknown) >= (_UNSTATED_WORDS if lexicon.spaced else _UNSTATED_RUNS)
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
    lexicon = context.require_lexicon()
    claims_nothing = lexicon.negations | lexicon.months.keys() | lexicon.weekdays.keys()
    for piece in pieces:
        if _ends_question(piece) or context.quantities(piece) or _is_condition(piece, lexicon):
            continue
        terms = _distinct(context.content(any_of(lexicon.strict_idioms).sub(" ", piece.casefold())))
        unknown = [
            term
            for term in terms
            if not _is_neutral(term, context) and term.word not in claims_nothing
        ]
        most = _UNRELATED_WORDS if lexicon.spaced else _UNRELATED_RUNS
        if len(unknown) >= most and not any(facts.has(term) for term in terms):
            yield f"E-CLAIM: {', '.join(term.word for term in unknown[:6])}"


_split_pieces = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+").split


def _list_questions(text: str) -> list[str]:
    return [piece for piece in _split_pieces(text) if _ends_question(piece)]


def _is_condition(piece: str, lexicon: Lexicon) -> bool:
    """Whether a piece is only a condition: `贈り物に迷ったら。`"""
    folded = fold_quotes(piece)
    return any(each == folded.rstrip("。！!.… ") for each in find_conditions(folded, lexicon))


def _ends_question(text: str) -> bool:
    return text.rstrip(" \"'”»’").endswith(("?", "？"))


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
    if len(unknown) > (_QUESTION_WORDS if _ends_question(text) else 0):
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
