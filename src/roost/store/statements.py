"""Reads `statements.sql`: SQL whose locks or plans matter, by name."""

import re
from collections.abc import Iterable
from importlib import resources
from typing import LiteralString, cast


def _read() -> dict[str, LiteralString]:
    text = resources.files("roost.store").joinpath("statements.sql").read_text("utf-8")
    named = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    # The file is part of the program: its text is as literal as this line.
    return {
        name: cast("LiteralString", sql.strip())
        for name, sql in zip(named[::2], named[1::2], strict=True)
    }


STATEMENTS = _read()


def array_of(numbers: Iterable[int]) -> str:
    """Numbers as the text of an array: cheaper than a list's adaption, which every post would pay
    several times."""
    return f"{{{','.join(map(str, numbers))}}}"
