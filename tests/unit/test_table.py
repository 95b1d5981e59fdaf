"""Tables of the command line: columns that fit, and plain lines."""

import pytest

from roost.cli.table import Column, fit_columns, plain_lines

COLUMNS = (Column("post", 0), Column("due", 2), Column("state", 1), Column("text", 3, wraps=True))
WIDTHS = (4, 25, 16, 60)


@pytest.mark.parametrize(
    ("available", "kept"),
    [
        # The border of the table takes one character, and three more for each column. A column that
        # may be wrapped needs at least 20 characters.
        (1000, [0, 1, 2, 3]),
        (78, [0, 1, 2, 3]),
        (77, [0, 1, 2]),
        (55, [0, 1, 2]),
        (54, [0, 2]),
        (20, [0]),
        (1, [0]),
    ],
)
def test_narrow_terminal_leaves_out_whole_columns(available: int, kept: list[int]) -> None:
    assert fit_columns(COLUMNS, WIDTHS, available) == kept


def test_plain_lines_are_aligned_and_never_wrapped() -> None:
    text = "A long text. " * 20
    lines = plain_lines(COLUMNS, [("17", "Sat", "needs a decision", text), ("3", "", "draft", "")])
    assert lines == [
        "post  due  state             text",
        f"17    Sat  needs a decision  {text.rstrip()}",
        "3          draft",
    ]
