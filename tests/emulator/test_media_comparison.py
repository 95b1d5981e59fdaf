"""Tests that Roost and the emulator, with separate code, accept the same files."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.account import Account
from fix_media import GOOD_VIDEOS, ODD_VIDEOS, draw_image, save_gif, save_video
from roost.errors import MediaUnreadable
from roost.mediafile import probe_media, validate_media

CASES = Path(__file__).resolve().parents[2] / "../shared/cases/media"
#: The shared media cases that X refuses. X accepts all other shared cases.
REFUSED = {
    "audio_5_1.mp4", "d1x1.png", "d3x3.png", "d8193.png", "hevc.mp4", "interlaced.mp4", "ok.avi",
    "ok.mkv", "open_gop.mp4", "sar_4to3.mp4", "yuv444.mp4",
}  # fmt: skip


def _image(width: int, height: int) -> Callable[[Path], None]:
    return lambda path: draw_image(width, height).save(path)


PICTURES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "4x4.png": (_image(4, 4), True),
    "3x4.png": (_image(3, 4), False),
    "4x3.jpg": (_image(4, 3), False),
    "1x1.webp": (_image(1, 1), False),
    "8192x4.png": (_image(8192, 4), True),
    "8193x4.png": (_image(8193, 4), False),
    "4x8193.jpg": (_image(4, 8193), False),
    "loops.gif": (lambda path: save_gif(path, loop=0), True),
    "stops.gif": (lambda path: save_gif(path, loop=None), True),
    "3x3.gif": (lambda path: save_gif(path, 3, 3), False),
    "a.avif.jpg": (lambda path: draw_image().save(path, "AVIF"), False),
}


async def is_taken_by_roost(path: Path) -> bool:
    try:
        file = await asyncio.to_thread(probe_media, path)
    except MediaUnreadable:
        return False
    return validate_media([(file, None)]) == []


async def is_accepted_by_x(account: Account, path: Path) -> bool:
    """Upload a file without Roost. Returns whether the emulator accepts the file.

    The file's name determines the media type.
    """
    content = path.read_bytes()
    category, kind = {
        ".jpg": ("tweet_image", "image/jpeg"),
        ".png": ("tweet_image", "image/png"),
        ".webp": ("tweet_image", "image/webp"),
        ".gif": ("tweet_gif", "image/gif"),
    }.get(path.suffix, ("tweet_video", "video/mp4"))
    # On a busy machine, the emulator may need so long for a file that the polls for the result
    # would exceed X's rate limit.
    await account.emulator.switch(rate_limits=False)
    media_id = await account.initialize(category, kind, len(content))
    await account.append(media_id, 0, content)
    response = await account.finalize(media_id)
    if response.status != 200:
        return False
    while (info := response.data.get("processing_info")) and info["state"] in (
        "pending",
        "in_progress",
    ):
        response = await account.get("/2/media/upload", command="STATUS", media_id=media_id)
    return info is None or info["state"] == "succeeded"


async def validate_with_both(account: Account, path: Path) -> bool:
    """Validate a file with the emulator and with Roost. Fails if the verdicts differ."""
    by_x, by_roost = await is_accepted_by_x(account, path), await is_taken_by_roost(path)
    assert by_x is by_roost, (
        f"the emulator accepts the file: {by_x}; Roost accepts the file: {by_roost}"
    )
    return by_x


@pytest.mark.parametrize("name", GOOD_VIDEOS)
async def test_video_accepted_by_roost_and_the_emulator(
    account: Account, tmp_path: Path, name: str
) -> None:
    assert await validate_with_both(account, save_video(tmp_path / name, **GOOD_VIDEOS[name]))


@pytest.mark.parametrize("name", ODD_VIDEOS)
async def test_video_refused_by_roost_and_the_emulator(
    account: Account, tmp_path: Path, name: str
) -> None:
    assert not await validate_with_both(account, save_video(tmp_path / name, **ODD_VIDEOS[name]))


@pytest.mark.parametrize("name", PICTURES)
async def test_image_has_the_same_verdict_from_roost_and_the_emulator(
    account: Account, tmp_path: Path, name: str
) -> None:
    make, fits = PICTURES[name]
    make(tmp_path / name)
    assert await validate_with_both(account, tmp_path / name) is fits


@pytest.mark.parametrize("path", sorted(CASES.glob("*")), ids=lambda path: path.name)
async def test_shared_case_has_the_same_verdict_from_roost_and_the_emulator(
    account: Account, path: Path
) -> None:
    assert await validate_with_both(account, path) is (path.name not in REFUSED)


def test_shared_cases_exist() -> None:
    if not CASES.is_dir():
        pytest.skip("the folder with the shared media cases is not beside this checkout")
    assert {path.name for path in CASES.iterdir()} >= REFUSED
