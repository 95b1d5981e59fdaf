"""Bench the text rules: `weigh` against its peers, and on hostile texts of Premium's length.

    python bench/text.py [--json]

The peers (PyPI's twitter-text-parser, npm's twitter-text) are installed into a temporary folder
with the ordinary clients. Every text is weighed once by each, so no cache of whole texts helps;
a bar against a peer is the ratio of the medians of a round.
"""

import argparse
import contextlib
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _report import Bar, report

from roost.text import (
    LONG_LIMIT,
    ThreadImpossible,
    extract_entities,
    lint_text,
    split_thread,
    weigh,
)

ROUNDS = 7
TEXTS = 1000
LONG = 25_000

WORDS = re.findall(
    r"\w+",
    "launch today we ship the new dashboard for every team and it is faster than before thanks "
    "to all who tested early please tell us what breaks read more in the notes",
)
CJK = (
    "今日は新しい機能を公開しました。皆さんのご意見をお待ちしております！発表会は来週の火曜日です、"
)
EMOJI = [
    "👩🏽\u200d🚀",
    "👨\u200d👩\u200d👧\u200d👦",
    "🏳️\u200d🌈",
    "🇯🇵",
    "1️⃣",
    "❤️",
    "👍🏿",
    "🎉",
    "🧑\u200d🔧",
]
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
HOSTILE_WHOLE: dict[str, Callable[[int], str]] = {
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


def hostile(length: int) -> dict[str, str]:
    """Every hostile shape at a length."""
    repeated = {name: (piece * length)[:length] for name, piece in HOSTILE.items()}
    return repeated | {name: make(length) for name, make in HOSTILE_WHOLE.items()}


def our_seconds(texts: list[str]) -> float:
    """Wall seconds in which `weigh` weighs one round."""
    start = time.perf_counter()
    for text in texts:
        weigh(text)
    return time.perf_counter() - start


# Each peer weighs the round whose number it reads, and answers with its seconds.
PYTHON_PEER = """
import json, sys, time
from twitter_text import parse_tweet
rounds = json.load(open(sys.argv[1]))
for line in sys.stdin:
    start = time.perf_counter()
    for text in rounds[int(line)]:
        parse_tweet(text)
    print(time.perf_counter() - start, flush=True)
"""
NODE_PEER = """
const { parseTweet } = require('twitter-text')
const rounds = JSON.parse(require('fs').readFileSync(process.argv[2]))
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const start = process.hrtime.bigint()
  for (const text of rounds[Number(line)]) parseTweet(text)
  console.log(Number(process.hrtime.bigint() - start) / 1e9)
})
"""


def run(*command: str | Path, folder: Path) -> None:
    """Run a command to its end; end the bench with its complaint when it fails."""
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise SystemExit(f"bench text needs {command[0]} for its peers: install it") from None
    except subprocess.CalledProcessError as failed:
        told = f"{failed.stdout}{failed.stderr}".strip()
        raise SystemExit(f"bench text cannot install a peer: {told}") from None


def install_peers(folder: Path) -> dict[str, list[str]]:
    """Install both peers below a folder; the command that starts each."""
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    python = folder / "venv/bin/python"
    # The parser imports pkg_resources, which newer setuptools no longer have.
    run(python, "-m", "pip", "install", "-q", "setuptools<80", "twitter-text-parser", folder=folder)
    (folder / "package.json").write_text("{}")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "twitter-text", folder=folder)
    (folder / "peer.py").write_text(PYTHON_PEER)
    (folder / "peer.js").write_text(NODE_PEER)
    return {"python": [str(python), "peer.py"], "node": ["node", "peer.js"]}


def peers_against_ours(rounds: list[list[str]]) -> dict[str, float]:
    """Median seconds of a round for `ours`, `python` and `node`, measured turn by turn.

    So whatever else the machine does falls on all three alike.
    """
    taken: dict[str, list[float]] = {"ours": [], "python": [], "node": []}
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        texts = folder / "texts.json"
        texts.write_text(json.dumps(rounds))
        peers = {
            name: stack.enter_context(
                subprocess.Popen(
                    [*command, str(texts)],
                    cwd=folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name, command in install_peers(folder).items()
        }
        for order, some in enumerate(rounds):
            taken["ours"].append(our_seconds(some))
            for name, peer in peers.items():
                assert peer.stdin is not None
                assert peer.stdout is not None
                peer.stdin.write(f"{order}\n")
                peer.stdin.flush()
                taken[name].append(float(peer.stdout.readline()))
    return {name: statistics.median(times) for name, times in taken.items()}


def cpu_ms(work: Callable[[str], object], text: str) -> float:
    """Milliseconds of CPU one call takes, so that other processes do not count."""
    start = time.thread_time()
    work(text)
    return 1000 * (time.thread_time() - start)


def weigh_long(text: str) -> None:
    """What Premium's long posts are weighed by."""
    weigh(text, LONG_LIMIT)


def split(text: str) -> None:
    """Split, or find out that it cannot be."""
    with contextlib.suppress(ThreadImpossible):
        split_thread(text)


def time_hostile(work: Callable[[str], object]) -> dict[str, tuple[float, float]]:
    """For each shape: milliseconds at 25,000 characters, and how many times those at half.

    Both are medians of ROUNDS; the two lengths take turns, so a disturbance hits both. Where
    half takes less than a millisecond the second is 0: it would tell of the clock.
    """
    told = {}
    halves = hostile(LONG // 2)
    for name, text in hostile(LONG).items():
        pairs = [(cpu_ms(work, text), cpu_ms(work, halves[name])) for _ in range(ROUNDS)]
        half = statistics.median(pair[1] for pair in pairs)
        growth = statistics.median(whole / part for whole, part in pairs) if half >= 1 else 0.0
        told[name] = statistics.median(pair[0] for pair in pairs), growth
    return told


def main() -> int:
    """Run it all and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    as_json = parser.parse_args().json
    taken = peers_against_ours(corpus())
    shapes = {
        f"{name} ({work.__name__})": times
        for work in (weigh_long, extract_entities)
        for name, times in time_hostile(work).items()
    }
    slowest = max(shapes, key=lambda name: shapes[name][0])
    steepest = max(shapes, key=lambda name: shapes[name][1])
    bars = [
        Bar("weigh_vs_twitter_text_parser", taken["python"] / taken["ours"], ">=", 30),
        Bar("weigh_vs_node_twitter_text", taken["node"] / taken["ours"], ">=", 0.8),
        Bar("worst_case_ms_25k", shapes[slowest][0], "<=", 50),
        Bar("growth_25k_over_12k", shapes[steepest][1], "<=", 3),
    ]
    figures: dict[str, float | int | str] = {
        "weigh_us_per_text": 1e6 * taken["ours"] / TEXTS,
        "twitter_text_parser_us_per_text": 1e6 * taken["python"] / TEXTS,
        "node_twitter_text_us_per_text": 1e6 * taken["node"] / TEXTS,
        "texts": ROUNDS * TEXTS,
        "worst_case": slowest,
        "steepest_growth": steepest,
        "worst_split_thread_ms_25k": max(cpu_ms(split, text) for text in hostile(LONG).values()),
        "worst_lint_ms_25k": max(cpu_ms(lint_text, text) for text in hostile(LONG).values()),
    }
    return report("text", bars, figures, as_json)


if __name__ == "__main__":
    raise SystemExit(main())
