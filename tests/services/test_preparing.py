"""Uploads ahead of the due time, their resumption, and refusals of files."""

from datetime import timedelta
from pathlib import Path

import msgspec
from PIL import Image

from fix_publishing import Desk
from roost import store
from roost.models import MediaAsset, PostId, PostState
from roost.publishing.part_input import MediaInput
from roost.services.schedule import PartInput, schedule_post
from roost.x.media import UploadState


async def _asset(desk: Desk, post_id: PostId) -> MediaAsset:
    (part,) = (await desk.see(post_id)).parts
    return part.media[0]


async def test_media_is_uploaded_ten_minutes_ahead(desk: Desk, teal: Path) -> None:
    post_id = await desk.plan("Low tide at six", after_s=3600, media=teal)
    await desk.emulator.jump(seconds=2999)
    await desk.work()
    assert (await desk.emulator.ground_truth())["media"] == []
    await desk.emulator.jump(seconds=1)
    await desk.work()
    assert len((await desk.emulator.ground_truth())["media"]) == 1
    assert await desk.on_x() == []
    assert (await desk.see(post_id)).state is PostState.SCHEDULED
    await desk.work_through()
    assert await desk.on_x() == ["Low tide at six"]
    assert await desk.requests("media_initialize") == [200]


async def test_upload_of_a_due_post_does_not_delay_its_account(desk: Desk, teal: Path) -> None:
    await desk.emulator.fail("media_initialize", "before", "429")
    with_media = await desk.plan("With a picture", media=teal)
    plain = await desk.plan("Plain")
    await desk.work()
    assert (await desk.see(plain)).state is PostState.PUBLISHED
    assert (await desk.see(with_media)).state is PostState.PUBLISHING
    await desk.work_through()
    assert await desk.on_x() == ["Plain", "With a picture"]


async def test_thread_is_not_started__last_file_refused(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "moon.gif"
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("teal", "navy", "black")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=200)
    await desk.emulator.switch(processing_error="InvalidMedia")
    parts = [PartInput("One"), PartInput("Two", (MediaInput(path),))]
    now = desk.runtime.clock.now()
    thread = await schedule_post(desk.runtime, desk.scope, desk.account, parts, due_at=now)
    await desk.work_through()
    assert (await desk.see(thread.id)).state is PostState.FAILED
    assert await desk.on_x() == []


async def test_upload_that_expires_soon_is_replaced(desk: Desk, teal: Path) -> None:
    post_id = await desk.plan("Low tide at six", after_s=3600, media=teal)
    await desk.emulator.jump(seconds=3000)
    await desk.work()
    asset = await _asset(desk, post_id)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE uploads SET expires_at = %s",
            [desk.runtime.clock.now() + timedelta(minutes=19)],
        )
        before = (await store.uploads.list_uploads(transaction, post_id))[asset.id].finished
    await desk.work_through()
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        after = (await store.uploads.list_uploads(transaction, post_id))[asset.id].finished
    assert before is not None
    assert after is not None
    assert after.media_id != before.media_id
    assert await desk.on_x() == ["Low tide at six"]


async def test_upload_resumes_after_the_last_segment_of_x(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    Image.effect_noise((512, 512), 90).save(path)
    small = desk.with_settings(roost_segment_bytes=32 * 1024)
    # Four segments are sent at a time: the fifth follows one that X has acknowledged.
    script = ["ok", "ok", "ok", "ok", "429"]
    await desk.emulator.control("faults", operation="media_append", when="before", script=script)
    post_id = await desk.plan("Low tide at six", media=path)
    await small.work()
    asset = await _asset(desk, post_id)
    async with desk.runtime.database.for_tenant(desk.tenant.id) as transaction:
        row = (await store.uploads.list_uploads(transaction, post_id))[asset.id]
    assert row.progress is not None
    kept = msgspec.json.decode(row.progress, type=UploadState)
    there = len(kept.acknowledged)
    assert there >= 1
    appended = (await desk.requests("media_append")).count(200)
    await small.work_through()
    assert await desk.on_x() == ["Low tide at six"]
    assert await desk.requests("media_initialize") == [200]
    segments = -(-asset.size_bytes // (32 * 1024))
    assert (await desk.requests("media_append")).count(200) - appended == segments - there
    (on_x,) = (await desk.emulator.ground_truth())["media"]
    assert on_x["sha256"] == asset.sha256


async def test_upload_resumes__copy_made_again(desk: Desk, teal: Path) -> None:
    """Progress is stored by the content's hash, not by the time of the copy."""
    await desk.emulator.fail("media_append", "before", "429")
    post_id = await desk.plan("Low tide at six", media=teal)
    await desk.work()
    sha256 = (await _asset(desk, post_id)).sha256
    (desk.runtime.media.folder / sha256[:2] / sha256).unlink()
    assert await desk.runtime.media.add(teal) == sha256
    await desk.work_through()
    assert await desk.on_x() == ["Low tide at six"]
    assert await desk.requests("media_initialize") == [200]
