"""Poolers work in session mode; in other modes, Roost refuses them.

Before the refusal, Roost changes no setting of a session, because the pooler could pass the
session to another client.
"""

import itertools
from pathlib import Path

import psycopg
import pytest

from fix_pgbouncer import needs_pgbouncer, pgbouncer
from fix_processes import python_process, until
from fix_publishing import Publisher, run_roost
from roost.errors import PoolerUnsupported
from roost.models import PostState
from roost.store.database import open_database
from roost.store.schema import prepare_database

pytestmark = [pytest.mark.timing, needs_pgbouncer]

SHARING = list(itertools.product((1, 5), (0, 1)))


async def test_a_worker_publishes_through_a_pooler_in_session_mode(
    publisher: Publisher, database_url: str, tmp_path: Path
) -> None:
    post_id = await publisher.schedule("Low tide at six")
    log = tmp_path / "worker.log"
    async with pgbouncer(database_url, "session") as url:
        settings = publisher.runtime.settings.model_copy(update={"database_url": url})
        async with python_process("-m", "roost", "worker", settings=settings, log=log):

            async def is_published() -> bool:
                return (await publisher.get_post(post_id)).state is PostState.PUBLISHED

            await until(is_published, within=60)
    assert await publisher.published_texts() == ["Low tide at six"]


@pytest.mark.parametrize(("pool_size", "round_robin"), SHARING)
async def test_a_pooler_in_transaction_mode_is_refused(
    database_url: str, pool_size: int, round_robin: int
) -> None:
    options = {"pool_size": pool_size, "round_robin": round_robin}
    async with pgbouncer(database_url, "transaction", **options) as url:
        # Other clients have left sessions in the pool. The check must not mistake these sessions
        # for its own.
        others = [await psycopg.AsyncConnection.connect(url) for _ in range(pool_size)]
        for other in others:
            await other.execute("SELECT 1")
        for other in others:
            await other.close()
        with pytest.raises(PoolerUnsupported, match="different server processes"):
            async with open_database(url):
                pass
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as client:
            # No setting of Roost's sessions has reached another client of the pooler.
            row = await (await client.execute("SHOW search_path")).fetchone()
            assert row == ('"$user", public',)


async def test_a_pooler_in_statement_mode_is_refused(database_url: str) -> None:
    async with pgbouncer(database_url, "statement") as url:
        with pytest.raises(PoolerUnsupported):
            async with open_database(url):
                pass


async def test_tables_are_not_created_through_a_pooler_in_transaction_mode(admin_url: str) -> None:
    async with pgbouncer(admin_url, "transaction") as url:
        with pytest.raises(PoolerUnsupported):
            await prepare_database(url)


async def test_a_pooler_that_refuses_options_is_named(database_url: str) -> None:
    async with pgbouncer(database_url, "session") as url:
        with pytest.raises(PoolerUnsupported, match="unsupported startup parameter"):
            async with open_database(f"{url}?options=-c%20work_mem%3D8MB"):
                pass


async def test_a_worker_behind_a_pooler_in_transaction_mode_exits_at_once_with_the_next_action(
    database_url: str, tmp_path: Path
) -> None:
    async with pgbouncer(database_url, "transaction") as url:
        result = await run_roost("worker", "--json", folder=tmp_path, DATABASE_URL=url)
    assert (result.code, result.error) == (5, "pooler_unsupported")
    assert "pool_mode = session" in result.answer["error"]["next"]
    assert result.answer["error"]["did"] == "Nothing was started."
