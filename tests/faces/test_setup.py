"""`change_url` derives the URLs of the demo's temporary database."""

import pytest

from roost.services.setup import change_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann:p%40ss@db:5432/roost", "postgresql://demo_app:secret@db:5432/demo"),
        ("postgres://db", "postgres://demo_app:secret@db/demo"),
        ("postgresql:///roost?host=/run/pg", "postgresql://demo_app:secret@/demo?host=/run/pg"),
        (
            "postgresql://a:1,b:2/roost?target_session_attrs=read-write",
            "postgresql://demo_app:secret@a:1,b:2/demo?target_session_attrs=read-write",
        ),
        ("postgresql://ann@[::1]:5432", "postgresql://demo_app:secret@[::1]:5432/demo"),
    ],
)
def test_change_url_replaces_database_and_login(url: str, expected: str) -> None:
    assert change_url(url, "demo", login="demo_app:secret") == expected


def test_change_url_keeps_the_login() -> None:
    url = "postgresql://admin:p%40ss@db:5432/postgres?sslmode=require"
    assert change_url(url, "demo") == "postgresql://admin:p%40ss@db:5432/demo?sslmode=require"


def test_change_url_keeps_an_empty_host() -> None:
    url = "postgresql:///postgres?host=/run/pg"
    assert change_url(url, "demo") == "postgresql:///demo?host=/run/pg"
