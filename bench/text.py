"""Benchmark the text rules: `weigh` and other libraries, and hostile long texts.

    ./dev bench text [--json]

The other libraries (twitter-text-parser for Python, twitter-text for Node) are installed into a
temporary folder. Each library weighs every text once, so that a cache of whole texts does not help.
A threshold applies to the ratio of Roost's median time of a round to another library's. The hostile
texts are as long as Premium allows.
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

from harness.report import Threshold, report
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
#: Hostile texts that are not repetitions of one piece: for each, a function that makes the text,
#: given its length.
HOSTILE_WHOLE: dict[str, Callable[[int], str]] = {
    "url then letters": lambda n: "http://a.com/" + "b" * (n - 13),
    "domain then letters": lambda n: "a.com" + "日" * (n - 5),
    "letters then a domain": lambda n: "b" * (n - 4) + ".com",
    "parenthesis never closed": lambda n: "http://a.com/(" + "b" * (n - 14),
    "one long label": lambda n: "http://" + "日" * (n - 11) + ".com",
    "one hashtag": lambda n: "#" + "日" * (n - 1),
}


def mixed_text(chance: random.Random) -> str:
    """Return a post of about 280 characters: ASCII, CJK, joined emoji, URLs, IDN, or a mix."""
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
    """Return a list of texts for each round. No text occurs twice, even in different rounds."""
    chance = random.Random(4)
    return [[mixed_text(chance) for _ in range(TEXTS)] for _ in range(ROUNDS)]


def hostile(length: int) -> dict[str, str]:
    """Return all hostile texts by name, each with `length` characters."""
    repeated = {name: (piece * length)[:length] for name, piece in HOSTILE.items()}
    return repeated | {name: make(length) for name, make in HOSTILE_WHOLE.items()}


def measure_our_seconds(texts: list[str]) -> float:
    """Return the wall seconds that `weigh` needs for the texts of a round."""
    start = time.perf_counter()
    for text in texts:
        weigh(text)
    return time.perf_counter() - start


# The programs of the other libraries. For each number that a program reads, it weighs the texts of
# the round with this number and prints the seconds.
PYTHON_PROGRAM = """
import json, sys, time
from twitter_text import parse_tweet
rounds = json.load(open(sys.argv[1]))
for line in sys.stdin:
    start = time.perf_counter()
    for text in rounds[int(line)]:
        parse_tweet(text)
    print(time.perf_counter() - start, flush=True)
"""
NODE_PROGRAM = """
const { parseTweet } = require('twitter-text')
const rounds = JSON.parse(require('fs').readFileSync(process.argv[2]))
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  const start = process.hrtime.bigint()
  for (const text of rounds[Number(line)]) parseTweet(text)
  console.log(Number(process.hrtime.bigint() - start) / 1e9)
})
"""


def run(*command: str | Path, folder: Path) -> None:
    """Run a command to its end; if the command fails, exit with its output."""
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise SystemExit(
            f"bench text needs the command {command[0]} for the other libraries: install it"
        ) from None
    except subprocess.CalledProcessError as failed:
        output = f"{failed.stdout}{failed.stderr}".strip()
        raise SystemExit(f"bench text cannot install another library: {output}") from None


def install_libraries(folder: Path) -> dict[str, list[str]]:
    """Install both libraries in a folder; return the command that starts each library."""
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    python = folder / "venv/bin/python"
    # twitter-text-parser imports `pkg_resources`, which newer versions of setuptools do not have.
    run(python, "-m", "pip", "install", "-q", "setuptools<80", "twitter-text-parser", folder=folder)
    (folder / "package.json").write_text("{}")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", "twitter-text", folder=folder)
    (folder / "other.py").write_text(PYTHON_PROGRAM)
    (folder / "other.js").write_text(NODE_PROGRAM)
    return {"python": [str(python), "other.py"], "node": ["node", "other.js"]}


def measure_round_seconds(rounds: list[list[str]]) -> dict[str, float]:
    """Return the median seconds of a round for `ours`, `python` and `node`.

    The libraries are measured in turns, so that other load on the machine affects all three.
    """
    seconds: dict[str, list[float]] = {"ours": [], "python": [], "node": []}
    with tempfile.TemporaryDirectory() as path, contextlib.ExitStack() as stack:
        folder = Path(path)
        texts = folder / "texts.json"
        texts.write_text(json.dumps(rounds))
        processes = {
            name: stack.enter_context(
                subprocess.Popen(
                    [*command, str(texts)],
                    cwd=folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name, command in install_libraries(folder).items()
        }
        for number, round_texts in enumerate(rounds):
            seconds["ours"].append(measure_our_seconds(round_texts))
            for name, process in processes.items():
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"{number}\n")
                process.stdin.flush()
                seconds[name].append(float(process.stdout.readline()))
    return {name: statistics.median(times) for name, times in seconds.items()}


def measure_cpu_ms(work: Callable[[str], object], text: str) -> float:
    """Return the milliseconds of this process's CPU time for a call."""
    start = time.thread_time()
    work(text)
    return 1000 * (time.thread_time() - start)


def weigh_long(text: str) -> None:
    """Weigh a text with the limit for Premium's long posts."""
    weigh(text, LONG_LIMIT)


def split(text: str) -> None:
    """Split a text into parts, or find that the text cannot be split."""
    with contextlib.suppress(ThreadImpossible):
        split_thread(text)


def measure_hostile(work: Callable[[str], object]) -> dict[str, tuple[float, float]]:
    """Return the milliseconds for each hostile text of 25,000 characters, and a ratio.

    The ratio is the time for the text divided by the time for a text of half the length. Times and
    ratio are medians over ROUNDS. The two lengths take turns, so that other load affects both. If
    the shorter text takes less than a millisecond, the ratio is 0, because the clock is not precise
    enough.
    """
    timings = {}
    halves = hostile(LONG // 2)
    for name, text in hostile(LONG).items():
        pairs = [
            (measure_cpu_ms(work, text), measure_cpu_ms(work, halves[name])) for _ in range(ROUNDS)
        ]
        half_ms = statistics.median(half for _, half in pairs)
        growth = statistics.median(full / half for full, half in pairs) if half_ms >= 1 else 0.0
        timings[name] = statistics.median(full for full, _ in pairs), growth
    return timings


def main() -> int:
    """Run the benchmark; return 1 if a result misses its threshold, otherwise 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    as_json = parser.parse_args().json
    seconds = measure_round_seconds(corpus())
    timings = {
        f"{name} ({work.__name__})": times
        for work in (weigh_long, extract_entities)
        for name, times in measure_hostile(work).items()
    }
    slowest = max(timings, key=lambda name: timings[name][0])
    steepest = max(timings, key=lambda name: timings[name][1])
    thresholds = [
        Threshold("weigh_vs_twitter_text_parser", seconds["python"] / seconds["ours"], ">=", 30),
        Threshold("weigh_vs_node_twitter_text", seconds["node"] / seconds["ours"], ">=", 0.8),
        Threshold("worst_case_ms_25k", timings[slowest][0], "<=", 50),
        Threshold("growth_25k_over_12k", timings[steepest][1], "<=", 3),
    ]
    figures: dict[str, float | int | str] = {
        "weigh_us_per_text": 1e6 * seconds["ours"] / TEXTS,
        "twitter_text_parser_us_per_text": 1e6 * seconds["python"] / TEXTS,
        "node_twitter_text_us_per_text": 1e6 * seconds["node"] / TEXTS,
        "texts": ROUNDS * TEXTS,
        "worst_case": slowest,
        "steepest_growth": steepest,
        "worst_split_thread_ms_25k": max(
            measure_cpu_ms(split, text) for text in hostile(LONG).values()
        ),
        "worst_lint_ms_25k": max(
            measure_cpu_ms(lint_text, text) for text in hostile(LONG).values()
        ),
    }
    return report("text", thresholds, figures, as_json)


if __name__ == "__main__":
    raise SystemExit(main())
