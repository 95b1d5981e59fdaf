"""Finds the places to cut a text into parts, and the spans that must not be cut."""

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

from roost.text.emoji import emoji_spans
from roost.text.entities import extract_entities


class Level(IntEnum):
    """The quality of a cut in a text: at a lower level, the parts read better."""

    BLANK_LINE = 0
    LINE = 1
    SENTENCE = 2
    CLAUSE = 3
    WORD = 4


@dataclass(frozen=True, slots=True)
class Break:
    """A place to cut: one part ends at `end`, the next starts at `start` after any spaces."""

    end: int
    start: int
    level: Level


_SPACE = "\t-\r \x85\u1680\u2000-\u2006\u2008-\u200b\u2028\u2029\u205f\u3000"
_CLOSERS = "\"'”’»›)\\]}」』）】》〉］｝"
_SPACES = re.compile(f"[{_SPACE}]+")
_BLANK_LINE = re.compile("\n[\t-\r ]*\n|\r\n?[\t-\r ]*\r|\u2029")
_LINE = re.compile("[\n\r\x0b\x0c\x85\u2028]")
_sentence_ends = re.compile(f".*[.!?…。！？｡؟।][{_CLOSERS}]*\\Z", re.DOTALL).match
_clause_ends = re.compile(f".*[,;:–—、，；：،؛][{_CLOSERS}]*\\Z", re.DOTALL).match
_abbreviated = re.compile(
    r"(?:.*[\s(])?(?:[A-Za-z]|e\.g|i\.e|z\.B|p\.m|a\.m|[MDS]r|Mrs|Ms|Prof|St|No|Nr|vs|ca|bzw"
    r"|approx)\.\Z",
    re.DOTALL,
).match
_LOOK_BACK = 12

# Scripts without spaces between words. In these scripts, a cut between any two letters is at the
# level of a cut between words.
_SPACELESS = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_PUNCTUATION_ENDS = f"[。！？｡、，；：][{_CLOSERS}]*"
_NEVER_FIRST = (
    "、。，．：；？！｡…‥ー～〜々ゝゞ・%％°℃"
    "」』）】》〉］｝”’)]}ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ"
)
_NEVER_LAST = "「『（【《〈［｛“‘([{"
_UNSPACED = re.compile(f"{_PUNCTUATION_ENDS}|\\S(?=[{_SPACELESS}])|[{_SPACELESS}]")

_UNITS = (
    r"%|‰|°[CF]?|[kKMGTPm]?i?[Bb](?:ps)?|[kKMGT]?Hz|[kMG]?Wh?|[kmM]?[VA]|[kmcµn]?[mgsl]|mi|mph|"
    r"km/h|ft|in|yd|lbs?|oz|min|h|hrs?|hours?|days?|weeks?|months?|years?|am|pm|AM|PM|Uhr|px|fps|dpi|"
    r"[kKM]|bn|thousand|million|billion|trillion|Mio|Mrd|USD|EUR|GBP|CHF|JPY|dollars?|euros?|[€$£¥]"
)
_NUMBERS = re.compile(
    r"(?:[€$£¥₹₩#№~±+−-]{1,3}|(?:USD|EUR|GBP|CHF|JPY)(?=[ \xa0]?[0-9]))?"
    r"[ \xa0]?[0-9](?:[0-9]|[.,:/'’\u202f×x–-](?=[0-9])){0,30}"
    rf"(?:[ \xa0\u202f]?(?:{_UNITS})(?![A-Za-z0-9])"
    "|[%‰°€円元年月日時分秒人個回件万億兆歳位点台枚本])?"
)
# These tokens are not cut, because a piece of a token could become a link, mention or hashtag, even
# if the whole token is not one.
_TOKENS = re.compile(r"[!-~]{1,60}\.[A-Za-z][!-~]{0,60}|[!-~]{0,60}[@#$][!-~]{0,60}")

HARD, SOFT = 2, 1


def mark_indivisible(text: str) -> bytearray:
    """Mark each position at which a cut would split an entity, emoji, number or token.

    The mark is HARD inside an entity or emoji, where the text is never cut. The mark is SOFT inside
    a number or token, where the text is cut only if no other place is left. Elsewhere, it is 0.
    """
    inside = bytearray(len(text) + 1)
    for match in (*_NUMBERS.finditer(text), *_TOKENS.finditer(text)):
        first = match.start() + (len(match[0]) - len(match[0].lstrip()))
        inside[first + 1 : match.end()] = bytes([SOFT]) * (match.end() - first - 1)
    entity_spans = [(entity.start, entity.end) for entity in extract_entities(text).all()]
    for start, end in (*entity_spans, *emoji_spans(text)):
        inside[start + 1 : end] = bytes([HARD]) * (end - start - 1)
    return inside


def find_breaks(text: str, inside: bytearray) -> list[Break]:
    """Return every place for a cut between words, clauses, sentences or lines, in text order."""
    places = {}
    for match in _UNSPACED.finditer(text):
        at = match.end()
        if 0 < at < len(text) and not inside[at] and _can_cut_without_space(text, at):
            sign = match[0][0]
            level = Level.SENTENCE if sign in "。！？｡" else Level.WORD
            places[at] = Break(at, at, Level.CLAUSE if sign in "、，；：" else level)
    for match in _SPACES.finditer(text):
        end, start = match.span()
        if end > 0 and start < len(text) and not inside[start] and not inside[end]:
            places.pop(end, None)
            places[start] = Break(end, start, _level(text, end, match[0]))
    return [places[at] for at in sorted(places)]


def _level(text: str, end: int, space: str) -> Level:
    if _BLANK_LINE.search(space):
        return Level.BLANK_LINE
    if _LINE.search(space):
        return Level.LINE
    before = text[max(0, end - _LOOK_BACK) : end]
    if _sentence_ends(before):
        return Level.WORD if _abbreviated(before) else Level.SENTENCE
    return Level.CLAUSE if _clause_ends(before) else Level.WORD


def _can_cut_without_space(text: str, at: int) -> bool:
    """Return whether a cut at `at` reads well and creates no hashtag or mention after it."""
    before, after = text[at - 1], text[at]
    return (
        after not in _NEVER_FIRST
        and before not in _NEVER_LAST
        and after not in "@＠#＃$"
        and not after.isspace()
        and is_grapheme_end(text, at, at - 1)
    )


_JOINERS = re.compile(
    "[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\uff9e\uff9f\u0e33\u0eb3]"
)
_ATTACHES_TO_NEXT = re.compile(
    "[\u200d\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]"
)
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\uac00-\ud7a3]")
_JAMO_AFTER = re.compile("[\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb]")
_VIRAMA = 9


def is_grapheme_end(text: str, at: int, start: int) -> bool:
    """Return whether a grapheme cluster ends before `at`; `start` is a known cluster boundary.

    The function implements the rules of Unicode Standard Annex 29 without their rare exceptions. If
    the rules do not decide, the function returns False, because a wrong cut damages a character.
    """
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return not (before == "\r" and after == "\n")
    if (
        unicodedata.category(after)[0] == "M"
        or _JOINERS.match(after)
        or _ATTACHES_TO_NEXT.match(before)
    ):
        return False
    if unicodedata.combining(before) == _VIRAMA and unicodedata.category(after)[0] == "L":
        return False
    if _JAMO_AFTER.match(after) and _JAMO.match(before):
        return False
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False
    if "\U0001f1e6" <= after <= "\U0001f1ff":
        run = at
        while run > start and "\U0001f1e6" <= text[run - 1] <= "\U0001f1ff":
            run -= 1
        return (at - run) % 2 == 0
    return True
