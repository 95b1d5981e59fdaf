"""Tests of media v1.1: its four commands, signed requests, and its refusals."""

import base64
import hashlib
import io
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from emulator.account import Account, Response
from emulator.signing import Signed, signed_in
from fix_emulator import Emulator

PATH = "/1.1/media/upload.json"


@pytest_asyncio.fixture
async def keys(emulator: Emulator) -> Signed:
    """An app that has an OAuth 1.0a access token of the first account."""
    return await signed_in(emulator)


def refusal(error: str) -> dict[str, str]:
    return {"request": PATH, "error": error}


async def initialize(keys: Signed, size: int, kind: str, category: str | None = None) -> str:
    form = {"command": "INIT", "total_bytes": str(size), "media_type": kind}
    response = await keys.request(
        "POST", PATH, form=form | ({"media_category": category} if category else {})
    )
    assert response.status == 202, response
    media_id: str = response.body["media_id_string"]
    assert response.body["media_id"] == int(media_id)
    assert response.body["expires_after_secs"] == 86_400
    return media_id


async def append(keys: Signed, media_id: str, index: int, **part: bytes) -> Response:
    form = aiohttp.FormData()
    form.add_field("command", "APPEND")
    form.add_field("media_id", media_id)
    form.add_field("segment_index", str(index))
    for name, value in part.items():
        form.add_field(name, io.BytesIO(value), filename="blob")
    return await keys.request("POST", PATH, data=form)


async def finalize(keys: Signed, media_id: str) -> Response:
    return await keys.request("POST", PATH, form={"command": "FINALIZE", "media_id": media_id})


async def status(keys: Signed, media_id: str) -> Response:
    return await keys.request("GET", f"{PATH}?command=STATUS&media_id={media_id}")


async def test_chunked_video_from_init_to_post(keys: Signed, mp4: bytes) -> None:
    media_id = await initialize(keys, len(mp4), "video/mp4", "tweet_video")
    assert (await status(keys, media_id)).status == 404
    half = len(mp4) // 2
    for index, segment in enumerate((mp4[:half], mp4[half:])):
        response = await append(keys, media_id, index, media=segment)
        assert (response.status, response.body) == (204, b"")
    response = await finalize(keys, media_id)
    assert response.status == 201
    assert (response.body["media_id_string"], response.body["size"]) == (media_id, len(mp4))
    assert response.body["media_key"] == f"7_{media_id}"
    assert response.body["processing_info"]["state"] == "pending"
    while (response := await status(keys, media_id)).body["processing_info"][
        "state"
    ] == "in_progress":
        pass
    assert response.body["processing_info"]["state"] == "succeeded"
    body = {"text": "Old way, new post", "media": {"media_ids": [media_id]}}
    assert (await keys.request("POST", "/2/tweets", json=body)).status == 201
    [media] = (await keys.emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(mp4).hexdigest()


@pytest.mark.parametrize("way", ["multipart", "form"])
async def test_segments_may_be_base64(keys: Signed, png: bytes, way: str) -> None:
    media_id = await initialize(keys, len(png), "image/png")
    encoded = base64.b64encode(png)
    if way == "multipart":
        response = await append(keys, media_id, 0, media_data=encoded)
    else:
        form = {"command": "APPEND", "media_id": media_id, "segment_index": "0"}
        response = await keys.request("POST", PATH, form=form | {"media_data": encoded.decode()})
    assert response.status == 204
    response = await finalize(keys, media_id)
    assert response.body["image"] == {"image_type": "image/png", "w": 64, "h": 48}


async def test_raw_bytes_as_base64_have_a_wrong_size(keys: Signed, png: bytes) -> None:
    media_id = await initialize(keys, len(png), "image/png")
    await append(keys, media_id, 0, media_data=png)
    response = await finalize(keys, media_id)
    assert response.status == 400
    assert response.body == refusal("Segments do not add up to provided total file size.")


@pytest.mark.parametrize("content", [b"=", b"A", b"AA=A", b"====AAAA=", b"\xff\xfe"])
async def test_malformed_base64_causes_no_server_error(keys: Signed, content: bytes) -> None:
    media_id = await initialize(keys, 9, "image/png")
    response = await append(keys, media_id, 0, media_data=content)
    assert response.status == 204
    assert (await finalize(keys, media_id)).status == 400


async def test_exhausted_window_is_code_88(keys: Signed) -> None:
    for _ in range(75):
        await keys.request("GET", "/1.1/account/verify_credentials.json")
    response = await keys.request("GET", "/1.1/account/verify_credentials.json")
    assert (response.status, response.body) == (
        429,
        {"errors": [{"code": 88, "message": "Rate limit exceeded."}]},
    )


async def test_video_without_a_category_is_ready_at_once(keys: Signed, mp4: bytes) -> None:
    media_id = await initialize(keys, len(mp4), "video/mp4")
    await append(keys, media_id, 0, media=mp4)
    response = await finalize(keys, media_id)
    assert (response.status, "processing_info" in response.body) == (201, False)
    body = {"text": "At once", "media": {"media_ids": [media_id]}}
    assert (await keys.request("POST", "/2/tweets", json=body)).status == 201


async def test_whole_image_may_be_base64_in_a_form(keys: Signed, png: bytes) -> None:
    response = await keys.request("POST", PATH, form={"media": base64.b64encode(png).decode()})
    assert (response.status, response.body["image"]["w"]) == (200, 64)


async def test_image_has_no_status(keys: Signed, png: bytes) -> None:
    media_id = await initialize(keys, len(png), "image/png")
    await append(keys, media_id, 0, media=png)
    assert "processing_info" not in (await finalize(keys, media_id)).body
    assert (await status(keys, media_id)).status == 404


async def test_whole_image_at_once(keys: Signed, png: bytes) -> None:
    form = aiohttp.FormData()
    form.add_field("media", png, filename="a.png")
    response = await keys.request("POST", f"{PATH}?media_category=tweet_image", data=form)
    assert response.status == 200
    body = {"media": {"media_ids": [response.body["media_id_string"]]}}
    assert (await keys.request("POST", "/2/tweets", json=body)).status == 201


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
async def test_refusals_have_the_v1_format(keys: Signed, form: dict[str, str], error: str) -> None:
    response = await keys.request("POST", PATH, form=form)
    assert (response.status, response.body) == (400, refusal(error))


async def test_corrupt_image_is_unrecognized(keys: Signed, png: bytes) -> None:
    broken = png[: len(png) // 2]
    media_id = await initialize(keys, len(broken), "image/png")
    await append(keys, media_id, 0, media=broken)
    response = await finalize(keys, media_id)
    assert (response.status, response.body) == (400, refusal("media type unrecognized."))


async def test_segment_over_five_megabytes_is_refused(keys: Signed) -> None:
    media_id = await initialize(keys, 20_000_000, "video/mp4", "tweet_video")
    most = 5 * 1024 * 1024
    assert (await append(keys, media_id, 0, media=b"x" * most)).status == 204
    assert (await append(keys, media_id, 1, media=b"x" * (most + 1))).status == 413


async def test_oauth2_token_is_refused(account: Account) -> None:
    response = await account.request("POST", PATH, data={"command": "INIT"})
    assert (response.status, response.body["errors"][0]["code"]) == (403, 220)


async def test_read_only_app_may_not_upload(emulator: Emulator) -> None:
    keys = await signed_in(emulator, access="read")
    response = await keys.request("POST", PATH, form={"command": "INIT"})
    assert (response.status, response.body["errors"][0]["code"]) == (403, 261)


async def test_alt_text_and_subtitles(keys: Signed, mp4: bytes) -> None:
    video = await initialize(keys, len(mp4), "video/mp4", "tweet_video")
    text = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"
    track = await initialize(keys, len(text), "text/srt", "subtitles")
    for media_id, content in ((video, mp4), (track, text)):
        await append(keys, media_id, 0, media=content)
        await finalize(keys, media_id)

    async def create(what: str, **body: Any) -> Response:
        return await keys.request("POST", f"/1.1/media/{what}/create.json", json=body)

    response = await create("metadata", media_id=video, alt_text={"text": "Noise"})
    assert (response.status, response.body) == (200, b"")
    info = {"subtitles": [{"media_id": track, "language_code": "EN", "display_name": "English"}]}
    response = await create(
        "subtitles", media_id=video, media_category="tweet_video", subtitle_info=info
    )
    assert (response.status, response.body) == (200, b"")
    told_truth = {each["id"]: each for each in (await keys.emulator.ground_truth())["media"]}
    assert told_truth[video]["alt_text"] == "Noise"
    assert told_truth[video]["subtitles"] == {"EN": track}
    assert (await create("metadata", media_id=video, alt_text="Noise")).status == 400
    response = await create("subtitles", media_id=track, subtitle_info=info)
    assert response.status == 400
