"""Validates uploaded files by decoding them. The validation runs in a thread.

The limits are from X's media documentation. Images: 5 MiB, and sides of 4 to 8192 pixels. GIFs:
15 MiB, 350 frames, and 1280 by 1080 pixels. Videos: 512 MiB (see `video_validation`).
"""

import hashlib
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

from x_emulator.rules.video_validation import validate_video

_MIB = 1024 * 1024
MAX_BYTES = {
    "tweet_image": 5 * _MIB,
    "tweet_gif": 15 * _MIB,
    "tweet_video": 512 * _MIB,
    "amplify_video": 512 * _MIB,
    "dm_image": 5 * _MIB,
    "dm_gif": 15 * _MIB,
    "dm_video": 512 * _MIB,
    "subtitles": 500_000,
}
#: X's message for an image with wrong dimensions (v1.1 code 324).
INVALID_DIMENSIONS = "Image dimensions must be >= 4x4 and <= 8192x8192"
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    Image.DecompressionBombError,
    av.error.FFmpegError,
)
_IMAGE_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")


@dataclass(frozen=True)
class MediaInfo:
    """The result of a file's validation. `verdict` is `ok` or the reason for a refusal."""

    verdict: str
    size: int
    sha256: str
    width: int = 0
    height: int = 0
    duration_ms: int = 0


def assemble(segments: list[Path], whole: Path) -> str:
    """Join segments in order into one file. Returns the SHA-256 of the file."""
    with whole.open("wb") as out:
        for segment in segments:
            with segment.open("rb") as part:
                shutil.copyfileobj(part, out, 1024 * 1024)
    with whole.open("rb") as joined:
        return hashlib.file_digest(joined, "sha256").hexdigest()


def validate_media(file: Path, category: str, sha256: str) -> MediaInfo:
    """Validate a file by decoding it as its category requires."""
    size = file.stat().st_size
    if category == "subtitles":
        return MediaInfo("ok", size, sha256)
    try:
        if category.endswith("image"):
            verdict, width, height, duration = _validate_image(file)
        elif category.endswith("gif"):
            verdict, width, height, duration = _validate_gif(file)
        else:
            verdict, width, height, duration = validate_video(file, size)
    except _DECODER_ERRORS as error:
        # Pillow raises SyntaxError for a broken PNG, and OSError for most other broken files.
        return MediaInfo(f"not decodable ({type(error).__name__})", size, sha256)
    return MediaInfo(verdict, size, sha256, width, height, duration)


def _validate_image(file: Path) -> tuple[str, int, int, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about files that are unusual but valid.
        with Image.open(file, formats=_IMAGE_FORMATS) as image:
            if min(image.size) < 4 or max(image.size) > 8192:
                return (INVALID_DIMENSIONS, *image.size, 0)
            image.load()
            return ("ok", *image.size, 0)


def _validate_gif(file: Path) -> tuple[str, int, int, int]:
    with Image.open(file, formats=("GIF",)) as image:
        width, height = image.size
        if min(width, height) < 4:
            return INVALID_DIMENSIONS, width, height, 0
        frames = getattr(image, "n_frames", 1)
        if frames > 350 or width > 1280 or height > 1080 or frames * width * height > 300e6:
            return "GIF too large", width, height, 0
        duration = 0
        for frame in range(frames):
            image.seek(frame)
            image.load()
            duration += int(image.info.get("duration", 0))
        return "ok", width, height, duration
