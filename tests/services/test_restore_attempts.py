"""An attempt that the restored database lacks may already have put a post on X."""

import shutil
from pathlib import Path

import pytest

from fix_emulator import Emulator
from fix_publishing import Publisher
from fix_runtime import ACTOR
from roost import watermark
from roost.models import PostId, PostState
from roost.services import resolve, restore_check, resume
from roost.settings import Settings
from services.test_restore import _publisher

TEXT = "Low tide at six"


async def schedule_refused_once(publisher: Publisher, *texts: str) -> PostId:
    """Schedule a post, and let X refuse its first attempt by a rate limit."""
    await publisher.emulator.switch(refuse_duplicates=False)
    await publisher.emulator.fail("create_post", "before", "429")
    post_id = await publisher.schedule(*texts)
    await publisher.run_due_jobs()
    (attempt,) = await publisher.list_statuses("create_post")
    assert attempt == 429
    return post_id


async def test_post_tried_before_the_copy_is_adopted_at_resume(publisher: Publisher) -> None:
    post_id = await schedule_refused_once(publisher, TEXT)
    to = publisher.runtime.clock.now()
    await publisher.emulator.jump(seconds=120)
    there = await publisher.post_manually(TEXT)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
    resumed = await resume.resume_everything(publisher.runtime, ACTOR)
    assert [one.tweet_id for one in resumed.adopted] == [there]
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).parts[0].sent_as == there
    assert await publisher.published_texts() == [TEXT]


async def test_post_tried_before_the_copy_is_sent__not_on_x(publisher: Publisher) -> None:
    post_id = await schedule_refused_once(publisher, TEXT)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, publisher.runtime.clock.now())
    await publisher.emulator.jump(seconds=120)
    assert (await resume.resume_everything(publisher.runtime, ACTOR)).searched_again == [post_id]
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
    assert await publisher.published_texts() == [TEXT]


async def test_post_tried_before_a_crash_is_searched_for_first(
    noon: object, settings: Settings, emulator: Emulator, tmp_path: Path
) -> None:
    """The database and ROOST_HOME come from one backup that was made while a worker ran."""
    async with _publisher(settings, emulator) as (publisher, _):
        post_id = await schedule_refused_once(publisher, TEXT)
        with watermark.running(settings.home):
            shutil.copytree(settings.home / "workers", tmp_path / "workers")
        await emulator.jump(seconds=120)
        there = await publisher.post_manually(TEXT)
    shutil.copytree(tmp_path / "workers", settings.home / "workers", dirs_exist_ok=True)
    async with _publisher(settings, emulator) as (publisher, check):
        assert check.problem is None
        await publisher.run_to_completion()
        assert (await publisher.get_post(post_id)).parts[0].sent_as == there
        assert await publisher.published_texts() == [TEXT]


@pytest.mark.parametrize("sent", [True, False])
async def test_decision_before_the_copy_does_not_resend_a_sent_post(
    publisher: Publisher, sent: bool
) -> None:
    """A user confirmed that a part is not on X; then the database was restored.

    With `sent`, the part was sent after the decision, but the restored database does not show it.
    """
    await publisher.emulator.switch(refuse_duplicates=False)
    await publisher.emulator.fail("create_post", "before", "drop")
    post_id = await publisher.schedule(TEXT)
    await publisher.run_due_jobs()
    await publisher.emulator.jump(seconds=900)
    await publisher.run_to_completion()
    assert (await publisher.get_post(post_id)).state is PostState.NEEDS_DECISION
    await resolve.confirm_absent(publisher.runtime, publisher.scope, post_id)
    to = publisher.runtime.clock.now()
    await publisher.emulator.jump(seconds=30)
    if sent:
        await publisher.post_manually(TEXT)
    await restore_check.pause_after_restore(publisher.runtime, ACTOR, to)
    await resume.resume_everything(publisher.runtime, ACTOR)
    await publisher.run_to_completion()
    assert await publisher.published_texts() == [TEXT]
    assert (await publisher.get_post(post_id)).state is PostState.PUBLISHED
