"""Cut a long text into the parts of a thread, each of which X accepts."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from roost.errors import InvalidInput
from roost.text.breaks import (
    HARD,
    SOFT,
    Break,
    Level,
    find_breaks,
    is_grapheme_end,
    mark_whole,
)
from roost.text.entities import entities
from roost.text.weight import LIMIT, LONG_LIMIT, running_weights, weigh, weight_of_characters

#: How full a part has to be before a cut of this level is taken rather than a worse one later.
_FULL_ENOUGH = {
    Level.BLANK_LINE: 0.4,
    Level.LINE: 0.5,
    Level.SENTENCE: 0.5,
    Level.CLAUSE: 0.6,
    Level.WORD: 0.5,
}
_FILLED_AT_LEAST = 0.2
_ROUNDS_OF_NUMBERING = 4


class ThreadImpossible(InvalidInput):
    """A text cannot be cut into parts that X accepts; the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Thread(Sequence[str]):
    """The parts of a thread, in order; it is a sequence of what each part says.

    `spans` tells where each part stands in `text`; between two of them is only white space, so
    nothing of the text is lost.
    """

    text: str  #: the whole, in NFC
    parts: tuple[str, ...]  #: as they are posted, numbering included
    spans: tuple[tuple[int, int], ...]  #: in code points of `text`, without numbering

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self.parts[index]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.parts)


def split_thread(text: str, limit: int = LIMIT, numbering: str | None = None) -> Thread:
    """Cut a text where it reads best: blank line, line, sentence, clause, word, then letter.

    A text that fits stays as it is, and a blank one has no parts. No cut goes through a URL,
    mention, tag, emoji or number with its unit; where there is a choice no part begins with
    `@name`, and the last one is at least a fifth full. `numbering` is an example of how parts
    are numbered, `1/n` or `(1/n)`; it follows the text of each part and counts.

    Raises: ThreadImpossible where something that must stay whole exceeds the limit, the text
    has a character X refuses, or the example of numbering has no 1.
    """
    weight = weigh(text, limit)
    text = weight.text
    if numbering is not None and not re.search(r"\b1\b", numbering):
        raise ThreadImpossible(f"The numbering {numbering!r} has no 1 for the part's number.")
    if not text.strip():
        return Thread(text, (), ())
    if weight.valid:
        return Thread(text, (text,), ((0, len(text)),))
    refused = re.search("[\ufffe\ufeff\uffff]", text)
    if refused:
        raise ThreadImpossible(
            f"X refuses the character U+{ord(refused[0]):04X} in a post.",
            next="Take it out; it is invisible.",
            start=refused.start(),
            end=refused.end(),
        )
    spans: list[tuple[int, int]] = []
    labels = [_label(numbering, 1, 1)]
    for _ in range(_ROUNDS_OF_NUMBERING):
        reserved = max(map(weight_of_characters, labels))
        spans = _Cutter(text, limit, reserved).spans()
        labels = [_label(numbering, order, len(spans)) for order in range(1, len(spans) + 1)]
        if max(map(weight_of_characters, labels)) <= reserved:
            break
    parts = tuple(
        text[start:end] + label for (start, end), label in zip(spans, labels, strict=True)
    )
    return Thread(text, parts, tuple(spans))


def _label(numbering: str | None, order: int, count: int) -> str:
    if numbering is None:
        return ""
    numbers = {"1": str(order), "n": str(count)}
    return " " + re.sub(r"\b[1n]\b", lambda match: numbers[match[0]], numbering)


class _Cutter:
    """One text with its weights and places to cut, worked through from left to right."""

    def __init__(self, text: str, limit: int, reserved: int) -> None:
        self.text = text
        self.budget = limit - reserved
        self.longest = self.budget if limit >= LONG_LIMIT else len(text)
        self.weights = running_weights(text)
        self.inside = mark_whole(text)
        self.breaks = find_breaks(text, self.inside)
        self.ends = [place.end for place in self.breaks]
        self.mentions = {mention.start for mention in entities(text).mentions}
        self.start = len(text) - len(text.lstrip())
        self.end = len(text.rstrip())

    def spans(self) -> list[tuple[int, int]]:
        """Start and end of each part, the last one balanced with the one before."""
        spans = []
        start = self.start
        while not self._fits(start, self.end):
            cut = self._best_cut(start)
            spans.append((start, cut.end))
            start = cut.start
        if spans and self._weight(start, self.end) < _FILLED_AT_LEAST * self.budget:
            before = spans[-1][0]
            balanced = self._balanced_cut(before)
            if balanced:
                spans[-1] = (before, balanced.end)
                start = balanced.start
        return [*spans, (start, self.end)]

    def _weight(self, start: int, end: int) -> int:
        return self.weights[end] - self.weights[start]

    def _fits(self, start: int, end: int) -> bool:
        return self._weight(start, end) <= self.budget and end - start <= self.longest

    def _reach(self, start: int) -> int:
        """The last position up to which a part from `start` fits."""
        reach = bisect_right(self.weights, self.weights[start] + self.budget) - 1
        return min(reach, start + self.longest)

    def _breaks_between(self, start: int, end: int) -> list[Break]:
        return self.breaks[bisect_right(self.ends, start) : bisect_right(self.ends, end)]

    def _best_cut(self, start: int) -> Break:
        places = self._breaks_between(start, self._reach(start))
        welcome = [place for place in places if place.start not in self.mentions]
        for some, least in ((welcome, _FILLED_AT_LEAST), (places, 0.0)):
            for level, full_enough in _FULL_ENOUGH.items():
                for place in reversed(some):
                    if self._weight(start, place.end) < full_enough * self.budget:
                        break
                    if place.level == level:
                        return place
            if some and self._weight(start, some[-1].end) >= least * self.budget:
                return some[-1]
        cut = self._cut_between_letters(start, self._reach(start))
        if cut is None:
            raise self._impossible(start)
        return Break(cut, cut, Level.WORD)

    def _cut_between_letters(self, start: int, reach: int) -> int | None:
        """The last place at or before `reach` between two letters, if need be in a number."""
        for tolerated in (0, SOFT):
            for at in range(reach, start, -1):
                if self.inside[at] <= tolerated and is_grapheme_end(self.text, at, start):
                    return at
        return None

    def _balanced_cut(self, start: int) -> Break | None:
        """The best cut of what is left from `start` into two parts, both of them filled."""
        least = _FILLED_AT_LEAST * self.budget
        total = self._weight(start, self.end)
        candidates = [
            place
            for place in self._breaks_between(start, self._reach(start))
            if self._fits(place.start, self.end)
            and self._weight(start, place.end) >= least
            and self._weight(place.start, self.end) >= least
            and place.start not in self.mentions
        ]
        if candidates:
            return min(
                candidates,
                key=lambda place: (
                    place.level,
                    abs(total - 2 * self._weight(start, place.end)),
                ),
            )
        middle = bisect_left(self.weights, self.weights[start] + (total + 1) // 2)
        cut = self._cut_between_letters(start, min(middle, self._reach(start)))
        if cut is None or not self._fits(cut, self.end) or self._weight(cut, self.end) < least:
            return None
        return None if self._breaks_between(start, self.end) else Break(cut, cut, Level.WORD)

    def _impossible(self, start: int) -> ThreadImpossible:
        end = start + 1
        while end < self.end and (
            self.inside[end] == HARD or not is_grapheme_end(self.text, end, start)
        ):
            end += 1
        return ThreadImpossible(
            f"{end - start} characters that must stay together weigh "
            f"{self._weight(start, end)}, and a part has room for {self.budget}.",
            next="Shorten them, or allow longer parts.",
            start=start,
            end=end,
        )
