"""Named SQL statements, read from `sql/*.sql`: one file per noun.

A statement begins with the line `-- name: …`. The files of the schema have no such lines.
"""

import json
import re
from collections.abc import Iterable
from importlib import resources
from typing import LiteralString, cast

from roost.models import Detail, Reason


def read_statements(texts: Iterable[str]) -> dict[str, LiteralString]:
    """The statements of some files by name. Raises: ValueError (two have one name)."""
    statements: dict[str, LiteralString] = {}
    for text in texts:
        named = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
        for name, statement in zip(named[::2], named[1::2], strict=True):
            if name in statements:
                raise ValueError(f"Two SQL statements are named {name}.")
            # The files are part of the program: their text is as literal as this line.
            statements[name] = cast("LiteralString", statement.strip())
    return statements


_FILES = resources.files("roost.store").joinpath("sql").iterdir()
STATEMENTS = read_statements(
    file.read_text("utf-8") for file in _FILES if file.name.endswith(".sql")
)


def array_of(numbers: Iterable[int]) -> str:
    """Numbers as the text of a PostgreSQL array.

    It is cheaper than psycopg's adaptation of a list, which every post would pay several times.
    """
    return f"{{{','.join(map(str, numbers))}}}"


def json_of(value: Detail | Reason | None) -> str | None:
    """A detail or a reason as the text of a `jsonb` value; None for NULL."""
    if value is None:
        return None
    return json.dumps(value.to_json() if isinstance(value, Reason) else dict(value))
