"""Emoji made of several code points: where they are, because X counts each of them as 2.

A single code point that is an emoji weighs 2 anyway, so only sequences matter here: with a
variation selector, skin tone, joiner, keycap, flag or tag.
"""

import re
from functools import cache
from itertools import product

from roost.text._emoji_data import TABLE

TONES = tuple(chr(tone) for tone in range(0x1F3FB, 0x1F400))

# What the second code point of every sequence is: joiner, variation selector, keycap, skin tone,
# the second letter of a flag, or a tag.
_SECOND = "\u200d\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\U000e0020-\U000e007f"
_MAYBE = re.compile(f"[#*0-9\xa9\xae\u2000-\U0001faff][{_SECOND}]")
has_second = re.compile(f"[{_SECOND}]").search


@cache
def _sequences() -> tuple[frozenset[str], dict[str, int]]:
    """Every sequence, and the longest one's length by first code point."""
    found = set()
    for entry in TABLE.split():
        parts = entry.split("-")
        slots = [TONES for part in parts if part in "TD"]
        shape = "".join("%s" if part in "TD" else chr(int(part, 16)) for part in parts)
        for tones in product(*slots):
            if "D" not in parts or tones[0] != tones[1]:
                found.add(shape % tones)
    longest: dict[str, int] = {}
    for sequence in found:
        longest[sequence[0]] = max(longest.get(sequence[0], 0), len(sequence))
    return frozenset(found), longest


def emoji_spans(text: str) -> list[tuple[int, int]]:
    """Start and end (code points) of every emoji of several code points, left to right.

    At each place the longest one counts; two never overlap.
    """
    if not has_second(text):
        return []
    sequences, longest = _sequences()
    spans = []
    at = 0
    while maybe := _MAYBE.search(text, at):
        start = maybe.start()
        for end in range(start + longest.get(text[start], 0), start + 1, -1):
            if text[start:end] in sequences:
                spans.append((start, end))
                at = end
                break
        else:
            at = start + 1
    return spans
