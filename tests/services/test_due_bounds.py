"""A due time more than five years ahead is refused, whether scheduled, edited or imported."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from fix_publishing import Publisher
from roost import store
from roost.errors import TimeTooFar
from roost.services.schedule import PartInput, edit_post, import_plan, schedule_post

LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


async def test_schedule_post_refuses_a_due_time_far_ahead(publisher: Publisher) -> None:
    parts = [PartInput("Far away")]
    for due_at in (LAST, publisher.runtime.clock.now() + timedelta(days=5 * 366 + 1)):
        with pytest.raises(TimeTooFar):
            await schedule_post(
                publisher.runtime, publisher.scope, publisher.account, parts, due_at=due_at
            )
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        assert await store.posts.list_all(transaction) == []


async def test_edit_post_refuses_a_due_time_far_ahead(publisher: Publisher) -> None:
    post_id = await publisher.schedule("Soon", after_s=60)
    before = await publisher.get_post(post_id)
    with pytest.raises(TimeTooFar):
        await edit_post(publisher.runtime, publisher.scope, post_id, parts=None, due_at=LAST)
    assert await publisher.get_post(post_id) == before


async def test_import_plan_refuses_a_due_time_far_ahead(
    publisher: Publisher, tmp_path: Path
) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(
        "account,at,text,media,alt,thread\n"
        f"{publisher.account.username},9999-12-31T23:59:59Z,Far,,,\n"
        f"{publisher.account.username},+1h,Near,,,\n"
    )
    imported = await import_plan(publisher.runtime, publisher.scope, path)
    assert imported.posts == 1
    assert [(row.line, row.code) for row in imported.refused] == [(2, "time_too_far")]


@pytest.mark.parametrize("due_at", ["9999-12-31 23:59:59+00", "infinity", "-infinity"])
async def test_database_refuses_due_times_beyond_python_years(
    publisher: Publisher, due_at: str
) -> None:
    post_id = await publisher.schedule("Soon", after_s=60)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        with pytest.raises(psycopg.errors.CheckViolation):
            await transaction.raw.execute(
                "UPDATE posts SET due_at = %s WHERE id = %s", (due_at, post_id)
            )
        await transaction.raw.rollback()
