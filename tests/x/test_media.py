"""Files uploaded: the bytes that arrive, in the segments and with the waits that X asks for."""

import hashlib
import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from fix_emulator import Emulator
from roost import x
from roost.errors import MediaChanged
from roost.prices import Operation

from .conftest import Account, Connect, SentRequest

MIB = 1024 * 1024


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of more than 4 MiB that nothing compresses."""
    path = tmp_path_factory.mktemp("media") / "noise.png"
    pixels = np.random.default_rng(1).integers(0, 255, (1250, 1250, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "PNG", compress_level=0)
    assert 4 * MIB < path.stat().st_size < 5 * MIB
    return path


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of video."""
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        noise = np.random.default_rng(2)
        for _ in range(25):
            pixels = noise.integers(0, 255, (120, 160, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode())
    return path


def appends(sent: list[SentRequest]) -> list[SentRequest]:
    return [request for request in sent if request.path.endswith("/append")]


async def test_upload_arrives_byte_by_byte_in_4_mib_segments(
    account: Account, emulator: Emulator, photo: Path
) -> None:
    told: list[tuple[int, int]] = []
    uploaded = await x.media.upload(
        account.client,
        photo,
        mime_type="image/png",
        category="tweet_image",
        on_progress=lambda done, total: told.append((done, total)),
    )

    (media,) = (await emulator.truth())["media"]
    size = photo.stat().st_size
    assert media["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert (media["id"], media["media_key"]) == (uploaded.media_id, uploaded.media_key)
    assert told[0] in [(4 * MIB, size), (size - 4 * MIB, size)]  # whichever came first
    assert told[1:] == [(size, size)]
    assert uploaded.expires_after.total_seconds() > 3600


@pytest.mark.parametrize("status", [413, 431])
async def test_upload_falls_back_to_1_mib_segments(
    account: Account, emulator: Emulator, sent: list[SentRequest], photo: Path, status: int
) -> None:
    await emulator.switch(max_segment_bytes=MIB, segment_refusal=status)
    uploaded = await x.media.upload(
        account.client, photo, mime_type="image/png", category="tweet_image"
    )

    media = {each["id"]: each for each in (await emulator.truth())["media"]}
    assert media[uploaded.media_id]["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert len([each for each in appends(sent) if uploaded.media_id in each.path]) == 5


async def test_upload_says_so_when_even_small_segments_are_too_large(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.switch(max_segment_bytes=10)
    with pytest.raises(x.errors.SegmentTooLarge):
        await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")


async def test_upload_sends_a_failed_segment_again_alone(
    account: Account, emulator: Emulator, sent: list[SentRequest], photo: Path
) -> None:
    await emulator.fail("media_append", "before", "drop", times=1)
    await emulator.fail("media_append", "after", "503", times=1)
    await x.media.upload(account.client, photo, mime_type="image/png", category="tweet_image")

    (media,) = (await emulator.truth())["media"]
    assert media["sha256"] == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert len(appends(sent)) == 4


async def test_upload_takes_either_answer_to_append(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.switch(append_answer=204)
    uploaded = await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image"
    )
    (media,) = (await emulator.truth())["media"]
    assert media["id"] == uploaded.media_id


async def test_upload_waits_until_a_video_is_processed(
    account: Account, emulator: Emulator, clip: Path
) -> None:
    uploaded = await x.media.upload(
        account.client, clip, mime_type="video/mp4", category="tweet_video"
    )
    created = await x.posts.create(account.client, text=None, media_ids=[uploaded.media_id])

    told = await emulator.truth()
    (post,) = told["posts"]
    assert post["id"] == created.tweet_id
    assert post["media"][0]["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    statuses = [r for r in told["requests"] if r["operation"] == "media_status"]
    assert len(statuses) == 2


async def test_upload_of_a_broken_video_is_rejected(
    account: Account, clip: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[: clip.stat().st_size // 3])
    with pytest.raises(x.errors.MediaRejected) as raised:
        await x.media.upload(account.client, broken, mime_type="video/mp4", category="tweet_video")
    assert raised.value.request_id


async def test_upload_gives_the_alt_text(account: Account, emulator: Emulator, png: bytes) -> None:
    await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="A teal box"
    )
    (media,) = (await emulator.truth())["media"]
    assert media["alt_text"] == "A teal box"
    assert account.exchanges[-1].operation is Operation.MEDIA_METADATA


async def test_upload_repeats_a_lost_alt_text_and_not_the_file(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await emulator.fail("media_metadata", "before", "503")
    await x.media.upload(
        account.client, png, mime_type="image/png", category="tweet_image", alt_text="A teal box"
    )
    (media,) = (await emulator.truth())["media"]
    assert media["alt_text"] == "A teal box"


async def test_upload_without_the_scope_asks_for_a_new_grant(connect: Connect, png: bytes) -> None:
    account = await connect("larkbooks", "tweet.read tweet.write users.read offline.access")
    with pytest.raises(x.errors.Reauthorize) as raised:
        await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    assert not isinstance(raised.value, x.errors.GrantDead)


async def test_upload_of_a_file_that_shrinks_is_seen(
    account: Account, photo: Path, tmp_path: Path
) -> None:
    shrinking = tmp_path / "shrinking.png"
    shrinking.write_bytes(photo.read_bytes())

    def cut(done: int, total: int) -> None:
        with shrinking.open("r+b") as file:
            file.truncate(done)

    with pytest.raises(MediaChanged, match=r"shorter|changed"):
        await x.media.upload(
            account.client,
            shrinking,
            mime_type="image/png",
            category="tweet_image",
            on_progress=cut,
        )


async def test_upload_of_bytes_arrives_too(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    await x.media.upload(account.client, png, mime_type="image/png", category="tweet_image")
    (media,) = (await emulator.truth())["media"]
    assert media["sha256"] == hashlib.sha256(png).hexdigest()


async def test_upload_of_a_gif_is_processed_too(account: Account, emulator: Emulator) -> None:
    out = io.BytesIO()
    frames = [Image.new("P", (64, 48), shade) for shade in (10, 120, 230)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    uploaded = await x.media.upload(
        account.client, out.getvalue(), mime_type="image/gif", category="tweet_gif"
    )
    await x.posts.create(account.client, text="It moves.", media_ids=[uploaded.media_id])
    assert len((await emulator.truth())["posts"]) == 1
