"""Whatever X answers to a create or an upload, each part is on X once, or its row says why not."""

from pathlib import Path

import pytest
from fix_publishing import Desk

from roost.models import PartState, PostState

FAILURES = ["drop", "500", "503", "502text"]


@pytest.mark.parametrize("kind", FAILURES)
async def test_create_without_an_answer_is_sent_again__nothing_was_created(
    desk: Desk, kind: str
) -> None:
    await desk.emulator.fail("create_post", "before", kind)
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["Low tide at six"]
    print("\n".join(await desk.story(post_id)), await desk.requests("create_post"), await desk.requests("read_timeline"))


@pytest.mark.parametrize("kind", FAILURES)
async def test_create_without_an_answer_is_found_on_the_timeline__x_had_created_it(
    desk: Desk, kind: str
) -> None:
    await desk.emulator.fail("create_post", "after", kind)
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["Low tide at six"]
    print("\n".join(await desk.story(post_id)), await desk.requests("create_post"), await desk.requests("read_timeline"))

@pytest.mark.parametrize("kind", ["429", "401"])
async def test_create_refused(
    desk: Desk, kind: str
) -> None:
    await desk.emulator.fail("create_post", "before", kind)
    post_id = await desk.plan("Low tide at six")
    await desk.work_through()
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["Low tide at six"]
    print("\n".join(await desk.story(post_id)), await desk.requests("create_post"), await desk.requests("read_timeline"))

@pytest.mark.parametrize("kind", ["drop", "500", "429", "401"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("op", ["initialize", "append", "finalize", "metadata"])
async def test_upload(
    desk: Desk, kind: str, when: str, op: str, teal: Path
) -> None:
    await desk.emulator.fail("media_" + op, when, kind)
    post_id = await desk.plan("Low tide at six", media=teal)
    await desk.work_through()
    print("\n".join(await desk.story(post_id)), await desk.requests("create_post"), await desk.requests("media_append"))
    assert (await desk.see(post_id)).state is PostState.PUBLISHED
    assert await desk.on_x() == ["Low tide at six"]
