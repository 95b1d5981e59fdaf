"""Compares facts with the topic of their brief, and adds the topic to a fact."""

import itertools
import re
from collections.abc import Sequence
from typing import Final

from roost.agents.brief import Brief
from roost.agents.language_names import language_code
from roost.agents.languages import select_language
from roost.agents.lexicons import Lexicon, find_lexicon, words
from roost.agents.sentences import capitalize, continue_sentence, has_colon
from roost.agents.terms import (
    Vocabulary,
    content_terms,
    fold_quotes,
    is_related,
    list_terms,
    stem,
)
from roost.agents.words import split_words

_ENDS: Final = ".:!?…。：！？ "
#: Finds words such as `changes` in a topic. After such a topic, readers take each fact for a part
#: of the change.
_change = re.compile(
    r"\bchang(?:es?|ing)\b|\bthe end of\b|\bnew features?\b"
    r"|änderung(?:en)?\b|neuerung(?:en)?\b|\bende de[rs]\b|\bneuen? funktion(?:en)?\b"
    r"|\bcambios?\b|\bfin de (?!sema)|\bnovedad(?:es)?\b|\bnuevas? funci(?:ón|ones)\b"
    r"|\bchangements?\b|\bfin d(?:es |u |')|\bnouveautés?\b"
    r"|\bnouvelles? fonction(?:nalité)?s?\b"
    r"|新機能|変更点?|改定|終了"
)
_DETERMINERS: Final = words("""
    the our my der die das unser unsere mein meine el la los las nuestro nuestra nuestros nuestras
    mi mis le les notre nos mon ma mes
""")
_ARTICLES: Final = words("the der die das el la los las le les")
#: Verbs before which the topic can replace an article and a noun: `The game has no ads` becomes
#: `Our game Moss and Machines has no ads`.
_VERBS: Final = words("""
    is are was were has have can will takes costs lasts starts begins opens ends runs
    ist sind war hat haben wird kann kostet dauert beginnt startet endet läuft öffnet findet
    es son está están fue tiene tienen se puede cuesta dura empieza termina abre cierra
    est sont a ont se ne peut coûte dure commence débute ouvre compte
""")
#: Prepositions that begin a description of the noun before them: `our game for children`.
_PREPOSITIONS: Final = words("""
    of for in on at with from by against about to und von für in im am mit zu zum zur über aus bei
    de del para con en sobre por a du des d' pour avec à au aux sur par contre
""")
_splits_words = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*|[^\w\s]").findall


def names_topic(texts: Sequence[str], brief: Brief) -> bool:
    """Whether the texts contain more than half of the topic's distinctive words."""
    topic, found = _match(texts, brief)
    return 2 * len(found) > len(topic)


def suits_topic(text: str, brief: Brief) -> bool:
    """Whether a fact can stand after the topic without a false meaning.

    `Changes to waste collection: Bins must be out by 6` would say that the time has changed. So if
    the topic is a change, the fact must contain at least half of the words that say what changes.
    """
    rest, changes = _change.subn(" ", fold_quotes(brief.topic))
    if not changes:
        return True
    topic, found = _match([text], brief.model_copy(update={"topic": rest}))
    return 2 * len(found) >= len(topic)


def _match(texts: Sequence[str], brief: Brief) -> tuple[list[str], list[str]]:
    """Return the topic's distinctive words, and those of them that the texts contain."""
    lexicon = _find_lexicon(brief)
    if lexicon is None:
        known = {word for text in texts for word in split_words(text)}
        topic = split_words(brief.topic)
        return topic, [word for word in topic if any(_is_same(word, each) for each in known)]
    vocabulary = Vocabulary(texts, lexicon)
    topic = _list_topic_words(brief.topic, lexicon)
    return topic, [word for word in topic if _has(vocabulary, word, lexicon)]


def _find_lexicon(brief: Brief) -> Lexicon | None:
    return find_lexicon(language_code(brief.language))


def _is_same(one: str, other: str) -> bool:
    """Whether two words are probably forms of one word."""
    return one == other or is_related(one, other)


def _list_topic_words(topic: str, lexicon: Lexicon) -> list[str]:
    """Return the topic's distinctive words and numbers.

    General words such as `new` and `day` are not distinctive, because they fit many topics.
    """
    folded = fold_quotes(topic)
    terms = [term.word for term in content_terms(folded, lexicon)]
    general = {stem(word, lexicon) for word in lexicon.neutral}
    telling = [word for word in terms if not lexicon.spaced or stem(word, lexicon) not in general]
    numbers = [term.word for term in list_terms(folded, lexicon) if term.word[0].isdecimal()]
    return [*(telling or terms), *numbers] or split_words(topic)


def _has(vocabulary: Vocabulary, word: str, lexicon: Lexicon) -> bool:
    if not lexicon.spaced:
        return word in vocabulary.text
    return vocabulary.has_word(word) or any(_is_same(word, each) for each in vocabulary.words)


def is_about_topic(text: str, brief: Brief) -> bool:
    """Whether a fact shares a word with the topic, the first fact or the call to action."""
    lexicon = _find_lexicon(brief)
    sources = (brief.topic, brief.facts[0].text, brief.call_to_action)
    if lexicon is None:
        known = {word for source in sources for word in split_words(source)}
        return any(_is_same(word, each) for word in split_words(text) for each in known)
    vocabulary = Vocabulary(sources, lexicon)
    return any(vocabulary.has(term) for term in content_terms(fold_quotes(text), lexicon))


def denies(text: str, brief: Brief) -> bool:
    """Whether the first clause of a fact has a negation: `No code is needed.`

    Such a fact says little to a reader who has not asked the question that the fact answers.
    """
    lexicon = _find_lexicon(brief)
    if lexicon is None:
        return False
    clause = re.split(r"[,;、]", fold_quotes(text), maxsplit=1)[0]
    if not lexicon.spaced:
        return clause.rstrip(_ENDS).endswith(("ません", "ない", "なし", "不可"))
    return any(
        term.word in lexicon.negations or term.word.endswith("n't")
        for term in list_terms(clause, lexicon)
    )


def name_topic(text: str, brief: Brief, *, is_named: bool) -> str:
    """Add the topic to a fact: `The Odd Sock Sale: No discount code is needed.`

    If the fact begins with an article and the topic's noun, the topic replaces both: `The game has
    no ads` becomes `Our game Moss and Machines has no ads`. Otherwise, the topic is added before
    the fact, unless the draft names the topic anyway (`is_named`).
    """
    topic = capitalize(brief.topic.rstrip(_ENDS))
    article, _, rest = text.partition(" ")
    noun, _, rest = rest.partition(" ")
    is_short = article.casefold() in _ARTICLES and rest.partition(" ")[0] in _VERBS
    if is_short and _has_head(topic, noun):
        return f"{topic} {rest}"
    if is_named:
        return capitalize(text)
    language = select_language(brief.language)
    pattern = language.lead_before_colon if has_colon(text) else language.lead
    return pattern.format(topic=topic) + continue_sentence(text, language)


def _has_head(topic: str, noun: str) -> bool:
    """Whether the noun is the topic's main word, which its other words describe."""
    parts = _splits_words(topic)
    folded = [part.casefold() for part in parts]
    if folded[0] not in _DETERMINERS or noun.casefold() not in folded:
        return False
    position = folded.index(noun.casefold())
    before, after = folded[1:position], parts[position + 1 :]
    is_head = all(word.isalpha() and word not in _PREPOSITIONS for word in before)
    is_described = not after or not after[0].islower() or after[0] in _PREPOSITIONS
    return is_head and is_described and not _joins_things(parts)


def _joins_things(parts: Sequence[str]) -> bool:
    """Whether the topic names two things, as in `our bread and cakes`.

    `Moss and Machines` is one thing: `and` is a part of the name.
    """
    return any(
        one in {"and", "or", "y", "o", "et", "ou", "&", ","} and other.islower()
        for one, other in itertools.pairwise(parts)
    ) or not {"und", "oder"}.isdisjoint(parts)
