"""Media v1.1: four commands at one address, signed, and v1.1's own refusals."""

import base64
import hashlib
import io
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from emulator.account import Account, Told
from emulator.signing import Signed, signed_in
from fix_emulator import Emulator

PATH = "/1.1/media/upload.json"


@pytest_asyncio.fixture
async def keys(emulator: Emulator) -> Signed:
    """The first account's keys."""
    return await signed_in(emulator)


def refusal(error: str) -> dict[str, str]:
    return {"request": PATH, "error": error}


async def initialize(keys: Signed, size: int, kind: str, category: str | None = None) -> str:
    form = {"command": "INIT", "total_bytes": str(size), "media_type": kind}
    told = await keys.ask(
        "POST", PATH, form=form | ({"media_category": category} if category else {})
    )
    assert told.status == 202, told
    media_id: str = told.body["media_id_string"]
    assert told.body["media_id"] == int(media_id)
    assert told.body["expires_after_secs"] == 86_400
    return media_id


async def append(keys: Signed, media_id: str, index: int, **part: bytes) -> Told:
    form = aiohttp.FormData()
    form.add_field("command", "APPEND")
    form.add_field("media_id", media_id)
    form.add_field("segment_index", str(index))
    for name, value in part.items():
        form.add_field(name, io.BytesIO(value), filename="blob")
    return await keys.ask("POST", PATH, data=form)


async def finalize(keys: Signed, media_id: str) -> Told:
    return await keys.ask("POST", PATH, form={"command": "FINALIZE", "media_id": media_id})


async def status(keys: Signed, media_id: str) -> Told:
    return await keys.ask("GET", f"{PATH}?command=STATUS&media_id={media_id}")


async def test_chunked_video_from_init_to_post(keys: Signed, mp4: bytes) -> None:
    media_id = await initialize(keys, len(mp4), "video/mp4", "tweet_video")
    assert (await status(keys, media_id)).status == 404
    half = len(mp4) // 2
    for index, segment in enumerate((mp4[:half], mp4[half:])):
        told = await append(keys, media_id, index, media=segment)
        assert (told.status, told.body) == (204, b"")
    told = await finalize(keys, media_id)
    assert told.status == 201
    assert (told.body["media_id_string"], told.body["size"]) == (media_id, len(mp4))
    assert told.body["media_key"] == f"7_{media_id}"
    assert told.body["processing_info"]["state"] == "pending"
    while (told := await status(keys, media_id)).body["processing_info"]["state"] == "in_progress":
        pass
    assert told.body["processing_info"]["state"] == "succeeded"
    body = {"text": "Old way, new post", "media": {"media_ids": [media_id]}}
    assert (await keys.ask("POST", "/2/tweets", json=body)).status == 201
    [media] = (await keys.emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(mp4).hexdigest()


@pytest.mark.parametrize("way", ["multipart", "form"])
async def test_segments_as_base64(keys: Signed, png: bytes, way: str) -> None:
    media_id = await initialize(keys, len(png), "image/png")
    encoded = base64.b64encode(png)
    if way == "multipart":
        told = await append(keys, media_id, 0, media_data=encoded)
    else:
        form = {"command": "APPEND", "media_id": media_id, "segment_index": "0"}
        told = await keys.ask("POST", PATH, form=form | {"media_data": encoded.decode()})
    assert told.status == 204
    told = await finalize(keys, media_id)
    assert told.body["image"] == {"image_type": "image/png", "w": 64, "h": 48}


async def test_raw_bytes_as_base64_break_the_sum(keys: Signed, png: bytes) -> None:
    media_id = await initialize(keys, len(png), "image/png")
    await append(keys, media_id, 0, media_data=png)
    told = await finalize(keys, media_id)
    assert told.status == 400
    assert told.body == refusal("Segments do not add up to provided total file size.")


@pytest.mark.parametrize("content", [b"=", b"A", b"AA=A", b"====AAAA=", b"\xff\xfe"])
async def test_odd_base64_is_no_failure_of_the_server(keys: Signed, content: bytes) -> None:
    media_id = await initialize(keys, 9, "image/png")
    told = await append(keys, media_id, 0, media_data=content)
    assert told.status == 204
    assert (await finalize(keys, media_id)).status == 400


async def test_window_that_is_used_up_is_code_88(keys: Signed) -> None:
    for _ in range(75):
        await keys.ask("GET", "/1.1/account/verify_credentials.json")
    told = await keys.ask("GET", "/1.1/account/verify_credentials.json")
    assert (told.status, told.body) == (
        429,
        {"errors": [{"code": 88, "message": "Rate limit exceeded."}]},
    )


async def test_a_video_without_a_category_is_ready_at_once(keys: Signed, mp4: bytes) -> None:
    media_id = await initialize(keys, len(mp4), "video/mp4")
    await append(keys, media_id, 0, media=mp4)
    told = await finalize(keys, media_id)
    assert (told.status, "processing_info" in told.body) == (201, False)
    body = {"text": "At once", "media": {"media_ids": [media_id]}}
    assert (await keys.ask("POST", "/2/tweets", json=body)).status == 201


async def test_a_whole_image_as_base64_in_a_form(keys: Signed, png: bytes) -> None:
    told = await keys.ask("POST", PATH, form={"media": base64.b64encode(png).decode()})
    assert (told.status, told.body["image"]["w"]) == (200, 64)


async def test_image_has_no_status(keys: Signed, png: bytes) -> None:
    media_id = await initialize(keys, len(png), "image/png")
    await append(keys, media_id, 0, media=png)
    assert "processing_info" not in (await finalize(keys, media_id)).body
    assert (await status(keys, media_id)).status == 404


async def test_whole_image_at_once(keys: Signed, png: bytes) -> None:
    form = aiohttp.FormData()
    form.add_field("media", png, filename="a.png")
    told = await keys.ask("POST", f"{PATH}?media_category=tweet_image", data=form)
    assert told.status == 200
    body = {"media": {"media_ids": [told.body["media_id_string"]]}}
    assert (await keys.ask("POST", "/2/tweets", json=body)).status == 201


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (
            {"command": "INIT", "total_bytes": "9", "media_type": "image/odd"},
            "media type unrecognized.",
        ),
        (
            {"command": "INIT", "total_bytes": "99999999999", "media_type": "image/png"},
            "total_bytes parameter is invalid.",
        ),
        (
            {"command": "INIT", "total_bytes": "6000000", "media_type": "image/png"},
            "File size exceeds 5242880 bytes.",
        ),
        ({"command": "FINALIZE", "media_id": ""}, "Invalid media_id: Some()."),
        ({"command": "FINALIZE", "media_id": "12"}, "Invalid media_id: Some(12)."),
        (
            {"command": "APPEND", "media_id": "x", "media_data": "eA=="},
            "Invalid media_id: Some(x).",
        ),
        ({"command": "DANCE"}, "media parameter is missing."),
    ],
    ids=["type", "huge", "large", "no id", "unknown id", "append", "command"],
)
async def test_refusals_have_an_envelope_of_their_own(
    keys: Signed, form: dict[str, str], error: str
) -> None:
    told = await keys.ask("POST", PATH, form=form)
    assert (told.status, told.body) == (400, refusal(error))


async def test_corrupt_image_is_not_recognized(keys: Signed, png: bytes) -> None:
    broken = png[: len(png) // 2]
    media_id = await initialize(keys, len(broken), "image/png")
    await append(keys, media_id, 0, media=broken)
    told = await finalize(keys, media_id)
    assert (told.status, told.body) == (400, refusal("media type unrecognized."))


async def test_segment_over_five_megabytes_is_refused(keys: Signed) -> None:
    media_id = await initialize(keys, 20_000_000, "video/mp4", "tweet_video")
    most = 5 * 1024 * 1024
    assert (await append(keys, media_id, 0, media=b"x" * most)).status == 204
    assert (await append(keys, media_id, 1, media=b"x" * (most + 1))).status == 413


async def test_oauth2_token_is_refused(account: Account) -> None:
    told = await account.ask("POST", PATH, data={"command": "INIT"})
    assert (told.status, told.body["errors"][0]["code"]) == (403, 220)


async def test_read_only_app_may_not_upload(emulator: Emulator) -> None:
    keys = await signed_in(emulator, access="read")
    told = await keys.ask("POST", PATH, form={"command": "INIT"})
    assert (told.status, told.body["errors"][0]["code"]) == (403, 261)


async def test_alt_text_and_subtitles(keys: Signed, mp4: bytes) -> None:
    video = await initialize(keys, len(mp4), "video/mp4", "tweet_video")
    text = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"
    track = await initialize(keys, len(text), "text/srt", "subtitles")
    for media_id, content in ((video, mp4), (track, text)):
        await append(keys, media_id, 0, media=content)
        await finalize(keys, media_id)

    async def create(what: str, **body: Any) -> Told:
        return await keys.ask("POST", f"/1.1/media/{what}/create.json", json=body)

    told = await create("metadata", media_id=video, alt_text={"text": "Noise"})
    assert (told.status, told.body) == (200, b"")
    info = {"subtitles": [{"media_id": track, "language_code": "EN", "display_name": "English"}]}
    told = await create(
        "subtitles", media_id=video, media_category="tweet_video", subtitle_info=info
    )
    assert (told.status, told.body) == (200, b"")
    told_truth = {each["id"]: each for each in (await keys.emulator.ground_truth())["media"]}
    assert told_truth[video]["alt_text"] == "Noise"
    assert told_truth[video]["subtitles"] == {"EN": track}
    assert (await create("metadata", media_id=video, alt_text="Noise")).status == 400
    told = await create("subtitles", media_id=track, subtitle_info=info)
    assert told.status == 400
