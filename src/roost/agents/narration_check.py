"""Refuses a narration that claims anything beyond the figures in its slots.

A narration is a model's text about a report. In the text, slots such as `{impressions}` stand for
the figures. A narration may contain only words of a list of allowed words. A list of forbidden
words would not suffice, because a number can be written in too many ways. Further rules make sure
that no clause gives a figure a wrong meaning.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from roost.agents.lexicons.narration import (
    BEST_SLOTS,
    GAINED_SLOTS,
    PUBLISHED_SLOTS,
    RECEIVED_SLOTS,
    SINGLE_SLOTS,
    TOPIC_SLOTS,
    NarrationWords,
)
from roost.agents.lexicons.narration_de import GERMAN
from roost.agents.lexicons.narration_en import ENGLISH

_LANGUAGES: Final = {"en": ENGLISH, "de": GERMAN}
#: Matches one token: a slot, a word (with hyphens and apostrophes), a punctuation mark, spaces, or
#: any other character.
_TOKENS: Final = re.compile(
    r"\{(?P<slot>[a-z_]*)\}|(?P<word>[A-Za-zÄÖÜäöüß]+(?:[-'’][A-Za-zÄÖÜäöüß]+)*['’]?)"
    r"|(?P<mark>[.,;:()])|(?P<space> +)|(?P<other>.)",
    re.DOTALL,
)
_OPENING: Final = frozenset("(")
_MAX_SENTENCES: Final = 12
_MAX_CHARACTERS: Final = 1500
#: The slots that stand for names. All other slots stand for figures.
_NAMES: Final = frozenset({"account", "best_post"})
_OUTPUT: Final = frozenset({"posts", "posts_per_week"})
_TOTALS: Final = frozenset({"followers"})
_OPENING_TOPICS: Final = ("typical", "mean", "frequency")
#: The most words of an opening such as `Replies: …` that labels the next figure.
_LABEL_WORDS: Final = 2
_USUAL_TOPICS: Final = ("typical", "mean", "comparison")


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of a clause in lower case, or the name of a slot."""

    text: str
    is_slot: bool = False

    @property
    def figure(self) -> str:
        """The slot's name if the token is a slot for a figure; otherwise empty."""
        return self.text if self.is_slot and self.text not in _NAMES else ""


def can_check(language: str) -> bool:
    """Whether narrations in a language can be checked; others are always refused."""
    return language in _LANGUAGES


def check_narration(text: str, slots: frozenset[str], language: str) -> tuple[str, ...]:
    """Return the reasons to refuse a narration; empty if the narration is accepted.

    Each reason is a code and a detail, such as `WORD: rose`. `slots` are the names of the slots
    that the narration may contain.
    """
    words = _LANGUAGES.get(language)
    if words is None:
        return (f"LANGUAGE: {language}",)
    if len(text) > _MAX_CHARACTERS:
        return ("LENGTH: too long",)
    findings = [*_check_tokens(text, slots, words)]
    if findings:
        return tuple(findings)
    sentences = _split(text, words)
    if not 0 < len(sentences) <= _MAX_SENTENCES:
        return ("LENGTH: too many sentences",)
    for position, sentence in enumerate(sentences):
        earlier = sentences[position - 1] if position else []
        findings += _check_sentence(sentence, earlier, words)
    return tuple(findings)


def _check_tokens(text: str, slots: frozenset[str], words: NarrationWords) -> list[str]:
    """Return the reasons to refuse single tokens of a narration.

    Refused are characters, words and slots that are not allowed, slots for figures that are used
    twice, slots that touch another token than a space or a punctuation mark, and a missing full
    stop at the end.
    """
    findings = []
    matches = list(_TOKENS.finditer(text))
    used: set[str] = set()
    for position, match in enumerate(matches):
        before = matches[position - 1] if position else None
        after = matches[position + 1] if position + 1 < len(matches) else None
        if match["other"] is not None:
            findings.append(f"CHARACTER: {match.group()!r}")
        elif match["word"] is not None:
            if not _is_plain(match["word"], words) and not _is_in_phrase(matches, position, words):
                findings.append(f"WORD: {match['word']}")
        elif match["slot"] is not None:
            name = match["slot"]
            if name not in slots:
                findings.append(f"SLOT: {name}")
            elif name in used and name not in _NAMES:
                findings.append(f"REPEATED: {name}")
            elif not _stands_free(before, after):
                findings.append(f"TOUCHED: {name}")
            used.add(name)
    if text.strip() and not text.rstrip().endswith("."):
        findings.append("FORM: no full stop at the end")
    return findings


def _is_plain(word: str, words: NarrationWords) -> bool:
    """Whether a word is in the list of allowed words, with no capital after its first letter.

    A word in capitals could be a Roman numeral.
    """
    is_written_normally = word[1:] == word[1:].lower()
    return is_written_normally and word.lower().rstrip("'’") in words.allowed


def _is_in_phrase(matches: Sequence[re.Match[str]], position: int, words: NarrationWords) -> bool:
    """Whether a word is allowed because of the word before or after it."""

    def word(at: int) -> str:
        return (matches[at]["word"] or "").lower() if 0 <= at < len(matches) else ""

    own = word(position)
    pairs = {(word(position - 2), own), (own, word(position + 2))}
    return bool(pairs & words.phrases)


def _stands_free(before: re.Match[str] | None, after: re.Match[str] | None) -> bool:
    """Whether only a space, a punctuation mark or the text's edge touches a slot.

    A letter or another slot beside the slot could change the meaning of the slot's number.
    """
    is_free_before = before is None or before["space"] is not None or before.group() in _OPENING
    is_free_after = (
        after is None
        or after["space"] is not None
        or (after["mark"] is not None and after.group() not in _OPENING)
    )
    return is_free_before and is_free_after


def _split(text: str, words: NarrationWords) -> list[list[list[_Token]]]:
    """Split a text into sentences, each a list of clauses, each a list of tokens.

    A punctuation mark ends a clause. A joint, such as `and`, begins one.
    """
    sentences: list[list[list[_Token]]] = [[[]]]
    for match in _TOKENS.finditer(text):
        if match["space"] is not None:
            continue
        if match.group() == ".":
            sentences.append([[]])
        elif match["mark"] is not None:
            sentences[-1].append([])
        elif match["slot"] is not None:
            sentences[-1][-1].append(_Token(match["slot"], is_slot=True))
        else:
            word = match["word"].lower().rstrip("'’")
            if word in words.joints:
                sentences[-1].append([])
            sentences[-1][-1].append(_Token(word))
    filled = ([clause for clause in sentence if clause] for sentence in sentences)
    return [sentence for sentence in filled if sentence]


def _check_sentence(
    sentence: Sequence[Sequence[_Token]],
    earlier: Sequence[Sequence[_Token]],
    words: NarrationWords,
) -> list[str]:
    findings = []
    all_words = _words(sentence)
    if all_words & words.negations and not all_words & words.causes:
        findings.append("NOT: a sentence may only deny that a cause is known")
    if all_words & words.causes and not all_words & words.negations:
        findings.append("CAUSE: a sentence may only deny that a cause is known")
    if _slots(sentence) & BEST_SLOTS and "best_post" not in _slots([*sentence, *earlier]):
        findings.append("SUBJECT: the figures of the best post need {best_post}")
    opening = frozenset[str]()
    for clause in sentence:
        findings += _check_clause(clause, words, opening)
        # A clause without a figure, such as `On average, …`, describes the next figure.
        opening = frozenset[str]() if _slots([clause]) - _NAMES else opening | _words([clause])
        findings += _check_neighbours(clause, words)
    figures = _slots(sentence) - _NAMES
    is_about_followers = bool(figures & TOPIC_SLOTS["followers"])
    if all_words & words.topics["followers"] and not is_about_followers:
        findings.append("MEANING: followers without their figure")
    if is_about_followers and all_words & words.starts and "followers" in figures:
        findings.append(f"TIME: {' '.join(sorted(all_words & words.starts))}")
    if is_about_followers and any(
        _words([clause]) & words.content for clause in sentence if not _slots([clause]) - _NAMES
    ):
        findings.append("CAUSE: posts and followers in one sentence")
    if all_words & words.spans and figures and not figures & TOPIC_SLOTS["followers"]:
        findings.append(f"TIME: {' '.join(sorted(all_words & words.spans))}")
    if _mixes_notions(sentence, words):
        findings.append("NOTION: the gains belong to posts of any age")
    return findings


def _check_clause(
    clause: Sequence[_Token], words: NarrationWords, opening: frozenset[str]
) -> list[str]:
    """Check that the words of a clause fit the figures of the clause.

    `opening` has the words of the clauses directly before this one that have no figure.
    """
    findings = []
    slots, own = _slots([clause]) - _NAMES, _words([clause])
    if not slots:
        return []
    for topic, names in TOPIC_SLOTS.items():
        is_opened = topic in _OPENING_TOPICS or len(opening) <= _LABEL_WORDS
        said = own | opening if is_opened else own
        if said & words.topics[topic] and not slots & names:
            findings.append(f"MEANING: {', '.join(sorted(said & words.topics[topic]))}")
    if own & words.receiving and not slots & RECEIVED_SLOTS and slots & (_OUTPUT | _TOTALS):
        findings.append(f"MEANING: {', '.join(sorted(own & words.receiving))}")
    if own & words.receiving and slots & _TOTALS:
        findings.append("MEANING: all followers are not gained")
    if own & words.publishing and not slots & PUBLISHED_SLOTS:
        findings.append(f"MEANING: {', '.join(sorted(own & words.publishing))}")
    if _denies_figure(clause, words):
        findings.append("NOT: a figure is denied")
    is_about_followers = bool(slots & TOPIC_SLOTS["followers"])
    names = _slots([clause]) & _NAMES
    if is_about_followers and (own & words.content or "best_post" in names or slots & _OUTPUT):
        findings.append("CAUSE: posts and followers in one clause")
    if own & words.single and slots - SINGLE_SLOTS:
        findings.append("SUBJECT: a figure that is not of a single post")
    if "best_post" in names and slots - BEST_SLOTS:
        findings.append("SUBJECT: a figure that is not of the best post")
    if slots & BEST_SLOTS and (own & words.accounts or "account" in names):
        findings.append("SUBJECT: a figure of the best post is said of the account")
    return findings


def _denies_figure(clause: Sequence[_Token], words: NarrationWords) -> bool:
    """Whether a clause has a negation that could deny a figure.

    A negation is permitted only if a word such as `cause` follows it before the next figure.
    """
    for position, token in enumerate(clause):
        if not token.is_slot and token.text in words.negations:
            following = takewhile(lambda each: not each.figure, clause[position:])
            if not words.causes.intersection(each.text for each in following):
                return True
    return False


def _check_neighbours(clause: Sequence[_Token], words: NarrationWords) -> list[str]:
    """Check the words near each figure, near `{best_post}` and before words such as `average`."""
    findings = []
    nouns = frozenset[str]().union(*words.topics.values()) | words.content | words.times
    usual = frozenset[str]().union(*(words.topics[topic] for topic in _USUAL_TOPICS))
    for position, token in enumerate(clause):
        before = {each.text for each in clause[max(position - 2, 0) : position] if not each.is_slot}
        after = [each.text for each in clause[position + 1 : position + 3] if not each.is_slot]
        if position and _is_pair(clause[position - 1], token, words.causal):
            findings.append(f"CAUSE: {clause[position - 1].text} {token.text}")
        if not token.is_slot and token.text in usual and before & words.heights:
            findings.append(f"COMPARISON: {token.text}")
        if token.text == "best_post" and token.is_slot and before & words.origins:
            findings.append("CAUSE: the best post as an origin")
        if not token.figure:
            continue
        has_others = sum(bool(each.figure) for each in clause) > 1
        if before & words.limits or (has_others and before & words.ranges):
            findings.append(f"LIMIT: {' '.join(sorted(before))}")
        if (after and after[0] in nouns) or words.times.intersection(after):
            findings.append(f"UNIT: {' '.join(after)}")
        if position + 1 < len(clause) and clause[position + 1].figure:
            findings.append("TOUCHED: two figures without a word between them")
    return findings


def _is_pair(first: _Token, second: _Token, pairs: frozenset[tuple[str, str]]) -> bool:
    return not (first.is_slot or second.is_slot) and (first.text, second.text) in pairs


def _mixes_notions(sentence: Sequence[Sequence[_Token]], words: NarrationWords) -> bool:
    """Whether a sentence says that the period's gains came only from the published posts.

    Such a sentence would be wrong, because posts of any age made the gains.
    """
    slots = _slots(sentence)
    if not (slots & GAINED_SLOTS and slots & _OUTPUT):
        return False
    if any(_slots([clause]) & GAINED_SLOTS and _slots([clause]) & _OUTPUT for clause in sentence):
        return True
    for clause in sentence:
        # `{impressions} were gained, from {posts}` is wrong: the last clause begins with `from`.
        if clause[0].text in words.sources and _slots([clause]) & _OUTPUT:
            return True
    # `{posts} were sent, and gained {impressions}` is wrong: the posts are the subject of both
    # clauses.
    return sentence[0][0].figure in _OUTPUT and bool(_words(sentence) & words.receiving)


def _words(clauses: Sequence[Sequence[_Token]]) -> frozenset[str]:
    return frozenset(each.text for clause in clauses for each in clause if not each.is_slot)


def _slots(clauses: Sequence[Sequence[_Token]]) -> frozenset[str]:
    return frozenset(each.text for clause in clauses for each in clause if each.is_slot)
