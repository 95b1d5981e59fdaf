"""The older way of uploading: four commands, signed, as the bytes arrive."""

import hashlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import pytest
import pytest_asyncio

from fix_emulator import Emulator
from roost import x
from roost.clock import EmulatorClock

from .conftest import Account, SentRequest
from .keys import keys_of
from .recorder import recording

PATH = "/1.1/media/upload.json"


@pytest_asyncio.fixture
async def signing(
    emulator: Emulator, session: aiohttp.ClientSession, clock: EmulatorClock
) -> x.Client:
    """A client that has nothing but an OAuth 1.0a credential."""
    oauth1 = await keys_of(emulator)
    return x.Client(None, oauth1=oauth1, session=session, clock=clock)


async def test_commands_are_signed_and_their_forms_are_what_was_meant(
    signing: x.Client, emulator: Emulator, sent: list[SentRequest], png: bytes
) -> None:
    uploaded = await x.media.upload(
        signing, png, mime_type="image/png", category="tweet_image", upload_api="v1.1"
    )

    (media,) = (await emulator.truth())["media"]
    assert (media["id"], media["media_key"]) == (uploaded.media_id, uploaded.media_key)
    assert media["sha256"] == hashlib.sha256(png).hexdigest()
    # The emulator verifies every signature, over the form's parameters too.
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


async def test_video_is_waited_for_and_completed(
    signing: x.Client, emulator: Emulator, clip: Path
) -> None:
    await emulator.switch(processing_polls=0)
    track = b"1\n00:00:00,000 --> 00:00:01,000\nA tide.\n"
    uploaded = await x.media.upload(
        signing,
        clip,
        mime_type="video/mp4",
        category="tweet_video",
        alt_text="The tide comes in",
        subtitles=[x.media.Subtitles(track, "EN", "English")],
        upload_api="v1.1",
    )
    await x.posts.create(signing, text="The tide.", media_ids=[uploaded.media_id])

    told = await emulator.truth()
    media = {each["id"]: each for each in told["media"]}
    assert media[uploaded.media_id]["alt_text"] == "The tide comes in"
    assert list(media[uploaded.media_id]["subtitles"]) == ["EN"]
    assert [r["operation"] for r in told["requests"]].count("v1_media_status") == 1
    assert len(told["posts"]) == 1


async def test_failure_is_told_with_its_reason(
    signing: x.Client, emulator: Emulator, clip: Path
) -> None:
    await emulator.switch(processing_polls=0, processing_failure="Too many tides")
    with pytest.raises(x.errors.MediaRejected, match="Too many tides"):
        await x.media.upload(
            signing, clip, mime_type="video/mp4", category="tweet_video", upload_api="v1.1"
        )


async def test_forgotten_upload_begins_afresh(
    signing: x.Client, emulator: Emulator, png: bytes
) -> None:
    kept: list[x.media.UploadState] = []

    async def keep(state: x.media.UploadState) -> None:
        kept.append(state)
        if len(kept) == 1:
            await emulator.jump(hours=25)

    uploaded = await x.media.upload(
        signing,
        png,
        mime_type="image/png",
        category="tweet_image",
        upload_api="v1.1",
        on_state=keep,
    )
    assert {each.upload_api for each in kept} == {x.media.UploadApi.V1_1}
    assert kept[0].media_id != uploaded.media_id == kept[-1].media_id


async def test_without_its_credential_nothing_is_sent(
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
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\ncontent-length: 45\r\n\r\n"
        b'{"errors":[{"message":"subset","code": 453}]}',
    ],
    ids=["404", "410", "453"],
)
async def test_end_of_the_old_way_leads_to_the_new_one(
    emulator: Emulator, session: aiohttp.ClientSession, png: bytes, answer: bytes
) -> None:
    oauth1 = await keys_of(emulator)
    async with recording() as recorder:
        recorder.answers.append(answer)
        client = x.Client(
            None, oauth1=replace(oauth1, endpoint=x.XEndpoint(recorder.url)), session=session
        )
        with pytest.raises(x.errors.AppMisconfigured) as raised:
            await x.media.upload(
                client, png, mime_type="image/png", category="tweet_image", upload_api="v1.1"
            )
    assert "v2" in raised.value.next
