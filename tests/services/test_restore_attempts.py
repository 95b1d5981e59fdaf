"""Posts with attempts in a restored database: X may have them from a later attempt."""

import shutil
from pathlib import Path

import pytest

from fix_emulator import Emulator
from fix_publishing import Desk
from fix_runtime import ACTOR
from roost import watermark
from roost.models import PostId, PostState
from roost.services import resolve, restore_check, resume
from roost.settings import Settings
from services.test_restore import _desk

TEXT = "Low tide at six"


async def tried_once(desk: Desk, *texts: str) -> PostId:
    """A post that was rate limited when the copy was made."""
    await desk.emulator.switch(refuse_duplicates=False)
    await desk.emulator.fail("create_post", "before", "429")
    post_id = await desk.plan(*texts)
    await desk.work()
    (attempt,) = await desk.requests("create_post")
    assert attempt == 429
    return post_id


async def test_post_tried_before_the_copy_is_adopted_at_resume(desk: Desk) -> None:
    post_id = await tried_once(desk, TEXT)
    to = desk.runtime.clock.now()
    await desk.emulator.jump(seconds=120)
    there = await desk.post_by_hand(TEXT)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
    resumed = await resume.resume_everything(desk.runtime, ACTOR)
    assert [one.tweet_id for one in resumed.adopted] == [there]
    await desk.work_through()
    assert (await desk.see(post_id)).parts[0].sent_as == there
    assert await desk.on_x() == [TEXT]


async def test_post_tried_before_the_copy_is_sent__not_on_x(desk: Desk) -> None:
    post_id = await tried_once(desk, TEXT)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, desk.runtime.clock.now())
    await desk.emulator.jump(seconds=120)
    assert (await resume.resume_everything(desk.runtime, ACTOR)).searched_again == [post_id]
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == [TEXT]


async def test_post_tried_before_a_crash_is_searched_for_first(
    noon: object, settings: Settings, emulator: Emulator, tmp_path: Path
) -> None:
    """Database and ROOST_HOME come from one copy, made while a worker ran."""
    async with _desk(settings, emulator) as (desk, _):
        post_id = await tried_once(desk, TEXT)
        with watermark.running(settings.roost_home):
            shutil.copytree(settings.roost_home / "workers", tmp_path / "workers")
        await emulator.jump(seconds=120)
        there = await desk.post_by_hand(TEXT)
    shutil.copytree(tmp_path / "workers", settings.roost_home / "workers", dirs_exist_ok=True)
    async with _desk(settings, emulator) as (desk, check):
        assert check.problem is None
        await desk.work_through()
        assert (await desk.see(post_id)).parts[0].sent_as == there
        assert await desk.on_x() == [TEXT]


@pytest.mark.parametrize("sent", [True, False])
async def test_decision_before_the_copy_does_not_resend_a_sent_post(desk: Desk, sent: bool) -> None:
    """A user confirmed it absent, it was sent, and the database was restored."""
    await desk.emulator.switch(refuse_duplicates=False)
    await desk.emulator.fail("create_post", "before", "drop")
    post_id = await desk.plan(TEXT)
    await desk.work()
    await desk.emulator.jump(seconds=900)
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.NEEDS_DECISION
    await resolve.confirm_absent(desk.runtime, desk.scope, post_id)
    to = desk.runtime.clock.now()
    await desk.emulator.jump(seconds=30)
    if sent:
        await desk.post_by_hand(TEXT)
    await restore_check.pause_after_restore(desk.runtime, ACTOR, to)
    await resume.resume_everything(desk.runtime, ACTOR)
    await desk.work_through()
    assert await desk.on_x() == [TEXT]
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
