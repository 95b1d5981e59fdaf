"""Emoji made of several code points: where they are, because X counts each of them as 2.

A single code point that is an emoji weighs 2 anyway, so only sequences matter here: with a
variation selector, skin tone, joiner, keycap, flag or tag.
"""

import re
from functools import cache, lru_cache
from itertools import product

from roost.text._emoji_data import TABLE

TONES = tuple(chr(tone) for tone in range(0x1F3FB, 0x1F400))

# What the second code point of every sequence is: joiner, variation selector, keycap, skin tone,
# the second letter of a flag, or a tag.
_SECOND = "\u200d\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\U000e0020-\U000e007f"
_PICTURE = (
    "\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f004-\U0001faff"
)
_RUN = re.compile(f"[#*0-9\xa9\xae{_PICTURE}][{_SECOND}][{_PICTURE}{_SECOND}]*+")
_LONGEST_CACHED_RUN = 32


@cache
def _sequences() -> tuple[frozenset[str], frozenset[str]]:
    """Every sequence, and everything that a longer one begins with."""
    found = set()
    for entry in TABLE.split():
        parts = entry.split("-")
        slots = [TONES for part in parts if part in "TD"]
        shape = "".join("%s" if part in "TD" else chr(int(part, 16)) for part in parts)
        for tones in product(*slots):
            if "D" not in parts or tones[0] != tones[1]:
                found.add(shape % tones)
    beginnings = {sequence[:end] for sequence in found for end in range(1, len(sequence))}
    return frozenset(found), frozenset(beginnings)


def emoji_spans(text: str) -> list[tuple[int, int]]:
    """Start and end (code points) of every emoji of several code points, left to right.

    At each place the longest one counts; two never overlap.
    """
    spans = []
    for run in _RUN.finditer(text):
        at = run.start()
        sequence = run[0]
        read = _cached_spans_of_run if len(sequence) <= _LONGEST_CACHED_RUN else _spans_of_run
        spans += [(at + start, at + end) for start, end in read(sequence)]
    return spans


def _spans_of_run(run: str) -> list[tuple[int, int]]:
    sequences, beginnings = _sequences()
    spans = []
    start = 0
    while start < len(run):
        end = longest = start + 1
        while run[start:end] in beginnings and end < len(run):
            end += 1
            if run[start:end] in sequences:
                longest = end
        if longest > start + 1:
            spans.append((start, longest))
        start = longest
    return spans


_cached_spans_of_run = lru_cache(maxsize=2048)(_spans_of_run)
