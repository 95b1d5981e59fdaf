"""Finds emoji of several code points; X counts each emoji as two characters.

An emoji of one code point needs no search, because its code point weighs 2 anyway. The search finds
sequences with a variation selector, skin tone, joiner, keycap, flag or tag.
"""

import re
from functools import cache, lru_cache
from itertools import product

from roost.text._emoji_data import TABLE

TONES = tuple(chr(tone) for tone in range(0x1F3FB, 0x1F400))

# The code points that can be the second one of a sequence: joiner, variation selector, keycap, skin
# tones, second letters of flags, and tags.
_SECOND = "\u200d\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\U000e0020-\U000e007f"
_PICTURE = (
    "\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f004-\U0001faff"
)
_RUN = re.compile(f"[#*0-9\xa9\xae{_PICTURE}][{_SECOND}][{_PICTURE}{_SECOND}]*+")
_LONGEST_CACHED_RUN = 32


@cache
def _sequences() -> tuple[frozenset[str], frozenset[str]]:
    """Return all emoji sequences, and all proper prefixes of these sequences."""
    sequences = set()
    for entry in TABLE.split():
        parts = entry.split("-")
        slots = [TONES for part in parts if part in "TD"]
        shape = "".join("%s" if part in "TD" else chr(int(part, 16)) for part in parts)
        for tones in product(*slots):
            if "D" not in parts or tones[0] != tones[1]:
                sequences.add(shape % tones)
    prefixes = {sequence[:end] for sequence in sequences for end in range(1, len(sequence))}
    return frozenset(sequences), frozenset(prefixes)


def emoji_spans(text: str) -> list[tuple[int, int]]:
    """Return start and end (code points) of every emoji of several code points, left to right.

    If several sequences begin at a position, the longest counts; spans never overlap.
    """
    spans = []
    for run in _RUN.finditer(text):
        at = run.start()
        is_short = len(run[0]) <= _LONGEST_CACHED_RUN
        find_spans = _cached_spans_of_run if is_short else _spans_of_run
        spans += [(at + start, at + end) for start, end in find_spans(run[0])]
    return spans


def _spans_of_run(run: str) -> list[tuple[int, int]]:
    sequences, prefixes = _sequences()
    spans = []
    start = 0
    while start < len(run):
        end = longest = start + 1
        while run[start:end] in prefixes and end < len(run):
            end += 1
            if run[start:end] in sequences:
                longest = end
        if longest > start + 1:
            spans.append((start, longest))
        start = longest
    return spans


_cached_spans_of_run = lru_cache(maxsize=2048)(_spans_of_run)
