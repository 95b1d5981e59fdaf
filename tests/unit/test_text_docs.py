"""The page about the text rules shows what really happens."""

import doctest
from pathlib import Path

from roost.text.lint import _MEANINGS

PAGE = Path(__file__).resolve().parents[2] / "docs/text.md"


def test_examples_of_the_page_run() -> None:
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 20
    assert results.failed == 0


def test_the_page_lists_every_invisible_character_finding() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [code for code in _MEANINGS if f"`{code}`" not in page] == []
