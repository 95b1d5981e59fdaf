"""Uploads through API v1.1: four signed commands, as X receives them."""

import hashlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import pytest
import pytest_asyncio

from fix_emulator import Emulator
from roost import x
from roost.emulator_clock import EmulatorClock

from .conftest import Account, SentRequest
from .oauth1_keys import keys_of
from .recorder import open_recorder

PATH = "/1.1/media/upload.json"


@pytest_asyncio.fixture
async def signing_client(
    emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> x.Client:
    """A client with only an OAuth 1.0a credential."""
    oauth1 = await keys_of(emulator)
    return x.Client(None, oauth1=oauth1, session=session, clock=clock)


async def test_upload_v1_signs_every_command_and_sends_its_form(
    signing_client: x.Client, emulator: Emulator, sent: list[SentRequest], png: bytes
) -> None:
    uploaded = await x.media.upload(
        signing_client, png, mime_type="image/png", category="tweet_image", upload_api="v1.1"
    )

    (media,) = (await emulator.ground_truth())["media"]
    assert (media["id"], media["media_key"]) == (uploaded.media_id, uploaded.media_key)
    assert media["sha256"] == hashlib.sha256(png).hexdigest()
    # Only the header's type is checked here, because the emulator verifies every signature.
    assert all(each.headers["authorization"].startswith("OAuth ") for each in sent)
    init, append, finalize = sent
    assert [each.path for each in sent] == [PATH] * 3
    assert parse_qs(bytes(init.body).decode()) == {
        "command": ["INIT"],
        "total_bytes": [str(len(png))],
        "media_type": ["image/png"],
        "media_category": ["tweet_image"],
    }
    assert append.headers["content-type"].startswith("multipart/form-data; boundary=")
    for field in (
        b'name="command"\r\n\r\nAPPEND\r\n',
        b'name="segment_index"\r\n\r\n0\r\n',
        f'name="media_id"\r\n\r\n{media["id"]}\r\n'.encode(),
    ):
        assert field in append.body
    assert png in append.body
    assert parse_qs(bytes(finalize.body).decode()) == {
        "command": ["FINALIZE"],
        "media_id": [media["id"]],
    }


async def test_upload_v1_waits_for_a_video_and_adds_metadata(
    signing_client: x.Client, emulator: Emulator, clip: Path
) -> None:
    await emulator.switch(processing_polls=0)
    track = b"1\n00:00:00,000 --> 00:00:01,000\nA tide.\n"
    uploaded = await x.media.upload(
        signing_client,
        clip,
        mime_type="video/mp4",
        category="tweet_video",
        alt_text="The tide comes in",
        subtitles=[x.media.Subtitles(track, "EN", "English")],
        upload_api="v1.1",
    )
    await x.posts.create(signing_client, text="The tide.", media_ids=[uploaded.media_id])

    ground_truth = await emulator.ground_truth()
    media = {each["id"]: each for each in ground_truth["media"]}
    assert media[uploaded.media_id]["alt_text"] == "The tide comes in"
    assert list(media[uploaded.media_id]["subtitles"]) == ["EN"]
    assert [r["operation"] for r in ground_truth["requests"]].count("v1_media_status") == 1
    assert len(ground_truth["posts"]) == 1


async def test_upload_v1_reports_why_processing_failed(
    signing_client: x.Client, emulator: Emulator, clip: Path
) -> None:
    await emulator.switch(processing_polls=0, processing_error="Too many tides")
    with pytest.raises(x.errors.MediaRejected, match="Too many tides"):
        await x.media.upload(
            signing_client, clip, mime_type="video/mp4", category="tweet_video", upload_api="v1.1"
        )


async def test_upload_v1_restarts_a_discarded_upload(
    signing_client: x.Client, emulator: Emulator, png: bytes
) -> None:
    states: list[x.media.UploadState] = []

    async def on_state(state: x.media.UploadState) -> None:
        states.append(state)
        if len(states) == 1:
            await emulator.jump(hours=25)

    uploaded = await x.media.upload(
        signing_client,
        png,
        mime_type="image/png",
        category="tweet_image",
        upload_api="v1.1",
        on_state=on_state,
    )
    assert {each.upload_api for each in states} == {x.media.UploadApi.V1_1}
    assert states[0].media_id != uploaded.media_id == states[-1].media_id


async def test_upload_v1_sends_nothing_without_its_credential(
    account: Account, sent: list[SentRequest], png: bytes
) -> None:
    sent.clear()
    with pytest.raises(x.errors.CredentialMissing, match=r"OAuth 1\.0a"):
        await x.media.upload(
            account.client,
            png,
            mime_type="image/png",
            category="tweet_image",
            upload_api="v1.1",
        )
    assert sent == []


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 45\r\n\r\n"
        b'{"errors":[{"message":"subset","code": 453}]}',
    ],
    ids=["404", "410", "453"],
)
async def test_upload_v1_points_to_v2_when_x_no_longer_serves_it(
    emulator: Emulator, session: aiohttp.ClientSession, png: bytes, response: bytes
) -> None:
    oauth1 = await keys_of(emulator)
    async with open_recorder() as recorder:
        recorder.responses.append(response)
        client = x.Client(
            None, oauth1=replace(oauth1, endpoint=x.XEndpoint(recorder.url)), session=session
        )
        with pytest.raises(x.errors.AppMisconfigured) as raised:
            await x.media.upload(
                client, png, mime_type="image/png", category="tweet_image", upload_api="v1.1"
            )
    assert "v2" in raised.value.next
