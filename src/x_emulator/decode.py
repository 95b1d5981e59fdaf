"""What an uploaded file really is: decoded, not believed. It runs in a thread.

Limits are those of X's media documentation: image 5 MB, GIF 15 MB, 350 frames, 1280 by 1080,
video 512 MB, half a second to 140 seconds (four hours for whom X allows it), 60 frames a second.
"""

import hashlib
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import av
from PIL import Image

MOST_BYTES = {
    "tweet_image": 5_000_000,
    "tweet_gif": 15_000_000,
    "tweet_video": 512_000_000,
    "amplify_video": 512_000_000,
    "dm_image": 5_000_000,
    "dm_gif": 15_000_000,
    "dm_video": 512_000_000,
    "subtitles": 500_000,
}
#: A video up to this size is decoded frame by frame; of a larger one only the key frames are,
#: beside reading every packet: a truncated file still fails, and minutes of work are saved.
_EVERY_FRAME_BELOW = 32_000_000
_LONGEST_SECONDS = 4 * 3600.0
_UNDECODABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    Image.DecompressionBombError,
    av.error.FFmpegError,
)
_IMAGE_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")


@dataclass(frozen=True)
class Finding:
    """What decoding found. `verdict` is `ok` or the reason for a refusal."""

    verdict: str
    size: int
    sha256: str
    width: int = 0
    height: int = 0
    duration_ms: int = 0


def assemble(segments: list[Path], whole: Path) -> str:
    """Join segments in order into one file; the SHA-256 of all bytes."""
    with whole.open("wb") as out:
        for segment in segments:
            with segment.open("rb") as part:
                shutil.copyfileobj(part, out, 1024 * 1024)
    with whole.open("rb") as joined:
        return hashlib.file_digest(joined, "sha256").hexdigest()


def judge(file: Path, category: str, sha256: str) -> Finding:
    """Decode a file as what it was announced to be."""
    size = file.stat().st_size
    if category == "subtitles":
        return Finding("ok", size, sha256)
    try:
        if category.endswith("image"):
            verdict, width, height, duration = _judge_image(file)
        elif category.endswith("gif"):
            verdict, width, height, duration = _judge_gif(file)
        else:
            verdict, width, height, duration = _judge_video(file, size)
    except _UNDECODABLE as error:
        # Pillow raises SyntaxError for broken PNGs, OSError for most of the rest.
        return Finding(f"not decodable ({type(error).__name__})", size, sha256)
    return Finding(verdict, size, sha256, width, height, duration)


def _judge_image(file: Path) -> tuple[str, int, int, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd files are not ours to show
        with Image.open(file, formats=_IMAGE_FORMATS) as image:
            image.load()
            return ("ok", *image.size, 0)


def _judge_gif(file: Path) -> tuple[str, int, int, int]:
    with Image.open(file, formats=("GIF",)) as image:
        width, height = image.size
        frames = getattr(image, "n_frames", 1)
        if frames > 350 or width > 1280 or height > 1080 or frames * width * height > 300e6:
            return "GIF too large", width, height, 0
        duration = 0
        for frame in range(frames):
            image.seek(frame)
            image.load()
            duration += int(image.info.get("duration", 0))
        return "ok", width, height, duration


def _judge_video(file: Path, size: int) -> tuple[str, int, int, int]:
    with av.open(str(file)) as container:
        if not container.streams.video:
            return "no video in it", 0, 0, 0
        stream = container.streams.video[0]
        if size > _EVERY_FRAME_BELOW:
            stream.codec_context.skip_frame = "NONKEY"
        frames = sum(1 for _ in container.decode(stream))
        seconds = float(container.duration or 0) / av.time_base
        width, height = stream.codec_context.width, stream.codec_context.height
        rate = float(stream.average_rate or 0)
    found = (width, height, round(seconds * 1000))
    if frames == 0:
        return ("no frame in it", *found)
    if not 0.5 <= seconds <= _LONGEST_SECONDS:
        return ("video too short or too long", *found)
    if not (32 <= width <= 1280 and 32 <= height <= 1024) or not 1 / 3 <= width / height <= 3:
        return ("video of a size that X does not take", *found)
    return ("ok" if rate <= 60.5 else "more than 60 frames a second", *found)
