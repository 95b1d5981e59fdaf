"""Uploads: segments in any order, judged by real decoders, processed while one asks."""

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
    told = await account.append(media_id, 0, png)
    assert told.status == 200
    assert told.data["expires_at"] > 0
    told = await account.finalize(media_id)
    assert told.data["media_key"] == f"3_{media_id}"
    assert told.data["size"] == len(png)
    assert told.data["image"] == {"image_type": "image/png", "w": 64, "h": 48}
    assert "processing_info" not in told.data
    [media] = (await account.emulator.ground_truth())["media"]
    assert media["sha256"] == hashlib.sha256(png).hexdigest()
    assert (media["bytes"], media["state"]) == (len(png), "succeeded")


async def test_segments_in_any_order_and_sent_again(account: Account, mp4: bytes) -> None:
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
async def test_json_segments(account: Account, png: bytes, index: int | str) -> None:
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    body = {"media": base64.b64encode(png).decode(), "segment_index": index}
    told = await account.ask("POST", f"/2/media/upload/{media_id}/append", json=body)
    assert told.status == 200
    assert (await account.finalize(media_id)).status == 200


async def test_append_may_answer_with_nothing(account: Account, png: bytes) -> None:
    await account.emulator.switch(append_status=204)
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    told = await account.append(media_id, 0, png)
    assert (told.status, told.body) == (204, b"")


@pytest.mark.parametrize("indices", [[0], [0, 2], [1, 2]], ids=["short", "gap", "no first"])
async def test_what_does_not_add_up_fails_at_finalize(account: Account, indices: list[int]) -> None:
    media_id = await account.initialize("tweet_image", "image/png", 20)
    for index in indices:
        await account.append(media_id, index, b"x" * 10)
    told = await account.finalize(media_id)
    assert (told.status, told.body["errors"][0]["message"]) == (400, SUM)


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
async def test_finalize_takes_no_body_but_a_json_object(
    account: Account, body: bytes, words: str
) -> None:
    await account.emulator.switch(finalize_requires_body=not body)
    media_id = await account.initialize("tweet_image", "image/png", 1)
    told = await account.ask("POST", f"/2/media/upload/{media_id}/finalize", data=body)
    assert (told.status, told.body["errors"][0]["message"]) == (400, words)


async def test_finalize_without_a_body_is_accepted(account: Account, png: bytes) -> None:
    media_id = await account.initialize("tweet_image", "image/png", len(png))
    await account.append(media_id, 0, png)
    assert (await account.ask("POST", f"/2/media/upload/{media_id}/finalize")).status == 200


@pytest.mark.parametrize("again", [True, False])
async def test_finalize_that_comes_again(account: Account, png: bytes, again: bool) -> None:
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
        told = await account.append(media_id, 0, b"x" * size)
        assert (told.status, told.body) == (refusal, b"")
    assert (await account.append(media_id, 0, b"x" * 1000)).status == 200


async def test_segment_of_four_mebibytes_passes_by_default(account: Account) -> None:
    size = 4 * 1024 * 1024
    media_id = await account.initialize("tweet_video", "video/mp4", 2 * size)
    assert (await account.append(media_id, 0, b"x" * size)).status == 200
    assert (await account.append(media_id, 1, b"x" * (size + 1))).status == 413


@pytest.mark.parametrize("index", ["1000", "-1", "a"])
async def test_segment_index_ends_at_999(account: Account, index: str) -> None:
    media_id = await account.initialize("tweet_image", "image/png", 10)
    body = {"media": "eA==", "segment_index": index}
    told = await account.ask("POST", f"/2/media/upload/{media_id}/append", json=body)
    assert told.status == 400


async def test_corrupt_image_is_refused_at_finalize(account: Account, png: bytes) -> None:
    broken = png[: len(png) // 2]
    media_id = await account.initialize("tweet_image", "image/png", len(broken))
    await account.append(media_id, 0, broken)
    told = await account.finalize(media_id)
    assert told.status == 400
    assert told.body["errors"][0]["message"] == "media type unrecognized."
    assert (await account.create("Look", media={"media_ids": [media_id]})).status == 400


async def test_video_goes_through_its_states(account: Account, mp4: bytes) -> None:
    await account.emulator.switch(processing_polls=2)
    media_id = await account.initialize("tweet_video", "video/mp4", len(mp4))
    await account.append(media_id, 0, mp4)
    told = await account.finalize(media_id)
    assert told.data["processing_info"] == {"state": "pending", "check_after_secs": 1}
    assert told.data["video"] == {"video_type": "video/mp4"}
    assert told.data["size"] == len(mp4)
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


async def test_processing_fails_on_demand(account: Account, mp4: bytes) -> None:
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
    told = await account.ask("POST", "/2/media/upload/initialize", json=body)
    media = {"media_ids": [told.data["id"]]}
    await account.append(told.data["id"], 0, png)
    await account.finalize(told.data["id"])
    assert (await stranger.create("Mine?", media=media)).status == 400
    assert (await other.create("Ours", media=media)).status == 201


async def test_gif_is_processed_too(account: Account, gif: bytes) -> None:
    media_id = await account.initialize("tweet_gif", "image/gif", len(gif))
    await account.append(media_id, 0, gif)
    told = await account.finalize(media_id)
    assert told.data["media_key"] == f"16_{media_id}"
    while (info := await account.status(media_id))["state"] == "in_progress":
        pass
    assert info["state"] == "succeeded"


async def test_four_images_fit_and_a_gif_stands_alone(
    account: Account, png: bytes, gif: bytes
) -> None:
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
async def test_media_that_may_not_be_attached(
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
    told = await poster.create("Again", media={"media_ids": [media_id]})
    assert told.status == 400
    assert told.body["errors"] == [
        {"parameters": {"media.media_ids": [media_id]}, "message": INVALID}
    ]


async def test_media_without_text(account: Account, png: bytes) -> None:
    media_id = await account.upload_image(png)
    told = await account.create(media={"media_ids": [media_id]})
    assert told.status == 201
    assert told.data["text"].startswith("https://t.co/")


async def test_alt_text_is_kept(account: Account, png: bytes) -> None:
    media_id = await account.upload_image(png)
    metadata = {"alt_text": {"text": "A blue square"}}
    told = await account.ask(
        "POST", "/2/media/metadata", json={"id": media_id, "metadata": metadata}
    )
    assert told.data == {"id": media_id, "associated_metadata": metadata}
    await account.post("Look", media={"media_ids": [media_id]})
    [post] = (await account.emulator.ground_truth())["posts"]
    assert post["media"][0]["alt_text"] == "A blue square"
    too_long = {"id": media_id, "metadata": {"alt_text": {"text": "a" * 1001}}}
    assert (await account.ask("POST", "/2/media/metadata", json=too_long)).status == 400


async def test_status_of_what_is_not_there(account: Account) -> None:
    told = await account.get("/2/media/upload", command="STATUS", media_id="12345")
    assert (told.status, told.body["errors"][0]["message"]) == (400, "BadRequest: Not found")


async def test_status_is_the_only_command_and_may_be_left_out(account: Account, gif: bytes) -> None:
    media_id = await account.initialize("tweet_gif", "image/gif", len(gif))
    await account.append(media_id, 0, gif)
    await account.finalize(media_id)
    told = await account.get("/2/media/upload", media_id=media_id)
    assert told.data["processing_info"]["state"] in ("in_progress", "succeeded")
    other = await account.get("/2/media/upload", command="INIT", media_id=media_id)
    assert other.status == 400


async def test_announced_size_over_the_limit_is_refused(account: Account) -> None:
    body = {"media_category": "tweet_image", "media_type": "image/png", "total_bytes": 5_242_881}
    told = await account.ask("POST", "/2/media/upload/initialize", json=body)
    assert told.status == 400
