"""What X answered is written, however long the database is away; else the timeline tells."""

import asyncio

import psycopg
import pytest

from fix_publishing import Desk
from roost.models import PartState, PostState
from roost.services import dispatch

pytestmark = pytest.mark.timing


def _end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_an_answer_of_x_outlives_the_sessions_it_is_written_by(
    desk: Desk, database_url: str
) -> None:
    await desk.emulator.fail("create_post", "before", "delay", seconds=1)
    post_id = await desk.plan("Low tide at six")
    working = asyncio.create_task(desk.work())
    await desk.under_way("create_post")
    _end_sessions(database_url)
    await asyncio.wait({working})
    working.exception()  # what asked for jobs meanwhile had no database either
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHED, PartState.SENT)
    assert await desk.requests("read_timeline") == []
    assert await desk.on_x() == ["Low tide at six"]


async def test_a_lost_lock_before_sending_sends_nothing(desk: Desk, database_url: str) -> None:
    post_id = await desk.plan("Low tide at six", after_s=7200)
    await desk.emulator.jump(hours=2)
    await desk.emulator.fail("refresh", "before", "delay", seconds=1)
    working = asyncio.create_task(desk.work())
    await desk.under_way("refresh")
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = %s",
            [0x526F],
        )
    await asyncio.wait({working})
    assert (await desk.see(post_id)).parts[0].state is PartState.PENDING
    assert await desk.requests("create_post") == []
    await dispatch.dispatch_stranded(desk.house)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
