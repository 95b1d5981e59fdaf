"""Tests of media v2 without segments: whole files, subtitles and signed uploads."""

import base64
from typing import Any

import aiohttp
import pytest

from emulator.account import Account, Response, connect
from emulator.signing import signed_in

NOT_JSON = "Request body is not valid JSON."


async def upload(account: Account, **fields: str | bytes) -> Response:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value, filename="blob" if isinstance(value, bytes) else None)
    return await account.request("POST", "/2/media/upload", data=form)


async def test_whole_image_as_multipart_and_as_json(account: Account, png: bytes) -> None:
    response = await upload(account, media=png, media_category="tweet_image")
    assert response.status == 200
    assert response.data["image"] == {"image_type": "image/png", "w": 64, "h": 48}
    body = {"media": base64.b64encode(png).decode(), "media_category": "tweet_image"}
    response = await account.request("POST", "/2/media/upload", json=body)
    assert response.status == 200
    assert (await account.create(media={"media_ids": [response.data["id"]]})).status == 201


@pytest.mark.parametrize(
    "fields",
    [{"media": b"x"}, {"media_category": "tweet_image"}, {"media": b"x", "media_category": "odd"}],
    ids=["no category", "no media", "odd category"],
)
async def test_whole_file_needs_media_and_category(
    account: Account, fields: dict[str, str | bytes]
) -> None:
    assert (await upload(account, **fields)).status == 400


async def test_old_commands_are_refused_as_invalid_json(account: Account) -> None:
    command = {"command": "INIT", "media_type": "image/png", "total_bytes": "10"}
    response = await upload(account, **command)
    assert (response.status, response.body["errors"][0]["message"]) == (400, NOT_JSON)
    response = await account.request("POST", "/2/media/upload", data=command)
    assert (response.status, response.body["errors"][0]["message"]) == (400, NOT_JSON)


async def test_subtitles_belong_to_a_video(account: Account, mp4: bytes) -> None:
    video = await account.initialize("tweet_video", "video/mp4", len(mp4))
    await account.append(video, 0, mp4)
    await account.finalize(video)
    response = await upload(account, media=b"WEBVTT\n", media_category="subtitles")
    track = {"id": response.data["id"], "language_code": "EN", "display_name": "English"}

    async def tie(video_id: str) -> Response:
        body: dict[str, Any] = {"id": video_id, "subtitles": track, "media_category": "TweetVideo"}
        return await account.request("POST", "/2/media/subtitles", json=body)

    response = await tie(video)
    assert response.data == {
        "id": video,
        "media_category": "TweetVideo",
        "associated_subtitles": track,
    }
    assert (await tie(track["id"])).status == 400
    body = {"id": video, "media_category": "TweetVideo", "language_code": "EN"}
    for deleted in (True, False):
        response = await account.request("DELETE", "/2/media/subtitles", json=body)
        assert response.data == {"deleted": deleted}
    assert (await account.emulator.ground_truth())["media"][0]["subtitles"] == {}


async def test_additional_owners_are_comma_separated_for_a_whole_file(
    account: Account, png: bytes
) -> None:
    other, third = await connect(account.emulator, 1), await connect(account.emulator, 2)
    response = await upload(
        account,
        media=png,
        media_category="tweet_image",
        additional_owners=f"{other.id},{third.id}",
    )
    assert (await third.create("Ours", media={"media_ids": [response.data["id"]]})).status == 201


async def test_unknown_form_fields_are_refused(account: Account, png: bytes) -> None:
    response = await upload(account, media=png, media_category="tweet_image", caption="A cat")
    assert response.status == 400
    assert response.body["errors"][0]["message"].startswith(
        "$.caption: is not defined in the schema"
    )


async def test_multipart_is_not_signed(account: Account, png: bytes) -> None:
    keys = await signed_in(account.emulator)
    form = aiohttp.FormData()
    form.add_field("media", png, filename="blob")
    form.add_field("media_category", "tweet_image")
    assert (await keys.request("POST", "/2/media/upload", data=form)).status == 200
