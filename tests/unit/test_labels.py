"""Long texts are cut between words."""

import pytest

from roost.insights import labels


@pytest.mark.parametrize(
    ("text", "columns", "shortened"),
    [
        pytest.param("two\n words ", 12, "two words", id="short"),
        pytest.param("a word too many", 12, "a word too…", id="between words"),
        pytest.param("a word, too many", 8, "a word…", id="after a comma"),
        pytest.param("unbroken" * 3, 12, "unbrokenunbr…", id="one long word"),
        pytest.param("新しい豆が届きました", 12, "新しい豆が届…", id="wide characters"),
        pytest.param("one two 👩‍👩‍👧‍👦", 16, "one two 👩‍👩‍👧‍👦", id="emoji that fits"),
        pytest.param("one👩‍👩‍👧‍👦", 7, "one…", id="emoji that does not fit"),
    ],
)
def test_shorten_cuts_between_words_and_never_splits_emoji(
    text: str, columns: int, shortened: str
) -> None:
    assert labels.shorten(text, columns) == shortened
