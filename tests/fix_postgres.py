"""PostgreSQL for the tests: one private server for each process of the test session."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from roost.store.embedded import EmbeddedPostgres, remove_embedded, start_embedded


@dataclass(frozen=True)
class PostgresServer:
    """A running server that forgets everything at the end of the session."""

    embedded: EmbeddedPostgres

    def url(self, database: str) -> str:
        """A connection string of the superuser."""
        return self.embedded.url(database)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server a test process (under xdist: a worker), so that workers share no role."""
    home = tmp_path_factory.mktemp("postgres_server")
    with asyncio.Runner() as runner:
        embedded = runner.run(start_embedded(home, durable=False))
        try:
            yield PostgresServer(embedded)
        finally:
            runner.run(embedded.stop())
            runner.run(remove_embedded(home))
