"""Every entry of the requirements files has its pinned version, hashes and no URL."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ENTRY = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    return {normalize(name): version for name, version in lines}


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_with_a_hash(file: str) -> None:
    content = (ROOT / file).read_text()
    comment, _, rest = content.partition("\n")
    assert comment.startswith("# Made by tools/make_requirements.py")
    entries = _ENTRY.findall(rest)
    assert _ENTRY.sub("", rest) == ""
    assert {name: version for name, version, _ in entries}.items() <= pins().items()
    assert "://" not in content


def test_every_pin_is_installed_for_development() -> None:
    names = {name for name, _, _ in _ENTRY.findall((ROOT / "requirements-dev.txt").read_text())}
    assert names == set(pins())
