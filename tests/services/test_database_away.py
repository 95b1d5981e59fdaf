"""The worker stores X's responses even if the database is unavailable for long."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from fix_processes import python_process, until
from fix_publishing import MOVING, Publisher
from roost import worker
from roost.models import PartState, PostId, PostState
from roost.services import dispatch

pytestmark = pytest.mark.timing


def _end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_response_of_x_is_written__sessions_ended(
    publisher: Publisher, admin_url: str
) -> None:
    await publisher.emulator.fail("create_post", "before", "delay", seconds=1)
    post_id = await publisher.schedule("Low tide at six")
    working = asyncio.create_task(publisher.run_due_jobs())
    await publisher.wait_for_request("create_post")
    _end_sessions(admin_url)
    await asyncio.wait({working})
    # Retrieve the task's exception, if there is one; otherwise asyncio would log the exception.
    working.exception()
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHED, PartState.SENT)
    assert await publisher.list_statuses("read_timeline") == []
    assert await publisher.published_texts() == ["Low tide at six"]


async def test_nothing_is_sent__lock_lost(publisher: Publisher, admin_url: str) -> None:
    post_id = await publisher.schedule("Low tide at six", after_s=7200)
    await publisher.emulator.jump(hours=2)
    await publisher.emulator.fail("refresh", "before", "delay", seconds=1)
    working = asyncio.create_task(publisher.run_due_jobs())
    await publisher.wait_for_request("refresh")
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = %s",
            [0x526F],
        )
    await asyncio.wait({working})
    assert (await publisher.get_post(post_id)).parts[0].state is PartState.PENDING
    assert await publisher.list_statuses("create_post") == []
    await dispatch.dispatch_stranded(publisher.runtime)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


def _make_read_only(url: str) -> None:
    """Make new sessions read-only, and end the open sessions."""
    with psycopg.connect(url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    _end_sessions(url)


def _make_writable(url: str) -> None:
    """Let new sessions write again; open sessions stay read-only."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only = off")
        name = admin.info.dbname
        admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


async def _finished(publisher: Publisher, posts: Sequence[PostId]) -> None:
    async def are() -> bool:
        return all([(await publisher.get_post(post_id)).state not in MOVING for post_id in posts])

    await until(are, within=90)


async def test_worker_survives_a_read_only_database(
    publisher: Publisher, admin_url: str, tmp_path: Path
) -> None:
    texts = [f"Tide {number}" for number in range(5)]
    posts = [await publisher.schedule(text, after_s=3600) for text in texts]
    log = tmp_path / "worker.log"

    async def is_refused() -> bool:
        return "cannot reach the database (ReadOnlySqlTransaction)" in log.read_text()

    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ) as process:
        await until(lambda: worker.is_any_alive(publisher.runtime), within=60)
        _make_read_only(admin_url)
        await publisher.emulator.jump(hours=1)
        await until(is_refused, within=60)
        assert await publisher.published_texts() == []
        _make_writable(admin_url)
        await _finished(publisher, posts)
        assert process.returncode is None, log.read_text()
    assert sorted(await publisher.published_texts()) == texts
    assert {(await publisher.get_post(post_id)).state for post_id in posts} == {PostState.PUBLISHED}


async def test_response_of_x_is_written__read_only_database(
    publisher: Publisher, admin_url: str, tmp_path: Path
) -> None:
    await publisher.emulator.fail("create_post", "before", "delay", seconds=1)
    log = tmp_path / "worker.log"

    async def is_kept() -> bool:
        return "waits for the database (ReadOnlySqlTransaction)" in log.read_text()

    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ):
        post_id = await publisher.schedule("Low tide at six")
        await publisher.wait_for_request("create_post")
        _make_read_only(admin_url)
        await until(is_kept, within=60)
        _make_writable(admin_url)
        await _finished(publisher, [post_id])
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == ["Low tide at six"]
    assert await publisher.list_statuses("read_timeline") == []


async def test_worker_survives_functions_dropped_by_a_restore(
    publisher: Publisher, admin_url: str, tmp_path: Path
) -> None:
    """The test replaces an SQL function by one that raises the error of a dropped function.

    During a real drop, the error occurs only for a moment, which a test cannot hit.
    """
    log = tmp_path / "worker.log"

    async def is_refused() -> bool:
        return "cannot reach the database (InternalError_)" in log.read_text()

    async with python_process(
        "-m", "roost", "worker", settings=publisher.runtime.settings, log=log
    ) as process:
        await until(lambda: worker.is_any_alive(publisher.runtime), within=60)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute("ALTER FUNCTION roost.next_due(timestamptz) RENAME TO kept_next_due")
            admin.execute(
                "CREATE FUNCTION roost.next_due(at timestamptz) RETURNS timestamptz"
                " LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
                " 'cache lookup failed for function 4711' USING ERRCODE = 'XX000'; END $$"
            )
            admin.execute("GRANT EXECUTE ON FUNCTION roost.next_due(timestamptz) TO PUBLIC")
            post_id = await publisher.schedule("Low tide at six", after_s=60)
            await until(is_refused, within=60)
            admin.execute("DROP FUNCTION roost.next_due(timestamptz)")
            admin.execute("ALTER FUNCTION roost.kept_next_due(timestamptz) RENAME TO next_due")
        await publisher.emulator.jump(seconds=60)
        await _finished(publisher, [post_id])
        assert process.returncode is None, log.read_text()
    assert await publisher.published_texts() == ["Low tide at six"]
