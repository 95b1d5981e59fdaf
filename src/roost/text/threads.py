"""Splits a long text into the parts of a thread that X accepts."""

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
    mark_indivisible,
)
from roost.text.characters import FORBIDDEN_CHARACTERS
from roost.text.entities import extract_entities
from roost.text.weight import LIMIT, LONG_LIMIT, running_weights, weigh, weight_of_characters

#: For each level of a cut, the share of the limit that a part must use to end at such a cut. If a
#: part would use less, it ends later, at a cut of a worse level.
_FULL_ENOUGH = {
    Level.BLANK_LINE: 0.4,
    Level.LINE: 0.5,
    Level.SENTENCE: 0.5,
    Level.CLAUSE: 0.6,
    Level.WORD: 0.5,
}
_MIN_FILL = 0.2
_NUMBERING_ROUNDS = 4
_forbidden = re.compile(f"[{FORBIDDEN_CHARACTERS}]").search


class ThreadImpossible(InvalidInput):
    """A text cannot be split into parts that X accepts; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Thread(Sequence[str]):
    """The parts of a thread in order. The sequence contains the text of each part.

    Each part has a span: its start and end in `text`. Outside the spans, `text` contains only white
    space, so the parts together contain all of the text.
    """

    text: str  #: The whole text, in NFC.
    parts: tuple[str, ...]  #: The text of each part as posted, with the numbering.
    spans: tuple[tuple[int, int], ...]  #: Start and end of each part, in code points of `text`.

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
    """Split a text where it reads best: blank line, line, sentence, clause, word, then letter.

    A text within the limit becomes one part, and a blank text becomes no part. A cut never splits a
    URL, mention, hashtag, emoji or number with its unit. If possible, no part begins with `@name`,
    and the last part is at least a fifth full. `numbering` is an example of the numbering, such as
    `1/n` or `(1/n)`. The numbering follows the text of each part and counts towards the limit.

    Raises: ThreadImpossible if an indivisible item exceeds the limit, the text contains a
    character that X refuses, or the numbering has no 1.
    """
    weight = weigh(text, limit)
    text = weight.text
    if numbering is not None and not re.search(r"\b1\b", numbering):
        raise ThreadImpossible(
            f"The numbering {numbering!r} has no 1; write 1 for the number of a part."
        )
    if not text.strip():
        return Thread(text, (), ())
    if weight.valid:
        return Thread(text, (text,), ((0, len(text)),))
    forbidden = _forbidden(text)
    if forbidden:
        raise ThreadImpossible(
            f"X refuses the character U+{ord(forbidden[0]):04X} in a post.",
            next="Remove the character; it is invisible.",
            start=forbidden.start(),
            end=forbidden.end(),
        )
    spans: list[tuple[int, int]] = []
    labels = [_label(numbering, 1, 1)]
    for _ in range(_NUMBERING_ROUNDS):
        reserved = max(map(weight_of_characters, labels))
        spans = _Splitter(text, limit, reserved).spans()
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


class _Splitter:
    """Splits one text from left to right; keeps the text's weights and possible cuts."""

    def __init__(self, text: str, limit: int, reserved: int) -> None:
        self.text = text
        self.budget = limit - reserved
        self.longest = self.budget if limit >= LONG_LIMIT else len(text)
        self.weights = running_weights(text)
        self.inside = mark_indivisible(text)
        self.breaks = find_breaks(text, self.inside)
        self.ends = [place.end for place in self.breaks]
        self.mentions = {mention.start for mention in extract_entities(text).mentions}
        self.start = len(text) - len(text.lstrip())
        self.end = len(text.rstrip())

    def spans(self) -> list[tuple[int, int]]:
        """Return start and end of each part.

        If the last part is too short, it gets some text from the part before.
        """
        spans = []
        start = self.start
        while not self._fits(start, self.end):
            cut = self._best_cut(start)
            spans.append((start, cut.end))
            start = cut.start
        if spans and self._weight(start, self.end) < _MIN_FILL * self.budget:
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
        """Return the last position at which a part from `start` may end."""
        reach = bisect_right(self.weights, self.weights[start] + self.budget) - 1
        return min(reach, start + self.longest)

    def _breaks_between(self, start: int, end: int) -> list[Break]:
        return self.breaks[bisect_right(self.ends, start) : bisect_right(self.ends, end)]

    def _best_cut(self, start: int) -> Break:
        every = self._breaks_between(start, self._reach(start))
        preferred = [place for place in every if place.start not in self.mentions]
        for places, min_fill in ((preferred, _MIN_FILL), (every, 0.0)):
            for level, full_enough in _FULL_ENOUGH.items():
                for place in reversed(places):
                    if self._weight(start, place.end) < full_enough * self.budget:
                        break
                    if place.level == level:
                        return place
            if places and self._weight(start, places[-1].end) >= min_fill * self.budget:
                return places[-1]
        cut = self._cut_between_letters(start, self._reach(start))
        if cut is None:
            raise self._impossible(start)
        return Break(cut, cut, Level.WORD)

    def _cut_between_letters(self, start: int, reach: int) -> int | None:
        """Return the last place up to `reach` for a cut between letters; None if there is none.

        A place inside a number is used only if there is no other place.
        """
        for max_mark in (0, SOFT):
            for at in range(reach, start, -1):
                if self.inside[at] <= max_mark and is_grapheme_end(self.text, at, start):
                    return at
        return None

    def _balanced_cut(self, start: int) -> Break | None:
        """Return the best cut of the text after `start` into two parts, both full enough."""
        min_weight = _MIN_FILL * self.budget
        total = self._weight(start, self.end)
        candidates = [
            place
            for place in self._breaks_between(start, self._reach(start))
            if self._fits(place.start, self.end)
            and self._weight(start, place.end) >= min_weight
            and self._weight(place.start, self.end) >= min_weight
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
        if cut is None or not self._fits(cut, self.end):
            return None
        if self._weight(cut, self.end) < min_weight:
            return None
        return None if self._breaks_between(start, self.end) else Break(cut, cut, Level.WORD)

    def _impossible(self, start: int) -> ThreadImpossible:
        end = start + 1
        while end < self.end and (
            self.inside[end] == HARD or not is_grapheme_end(self.text, end, start)
        ):
            end += 1
        return ThreadImpossible(
            f"{end - start} characters that cannot be split weigh {self._weight(start, end)}; "
            f"a part may weigh {self.budget}.",
            next="Shorten this passage, or allow longer parts.",
            start=start,
            end=end,
        )
