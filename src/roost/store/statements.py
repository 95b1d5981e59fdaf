"""Reads the named SQL statements from `sql/*.sql`.

Each statement begins with a line `-- name: …`. The files that create the schema contain no such
line, and are not read here.
"""

import re
from collections.abc import Iterable
from importlib import resources
from typing import LiteralString, cast

import msgspec

from roost.models import Detail, Reason


def read_statements(texts: Iterable[str]) -> dict[str, LiteralString]:
    """Return the statements in the texts by name. Raises: ValueError if a name occurs twice."""
    statements: dict[str, LiteralString] = {}
    for text in texts:
        named = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
        for name, statement in zip(named[::2], named[1::2], strict=True):
            if name in statements:
                raise ValueError(f"Two SQL statements are named {name}.")
            # The text is safe as SQL: the files are part of the program and contain no user input.
            statements[name] = cast("LiteralString", statement.strip())
    return statements


_FILES = resources.files("roost.store").joinpath("sql").iterdir()
STATEMENTS = read_statements(
    file.read_text("utf-8") for file in _FILES if file.name.endswith(".sql")
)


def array_of(numbers: Iterable[int]) -> str:
    """Format numbers as the text of a PostgreSQL array.

    This is faster than psycopg's conversion of a list, and publishing one post needs it several
    times.
    """
    return f"{{{','.join(map(str, numbers))}}}"


def json_of(value: Detail | Reason | None) -> str | None:
    """Encode a detail or a reason as the text of a `jsonb` value; None becomes NULL."""
    if value is None:
        return None
    fields = value.to_json() if isinstance(value, Reason) else dict(value)
    return msgspec.json.encode(fields).decode()
