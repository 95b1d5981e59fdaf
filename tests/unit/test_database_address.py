"""Database addresses that libpq would misread are refused, and not quoted in the error."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from roost.database_address import describe_malformed


@pytest.mark.parametrize(
    ("address", "means"),
    [
        ("postgresql://h", {"host": "h"}),
        ("postgres://u:p@h/db", {"user": "u", "password": "p", "host": "h", "dbname": "db"}),
        ("postgresql://u:p%40%2F%3F%25@h:5433/db", {"password": "p@/?%", "port": "5433"}),
        ("postgresql://u:a:b&c!$'()*+,;=~@h/db", {"password": "a:b&c!$'()*+,;=~"}),
        (
            "postgresql:///db?host=/var/run/postgresql",
            {"dbname": "db", "host": "/var/run/postgresql"},
        ),
        (
            "postgresql://postgres@/db?host=%2Ftmp%2Fa&port=5432",
            {"host": "/tmp/a", "user": "postgres"},
        ),
        ("postgresql://u@%2Ftmp%2Frun/db", {"host": "/tmp/run"}),
        ("postgresql://u:p@[::1]:5432/db", {"host": "::1", "port": "5432"}),
        (
            "postgresql://u:p@a:1,b:2/db?target_session_attrs=read-write",
            {"host": "a,b", "port": "1,2"},
        ),
        (
            "postgresql://u:p@h/db?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            {"sslmode": "verify-full"},
        ),
        ("postgresql://h/db?", {"dbname": "db"}),
        ("postgresql://", {}),
    ],
)
def test_ordinary_address_is_read_as_it_is_meant(address: str, means: dict[str, str]) -> None:
    assert describe_malformed(address) is None
    assert means.items() <= conninfo_to_dict(address).items()


@pytest.mark.parametrize("between", '@/?#[]% \t\n\r\x00\\"<>^`{}|\u00e9')
def test_password_with_a_letter_that_ends_it_is_refused(between: str) -> None:
    for password in (
        f"Alpha{between}Omega",
        f"{between}Omega",
        f"[Alpha{between}]",
        f"1{between}Omega",
    ):
        problem = describe_malformed(f"postgresql://user:{password}@127.0.0.1/db")
        assert problem is not None
        assert "Alpha" not in problem
        assert "Omega" not in problem


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://user:Omega",
        "postgresql://user:Omega/db",
        "postgresql://user:p@h:Omega/db",
        "postgresql://user:p@[Omega]/db",
        "postgresql://user:p@h/db?Omega",
        "postgresql://user:p@h/db?sslmode",
        "postgresql://user:p@h/db#Omega",
        "postgresql://user:p%Omega@h/db",
        "postgresql://user:p%00@h/db",
        "host=h password=Omega",
        "Omega",
        "",
    ],
)
def test_what_is_no_address_is_refused_without_its_words(address: str) -> None:
    problem = describe_malformed(address)
    assert problem is not None
    assert "Omega" not in problem
