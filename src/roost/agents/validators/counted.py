"""What a number counts: `3 branches` does not support `3 tables`."""

import itertools
import re
from collections.abc import Sequence
from typing import Final

from roost.agents.lexicons import Lexicon, words
from roost.agents.lexicons.counted_nouns import COUNTED_ALIKE, DISTRIBUTIVES
from roost.agents.quantities import Quantity
from roost.agents.terms import fold_quotes, is_related, list_terms, stem
from roost.agents.validators.candidate import Context
from roost.agents.words import fold

#: Words that count what the draft itself says: `two things`.
_GENERIC: Final = words(
    """things ways reasons tips steps dinge gründe tipps schritte cosas razones motivos consejos
    choses raisons conseils"""
)
#: Adjectives that stand before a noun in Spanish and French; others follow the noun.
_BEFORE_NOUNS: Final = words(
    """buenas buenos grandes mejores nuevas nuevos otras otros pequeñas pequeños primeras primeros
    próximas próximos únicas únicos últimas últimos autres beaux belles bonnes bons dernières
    derniers grands jolies jolis nouveaux nouvelles petites petits premières premiers
    prochaines prochains seules seuls"""
)
#: English plurals that do not end in `s`.
_PLURALS: Final = words(
    """people children men women feet teeth mice geese fish sheep staff persons"""
)
#: Nouns for several people each, so that ten of them are not ten people.
_COLLECTIVES: Final = words(
    "groups teams families gruppen teams familien grupos equipos familias groupes équipes familles"
)
#: A German word of more letters can be the end of a compound.
_SHORTEST_HEAD: Final = 3
_is_plural = re.compile(r".+[^suio]s").fullmatch
_is_year = re.compile(r"1[5-9]\d\d|20\d\d").fullmatch


def is_generic(quantity: Quantity) -> bool:
    """Whether a number counts what the draft itself says, so that no fact has the number."""
    return not quantity.unit and bool(set(quantity.nouns[:1]) & _GENERIC)


def counts_something_else(
    quantity: Quantity,
    matching: list[Quantity],
    context: Context,
    text: str,
    sources: Sequence[str],
) -> bool:
    """Whether a number of a text counts something other than the same number of the facts."""
    lexicon = context.lexicon
    if quantity.unit or not quantity.nouns or any(map(_is_year, quantity.readings)):
        return False
    if lexicon is None:
        # The word after the number may be a unit.
        near = {word for each in matching for word in each.nouns}
        after = quantity.nouns[0]
        return bool(near) and after not in near and after not in context.folded_texts
    if not lexicon.spaced:
        return False
    noun = _find_noun(quantity.nouns, lexicon, text)
    if noun is None or noun in lexicon.months or noun in lexicon.weekdays:
        return False
    if any(_is_same_name(quantity, each, lexicon) for each in matching):
        return False
    known = [word for each in matching for word in _find_counted(each, lexicon)]
    if not known or any(_means(noun, word, lexicon) for word in known):
        return False
    adjectives = itertools.takewhile(lambda word: word != noun, quantity.nouns)
    if any(_means(each, word, lexicon) for each in adjectives for word in known):
        # `Six home wins` are six home games.
        return False
    if _names_audience(noun, known, context, lexicon):
        return False
    texts = [
        each
        for each in sources
        if any(fact.readings & quantity.readings for fact in context.quantities(each))
    ]
    return not any(
        is_derived(noun, each, context) or _is_given_to_each(noun, quantity, each, lexicon)
        for each in texts
    )


def may_count(quantity: Quantity, sources: Sequence[str], context: Context) -> bool:
    """Whether a number may count a noun that no fact has beside the number.

    The facts count no noun with the number (`on rame à quatre`), or each of the counted things has
    one (`siete tornos, uno por persona`).
    """
    having = [
        (each, text)
        for text in sources
        for each in context.quantities(text)
        if each.readings & quantity.readings
    ]
    noun = re.escape(quantity.nouns[0][:_SHORTEST_ROOT])
    return all(not each.nouns for each, _ in having) or any(
        re.search(rf"{_ONE_PER}{noun}", fold_quotes(text)) for _, text in having
    )


#: Each of the counted things has one of others: `one per person`.
_ONE_PER: Final = (
    r"\b(?:one|eine?n?|un[oa]?|une) (?:per|for each|for every|pro|je|por|para cada|par) "
)
_SHORTEST_ROOT: Final = 5


def is_derived(noun: str, fact: str, context: Context) -> bool:
    """Whether a noun has the root of another word of a fact: `two renewals`, `renewable twice`.

    The word itself does not suffice: `eight places in each class` are not eight classes.
    """
    lexicon = context.require_lexicon()
    counted = {word for each in context.quantities(fact) for word in each.nouns}
    root = stem(noun, lexicon)
    return any(
        term.stem != root and term.word not in counted and is_related(term.stem, root)
        for term in list_terms(fold_quotes(fact), lexicon)
    )


def _is_given_to_each(noun: str, quantity: Quantity, fact: str, lexicon: Lexicon) -> bool:
    """Whether each of the counted things gets one: 41,000 bins if each of 41,000 homes gets one."""
    terms = list_terms(fold_quotes(fact), lexicon)
    numbers = [
        index
        for index, term in enumerate(terms)
        if set(re.findall(r"\d+", term.word)) & set(re.findall(r"\d+", quantity.written))
        or str(lexicon.numbers.get(term.word)) in quantity.readings
    ]
    return any(
        any(term.word in DISTRIBUTIVES for term in terms[:index])
        and any(_means(noun, term.word, lexicon) for term in terms[index + 1 :])
        for index in numbers[:1]
    )


def _names_audience(noun: str, known: list[str], context: Context, lexicon: Lexicon) -> bool:
    """Whether a noun is a word for the readers, and the facts count people or their places."""
    people = COUNTED_ALIKE.get(lexicon.code, (frozenset[str](),))[0]
    readers = {term.stem for term in context.content(context.brief.audience)}
    if noun in _COLLECTIVES:
        return False
    return stem(noun, lexicon) in readers and any(_belongs(word, people, lexicon) for word in known)


def _is_same_name(quantity: Quantity, fact: Quantity, lexicon: Lexicon) -> bool:
    """Whether both numbers are the name of the same thing: `Episode 41`, which counts nothing."""
    said, known = quantity.words_before[-1:], fact.words_before[-1:]
    counts_nothing = not _first_phrase(fact.nouns, lexicon)
    return counts_nothing and said == known and not set(said) <= lexicon.stopwords


def _find_noun(after: tuple[str, ...], lexicon: Lexicon, text: str) -> str | None:
    """Return the counted noun among the words after a number; None if none is certain."""
    phrase = _first_phrase(after, lexicon)
    if lexicon.capitalizes_nouns:
        capitalized = {fold(word) for word in re.findall(r"[^\W\d_]+", text) if word[0].isupper()}
        return next((word for word in phrase if word in capitalized), None)
    if lexicon.code == "en":
        return next((word for word in phrase if word in _PLURALS or _is_plural(word)), None)
    return next((word for word in phrase if word not in _BEFORE_NOUNS), None)


def _find_counted(fact: Quantity, lexicon: Lexicon) -> list[str]:
    """Return the words beside a number of a fact that may be what it counts."""
    nearest = _first_phrase(fact.nouns, lexicon)
    others = (*fact.nouns, *fact.words_before)
    return nearest or [word for word in others if word not in lexicon.stopwords]


def _first_phrase(after: tuple[str, ...], lexicon: Lexicon) -> list[str]:
    """Return the words up to a stopword: `people` of `people in a group`."""
    return list(itertools.takewhile(lambda word: word not in lexicon.stopwords, after))


def _means(noun: str, word: str, lexicon: Lexicon) -> bool:
    one, other = stem(noun, lexicon), stem(word, lexicon)
    return (
        one == other
        or is_related(one, other)
        # `Völker` are `Bienenvölker`.
        or (lexicon.capitalizes_nouns and len(noun) > _SHORTEST_HEAD and word.endswith(noun))
        or any(noun in group and word in group for group in lexicon.synonyms)
        or any(
            _belongs(noun, group, lexicon) and _belongs(word, group, lexicon)
            for group in COUNTED_ALIKE.get(lexicon.code, ())
        )
    )


def _belongs(word: str, group: frozenset[str], lexicon: Lexicon) -> bool:
    """Whether a group has a word, also in the singular or at the end of a German compound."""
    return word in group or any(
        stem(word, lexicon) == stem(each, lexicon)
        or (lexicon.capitalizes_nouns and word.endswith(each) and len(each) > _SHORTEST_HEAD)
        for each in group
    )
