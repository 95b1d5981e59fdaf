"""The examples of the reference pages on media, prices and limits are correct."""

import doctest
import re
from pathlib import Path

import pytest

from roost.errors import MediaUnreadable
from roost.mediafile import Unreadable, lint_media, validate_media

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["media.md", "prices-and-limits.md"])
def test_examples_of_the_page_run(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(
        re.sub(r"(?m)^```.*$", "", text), {"__name__": "__main__"}, name, name, 0
    )
    results = doctest.DocTestRunner().run(examples)
    assert results.attempted > 10
    assert results.failed == 0


def test_page_lists_every_reason_and_code() -> None:
    page = (DOCS / "media.md").read_text(encoding="utf-8")
    rules = "".join(
        Path(each.__code__.co_filename).read_text(encoding="utf-8")
        for each in (validate_media, lint_media)
    )
    prefixes = "video|audio|gif|image|alt|too|mixed|media|animation|motion"
    codes = set(re.findall(rf'"((?:{prefixes})_[a-z_]+)"', rules))
    codes |= {f"{kind}_dimensions_too_small" for kind in ("image", "gif")}
    assert len(codes) > 25
    assert [code for code in codes | set(Unreadable) if f"`{code}`" not in page] == []
    assert MediaUnreadable.__name__ in page
