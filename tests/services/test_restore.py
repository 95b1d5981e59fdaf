"""A database that lacks events is detected; Roost pauses everything and searches X."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from fix_emulator import Emulator
from fix_postgres import app_url
from fix_publishing import Publisher, reason_of
from fix_runtime import ACTOR, connect_account, make_tenant
from roost import store, watermark
from roost.errors import DatabaseCopied, DatabaseLostEvents, RestoreSearchFailed
from roost.models import PartState, PostState
from roost.runtime import open_runtime
from roost.services import dispatch, restore_check, resume
from roost.services.restore_check import DatabaseCheck, Verdict, compare
from roost.services.schedule import PartInput, edit_post, schedule_post
from roost.settings import Settings
from roost.store.locks import open_account_locks
from roost.store.schema import drop_database, prepare_database


@asynccontextmanager
async def _publisher(
    settings: Settings, emulator: Emulator
) -> AsyncIterator[tuple[Publisher, DatabaseCheck]]:
    """Open a publisher, and check the database as a starting worker does.

    The tenant and its account are created unless the database already contains them.
    """
    async with open_runtime(settings) as runtime, open_account_locks(runtime.database) as locks:
        async with runtime.database.unscoped() as transaction:
            known = await store.tenants.find(transaction, "default")
        if known is None:
            tenant = await make_tenant(runtime, "default")
            account = await connect_account(runtime, tenant, emulator, "larkbooks")
        else:
            tenant = await store.tenants.get_by_id(runtime.database, known)
            async with runtime.database.for_tenant(known) as transaction:
                (account,) = await store.integrations.list_all(transaction)
        publisher = Publisher(runtime, tenant, account, emulator, locks)
        await publisher.set_next_collection(runtime.clock.now() + timedelta(days=365))
        check = DatabaseCheck(runtime, locks, ACTOR)
        await check.start()
        yield publisher, check


async def problem_of(check: DatabaseCheck) -> str | None:
    """Check the database as a heartbeat does, and return the problem that is found."""
    await check.check()
    return check.problem


async def _wait_for_lock(admin_url: str) -> None:
    """Wait until a session waits for an advisory lock."""
    async with await psycopg.AsyncConnection.connect(admin_url, autocommit=True) as admin:
        while True:
            cursor = await admin.execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            if await cursor.fetchone():
                return
            await asyncio.sleep(0.01)


async def _copy(admin_url: str, name: str) -> str:
    """Copy the database now, and return the copy's URL with the application's login."""
    original = admin_url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(admin_url.replace(f"/{original}", "/postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
    copy = admin_url.replace(f"/{original}", f"/{name}")
    await prepare_database(copy)
    return app_url(copy)


@pytest.fixture
async def copied(admin_url: str) -> AsyncIterator[str]:
    """The name for a copy of the database; the copy is dropped at the end."""
    name = f"{admin_url.rpartition('/')[2].partition('?')[0]}_copy"
    yield name
    await drop_database(admin_url, name)


async def test_copy_sends_nothing_until_a_user_accepts_it(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str, copied: str
) -> None:
    async with _publisher(settings, emulator) as (publisher, _):
        sent = await publisher.schedule("One", "Two", after_s=60)
        unsent = await publisher.schedule("Tomorrow", after_s=86_400)
    other = await _copy(admin_url, copied)
    async with _publisher(settings, emulator) as (publisher, _):
        await emulator.jump(seconds=60)
        await publisher.run_due_jobs()
        assert await publisher.published_texts() == ["One", "Two"]

    there = settings.model_copy(update={"database_url": other})
    async with _publisher(there, emulator) as (publisher, check):
        assert check.problem is not None
        assert not publisher.locks.may_begin
        # The locks permit attempts from here on, but the global pause still stops publishing.
        publisher.locks.open_gate()
        await emulator.jump(seconds=60)
        await publisher.run_due_jobs()
        assert await publisher.published_texts() == ["One", "Two"]
        with pytest.raises(DatabaseCopied):
            await resume.resume_everything(publisher.runtime, ACTOR)
        resumed = await resume.resume_everything(publisher.runtime, ACTOR, accept_copy=True)
        assert [one.position for one in resumed.adopted] == [1, 2]
        assert resumed.may_have_changed == [unsent]
        assert await problem_of(check) is None
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["One", "Two", "Tomorrow"]
        assert (await publisher.get_post(sent)).state is PostState.PUBLISHED
        assert (await publisher.get_post(unsent)).state is PostState.PUBLISHED
        assert compare(check.kept, await check.check(), has_event=True) is Verdict.MATCHES


async def test_forgotten_later_parts_are_found_before_sending(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str, copied: str
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _publisher(settings, emulator) as (publisher, _):
        post_id = await publisher.schedule("One", "Two", "Three")
    other = await _copy(admin_url, copied)
    async with _publisher(settings, emulator) as (publisher, _):
        await publisher.run_due_jobs()
        assert await publisher.published_texts() == ["One", "Two", "Three"]

    there = settings.model_copy(update={"database_url": other})
    async with _publisher(there, emulator) as (publisher, check):
        # During the resume, X's timeline does not show the thread yet.
        await emulator.fail("read_timeline", "before", "stale", seconds=600)
        resumed = await resume.resume_everything(publisher.runtime, ACTOR, accept_copy=True)
        assert (resumed.adopted, resumed.searched_again) == ([], [post_id])
        assert await problem_of(check) is None
        publisher.locks.open_gate()
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["One", "Two", "Three"]
        post = await publisher.get_post(post_id)
        assert post.state is PostState.PUBLISHED
        assert all(part.sent_as for part in post.parts)


async def test_forgotten_post_is_found__new_post_in_the_copy(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str, copied: str
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _publisher(settings, emulator) as (publisher, _):
        sent = await publisher.schedule("Sent since the copy", after_s=60)
    other = await _copy(admin_url, copied)
    async with _publisher(settings, emulator) as (publisher, _):
        await emulator.jump(seconds=60)
        await publisher.run_due_jobs()
    await emulator.jump(seconds=300)
    there = settings.model_copy(update={"database_url": other})
    async with open_runtime(there) as runtime:
        due_at = runtime.clock.now() + timedelta(days=1)
        parts = [PartInput("Planned in the copy")]
        await schedule_post(runtime, publisher.scope, publisher.account, parts, due_at=due_at)
    async with _publisher(there, emulator) as (publisher, _):
        resumed = await resume.resume_everything(publisher.runtime, ACTOR, accept_copy=True)
        assert [one.post_id for one in resumed.adopted] == [sent]


async def test_heartbeat_of_a_replaced_database_does_not_count(
    publisher: Publisher,
) -> None:
    await publisher.schedule("Planned", after_s=60)
    runs = publisher.runtime.database.autocommit
    found = await store.installation.read(runs)
    at = publisher.runtime.clock.now()
    for timeline, tag in (("FFFFFFFF", found.event_tag), (found.timeline, found.event_tag + 1)):
        await runs.run("record_heartbeat", at=at, timeline=timeline, event=found.event_id, tag=tag)
        assert (await store.installation.read(runs)).checked_at is None
    await runs.run(
        "record_heartbeat",
        at=at,
        timeline=found.timeline,
        event=found.event_id,
        tag=found.event_tag,
    )
    assert (await store.installation.read(runs)).checked_at == at


async def test_failed_resume_pauses_no_account(publisher: Publisher) -> None:
    to = publisher.runtime.clock.now()
    other = await connect_account(
        publisher.runtime, publisher.tenant, publisher.emulator, "fieldnotes"
    )
    post_id = await publisher.schedule("Mine", "Part two")
    theirs = await publisher.schedule("Theirs", account=other)
    await publisher.emulator.jump(seconds=30)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, other)
    await publisher.emulator.fail("read_timeline", "before", "402")
    with pytest.raises(RestoreSearchFailed):
        await resume.resume_everything(publisher.runtime, ACTOR)
    await connect_account(publisher.runtime, publisher.tenant, publisher.emulator, "fieldnotes")
    resumed = await resume.resume_everything(publisher.runtime, ACTOR)
    assert resumed.paused_accounts == []
    assert sorted(resumed.searched_again) == [post_id, theirs]
    await publisher.run_to_completion()
    assert sorted(await publisher.published_texts()) == ["Mine", "Part two", "Theirs"]


@pytest.mark.timing
async def test_worker_that_detects_the_restore_late_does_not_undo_the_resume(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str
) -> None:
    async with _publisher(settings, emulator) as (publisher, check):
        await publisher.schedule("Sent")
        await publisher.run_due_jobs()
        await check.check()
        assert publisher.locks.fence is not None
        event_id = publisher.locks.fence.event_id
        with psycopg.connect(admin_url) as admin:
            admin.execute("UPDATE roost.events SET tag = tag + 1 WHERE id = %s", [event_id])
        database = publisher.runtime.database
        state = await store.installation.read(database.autocommit)
        async with database.unscoped() as transaction:
            # Suppose that another worker has already paused everything. This transaction resumes
            # everything, as a user would. At the same time, the check compares the database with
            # the watermark, and then waits for this lock, because it must pause everything.
            await transaction.run("lock_pauses")
            late = asyncio.create_task(check.check())
            await _wait_for_lock(admin_url)
            now = publisher.runtime.clock.now()
            await store.installation.accept(transaction, state, since=now, until=now)
        await late
        async with database.unscoped() as transaction:
            pause = await transaction.run_one("get_global_pause")
        assert pause is not None
        assert not pause["paused"]
        assert check.problem is None
        assert check.kept is not None
        assert check.kept.generation == state.generation + 1


@pytest.mark.timing
async def test_restore_detected_during_the_resume_is_not_resumed(publisher: Publisher) -> None:
    later = publisher.runtime.clock.now()
    earlier = later - timedelta(minutes=10)
    await publisher.schedule("Planned", after_s=600)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, later)
    await publisher.emulator.fail("read_timeline", "before", "delay", seconds=1)
    work = asyncio.create_task(resume.resume_everything(publisher.runtime, ACTOR))
    await publisher.wait_for_request("read_timeline")
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, earlier)
    with pytest.raises(RestoreSearchFailed):
        await work
    async with publisher.runtime.database.unscoped() as transaction:
        pause = await transaction.run_one("get_global_pause")
    assert pause is not None
    assert (pause["paused"], pause["restored_to"]) == (True, earlier)
    await resume.resume_everything(publisher.runtime, ACTOR)


async def test_attempt_is_refused__database_lacks_the_fence(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str
) -> None:
    async with _publisher(settings, emulator) as (publisher, check):
        await publisher.schedule("First")
        await publisher.run_due_jobs()
        await check.check()
        assert publisher.locks.fence is not None
        second = await publisher.schedule("Second")
        with psycopg.connect(admin_url) as admin:
            admin.execute(
                "UPDATE roost.events SET tag = tag + 1 WHERE id = %s",
                [publisher.locks.fence.event_id],
            )
        with pytest.raises(DatabaseLostEvents):
            await publisher.run_due_jobs()
        assert not publisher.locks.may_begin
        assert await publisher.published_texts() == ["First"]
        (part,) = (await publisher.get_post(second)).parts
        assert part.state == "pending"
        await check.check()
        assert check.problem is not None
        await resume.resume_everything(publisher.runtime, ACTOR)
        await check.check()
        publisher.locks.open_gate()
        await dispatch.dispatch_stranded(publisher.runtime)
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["First", "Second"]


@pytest.mark.timing
async def test_response_to_a_forgotten_attempt_closes_the_gate(
    publisher: Publisher, admin_url: str
) -> None:
    await publisher.emulator.fail("create_post", "before", "delay", seconds=1)
    post_id = await publisher.schedule("Forgotten")
    work = asyncio.create_task(publisher.run_due_jobs())
    await publisher.wait_for_request("create_post")
    with psycopg.connect(admin_url) as admin:
        admin.execute("DELETE FROM roost.attempts")
        admin.execute("UPDATE roost.parts SET state = 'pending'")
    await work
    post = await publisher.get_post(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHING, PartState.PENDING)
    assert not publisher.locks.may_begin
    (there,) = (await publisher.emulator.ground_truth())["posts"]
    assert (await publisher.list_history(post_id))[-1] == (
        "part 1: publishing → publishing: X responded to an attempt that the database lacks:"
        f" the part is on X as {there['id']}"
    )


async def test_post_moved_earlier_after_the_copy_needs_a_decision(publisher: Publisher) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    to = publisher.runtime.clock.now()
    post_id = await publisher.schedule("Moved earlier", after_s=86_400)
    await publisher.emulator.jump(seconds=30)
    there = await publisher.post_manually("Moved earlier")
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
    resumed = await resume.resume_everything(publisher.runtime, ACTOR)
    assert resumed.needs_decision == [post_id]
    post = await publisher.get_post(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert there in reason_of(post)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Moved earlier"]


async def test_forgotten_request_that_arrives_during_the_resume_is_found(
    publisher: Publisher,
) -> None:
    await publisher.emulator.switch(refuse_duplicates=False)
    to = publisher.runtime.clock.now()
    post_id = await publisher.schedule("Sent five minutes late")
    await publisher.emulator.jump(seconds=300)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
    assert (await resume.resume_everything(publisher.runtime, ACTOR)).searched_again == [post_id]
    for _ in range(6):
        await publisher.run_due_jobs()
        await publisher.emulator.jump(seconds=15)
    there = await publisher.post_manually("Sent five minutes late")
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Sent five minutes late"]
    (part,) = (await publisher.get_post(post_id)).parts
    assert part.sent_as == there


async def test_later_part_of_a_forgotten_thread_is_found_after_the_resume(
    noon: datetime, settings: Settings, emulator: Emulator
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _publisher(settings, emulator) as (publisher, check):
        to = publisher.runtime.clock.now()
        post_id = await publisher.schedule("TimelinePost late", "In two parts")
        await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
        assert (await resume.resume_everything(publisher.runtime, ACTOR)).searched_again == [
            post_id
        ]
        await check.check()
        parent = await publisher.post_manually("TimelinePost late")
        await publisher.reply_manually("In two parts", parent)
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["TimelinePost late", "In two parts"]
        assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


async def test_forgotten_edited_post_is_found_after_the_edit_is_repeated(
    noon: datetime, settings: Settings, emulator: Emulator
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _publisher(settings, emulator) as (publisher, check):
        to = publisher.runtime.clock.now()
        post_id = await publisher.schedule("Before the edit")
        await publisher.post_manually("After the edit")
        await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
        assert (await resume.resume_everything(publisher.runtime, ACTOR)).searched_again == [
            post_id
        ]
        await check.check()
        await edit_post(
            publisher.runtime,
            publisher.scope,
            post_id,
            parts=[PartInput("After the edit")],
            due_at=None,
        )
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["After the edit"]
        assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


async def test_forgotten_post_is_found_before_its_first_attempt(
    noon: datetime, settings: Settings, emulator: Emulator, tmp_path: Path
) -> None:
    """The database and ROOST_HOME match, because both are restored from one backup.

    The backup was made while a worker ran.
    """
    await emulator.switch(refuse_duplicates=False)
    async with _publisher(settings, emulator) as (publisher, _):
        first = await publisher.schedule("Sent after the copy", "In two parts", after_s=60)
        second = await publisher.schedule("Not sent", after_s=60)
        with watermark.running(settings.home):
            shutil.copytree(settings.home / "workers", tmp_path / "workers")
        await emulator.jump(seconds=60)
        parent = await publisher.post_manually("Sent after the copy")
        await publisher.reply_manually("In two parts", parent)
    shutil.copytree(tmp_path / "workers", settings.home / "workers", dirs_exist_ok=True)
    async with _publisher(settings, emulator) as (publisher, check):
        assert check.problem is None
        await publisher.run_to_completion()
        assert await publisher.published_texts() == [
            "Sent after the copy",
            "In two parts",
            "Not sent",
        ]
        assert (await publisher.get_post(first)).state is PostState.PUBLISHED
        assert (await publisher.get_post(second)).state is PostState.PUBLISHED
        assert len(await publisher.list_statuses("read_timeline")) == 3


async def test_ordinary_restart_searches_nothing(
    noon: datetime, settings: Settings, emulator: Emulator
) -> None:
    async with _publisher(settings, emulator) as (publisher, check):
        await publisher.schedule("Due while no worker ran", after_s=60)
        await check.end()
    await emulator.jump(seconds=60)
    async with _publisher(settings, emulator) as (publisher, check):
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["Due while no worker ran"]
        assert await publisher.list_statuses("read_timeline") == []


async def test_copy_made_after_a_clean_stop_is_noticed_when_home_and_database_are_restored(
    noon: datetime, settings: Settings, emulator: Emulator
) -> None:
    """ROOST_HOME and the database match, because both are restored from one backup.

    The restored watermark file has its old content and inode, but a new change time (ctime).
    """
    await emulator.switch(refuse_duplicates=False)
    async with _publisher(settings, emulator) as (publisher, check):
        post_id = await publisher.schedule("Sent after the copy", after_s=60)
        await check.end()
        await emulator.jump(seconds=60)
        await publisher.post_manually("Sent after the copy")
    path = watermark.watermark_file(settings.home)
    content, changed_at = path.read_bytes(), path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == changed_at:
        path.write_bytes(content)
    async with _publisher(settings, emulator) as (publisher, check):
        assert check.problem is None
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["Sent after the copy"]
        assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED


@pytest.mark.parametrize("content", [b"", b'{"system_identifier": "7', b"[]", b"\xff\xfe"])
async def test_unreadable_watermark_pauses_everything(
    noon: datetime, settings: Settings, emulator: Emulator, content: bytes
) -> None:
    async with _publisher(settings, emulator) as (publisher, _):
        await publisher.schedule("Planned", after_s=60)
    watermark.watermark_file(settings.home).write_bytes(content)
    await emulator.jump(seconds=60)
    async with _publisher(settings, emulator) as (publisher, check):
        assert check.problem is not None
        publisher.locks.open_gate()
        await publisher.run_due_jobs()
        assert await publisher.published_texts() == []
        await resume.resume_everything(publisher.runtime, ACTOR)
        assert await problem_of(check) is None
    async with _publisher(settings, emulator) as (publisher, check):
        assert check.problem is None
        await publisher.run_to_completion()
        assert await publisher.published_texts() == ["Planned"]
