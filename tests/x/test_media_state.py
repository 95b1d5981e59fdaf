"""Uploads that were interrupted: another client goes on at the last segment that X has."""

import asyncio
import hashlib
import signal
import sys
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from fix_emulator import Emulator
from roost import x
from roost.x.media import ProcessingState, UploadState

from .conftest import Account, SentRequest
from .drawn import noise_png

SEGMENT = 4 * 1024


class Killed(Exception):
    """In place of a process that ends."""


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A picture of four segments, the last one short."""
    path = tmp_path / "noise.png"
    path.write_bytes(noise_png(70, 65))
    assert 3 * SEGMENT < path.stat().st_size < 4 * SEGMENT
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def upload(client: x.Client, path: Path, kept: list[UploadState], ends_after: int) -> None:
    """Upload in order, and end as soon as so many states were kept."""

    async def keep(state: UploadState) -> None:
        kept.append(state)
        if len(kept) == ends_after:
            raise Killed

    await x.media.upload(
        client,
        path,
        mime_type="image/png",
        category="tweet_image",
        segment_bytes=SEGMENT,
        parallel=1,
        state=kept[-1] if kept else None,
        on_state=keep,
    )


def operations(sent: list[SentRequest]) -> list[str]:
    return [request.path.rpartition("/")[2] for request in sent]


@pytest.mark.parametrize("ends_after", range(1, 7))
async def test_another_process_goes_on_at_the_last_acknowledged_segment(
    account: Account, emulator: Emulator, sent: list[SentRequest], noise: Path, ends_after: int
) -> None:
    kept: list[UploadState] = []
    with pytest.raises(Killed):
        await upload(account.client, noise, kept, ends_after)
    written = msgspec.json.encode(kept[-1])
    assert account.tokens.access_token.encode() not in written
    sent.clear()
    resumed = [msgspec.json.decode(written, type=UploadState)]
    await upload(account.client, noise, resumed, 0)

    (media,) = (await emulator.truth())["media"]
    assert media["sha256"] == sha256(noise)
    left = 4 - (ends_after - 1)
    assert operations(sent) == ["append"] * left + ["finalize"] * (left >= 0)


@pytest.mark.timing
async def test_killed_process_is_gone_on_with(
    account: Account, emulator: Emulator, sent: list[SentRequest], noise: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "state.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("killed_upload.py")),
        emulator.url,
        str(noise),
        str(kept),
        stdin=asyncio.subprocess.PIPE,
    )
    await process.communicate(account.tokens.access_token.encode())
    assert process.returncode == -signal.SIGKILL
    sent.clear()
    state = msgspec.json.decode(kept.read_bytes(), type=UploadState)
    assert 0 < len(state.acknowledged) < 4
    await upload(account.client, noise, [state], 0)

    (media,) = (await emulator.truth())["media"]
    assert (media["id"], media["sha256"]) == (state.media_id, sha256(noise))
    assert operations(sent) == ["append"] * len(state.missing()) + ["finalize"]


async def test_states_tell_what_x_has(account: Account, noise: Path) -> None:
    kept: list[UploadState] = []
    await upload(account.client, noise, kept, 0)

    size = noise.stat().st_size
    assert [each.acknowledged_bytes for each in kept] == [
        0,
        SEGMENT,
        2 * SEGMENT,
        3 * SEGMENT,
        size,
        size,
    ]
    assert [each.finalized for each in kept] == [False] * 5 + [True]
    assert kept[0].missing() == [0, 1, 2, 3]
    assert all(each.expires_at - account.client.now() > timedelta(hours=23) for each in kept)


async def test_expired_state_begins_afresh(
    account: Account, emulator: Emulator, noise: Path
) -> None:
    kept: list[UploadState] = []
    with pytest.raises(Killed):
        await upload(account.client, noise, kept, 3)
    await emulator.jump(hours=25)
    first = kept[0].media_id
    await upload(account.client, noise, kept, 0)

    told = await emulator.truth()
    whole = {media["id"]: media for media in told["media"]}[kept[-1].media_id]
    assert (kept[-1].media_id != first, whole["sha256"]) == (True, sha256(noise))
    assert [r["operation"] for r in told["requests"]].count("media_append") == 2 + 4


@pytest.mark.parametrize("ends_after", [1, 3, 5])
async def test_state_that_x_has_forgotten_begins_afresh(
    account: Account, emulator: Emulator, noise: Path, ends_after: int
) -> None:
    kept: list[UploadState] = []
    with pytest.raises(Killed):
        await upload(account.client, noise, kept, ends_after)
    first = kept[0].media_id
    kept.append(msgspec.structs.replace(kept[-1], media_id="1"))
    await upload(account.client, noise, kept, 0)

    told = {media["id"]: media for media in (await emulator.truth())["media"]}
    assert kept[-1].media_id not in {first, "1"}
    assert told[kept[-1].media_id]["sha256"] == sha256(noise)


async def test_processing_of_a_file_that_x_has_forgotten_begins_afresh(
    account: Account, emulator: Emulator, clip: Path
) -> None:
    state = await x.media.transfer(
        account.client, clip, mime_type="video/mp4", category="tweet_video"
    )
    assert state.finalized
    await emulator.switch(processing_polls=0)
    uploaded = await x.media.upload(
        account.client,
        clip,
        mime_type="video/mp4",
        category="tweet_video",
        state=msgspec.structs.replace(state, media_id="1"),
    )
    told = {media["id"]: media["state"] for media in (await emulator.truth())["media"]}
    assert told[uploaded.media_id] == "succeeded"


async def test_finalized_state_goes_straight_to_the_waiting(
    account: Account, emulator: Emulator, sent: list[SentRequest], clip: Path
) -> None:
    await emulator.switch(processing_polls=0)
    state = await x.media.transfer(
        account.client, clip, mime_type="video/mp4", category="tweet_video"
    )
    sent.clear()
    uploaded = await x.media.upload(
        account.client, clip, mime_type="video/mp4", category="tweet_video", state=state
    )
    assert uploaded.media_id == state.media_id
    assert {(request.method, request.path) for request in sent} == {("GET", "/2/media/upload")}


async def test_processing_is_read_step_by_step(
    account: Account, emulator: Emulator, clip: Path
) -> None:
    await emulator.switch(processing_polls=1)
    state = await x.media.transfer(
        account.client, clip, mime_type="video/mp4", category="tweet_video"
    )
    assert state.processing is not None
    assert state.processing.state is ProcessingState.PENDING
    seen = [await x.media.read_processing(account.client, state)]
    while seen[-1].state is not ProcessingState.SUCCEEDED:
        assert seen[-1].check_after == timedelta(seconds=1)
        seen.append(await x.media.read_processing(account.client, state))
    assert {each.state for each in seen[:-1]} == {ProcessingState.IN_PROGRESS}


async def test_processing_of_an_image_asks_nothing(
    account: Account, sent: list[SentRequest], noise: Path
) -> None:
    state = await x.media.transfer(
        account.client, noise, mime_type="image/png", category="tweet_image"
    )
    sent.clear()
    told = await x.media.read_processing(account.client, state)
    assert (told.state, sent) == (ProcessingState.SUCCEEDED, [])


async def test_other_content_of_the_same_size_begins_afresh(
    account: Account, emulator: Emulator, noise: Path
) -> None:
    kept: list[UploadState] = []
    with pytest.raises(Killed):
        await upload(account.client, noise, kept, 3)
    first = kept[-1]
    noise.write_bytes(noise_png(70, 65, seed=2))
    assert noise.stat().st_size == first.total_bytes
    await upload(account.client, noise, kept, 0)

    assert kept[-1].media_id != first.media_id
    told = {media["id"]: media for media in (await emulator.truth())["media"]}
    assert told[kept[-1].media_id]["sha256"] == sha256(noise)


async def test_state_keeps_the_segments_that_x_takes(
    account: Account, emulator: Emulator, noise: Path
) -> None:
    size = noise.stat().st_size
    kept: list[UploadState] = []

    async def keep(state: UploadState) -> None:
        kept.append(state)

    big = noise.with_name("big.png")
    big.write_bytes(noise.read_bytes() + bytes(2 * 1024 * 1024 - size))
    await emulator.switch(max_segment_bytes=1024 * 1024)
    await x.media.transfer(
        account.client, big, mime_type="image/png", category="tweet_image", on_state=keep
    )
    assert [each.segment_bytes for each in kept] == [4 * 1024 * 1024] + [1024 * 1024] * 4
