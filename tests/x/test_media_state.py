"""Interrupted uploads: another client resumes after the last acknowledged segment."""

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
from .media_samples import noise_png

SEGMENT = 4 * 1024


class Interrupted(Exception):
    """Raised by a test at a point at which a process would be killed."""


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """An image of four segments, of which the last is shorter."""
    path = tmp_path / "noise.png"
    path.write_bytes(noise_png(70, 65))
    assert 3 * SEGMENT < path.stat().st_size < 4 * SEGMENT
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def upload(client: x.Client, path: Path, states: list[UploadState], ends_after: int) -> None:
    """Upload one segment after another; raise Interrupted after `ends_after` states."""

    async def on_state(state: UploadState) -> None:
        states.append(state)
        if len(states) == ends_after:
            raise Interrupted

    await x.media.upload(
        client,
        path,
        mime_type="image/png",
        category="tweet_image",
        segment_bytes=SEGMENT,
        parallel=1,
        state=states[-1] if states else None,
        on_state=on_state,
    )


def operations(sent: list[SentRequest]) -> list[str]:
    return [request.path.rpartition("/")[2] for request in sent]


@pytest.mark.parametrize("ends_after", range(1, 7))
async def test_upload_resumes_after_the_last_acknowledged_segment(
    account: Account, emulator: Emulator, sent: list[SentRequest], noise: Path, ends_after: int
) -> None:
    states: list[UploadState] = []
    with pytest.raises(Interrupted):
        await upload(account.client, noise, states, ends_after)
    encoded = msgspec.json.encode(states[-1])
    assert account.tokens.access_token.encode() not in encoded
    sent.clear()
    resumed = [msgspec.json.decode(encoded, type=UploadState)]
    await upload(account.client, noise, resumed, 0)

    (media,) = (await emulator.ground_truth())["media"]
    assert media["sha256"] == sha256(noise)
    left = 4 - (ends_after - 1)
    assert operations(sent) == ["append"] * left + ["finalize"] * (left >= 0)


@pytest.mark.timing
async def test_upload_of_a_killed_process_is_resumed(
    account: Account, emulator: Emulator, sent: list[SentRequest], noise: Path, tmp_path: Path
) -> None:
    states = tmp_path / "state.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("killed_upload_process.py")),
        emulator.url,
        str(noise),
        str(states),
        stdin=asyncio.subprocess.PIPE,
    )
    await process.communicate(account.tokens.access_token.encode())
    assert process.returncode == -signal.SIGKILL
    sent.clear()
    state = msgspec.json.decode(states.read_bytes(), type=UploadState)
    assert 0 < len(state.acknowledged) < 4
    await upload(account.client, noise, [state], 0)

    (media,) = (await emulator.ground_truth())["media"]
    assert (media["id"], media["sha256"]) == (state.media_id, sha256(noise))
    assert operations(sent) == ["append"] * len(state.missing()) + ["finalize"]


async def test_state_counts_the_bytes_that_x_has(account: Account, noise: Path) -> None:
    states: list[UploadState] = []
    await upload(account.client, noise, states, 0)

    size = noise.stat().st_size
    assert [each.acknowledged_bytes for each in states] == [
        0,
        SEGMENT,
        2 * SEGMENT,
        3 * SEGMENT,
        size,
        size,
    ]
    assert [each.finalized for each in states] == [False] * 5 + [True]
    assert states[0].missing() == [0, 1, 2, 3]
    assert all(each.expires_at - account.client.now() > timedelta(hours=23) for each in states)


async def test_upload_restarts_from_an_expired_state(
    account: Account, emulator: Emulator, noise: Path
) -> None:
    states: list[UploadState] = []
    with pytest.raises(Interrupted):
        await upload(account.client, noise, states, 3)
    await emulator.jump(hours=25)
    first = states[0].media_id
    await upload(account.client, noise, states, 0)

    ground_truth = await emulator.ground_truth()
    uploaded = {media["id"]: media for media in ground_truth["media"]}[states[-1].media_id]
    assert (states[-1].media_id != first, uploaded["sha256"]) == (True, sha256(noise))
    assert [r["operation"] for r in ground_truth["requests"]].count("media_append") == 2 + 4


@pytest.mark.parametrize("ends_after", [1, 3, 5])
async def test_upload_restarts_from_a_state_that_x_has_discarded(
    account: Account, emulator: Emulator, noise: Path, ends_after: int
) -> None:
    states: list[UploadState] = []
    with pytest.raises(Interrupted):
        await upload(account.client, noise, states, ends_after)
    first = states[0].media_id
    states.append(msgspec.structs.replace(states[-1], media_id="1"))
    await upload(account.client, noise, states, 0)

    media_by_id = {media["id"]: media for media in (await emulator.ground_truth())["media"]}
    assert states[-1].media_id not in {first, "1"}
    assert media_by_id[states[-1].media_id]["sha256"] == sha256(noise)


async def test_upload_restarts_when_x_has_discarded_the_file_in_processing(
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
    media_by_id = {
        media["id"]: media["state"] for media in (await emulator.ground_truth())["media"]
    }
    assert media_by_id[uploaded.media_id] == "succeeded"


async def test_upload_from_a_finalized_state_only_waits(
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


async def test_read_processing_returns_each_step(
    account: Account, emulator: Emulator, clip: Path
) -> None:
    await emulator.switch(processing_polls=1)
    state = await x.media.transfer(
        account.client, clip, mime_type="video/mp4", category="tweet_video"
    )
    assert state.processing is not None
    assert state.processing.state is ProcessingState.PENDING
    steps = [await x.media.read_processing(account.client, state)]
    while steps[-1].state is not ProcessingState.SUCCEEDED:
        assert steps[-1].check_after == timedelta(seconds=1)
        steps.append(await x.media.read_processing(account.client, state))
    assert {each.state for each in steps[:-1]} == {ProcessingState.IN_PROGRESS}


async def test_read_processing_of_an_image_sends_no_request(
    account: Account, sent: list[SentRequest], noise: Path
) -> None:
    state = await x.media.transfer(
        account.client, noise, mime_type="image/png", category="tweet_image"
    )
    sent.clear()
    processing = await x.media.read_processing(account.client, state)
    assert (processing.state, sent) == (ProcessingState.SUCCEEDED, [])


async def test_upload_restarts_with_other_content_of_the_same_size(
    account: Account, emulator: Emulator, noise: Path
) -> None:
    states: list[UploadState] = []
    with pytest.raises(Interrupted):
        await upload(account.client, noise, states, 3)
    first = states[-1]
    noise.write_bytes(noise_png(70, 65, seed=2))
    assert noise.stat().st_size == first.total_bytes
    await upload(account.client, noise, states, 0)

    assert states[-1].media_id != first.media_id
    media_by_id = {media["id"]: media for media in (await emulator.ground_truth())["media"]}
    assert media_by_id[states[-1].media_id]["sha256"] == sha256(noise)


async def test_state_has_the_segment_size_that_x_accepts(
    account: Account, emulator: Emulator, noise: Path
) -> None:
    size = noise.stat().st_size
    states: list[UploadState] = []

    async def on_state(state: UploadState) -> None:
        states.append(state)

    large = noise.with_name("large.png")
    large.write_bytes(noise.read_bytes() + bytes(2 * 1024 * 1024 - size))
    await emulator.switch(max_segment_bytes=1024 * 1024)
    await x.media.transfer(
        account.client, large, mime_type="image/png", category="tweet_image", on_state=on_state
    )
    assert [each.segment_bytes for each in states] == [4 * 1024 * 1024] + [1024 * 1024] * 4
