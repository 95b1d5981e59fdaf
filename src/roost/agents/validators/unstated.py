"""Words of a draft that no fact has, of which only a person can say whether they claim anything."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from roost.agents.lexicons import any_of, drop_conditions
from roost.agents.lexicons.qualifiers import QUALIFIERS, Qualifiers
from roost.agents.terms import Term, fold_quotes, say_as_facts
from roost.agents.validators.candidate import Candidate, Context
from roost.agents.validators.implied import tells_by_asking
from roost.agents.written import Doubt, DoubtCode

#: From so many words of its own, a clause with words of the facts, or of the account, may claim
#: something that no fact says.
_FEWEST_BESIDE_FACTS: Final = 2
#: The same in Japanese, where one run of characters may be several words.
_FEWEST_RUNS: Final = 1
#: The same for a clause that has no word of the facts, and for one that addresses the reader.
_FEWEST_ALONE: Final = 4
_FEWEST_TO_READER: Final = 4
#: A doubt names at most so many words.
_MOST_NAMED: Final = 6
#: A call to action in other words has at most this many words.
_MOST_WORDS_OF_CALL: Final = 8
#: Two words with so many equal letters at their start are the same verb.
_SAME_START: Final = 4
split_pieces = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+").split
_split_clauses = re.compile(r"\s*[,;:–—()]\s+|、").split


def find_unstated(candidate: Candidate, context: Context) -> Iterator[Doubt]:
    """Find the words of each sentence that no fact has, and sentences that cite no fact."""
    for index, sentence in enumerate(candidate.sentences):
        text = context.claim_text(sentence.text)
        if not text or context.repeats_facts(sentence):
            continue
        is_cited = bool(context.cited(sentence))
        words = list(dict.fromkeys([*_list_names(text, context), *_list_unstated(text, context)]))
        if not words or (not is_cited and _calls_to_action(text, context)):
            continue
        code = DoubtCode.WORDS_IN_NO_FACT if is_cited else DoubtCode.NO_FACT_CITED
        yield Doubt(code, index, ", ".join(words[:_MOST_NAMED]))


def _list_names(text: str, context: Context) -> list[str]:
    """Return names that no text of the brief has: a capital inside a sentence shows a name."""
    lexicon = context.require_lexicon()
    words = list(_capitalized(text))
    if lexicon.capitalizes_nouns or not lexicon.spaced:
        return []
    if 2 * sum(match[0][0].isupper() for match in words) > len(words):
        return []  # a title or a shout: capitals show nothing
    found = []
    for match in words:
        folded = fold_quotes(match[0])
        if not match[0][0].isupper() or _starts_sentence(text[: match.start()]):
            continue
        terms = [term for term in context.content(folded) if len(term.word) > 1]
        is_date = folded in lexicon.weekdays or folded in lexicon.months
        known = (context.vocabulary.has(each) or each.word in lexicon.neutral for each in terms)
        if not is_date and not all(known):
            found.append(folded)
    return found


_capitalized = re.compile(r"[^\W_]+(?:['’\-&.][^\W_]+)*").finditer
_starts_sentence = re.compile(r"(?:^|[.!?:…\n\"“”„«»(¿¡。！？]|[^\w\s,;'’\-&])\s*$").search


def _list_unstated(text: str, context: Context) -> list[str]:
    """Return the words of a text by which it may claim what no fact says.

    A few words of its own in a clause beside the words of a fact may change what the fact says. A
    clause of other words only is colour, unless it is long or speaks of the account or an offer.
    """
    lexicon = context.require_lexicon()
    grammar = QUALIFIERS[lexicon.code]
    found: dict[str, str] = {}
    for piece in split_pieces(text):
        folded = fold_quotes(piece)
        if _only_asks(folded):
            continue
        said = say_as_facts(drop_conditions(folded, lexicon), context.vocabulary, lexicon)
        said = any_of(lexicon.strict_idioms).sub(" ", said)
        for clause in _split_clauses(said):
            terms = _distinct(context.content(clause))
            unknown = [term for term in terms if not _is_known(term, context, grammar)]
            if len(unknown) >= _find_fewest(clause, terms, context):
                found |= {term.stem: term.word for term in unknown}
    return list(found.values())


def has_own_words(text: str, context: Context) -> bool:
    """Whether a text that asks nothing has a word that no fact has, nor a word for one."""
    lexicon = context.require_lexicon()
    grammar = QUALIFIERS[lexicon.code]
    named = lexicon.denied_claims.union(*lexicon.synonyms)
    pieces = [piece for piece in split_pieces(text) if not _only_asks(fold_quotes(piece))]
    terms = [term for piece in pieces for term in context.content(piece)]
    if not lexicon.spaced:
        terms = [term for term in terms if not any(each in text for each in named)]
    return any(not (term.word in named or _is_known(term, context, grammar)) for term in terms)


def _find_fewest(clause: str, terms: list[Term], context: Context) -> int:
    """Return with how many words of its own a clause may claim something."""
    lexicon = context.require_lexicon()
    grammar = QUALIFIERS[lexicon.code]
    if addresses_reader(clause, grammar, lexicon.spaced):
        return _FEWEST_TO_READER
    says_of_account = lexicon.spaced and _words_of(clause) & (grammar.speaker | grammar.offers)
    shares = context.quantities(clause) or any(
        context.vocabulary.has(term) for term in terms if term.word not in lexicon.neutral
    )
    if not (shares or says_of_account):
        return _FEWEST_ALONE
    return _FEWEST_BESIDE_FACTS if lexicon.spaced else _FEWEST_RUNS


def _distinct(terms: list[Term]) -> list[Term]:
    return list({term.stem: term for term in terms}.values())


def _words_of(clause: str) -> set[str]:
    said = set(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", clause))
    return said | {part for word in said for part in word.split("'")}


def is_call_to_action(text: str, context: Context) -> bool:
    """Whether the text is the brief's call to action, perhaps with other punctuation."""
    wanted = _bare(context.brief.call_to_action)
    return bool(wanted) and _bare(text) == wanted


def _calls_to_action(text: str, context: Context) -> bool:
    """Whether a text asks what the call to action asks, or only introduces the link.

    That is a short text without a number that has a word of the call to action, or that ends in a
    colon.
    """
    words = _bare(text).split()
    if len(words) > _MOST_WORDS_OF_CALL or context.quantities(text):
        return False
    grammar = QUALIFIERS[context.require_lexicon().code]
    if set(words) & (grammar.speaker | grammar.offers):
        return False
    wanted = _bare(context.brief.call_to_action).split()
    starts = {word[:_SAME_START] for word in wanted if len(word) >= _SAME_START}
    return text.rstrip().endswith((":", "：")) or any(
        word[:_SAME_START] in starts for word in words
    )


def _bare(text: str) -> str:
    """Return the words of a text without punctuation and accents: `conocelos` for `Conócelos`."""
    letters = unicodedata.normalize("NFD", fold_quotes(text))
    plain = "".join(each for each in letters if not unicodedata.combining(each))
    return re.sub(r"[\W_]+", " ", plain).strip()


def ends_question(text: str) -> bool:
    """Whether a text ends in a question mark."""
    return text.rstrip(" \"'”»’").endswith(("?", "？"))


def _only_asks(folded: str) -> bool:
    return ends_question(folded) and not tells_by_asking(folded)


def addresses_reader(clause: str, grammar: Qualifiers, spaced: bool) -> bool:
    """Whether a clause speaks of the reader, and not of what the reader gets or of the account."""
    if not spaced:
        return False
    said = _words_of(clause)
    return bool(said & grammar.reader) and not said & (grammar.speaker | grammar.offers)


def _is_known(term: Term, context: Context, grammar: Qualifiers) -> bool:
    lexicon = context.require_lexicon()
    word = term.word
    if context.vocabulary.has(term):
        return True
    if not lexicon.spaced:
        known = "".join(lexicon.neutral | lexicon.stopwords)
        return all(character in known for character in word)
    return (
        word in lexicon.neutral
        or word in lexicon.months
        or word in lexicon.weekdays
        or word in lexicon.negations
        or word in lexicon.strict
        or word in grammar.reader
        or any(word in group for group in grammar.absolutes)
        or word in lexicon.units
        or word.endswith("n't")
    )
