"""Uploads: the bytes and segments that X receives, and the wait for X's processing."""

import gzip
import hashlib
import io
import os
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from PIL import Image

from fix_emulator import Emulator
from roost import x
from roost.errors import MediaChanged, MediaUnreadable
from roost.prices import Operation

from .conftest import Account, Connect, SentRequest

MIB = 1024 * 1024


def segment_index(append: SentRequest) -> int:
    fields, _, _ = bytes(append.body).partition(b'name="media"')
    return int(fields.partition(b'name="segment_index"\r\n\r\n')[2].partition(b"\r\n")[0])


def appends(sent: list[SentRequest]) -> list[SentRequest]:
    return [request for request in sent if request.path.endswith("/append")]


async def test_upload_sends_all_bytes_in_4_mib_segments(
    account: Account, emulator: Emulator, photo: Path
) -> None:
    progress: list[tuple[int, int]] = []
    uploaded = await x.media.upload(
        account.client,
        photo,
        mime_type="image/png",
        category="tweet_image",
        on_progress=lambda done, total: progress.append((done, total)),
    )

    (media,) = (await emulator.ground_truth())["media"]
    size = photo.stat().st_size
    assert media["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert (media["id"], media["media_key"]) == (uploaded.media_id, uploaded.media_key)
    assert progress[0] in [(4 * MIB, size), (size - 4 * MIB, size)]  # either segment may be first
    assert progress[1:] == [(size, size)]
    assert uploaded.expires_after.total_seconds() > 3600


@pytest.mark.parametrize("status", [413, 431])
async def test_upload_falls_back_to_1_mib_segments(
    account: Account, emulator: Emulator, sent: list[SentRequest], photo: Path, status: int
) -> None:
    await emulator.switch(max_segment_bytes=MIB, oversized_segment_status=status)
    uploaded = await x.media.upload(
        account.client, photo, mime_type="image/png", category="tweet_image"
    )

    media = {each["id"]: each for each in (await emulator.ground_truth())["media"]}
    assert media[uploaded.media_id]["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert len([each for each in appends(sent) if uploaded.media_id in each.path]) == 5


async def test_upload_raises_segment_too_large_below_1_mib(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.switch(max_segment_bytes=10)
    with pytest.raises(x.errors.SegmentTooLarge):
        await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")


async def test_upload_repeats_only_the_failed_segment(
    account: Account, emulator: Emulator, sent: list[SentRequest], photo: Path
) -> None:
    await emulator.fail("media_append", "before", "drop", times=1)
    await emulator.fail("media_append", "after", "503", times=1)
    await x.media.upload(account.client, photo, mime_type="image/png", category="tweet_image")

    (media,) = (await emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert len(appends(sent)) == 4


async def test_upload_accepts_either_response_to_append(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.switch(append_status=204)
    uploaded = await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image"
    )
    (media,) = (await emulator.ground_truth())["media"]
    assert media["id"] == uploaded.media_id


async def test_upload_waits_until_a_video_is_processed(
    account: Account, emulator: Emulator, clip: Path
) -> None:
    uploaded = await x.media.upload(
        account.client, clip, mime_type="video/mp4", category="tweet_video"
    )
    created = await x.posts.create(account.client, text=None, media_ids=[uploaded.media_id])

    ground_truth = await emulator.ground_truth()
    (post,) = ground_truth["posts"]
    assert post["id"] == created.tweet_id
    assert post["media"][0]["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    statuses = [r for r in ground_truth["requests"] if r["operation"] == "media_status"]
    assert len(statuses) == 2


async def test_upload_completes_when_one_request_in_ten_fails(
    account: Account, emulator: Emulator, sent: list[SentRequest], photo: Path
) -> None:
    await emulator.fail("media_append", "before", "503", times=1)
    for when, kind in (("before", "503"), ("after", "drop"), ("after", "cut")):
        await emulator.fail("media_append", when, kind, times=None, probability=1 / 30)
    progress: list[int] = []
    await x.media.upload(
        account.client,
        photo,
        mime_type="image/png",
        category="tweet_image",
        segment_bytes=128 * 1024,
        parallel=8,
        on_progress=lambda done, total: progress.append(done),
    )

    (media,) = (await emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    order = [segment_index(each) for each in appends(sent)]
    assert len(order) > 36 == len(set(order))
    assert order != sorted(order)
    assert progress == sorted(progress)
    assert (len(progress), progress[-1]) == (36, photo.stat().st_size)


async def test_upload_refreshes_once_when_x_rejects_a_segments_token(
    account: Account, emulator: Emulator, sent: list[SentRequest], png: bytes
) -> None:
    await emulator.fail("media_append", "before", "401", times=None)
    with pytest.raises(x.errors.XUnavailable):
        await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    assert account.tokens.refreshed == 1
    assert len(appends(sent)) == 2


async def test_upload_repeats_a_finalize_with_a_lost_response(
    account: Account, emulator: Emulator, sent: list[SentRequest], png: bytes
) -> None:
    await emulator.fail("media_finalize", "before", "503", times=1)
    await emulator.fail("media_finalize", "after", "drop", times=1)
    await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    assert [each.path.rpartition("/")[2] for each in sent] == [
        "initialize",
        "append",
        "finalize",
        "finalize",
        "finalize",
    ]


async def test_upload_restarts_when_a_lost_finalize_cannot_be_repeated(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.switch(finalize_is_idempotent=False)
    await emulator.fail("media_finalize", "after", "drop", times=1)
    uploaded = await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image"
    )
    first, second = (await emulator.ground_truth())["media"]
    assert (second["id"], second["state"]) == (uploaded.media_id, "succeeded")
    assert first["id"] != second["id"]


async def test_upload_stops_at_a_rate_limit_and_resumes_later(
    account: Account, emulator: Emulator, photo: Path
) -> None:
    states: list[x.media.UploadState] = []

    async def on_state(state: x.media.UploadState) -> None:
        states.append(state)

    await emulator.fail("media_append", "before", "429", times=1)
    options: dict[str, Any] = {"mime_type": "image/png", "category": "tweet_image"}
    with pytest.raises(x.errors.RateLimited) as raised:
        await x.media.upload(account.client, photo, parallel=1, on_state=on_state, **options)
    assert raised.value.wait.total_seconds() > 0
    uploaded = await x.media.upload(account.client, photo, state=states[-1], **options)
    assert uploaded.media_id == states[0].media_id


async def test_upload_raises_what_on_state_raises(account: Account, png: bytes) -> None:
    async def on_state(state: x.media.UploadState) -> None:
        if state.acknowledged:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await x.media.upload(
            account.client, png, mime_type="image/png", category="tweet_image", on_state=on_state
        )


@pytest.mark.parametrize("dialect", ["nested", "flat"])
async def test_upload_reports_why_x_could_not_process_a_video(
    account: Account, emulator: Emulator, clip: Path, dialect: str
) -> None:
    reason = "Resolution too low for this planet"
    await emulator.switch(processing_error=reason, processing_polls=0, error_format=dialect)
    options: dict[str, Any] = {"mime_type": "video/mp4", "category": "tweet_video"}
    state = await x.media.transfer(account.client, clip, **options)
    with pytest.raises(x.errors.MediaRejected) as raised:
        await x.media.upload(account.client, clip, state=state, **options)
    assert raised.value.request_id
    assert (reason in raised.value.message) is (dialect == "nested")
    processing = await x.media.read_processing(account.client, state)
    assert (processing.state, processing.reason) == (
        x.media.ProcessingState.FAILED,
        raised.value.message,
    )


async def test_upload_stops_waiting_after_the_processing_deadline(
    account: Account, emulator: Emulator, clip: Path
) -> None:
    with pytest.raises(x.errors.XUnavailable, match="still processing"):
        await x.media.upload(
            account.client,
            clip,
            mime_type="video/mp4",
            category="tweet_video",
            processing_deadline=timedelta(0),
        )


async def test_upload_raises_media_rejected_for_a_broken_video(
    account: Account, emulator: Emulator, clip: Path, tmp_path: Path
) -> None:
    await emulator.switch(processing_polls=0)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[: clip.stat().st_size // 3])
    with pytest.raises(x.errors.MediaRejected) as raised:
        await x.media.upload(account.client, broken, mime_type="video/mp4", category="tweet_video")
    assert raised.value.request_id


async def test_upload_sets_the_alt_text(account: Account, emulator: Emulator, png: bytes) -> None:
    await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="A teal box"
    )
    (media,) = (await emulator.ground_truth())["media"]
    assert media["alt_text"] == "A teal box"
    assert account.exchanges[-1].operation is Operation.MEDIA_METADATA


async def test_upload_repeats_a_lost_alt_text_without_the_file(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.fail("media_metadata", "before", "503")
    await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="A teal box"
    )
    (media,) = (await emulator.ground_truth())["media"]
    assert media["alt_text"] == "A teal box"


async def test_upload_without_the_scope_requires_reauthorization(
    connect: Connect, png: bytes
) -> None:
    account = await connect("larkbooks", "tweet.read tweet.write users.read offline.access")
    with pytest.raises(x.errors.ReauthorizationRequired) as raised:
        await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    assert not isinstance(raised.value, x.errors.RefreshTokenInvalid)


@pytest.mark.parametrize("change", ["shortened", "changed"])
async def test_upload_does_not_finalize_a_changed_file(
    account: Account, sent: list[SentRequest], photo: Path, tmp_path: Path, change: str
) -> None:
    changing = tmp_path / "changing.png"
    changing.write_bytes(photo.read_bytes())

    def touch(done: int, total: int) -> None:
        with changing.open("r+b") as file:
            if change == "shortened":
                file.truncate(done)
            else:
                file.write(b"other bytes, as many as before")

    with pytest.raises(MediaChanged):
        await x.media.upload(
            account.client,
            changing,
            mime_type="image/png",
            category="tweet_image",
            on_progress=touch,
        )
    assert not [each for each in sent if each.path.endswith("/finalize")]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("pipe", "not_a_file"),
        ("zero", "not_a_file"),
        ("folder", "not_a_file"),
        ("huge", "too_large"),
    ],
)
async def test_upload_refuses_a_file_that_is_not_regular_without_a_request(
    account: Account, sent: list[SentRequest], tmp_path: Path, kind: str, reason: str
) -> None:
    path = tmp_path / kind
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "zero":
            path = Path("/dev/zero")
        case "folder":
            path.mkdir()
        case "huge":
            path.touch()
            os.truncate(path, (512 << 20) + 1)
    with pytest.raises(MediaUnreadable) as raised:
        await x.media.upload(account.client, path, mime_type="image/png", category="tweet_image")
    assert raised.value.facts["reason"] == reason
    assert sent == []


async def test_upload_raises_os_error_for_a_missing_file_without_a_request(
    account: Account, sent: list[SentRequest], tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await x.media.upload(
            account.client, tmp_path / "none.png", mime_type="image/png", category="tweet_image"
        )
    assert sent == []


@pytest.mark.parametrize("kind", ["bytes", "in memory", "open", "not flushed", "gzip", "name"])
async def test_upload_accepts_every_kind_of_source(
    account: Account, emulator: Emulator, png: bytes, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "box.png"
    path.write_bytes(png)
    sources: dict[str, bytes | str | BinaryIO] = {"bytes": png, "name": str(path)}
    with (
        path.open("rb") as file,
        tempfile.TemporaryFile() as written,
        gzip.open(io.BytesIO(gzip.compress(png))) as unpacked,
    ):
        written.write(png)
        file.seek(7)
        sources |= {"in memory": io.BytesIO(png), "open": file, "not flushed": written}
        sources["gzip"] = cast(BinaryIO, unpacked)
        await x.media.upload(
            account.client,
            sources[kind],
            mime_type="image/png",
            category="tweet_image",
            segment_bytes=100,
        )
        assert not file.closed
    (media,) = (await emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(png).hexdigest()


async def test_upload_attaches_subtitles_to_a_video(
    account: Account, emulator: Emulator, clip: Path
) -> None:
    await emulator.switch(processing_polls=0)
    track = b"1\n00:00:00,000 --> 00:00:01,000\nA tide.\n"
    uploaded = await x.media.upload(
        account.client,
        clip,
        mime_type="video/mp4",
        category="tweet_video",
        subtitles=[
            x.media.Subtitles(track, "EN", "English"),
            x.media.Subtitles(track + b"\n", "DE", "Deutsch"),
        ],
    )
    media_by_id = {media["id"]: media for media in (await emulator.ground_truth())["media"]}
    tracks = media_by_id[uploaded.media_id]["subtitles"]
    assert {
        code: (media_by_id[each]["category"], media_by_id[each]["bytes"])
        for code, each in tracks.items()
    } == {"EN": ("subtitles", len(track)), "DE": ("subtitles", len(track) + 1)}


async def test_upload_has_price_and_rate_limits(account: Account, png: bytes) -> None:
    plain = await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    described = await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="A teal box"
    )
    assert (plain.price.high, described.price.low) == (Decimal(0), Decimal("0.005"))
    assert plain.rate[0].limit == 1875
    assert described.rate[0].limit == 500


async def test_upload_waits_for_the_processing_of_a_gif(
    account: Account, emulator: Emulator
) -> None:
    await emulator.switch(processing_polls=0)
    out = io.BytesIO()
    frames = [Image.new("P", (64, 48), shade) for shade in (10, 120, 230)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    uploaded = await x.media.upload(
        account.client, out.getvalue(), mime_type="image/gif", category="tweet_gif"
    )
    await x.posts.create(account.client, text="It moves.", media_ids=[uploaded.media_id])
    assert len((await emulator.ground_truth())["posts"]) == 1
