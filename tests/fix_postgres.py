"""PostgreSQL for the tests: one private server per process of the test session."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pytest

from roost.store.embedded import EmbeddedPostgres, remove_embedded, start_embedded
from roost.store.roles import roles_of


def app_url(admin_url: str) -> str:
    """Convert the superuser's URL of a database to the application's URL."""
    parts = urlsplit(admin_url)
    login = quote(roles_of(unquote(parts.path[1:])).app, safe="")
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


@dataclass(frozen=True)
class PostgresServer:
    """A running server, which is deleted at the end of the session."""

    embedded: EmbeddedPostgres

    def url(self, database: str) -> str:
        """Return the superuser's URL of a database."""
        return self.embedded.url(database)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server per test process, so that xdist's workers share no roles."""
    home = tmp_path_factory.mktemp("postgres_server")
    with asyncio.Runner() as runner:
        embedded = runner.run(start_embedded(home, durable=False))
        try:
            yield PostgresServer(embedded)
        finally:
            runner.run(embedded.stop())
            runner.run(remove_embedded(home))
