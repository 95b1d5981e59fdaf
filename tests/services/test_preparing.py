"""Uploads before a post is due: when they start, how they resume, and refused files."""

from datetime import timedelta
from pathlib import Path

import msgspec
from PIL import Image

from fix_publishing import Publisher
from roost import store
from roost.models import MediaAsset, PostId, PostState
from roost.publishing.part_input import MediaInput
from roost.services.schedule import PartInput, schedule_post
from roost.x.media import UploadState


async def _asset(publisher: Publisher, post_id: PostId) -> MediaAsset:
    (part,) = (await publisher.get_post(post_id)).parts
    return part.media[0]


async def test_media_is_uploaded_ten_minutes_ahead(publisher: Publisher, teal: Path) -> None:
    post_id = await publisher.schedule("Low tide at six", after_s=3600, media=teal)
    await publisher.emulator.jump(seconds=2999)
    await publisher.run_due_jobs()
    assert (await publisher.emulator.ground_truth())["media"] == []
    await publisher.emulator.jump(seconds=1)
    await publisher.run_due_jobs()
    assert len((await publisher.emulator.ground_truth())["media"]) == 1
    assert await publisher.published_texts() == []
    assert (await publisher.get_post(post_id)).state is PostState.SCHEDULED
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Low tide at six"]
    assert await publisher.list_statuses("media_initialize") == [200]


async def test_upload_of_a_due_post_does_not_delay_its_account(
    publisher: Publisher, teal: Path
) -> None:
    await publisher.emulator.fail("media_initialize", "before", "429")
    with_media = await publisher.schedule("With a picture", media=teal)
    plain = await publisher.schedule("Plain")
    await publisher.run_due_jobs()
    assert (await publisher.get_post(plain)).state is PostState.PUBLISHED
    assert (await publisher.get_post(with_media)).state is PostState.PUBLISHING
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Plain", "With a picture"]


async def test_thread_is_not_started__last_file_refused(
    publisher: Publisher, tmp_path: Path
) -> None:
    path = tmp_path / "moon.gif"
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("teal", "navy", "black")]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=200)
    await publisher.emulator.switch(processing_error="InvalidMedia")
    parts = [PartInput("One"), PartInput("Two", (MediaInput(path),))]
    now = publisher.runtime.clock.now()
    thread = await schedule_post(
        publisher.runtime, publisher.scope, publisher.account, parts, due_at=now
    )
    await publisher.run_to_completion()
    assert (await publisher.get_post(thread.id)).state is PostState.FAILED
    assert await publisher.published_texts() == []


async def test_upload_that_expires_soon_is_replaced(publisher: Publisher, teal: Path) -> None:
    post_id = await publisher.schedule("Low tide at six", after_s=3600, media=teal)
    await publisher.emulator.jump(seconds=3000)
    await publisher.run_due_jobs()
    asset = await _asset(publisher, post_id)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        await transaction.raw.execute(
            "UPDATE uploads SET expires_at = %s",
            [publisher.runtime.clock.now() + timedelta(minutes=19)],
        )
        before = (await store.uploads.list_uploads(transaction, post_id))[asset.id].finished
    await publisher.run_to_completion()
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        after = (await store.uploads.list_uploads(transaction, post_id))[asset.id].finished
    assert before is not None
    assert after is not None
    assert after.media_id != before.media_id
    assert await publisher.published_texts() == ["Low tide at six"]


async def test_upload_resumes_after_the_last_segment_of_x(
    publisher: Publisher, tmp_path: Path
) -> None:
    path = tmp_path / "noise.png"
    Image.effect_noise((512, 512), 90).save(path)
    small = publisher.with_settings(segment_bytes=32 * 1024)
    # At most four segments are sent in parallel, so X has accepted one before the fifth is sent.
    script = ["ok", "ok", "ok", "ok", "429"]
    await publisher.emulator.control(
        "faults", operation="media_append", when="before", script=script
    )
    post_id = await publisher.schedule("Low tide at six", media=path)
    await small.run_due_jobs()
    asset = await _asset(publisher, post_id)
    async with publisher.runtime.database.for_tenant(publisher.tenant.id) as transaction:
        row = (await store.uploads.list_uploads(transaction, post_id))[asset.id]
    assert row.progress is not None
    kept = msgspec.json.decode(row.progress, type=UploadState)
    there = len(kept.acknowledged)
    assert there >= 1
    appended = (await publisher.list_statuses("media_append")).count(200)
    await small.run_to_completion()
    assert await publisher.published_texts() == ["Low tide at six"]
    assert await publisher.list_statuses("media_initialize") == [200]
    segments = -(-asset.size_bytes // (32 * 1024))
    assert (await publisher.list_statuses("media_append")).count(200) - appended == segments - there
    (on_x,) = (await publisher.emulator.ground_truth())["media"]
    assert on_x["sha256"] == asset.sha256


async def test_upload_resumes__copy_made_again(publisher: Publisher, teal: Path) -> None:
    """An upload's progress is stored for the file's hash, so a new copy resumes the upload."""
    await publisher.emulator.fail("media_append", "before", "429")
    post_id = await publisher.schedule("Low tide at six", media=teal)
    await publisher.run_due_jobs()
    sha256 = (await _asset(publisher, post_id)).sha256
    (publisher.runtime.media.folder / sha256[:2] / sha256).unlink()
    assert await publisher.runtime.media.add(teal) == sha256
    await publisher.run_to_completion()
    assert await publisher.published_texts() == ["Low tide at six"]
    assert await publisher.list_statuses("media_initialize") == [200]
