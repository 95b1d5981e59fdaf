"""The examples and tables of docs/reference/text.md are correct."""

import doctest
from pathlib import Path

from roost.text.lint import _INVISIBLE_MESSAGES

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/text.md"


def test_examples_of_the_page_run() -> None:
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 20
    assert results.failed == 0


def test_the_page_lists_every_invisible_character_finding() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [code for code in _INVISIBLE_MESSAGES if f"`{code}`" not in page] == []
