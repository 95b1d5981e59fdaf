"""A database that lacks events is detected, everything is paused, and X is searched."""

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
from fix_publishing import Desk, reason_of
from fix_runtime import ACTOR, connect_account, make_tenant
from roost import store, watermark
from roost.errors import DatabaseCopied, DatabaseForgot, RestoreSearchFailed
from roost.models import PartState, PostState
from roost.runtime import open_runtime
from roost.services import dispatch, restore_check, resume
from roost.services.restore_check import DatabaseCheck, Verdict, compare
from roost.services.schedule import PartInput, edit_post, schedule_post
from roost.settings import Settings
from roost.store.locks import open_account_locks
from roost.store.schema import drop_database, prepare_database


@asynccontextmanager
async def _desk(
    settings: Settings, emulator: Emulator
) -> AsyncIterator[tuple[Desk, DatabaseCheck]]:
    """A publisher on a database that may have been used before, checked as by a worker."""
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
        desk = Desk(runtime, tenant, account, emulator, locks)
        await desk.read_figures_at(runtime.clock.now() + timedelta(days=365))
        check = DatabaseCheck(runtime, locks, ACTOR)
        await check.start()
        yield desk, check


async def problem_of(check: DatabaseCheck) -> str | None:
    """The problem that a worker finds at its next heartbeat."""
    await check.check()
    return check.problem


async def _copy(admin_url: str, name: str) -> str:
    """The address of a copy of the database, made now and prepared, as the application's login."""
    original = admin_url.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(admin_url.replace(f"/{original}", "/postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
    copy = admin_url.replace(f"/{original}", f"/{name}")
    await prepare_database(copy)
    return app_url(copy)


@pytest.fixture
async def copied(admin_url: str) -> AsyncIterator[str]:
    """A name for a copy, which is dropped at the end."""
    name = f"{admin_url.rpartition('/')[2].partition('?')[0]}_copy"
    yield name
    await drop_database(admin_url, name)


async def test_copy_sends_nothing_until_a_user_accepts_it(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str, copied: str
) -> None:
    async with _desk(settings, emulator) as (desk, _):
        sent = await desk.plan("One", "Two", after_s=60)
        unsent = await desk.plan("Tomorrow", after_s=86_400)
    other = await _copy(admin_url, copied)
    async with _desk(settings, emulator) as (desk, _):
        await emulator.jump(seconds=60)
        await desk.work()
        assert await desk.on_x() == ["One", "Two"]

    there = settings.model_copy(update={"database_url": other})
    async with _desk(there, emulator) as (desk, check):
        assert check.problem is not None
        assert not desk.locks.may_begin
        desk.locks.open_gate()  # The stop holds without it as well.
        await emulator.jump(seconds=60)
        await desk.work()
        assert await desk.on_x() == ["One", "Two"]
        with pytest.raises(DatabaseCopied):
            await resume.resume_everything(desk.runtime, ACTOR)
        resumed = await resume.resume_everything(desk.runtime, ACTOR, accept_copy=True)
        assert [one.position for one in resumed.adopted] == [1, 2]
        assert resumed.may_have_changed == [unsent]
        assert await problem_of(check) is None
        await desk.work_through()
        assert await desk.on_x() == ["One", "Two", "Tomorrow"]
        assert (await desk.see(sent)).state is PostState.PUBLISHED
        assert (await desk.see(unsent)).state is PostState.PUBLISHED
        assert compare(check.kept, await check.check(), has_event=True) is Verdict.MATCHES


async def test_forgotten_later_parts_are_found_before_sending(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str, copied: str
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _desk(settings, emulator) as (desk, _):
        post_id = await desk.plan("One", "Two", "Three")
    other = await _copy(admin_url, copied)
    async with _desk(settings, emulator) as (desk, _):
        await desk.work()
        assert await desk.on_x() == ["One", "Two", "Three"]

    there = settings.model_copy(update={"database_url": other})
    async with _desk(there, emulator) as (desk, check):
        # X does not show the thread yet while everything is resumed.
        await emulator.fail("read_timeline", "before", "stale", seconds=600)
        resumed = await resume.resume_everything(desk.runtime, ACTOR, accept_copy=True)
        assert (resumed.adopted, resumed.searched_again) == ([], [post_id])
        assert await problem_of(check) is None
        desk.locks.open_gate()
        await desk.work_through()
        assert await desk.on_x() == ["One", "Two", "Three"]
        post = await desk.see(post_id)
        assert post.state is PostState.PUBLISHED
        assert all(part.sent_as for part in post.parts)


async def test_forgotten_post_is_found__new_post_in_the_copy(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str, copied: str
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _desk(settings, emulator) as (desk, _):
        sent = await desk.plan("Sent since the copy", after_s=60)
    other = await _copy(admin_url, copied)
    async with _desk(settings, emulator) as (desk, _):
        await emulator.jump(seconds=60)
        await desk.work()
    await emulator.jump(seconds=300)
    there = settings.model_copy(update={"database_url": other})
    async with open_runtime(there) as runtime:
        due_at = runtime.clock.now() + timedelta(days=1)
        parts = [PartInput("Planned in the copy")]
        await schedule_post(runtime, desk.scope, desk.account, parts, due_at=due_at)
    async with _desk(there, emulator) as (desk, _):
        resumed = await resume.resume_everything(desk.runtime, ACTOR, accept_copy=True)
        assert [one.post_id for one in resumed.adopted] == [sent]


async def test_heartbeat_of_a_replaced_database_does_not_count(
    desk: Desk,
) -> None:
    await desk.plan("Planned", after_s=60)
    runs = desk.runtime.database.autocommit
    found = await store.installation.read(runs)
    at = desk.runtime.clock.now()
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


async def test_failed_resume_pauses_no_account(desk: Desk) -> None:
    to = desk.runtime.clock.now()
    other = await connect_account(desk.runtime, desk.tenant, desk.emulator, "fieldnotes")
    post_id = await desk.plan("Mine", "Part two")
    theirs = await desk.plan("Theirs", account=other)
    await desk.emulator.jump(seconds=30)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await store.integrations.mark_needs_reconnect(transaction, other)
    await desk.emulator.fail("read_timeline", "before", "402")
    with pytest.raises(RestoreSearchFailed):
        await resume.resume_everything(desk.runtime, ACTOR)
    await connect_account(desk.runtime, desk.tenant, desk.emulator, "fieldnotes")
    resumed = await resume.resume_everything(desk.runtime, ACTOR)
    assert resumed.paused_accounts == []
    assert sorted(resumed.searched_again) == [post_id, theirs]
    await desk.work_through()
    assert sorted(await desk.on_x()) == ["Mine", "Part two", "Theirs"]


async def test_attempt_is_refused__database_lacks_the_fence(
    noon: datetime, settings: Settings, emulator: Emulator, admin_url: str
) -> None:
    async with _desk(settings, emulator) as (desk, check):
        await desk.plan("First")
        await desk.work()
        await check.check()
        assert desk.locks.fence is not None
        second = await desk.plan("Second")
        with psycopg.connect(admin_url) as admin:
            admin.execute(
                "UPDATE roost.events SET tag = tag + 1 WHERE id = %s", [desk.locks.fence.event_id]
            )
        with pytest.raises(DatabaseForgot):
            await desk.work()
        assert not desk.locks.may_begin
        assert await desk.on_x() == ["First"]
        (part,) = (await desk.see(second)).parts
        assert part.state == "pending"
        await check.check()
        assert check.problem is not None
        await resume.resume_everything(desk.runtime, ACTOR)
        await check.check()
        desk.locks.open_gate()
        await dispatch.dispatch_stranded(desk.runtime)
        await desk.work_through()
        assert await desk.on_x() == ["First", "Second"]


@pytest.mark.timing
async def test_response_to_a_forgotten_attempt_closes_the_gate(desk: Desk, admin_url: str) -> None:
    await desk.emulator.fail("create_post", "before", "delay", seconds=1)
    post_id = await desk.plan("Forgotten")
    work = asyncio.create_task(desk.work())
    await desk.under_way("create_post")
    with psycopg.connect(admin_url) as admin:
        admin.execute("DELETE FROM roost.attempts")
        admin.execute("UPDATE roost.parts SET state = 'pending'")
    await work
    post = await desk.see(post_id)
    assert (post.state, post.parts[0].state) == (PostState.PUBLISHING, PartState.PENDING)
    assert not desk.locks.may_begin
    (there,) = (await desk.emulator.ground_truth())["posts"]
    assert (await desk.story(post_id))[-1] == (
        "part 1: publishing → publishing: X answered an attempt that the database has forgotten:"
        f" it has it as {there['id']}"
    )


async def test_post_moved_earlier_after_the_copy_needs_a_decision(desk: Desk) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    to = desk.runtime.clock.now()
    post_id = await desk.plan("Moved earlier", after_s=86_400)
    await desk.emulator.jump(seconds=30)
    there = await desk.post_by_hand("Moved earlier")
    await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
    resumed = await resume.resume_everything(desk.runtime, ACTOR)
    assert resumed.asked == [post_id]
    post = await desk.see(post_id)
    assert post.state is PostState.NEEDS_DECISION
    assert there in reason_of(post)
    await desk.work_through()
    assert await desk.on_x() == ["Moved earlier"]


async def test_forgotten_request_that_arrives_during_the_resume_is_found(
    desk: Desk,
) -> None:
    await desk.emulator.switch(refuse_duplicates=False)
    to = desk.runtime.clock.now()
    post_id = await desk.plan("Sent five minutes late")
    await desk.emulator.jump(seconds=300)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
    assert (await resume.resume_everything(desk.runtime, ACTOR)).searched_again == [post_id]
    for _ in range(6):
        await desk.work()
        await desk.emulator.jump(seconds=15)
    there = await desk.post_by_hand("Sent five minutes late")
    await desk.work_through()
    assert await desk.on_x() == ["Sent five minutes late"]
    (part,) = (await desk.see(post_id)).parts
    assert part.sent_as == there


async def test_later_part_of_a_forgotten_thread_is_found_after_the_resume(
    noon: datetime, settings: Settings, emulator: Emulator
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _desk(settings, emulator) as (desk, check):
        to = desk.runtime.clock.now()
        post_id = await desk.plan("TimelinePost late", "In two parts")
        await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
        assert (await resume.resume_everything(desk.runtime, ACTOR)).searched_again == [post_id]
        await check.check()
        parent = await desk.post_by_hand("TimelinePost late")
        await desk.answer_by_hand("In two parts", parent)
        await desk.work_through()
        assert await desk.on_x() == ["TimelinePost late", "In two parts"]
        assert (await desk.see(post_id)).state is PostState.PUBLISHED


async def test_forgotten_edited_post_is_found_after_the_edit_is_repeated(
    noon: datetime, settings: Settings, emulator: Emulator
) -> None:
    await emulator.switch(refuse_duplicates=False)
    async with _desk(settings, emulator) as (desk, check):
        to = desk.runtime.clock.now()
        post_id = await desk.plan("Before the edit")
        await desk.post_by_hand("After the edit")
        await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
        assert (await resume.resume_everything(desk.runtime, ACTOR)).searched_again == [post_id]
        await check.check()
        await edit_post(
            desk.runtime, desk.scope, post_id, parts=[PartInput("After the edit")], due_at=None
        )
        await desk.work_through()
        assert await desk.on_x() == ["After the edit"]
        assert (await desk.see(post_id)).state is PostState.PUBLISHED


async def test_forgotten_post_is_found_before_its_first_attempt(
    noon: datetime, settings: Settings, emulator: Emulator, tmp_path: Path
) -> None:
    """Database and ROOST_HOME come from one copy, made while a worker ran, so they match."""
    await emulator.switch(refuse_duplicates=False)
    async with _desk(settings, emulator) as (desk, _):
        first = await desk.plan("Sent after the copy", "In two parts", after_s=60)
        second = await desk.plan("Not sent", after_s=60)
        with watermark.running(settings.roost_home):
            shutil.copytree(settings.roost_home / "workers", tmp_path / "workers")
        await emulator.jump(seconds=60)
        parent = await desk.post_by_hand("Sent after the copy")
        await desk.answer_by_hand("In two parts", parent)
    shutil.copytree(tmp_path / "workers", settings.roost_home / "workers", dirs_exist_ok=True)
    async with _desk(settings, emulator) as (desk, check):
        assert check.problem is None
        await desk.work_through()
        assert await desk.on_x() == ["Sent after the copy", "In two parts", "Not sent"]
        assert (await desk.see(first)).state is PostState.PUBLISHED
        assert (await desk.see(second)).state is PostState.PUBLISHED
        assert len(await desk.requests("read_timeline")) == 3


async def test_ordinary_restart_searches_nothing(
    noon: datetime, settings: Settings, emulator: Emulator
) -> None:
    async with _desk(settings, emulator) as (desk, check):
        await desk.plan("Due while no worker ran", after_s=60)
        await check.end()
    await emulator.jump(seconds=60)
    async with _desk(settings, emulator) as (desk, check):
        await desk.work_through()
        assert await desk.on_x() == ["Due while no worker ran"]
        assert await desk.requests("read_timeline") == []


@pytest.mark.parametrize("content", [b"", b'{"system_identifier": "7', b"[]", b"\xff\xfe"])
async def test_unreadable_watermark_pauses_everything(
    noon: datetime, settings: Settings, emulator: Emulator, content: bytes
) -> None:
    async with _desk(settings, emulator) as (desk, _):
        await desk.plan("Planned", after_s=60)
    watermark.watermark_file(settings.roost_home).write_bytes(content)
    await emulator.jump(seconds=60)
    async with _desk(settings, emulator) as (desk, check):
        assert check.problem is not None
        desk.locks.open_gate()
        await desk.work()
        assert await desk.on_x() == []
        await resume.resume_everything(desk.runtime, ACTOR)
        assert await problem_of(check) is None
    async with _desk(settings, emulator) as (desk, check):
        assert check.problem is None
        await desk.work_through()
        assert await desk.on_x() == ["Planned"]
