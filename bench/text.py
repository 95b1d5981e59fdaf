"""Bench the text rules: `weigh` against its peers, and on hostile texts of Premium's length.

    python bench/text.py [--json]

The peers (PyPI's twitter-text-parser, npm's twitter-text) are installed into a temporary folder
with the ordinary clients. Every text is weighed once by each, so no cache of whole texts helps.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

from _report import Bar, report

from roost.text import LONG_LIMIT, entities, lint, split_thread, weigh

ROUNDS = 7
TEXTS = 1000
LONG = 25_000

WORDS = (
    "launch today we ship the new dashboard for every team and it is faster than before "
    "thanks to all who tested early please tell us what breaks read more in the notes"
).split()
CJK = "今日は新しい機能を公開しました。皆さんのご意見をお待ちしております！発表会は来週の火曜日です、"
EMOJI = ["👩🏽\u200d🚀", "👨\u200d👩\u200d👧\u200d👦", "🏳️\u200d🌈", "🇯🇵", "1️⃣", "❤️", "👍🏿", "🎉", "🧑\u200d🔧"]
HOSTS = ["example.com", "blog.example.co.uk", "x.ai", "münchen.example.de", "пример.испытание.рф"]

HOSTILE = {
    "latin dots": "a.",
    "cjk dots": "日.",
    "underscores before a domain": "a_b.com.",
    "dashes": "-.a-",
    "emoji joined": "👩\u200d",
    "flags": "🇯",
    "keycaps": "1️⃣",
    "open parentheses": "a.co/(",
    "nested parentheses": "t.co/((a)",
    "protocols": "http://",
    "ats": "@a",
    "retweets": "RT@",
    "hashes": "#1",
    "hash letters": "#ä",
    "dollars": " $A",
    "tlds": "com.",
    "other tlds": "中国.",
    "punycode": "xn--",
    "punycode labels": "http://xn--é.",
    "ports": "a.co:1",
    "queries": "a.co?",
    "combining marks": "e\u0301\u0327",
    "hangul jamo": "\u1112\u1161\u11ab",
    "spaces": " ",
    "new lines": "\n\n",
    "sentences": "a. ",
    "cjk sentences": "。",
    "digits": "1",
    "numbers with units": "1 km ",
    "zero width": "\u200b",
    "bidi": "\u202e",
    "surrogates": "\ud800",
    "quotes in domains": '"a".co',
}
#: shapes that are not one piece repeated
HOSTILE_WHOLE = {
    "url then letters": lambda n: "http://a.com/" + "b" * (n - 13),
    "domain then letters": lambda n: "a.com" + "日" * (n - 5),
    "letters then a domain": lambda n: "b" * (n - 4) + ".com",
    "parenthesis never closed": lambda n: "http://a.com/(" + "b" * (n - 14),
    "one long label": lambda n: "http://" + "日" * (n - 11) + ".com",
    "one hashtag": lambda n: "#" + "日" * (n - 1),
}


def mixed_text(chance: random.Random) -> str:
    """A post of up to 280 characters or so: ASCII, CJK, joined emoji, URLs or IDN, or all."""
    pieces: list[str] = []
    kind = chance.randrange(5)
    while sum(map(len, pieces)) < chance.randint(120, 240):
        pick = kind if chance.random() < 0.6 else chance.randrange(5)
        if pick == 1:
            start = chance.randrange(len(CJK) - 10)
            pieces.append(CJK[start : start + chance.randint(5, 20)])
        elif pick == 2:
            pieces.append("".join(chance.choices(EMOJI, k=chance.randint(1, 4))))
        elif pick == 3:
            pieces.append(f"https://{chance.choice(HOSTS[:3])}/{chance.getrandbits(40):x}?q=1")
        elif pick == 4:
            pieces.append(f"{chance.choice(WORDS)} https://{chance.choice(HOSTS[3:])}/seite")
        else:
            pieces.append(" ".join(chance.choices(WORDS, k=chance.randint(3, 12))) + ".")
    return f"{' '.join(pieces)} {chance.getrandbits(32):x}"


def corpus() -> list[list[str]]:
    """Rounds of texts; none occurs twice."""
    chance = random.Random(4)
    return [[mixed_text(chance) for _ in range(TEXTS)] for _ in range(ROUNDS)]


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def our_seconds(rounds: list[list[str]]) -> float:
    """Median seconds of a round of `weigh`."""
    return statistics.median(seconds(lambda r=r: [weigh(t) for t in r]) for r in rounds)
