"""Tests of uploads: order of segments, validation, and states of media processing."""

import base64
import hashlib

import pytest

from emulator.account import Account, connect
from emulator.conftest import picture
from fix_emulator import Emulator

SUM = "Segments do not add up to provided total file size."
INVALID = "Your media IDs are invalid."


async def test_image_is_ready_at_finalize_and_arrives_byte_for_byte(
    account: Account, png: bytes
) -> None:
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    response = await account.append(media_id, 0, png)
    assert response.status == 200
    assert response.data["expires_at"] > 0
    response = await account.finalize(media_id)
    assert response.data["media_key"] == f"3_{media_id}"
    assert response.data["size"] == len(png)
    assert response.data["image"] == {"image_type": "image/png", "w": 64, "h": 48}
    assert "processing_info" not in response.data
    [media] = (await account.emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(png).hexdigest()
    assert (media["bytes"], media["state"]) == (len(png), "succeeded")


async def test_segments_may_be_in_any_order_and_repeated(account: Account, mp4: bytes) -> None:
    third = len(mp4) // 3
    segments = [mp4[:third], mp4[third : 2 * third], mp4[2 * third :]]
    media_id = await account.initialize("tweet_video", "video/mp4", len(mp4))
    await account.append(media_id, 2, segments[2])
    await account.append(media_id, 0, b"\0" * 10)
    await account.append(media_id, 1, segments[1])
    await account.append(media_id, 0, segments[0])
    assert (await account.finalize(media_id)).status == 200
    while (await account.status(media_id))["state"] == "in_progress":
        pass
    [media] = (await account.emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(mp4).hexdigest()


@pytest.mark.parametrize("index", [0, "0"], ids=["number", "digits"])
async def test_segments_may_be_json(account: Account, png: bytes, index: int | str) -> None:
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    body = {"media": base64.b64encode(png).decode(), "segment_index": index}
    response = await account.request("POST", f"/2/media/upload/{media_id}/append", json=body)
    assert response.status == 200
    assert (await account.finalize(media_id)).status == 200


async def test_append_may_respond_without_a_body(account: Account, png: bytes) -> None:
    await account.emulator.switch(append_status=204)
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    response = await account.append(media_id, 0, png)
    assert (response.status, response.body) == (204, b"")


@pytest.mark.parametrize("indices", [[0], [0, 2], [1, 2]], ids=["short", "gap", "no first"])
async def test_finalize_refuses_gaps_and_wrong_sizes(account: Account, indices: list[int]) -> None:
    media_id = await account.initialize("tweet_image", "image/png", 20)
    for index in indices:
        await account.append(media_id, index, b"x" * 10)
    response = await account.finalize(media_id)
    assert (response.status, response.body["errors"][0]["message"]) == (400, SUM)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Request body must be a JSON object."),
        (b"[]", "Request body must be a JSON object."),
        (b"null", "Request body must be a JSON object."),
        (b"{", "Request body is not valid JSON."),
    ],
    ids=["none", "list", "null", "broken"],
)
async def test_finalize_refuses_a_body_that_is_not_a_json_object(
    account: Account, body: bytes, words: str
) -> None:
    await account.emulator.switch(finalize_requires_body=not body)
    media_id = await account.initialize("tweet_image", "image/png", 1)
    response = await account.request("POST", f"/2/media/upload/{media_id}/finalize", data=body)
    assert (response.status, response.body["errors"][0]["message"]) == (400, words)


async def test_finalize_without_a_body_is_accepted(account: Account, png: bytes) -> None:
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    await account.append(media_id, 0, png)
    assert (await account.request("POST", f"/2/media/upload/{media_id}/finalize")).status == 200


@pytest.mark.parametrize("again", [True, False])
async def test_repeated_finalize_returns_the_first_result_or_is_refused(
    account: Account, png: bytes, again: bool
) -> None:
    await account.emulator.switch(finalize_is_idempotent=again)
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    await account.append(media_id, 0, png)
    assert (await account.finalize(media_id)).status == 200
    assert (await account.finalize(media_id)).status == (200 if again else 400)


@pytest.mark.parametrize("refusal", [413, 431])
async def test_larger_segments_than_the_limit_are_refused(account: Account, refusal: int) -> None:
    await account.emulator.switch(max_segment_bytes=1000, oversized_segment_status=refusal)
    media_id = await account.initialize("tweet_image", "image/png", 200_000)
    for size in (1001, 200_000):
        response = await account.append(media_id, 0, b"x" * size)
        assert (response.status, response.body) == (refusal, b"")
    assert (await account.append(media_id, 0, b"x" * 1000)).status == 200


async def test_segment_of_four_mebibytes_is_accepted_by_default(account: Account) -> None:
    size = 4 * 1024 * 1024
    media_id = await account.initialize("tweet_video", "video/mp4", 2 * size)
    assert (await account.append(media_id, 0, b"x" * size)).status == 200
    assert (await account.append(media_id, 1, b"x" * (size + 1))).status == 413


@pytest.mark.parametrize("index", ["1000", "-1", "a"])
async def test_segment_index_is_at_most_999(account: Account, index: str) -> None:
    media_id = await account.initialize("tweet_image", "image/png", 10)
    body = {"media": "eA==", "segment_index": index}
    response = await account.request("POST", f"/2/media/upload/{media_id}/append", json=body)
    assert response.status == 400


async def test_corrupt_image_is_refused_at_finalize(account: Account, png: bytes) -> None:
    broken = png[: len(png) // 2]
    media_id = await account.initialize("tweet_image", "image/png", len(broken))
    await account.append(media_id, 0, broken)
    response = await account.finalize(media_id)
    assert response.status == 400
    assert response.body["errors"][0]["message"] == "media type unrecognized."
    assert (await account.create("Look", media={"media_ids": [media_id]})).status == 400


async def test_video_goes_through_its_states(account: Account, mp4: bytes) -> None:
    await account.emulator.switch(processing_polls=2)
    media_id = await account.initialize("tweet_video", "video/mp4", len(mp4))
    await account.append(media_id, 0, mp4)
    response = await account.finalize(media_id)
    assert response.data["processing_info"] == {"state": "pending", "check_after_secs": 1}
    assert response.data["video"] == {"video_type": "video/mp4"}
    assert response.data["size"] == len(mp4)
    early = await account.create("Too early", media={"media_ids": [media_id]})
    assert (early.status, early.body["errors"][0]["message"]) == (400, INVALID)
    states = [(await account.status(media_id))["state"] for _ in range(2)]
    assert states == ["in_progress", "in_progress"]
    while (info := await account.status(media_id))["state"] == "in_progress":
        pass
    assert info == {"state": "succeeded", "progress_percent": 100}
    assert (await account.create("Now", media={"media_ids": [media_id]})).status == 201


async def test_corrupt_video_fails_with_a_reason(account: Account, mp4: bytes) -> None:
    broken = mp4[:40] + b"\0" * len(mp4[40:])
    media_id = await account.initialize("tweet_video", "video/mp4", len(broken))
    await account.append(media_id, 0, broken)
    await account.finalize(media_id)
    while (info := await account.status(media_id))["state"] == "in_progress":
        pass
    assert info["state"] == "failed"
    assert info["error"]["name"] == "InvalidMedia"


async def test_image_sent_as_video_fails(account: Account, png: bytes) -> None:
    media_id = await account.initialize("tweet_video", "video/mp4", len(png))
    await account.append(media_id, 0, png)
    await account.finalize(media_id)
    while (info := await account.status(media_id))["state"] == "in_progress":
        pass
    assert info["state"] == "failed"


async def test_processing_fails_by_switch(account: Account, mp4: bytes) -> None:
    await account.emulator.switch(processing_error="InvalidMedia: no reason at all")
    media_id = await account.initialize("tweet_video", "video/mp4", len(mp4))
    await account.append(media_id, 0, mp4)
    await account.finalize(media_id)
    while (info := await account.status(media_id))["state"] == "in_progress":
        pass
    assert info["state"] == "failed"
    assert info["error"]["message"] == "InvalidMedia: no reason at all"


async def test_additional_owners_may_attach(
    account: Account, emulator: Emulator, png: bytes
) -> None:
    other, stranger = await connect(emulator, 1), await connect(emulator, 2)
    body = {
        "media_category": "tweet_image",
        "media_type": "image/png",
        "total_bytes": len(png),
        "additional_owners": [other.id],
    }
    response = await account.request("POST", "/2/media/upload/initialize", json=body)
    media = {"media_ids": [response.data["id"]]}
    await account.append(response.data["id"], 0, png)
    await account.finalize(response.data["id"])
    assert (await stranger.create("Mine?", media=media)).status == 400
    assert (await other.create("Ours", media=media)).status == 201


async def test_gif_needs_processing(account: Account, gif: bytes) -> None:
    media_id = await account.initialize("tweet_gif", "image/gif", len(gif))
    await account.append(media_id, 0, gif)
    response = await account.finalize(media_id)
    assert response.data["media_key"] == f"16_{media_id}"
    while (info := await account.status(media_id))["state"] == "in_progress":
        pass
    assert info["state"] == "succeeded"


async def test_post_has_four_images_or_one_gif(account: Account, png: bytes, gif: bytes) -> None:
    images = [await account.upload_image(picture("PNG", shade=n)) for n in range(5)]
    media_id = await account.initialize("tweet_gif", "image/gif", len(gif))
    await account.append(media_id, 0, gif)
    await account.finalize(media_id)
    while (await account.status(media_id))["state"] == "in_progress":
        pass
    mixed = await account.create("Mixed", media={"media_ids": [images[0], media_id]})
    assert (mixed.status, mixed.body["errors"][0]["message"]) == (400, INVALID)
    assert (await account.create("Four", media={"media_ids": images[:4]})).status == 201
    assert (await account.create("One GIF", media={"media_ids": [media_id]})).status == 201


@pytest.mark.parametrize("way", ["foreign", "expired", "used", "unknown"])
async def test_unusable_media_is_refused(
    account: Account, emulator: Emulator, png: bytes, way: str
) -> None:
    media_id = await account.upload_image(png)
    poster = account
    if way == "foreign":
        poster = await connect(emulator, 1)
    elif way == "expired":
        await emulator.jump(hours=24.1)
        account.tokens = await emulator.connect(account.username)
    elif way == "used":
        await account.post("First", media={"media_ids": [media_id]})
    else:
        media_id = "12345"
    response = await poster.create("Again", media={"media_ids": [media_id]})
    assert response.status == 400
    assert response.body["errors"] == [
        {"parameters": {"media.media_ids": [media_id]}, "message": INVALID}
    ]


async def test_media_without_text(account: Account, png: bytes) -> None:
    media_id = await account.upload_image(png)
    response = await account.create(media={"media_ids": [media_id]})
    assert response.status == 201
    assert response.data["text"].startswith("https://t.co/")


async def test_alt_text_is_stored(account: Account, png: bytes) -> None:
    media_id = await account.upload_image(png)
    metadata = {"alt_text": {"text": "A blue square"}}
    response = await account.request(
        "POST", "/2/media/metadata", json={"id": media_id, "metadata": metadata}
    )
    assert response.data == {"id": media_id, "associated_metadata": metadata}
    await account.post("Look", media={"media_ids": [media_id]})
    [post] = (await account.emulator.ground_truth())["posts"]
    assert post["media"][0]["alt_text"] == "A blue square"
    too_long = {"id": media_id, "metadata": {"alt_text": {"text": "a" * 1001}}}
    assert (await account.request("POST", "/2/media/metadata", json=too_long)).status == 400


async def test_status_of_unknown_media_is_refused(account: Account) -> None:
    response = await account.get("/2/media/upload", command="STATUS", media_id="12345")
    assert (response.status, response.body["errors"][0]["message"]) == (
        400,
        "BadRequest: Not found",
    )


async def test_status_is_the_only_command_and_is_optional(account: Account, gif: bytes) -> None:
    media_id = await account.initialize("tweet_gif", "image/gif", len(gif))
    await account.append(media_id, 0, gif)
    await account.finalize(media_id)
    response = await account.get("/2/media/upload", media_id=media_id)
    assert response.data["processing_info"]["state"] in ("in_progress", "succeeded")
    other = await account.get("/2/media/upload", command="INIT", media_id=media_id)
    assert other.status == 400


async def test_announced_size_over_the_limit_is_refused(account: Account) -> None:
    body = {"media_category": "tweet_image", "media_type": "image/png", "total_bytes": 5_242_881}
    response = await account.request("POST", "/2/media/upload/initialize", json=body)
    assert response.status == 400
