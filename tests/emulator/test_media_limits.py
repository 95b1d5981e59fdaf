"""Tests of the limits of images, GIFs and videos, which the emulator checks by decoding."""

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from emulator.account import Account, connect
from fix_emulator import Emulator
from x_emulator.rules import media_validation


def gif_of(frames: int, size: tuple[int, int]) -> bytes:
    """Make a GIF of two alternating frames, so that adjacent frames differ."""
    few, more = _made_gif(2, size), _made_gif(4, size)
    assert more.startswith(few[:-1])
    two = more[len(few) - 1 : -1]
    return few[:-1] + two * (frames // 2 - 1) + (two[: len(two) // 2] if frames % 2 else b"") + b";"


def _made_gif(frames: int, size: tuple[int, int]) -> bytes:
    images = [Image.new("L", size, 60 + 100 * (number % 2)) for number in range(frames)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=100)
    return out.getvalue()


def video_of(seconds: float, size: tuple[int, int] = (64, 64), rate: int = 10) -> bytes:
    """Make a video of grey frames."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        frame = np.full((size[1], size[0], 3), 90, dtype=np.uint8)
        for _ in range(round(seconds * rate)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
    return out.getvalue()


def validate(tmp_path: Path, content: bytes, category: str) -> str:
    file = tmp_path / "file"
    file.write_bytes(content)
    return media_validation.validate_media(file, category, "").verdict


@pytest.mark.parametrize(
    ("frames", "size", "fits"),
    [
        (350, (16, 16), True),
        (351, (16, 16), False),
        (2, (1280, 1080), True),
        (2, (1281, 1080), False),
        (2, (1280, 1081), False),
        (218, (1280, 1080), False),
    ],
    ids=["frames", "too many frames", "size", "too wide", "too high", "too many pixels"],
)
def test_gif_limits(tmp_path: Path, frames: int, size: tuple[int, int], fits: bool) -> None:
    assert (validate(tmp_path, gif_of(frames, size), "tweet_gif") == "ok") is fits


@pytest.mark.parametrize(
    ("made", "fits"),
    [
        ({"seconds": 0.5}, True),
        ({"seconds": 0.3}, False),
        ({"seconds": 1, "size": (32, 32)}, True),
        ({"seconds": 1, "size": (30, 32)}, False),
        ({"seconds": 1, "size": (1920, 1080)}, True),
        ({"seconds": 1, "size": (1080, 1920)}, True),
        ({"seconds": 1, "size": (1920, 1200)}, True),
        ({"seconds": 1, "size": (1922, 1080)}, False),
        ({"seconds": 1, "size": (1920, 1202)}, False),
        ({"seconds": 1, "size": (192, 64)}, True),
        ({"seconds": 1, "size": (196, 64)}, False),
        ({"seconds": 1, "rate": 60}, True),
        ({"seconds": 1, "rate": 61}, False),
    ],
    ids=lambda each: "-".join(map(str, each.values())) if isinstance(each, dict) else "",
)
def test_video_limits(tmp_path: Path, made: dict[str, Any], fits: bool) -> None:
    assert (validate(tmp_path, video_of(**made), "tweet_video") == "ok") is fits


@pytest.mark.parametrize(
    ("category", "most"),
    [("tweet_image", 5_242_880), ("tweet_gif", 15_728_640), ("tweet_video", 536_870_912)],
)
async def test_announced_size_has_the_limit_of_its_category(
    account: Account, category: str, most: int
) -> None:
    kind = "video/mp4" if category == "tweet_video" else "image/gif"
    for size, status in ((most, 200), (most + 1, 400)):
        body = {"media_category": category, "media_type": kind, "total_bytes": size}
        response = await account.request("POST", "/2/media/upload/initialize", json=body)
        assert response.status == status


@pytest.mark.parametrize(
    "changed", [{"media_type": "image/odd"}, {"media_category": "odd"}, {"colour": "red"}]
)
async def test_initialize_accepts_only_the_schema(
    account: Account, changed: dict[str, str]
) -> None:
    body = {"media_category": "tweet_image", "media_type": "image/png", "total_bytes": 1}
    response = await account.request("POST", "/2/media/upload/initialize", json=body | changed)
    assert response.status == 400


async def test_long_video_needs_premium(emulator: Emulator) -> None:
    content = video_of(141, rate=1)
    for rank, status in ((0, 403), (2, 201)):
        account = await connect(emulator, rank)
        media_id = await account.initialize("tweet_video", "video/mp4", len(content))
        await account.append(media_id, 0, content)
        await account.finalize(media_id)
        while (info := await account.status(media_id))["state"] == "in_progress":
            pass
        assert info["state"] == "succeeded"
        response = await account.create("Long", media={"media_ids": [media_id]})
        assert response.status == status
        if status == 403:
            words = "This user is not allowed to post a video longer than 2 minutes"
            assert response.body["detail"] == words
