"""Every named SQL statement is used, documented, named once, and accepted by the database."""

import re
from itertools import count
from pathlib import Path

import psycopg
import pytest

from roost.store.statements import STATEMENTS, read_statements

_SOURCE = Path(__file__).parents[2] / "src" / "roost"


def with_numbered_parameters(statement: str) -> str:
    """Replace psycopg's parameters `%(name)s` in a statement by `$1`, `$2` …"""
    numbers: dict[str, int] = {}
    following = count(1)

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        name = found[1]
        if name not in numbers:
            numbers[name] = next(following)
        return f"${numbers[name]}"

    return re.sub(r"%\((\w+)\)s|%%", number, statement)


def test_every_statement_is_used() -> None:
    source = "".join(path.read_text("utf-8") for path in _SOURCE.rglob("*.py"))
    assert [name for name in STATEMENTS if f'"{name}"' not in source] == []


def test_every_statement_says_what_it_does() -> None:
    assert [name for name, text in STATEMENTS.items() if not text.startswith("-- ")] == []


def test_two_statements_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="get_post"):
        read_statements(["-- name: get_post\nSELECT 1\n", "-- name: get_post\nSELECT 2\n"])


def test_the_database_accepts_every_statement(admin_url: str) -> None:
    refused = {}
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("SET search_path = roost, pg_temp")
        for name, statement in STATEMENTS.items():
            prepared = f"PREPARE {name} AS {with_numbered_parameters(statement)}"
            try:
                connection.execute(prepared.encode())
            except psycopg.Error as error:
                refused[name] = str(error).splitlines()[0]
    assert refused == {}
