"""Validate the files of one post by X's rules, before any upload.

Sources: docs.x.com, x-api/media/introduction and x-api/media/quickstart/best-practices; X's
refusals that other programs have recorded.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from roost.mediafile.media_info import MediaFile
from roost.models import MediaKind, Violation

MAX_IMAGES: Final = 4
MAX_IMAGE_BYTES: Final = 5 << 20
MAX_GIF_BYTES: Final = 15 << 20
MAX_VIDEO_BYTES: Final = 512 << 20
MAX_ALT_TEXT_LENGTH: Final = 1000
#: The limits that X names when it refuses an image (code 324): "must be >= 4x4 and <= 8192x8192".
MIN_SIDE, MAX_SIDE = 4, 8192
_MAX_GIF_WIDTH, _MAX_GIF_HEIGHT = 1280, 1080
_MAX_GIF_SIZE: Final = f"{_MAX_GIF_WIDTH}×{_MAX_GIF_HEIGHT}"
_MAX_GIF_FRAMES: Final = 350
_MAX_GIF_PIXELS: Final = 300_000_000
_MIN_VIDEO_SIDE: Final = 32
_MIN_VIDEO_SIZE: Final = f"{_MIN_VIDEO_SIDE}×{_MIN_VIDEO_SIDE}"
#: X documents the sizes 1920×1080, 1080×1920 and, on some pages, 1920×1200. Since X allows both
#: orientations, the limits apply to the longer and to the shorter side.
_MAX_VIDEO_LONG_SIDE, _MAX_VIDEO_SHORT_SIDE = 1920, 1200
_MAX_VIDEO_SIZE: Final = f"{_MAX_VIDEO_LONG_SIDE}×{_MAX_VIDEO_SHORT_SIDE}"
_MAX_FRAME_RATE: Final = 60
_MAX_VIDEO_ASPECT: Final = 3
_MIN_DURATION: Final = timedelta(seconds=0.5)
_MAX_DURATION: Final = timedelta(seconds=140)
_MAX_PREMIUM_DURATION: Final = timedelta(minutes=125)
#: An AAC encoder pads its last frame, so the audio of a clip that is cut at 140 s ends slightly
#: later.
_DURATION_TOLERANCE: Final = timedelta(milliseconds=50)
_PREMIUM: Final = frozenset({"Premium", "PremiumPlus"})
#: yuvj420p is yuv420p with the full range of values; phones record videos in this format.
_PIXEL_FORMATS: Final = frozenset({"yuv420p", "yuvj420p"})


def validate_media(
    files: Sequence[tuple[MediaFile, str | None]], *, subscription_type: str | None = None
) -> list[Violation]:
    """Return every rule of X that the files of one post break.

    Each file has an optional alt text. `subscription_type` is X's value for the account; Premium
    accounts may post longer videos.
    """
    violations = list(_validate_combination([file for file, _ in files]))
    for file, alt_text in files:
        if file.kind is MediaKind.VIDEO:
            violations.extend(_validate_video(file, subscription_type))
        elif file.kind is MediaKind.GIF:
            violations.extend(_validate_gif(file))
        else:
            violations.extend(_validate_image(file))
        violations.extend(_validate_alt_text(file, alt_text))
    return violations


def _validate_combination(files: list[MediaFile]) -> Iterator[Violation]:
    count = Counter(file.kind for file in files)
    if len(count) > 1:
        yield Violation(
            "mixed_media",
            "A post cannot combine images, a GIF and a video.",
            limit="4 images or 1 GIF or 1 video",
            found=", ".join(f"{number} × {kind.value}" for kind, number in count.items()),
            next="Put the files into several parts of a thread.",
        )
    if count[MediaKind.IMAGE] > MAX_IMAGES:
        yield Violation(
            "too_many_images",
            f"There are {count[MediaKind.IMAGE]} images; a post may have {MAX_IMAGES}.",
            limit=MAX_IMAGES,
            found=count[MediaKind.IMAGE],
            next="Remove some images, or put them into several parts of a thread.",
        )
    for kind, code, name in (
        (MediaKind.GIF, "too_many_gifs", "GIFs"),
        (MediaKind.VIDEO, "too_many_videos", "videos"),
    ):
        if count[kind] > 1:
            yield Violation(
                code,
                f"There are {count[kind]} {name}; a post may have one.",
                limit=1,
                found=count[kind],
                next="Put the files into several parts of a thread.",
            )


def _validate_image(file: MediaFile) -> Iterator[Violation]:
    if file.size_bytes > MAX_IMAGE_BYTES:
        yield Violation(
            "image_too_large",
            f"{_name(file)} has {_mb(file.size_bytes)}; X accepts images up to 5 MB.",
            limit=MAX_IMAGE_BYTES,
            found=file.size_bytes,
            next="Scale the image down, or save it as a JPEG of a lower quality.",
        )
    if max(file.width, file.height) > MAX_SIDE:
        yield Violation(
            "image_dimensions_too_large",
            f"{_name(file)} is {_size(file)}; X accepts sides up to {MAX_SIDE:,} pixels.",
            limit=f"{MAX_SIDE}×{MAX_SIDE}",
            found=_size(file),
            next="Scale the image down.",
        )
    yield from _validate_min_side(file, "image")


def _validate_min_side(file: MediaFile, kind: str) -> Iterator[Violation]:
    if min(file.width, file.height) < MIN_SIDE:
        yield Violation(
            f"{kind}_dimensions_too_small",
            f"{_name(file)} is {_size(file)}; X accepts sides from {MIN_SIDE} pixels.",
            limit=f"{MIN_SIDE}×{MIN_SIDE}",
            found=_size(file),
            next="Use a larger picture.",
        )


def _validate_gif(file: MediaFile) -> Iterator[Violation]:
    frames = file.frames or 1
    pixels = file.width * file.height * frames
    if file.size_bytes > MAX_GIF_BYTES:
        yield Violation(
            "gif_too_large",
            f"{_name(file)} has {_mb(file.size_bytes)}; X accepts GIFs up to 15 MB.",
            limit=MAX_GIF_BYTES,
            found=file.size_bytes,
            next="Shorten the GIF, scale it down, or post it as a video.",
        )
    if file.width > _MAX_GIF_WIDTH or file.height > _MAX_GIF_HEIGHT:
        yield Violation(
            "gif_dimensions_too_large",
            f"{_name(file)} is {_size(file)}; X accepts GIFs up to {_MAX_GIF_SIZE}.",
            limit=_MAX_GIF_SIZE,
            found=_size(file),
            next="Scale the GIF down.",
        )
    yield from _validate_min_side(file, "gif")
    if frames > _MAX_GIF_FRAMES:
        yield Violation(
            "gif_too_many_frames",
            f"{_name(file)} has {frames} frames; X accepts {_MAX_GIF_FRAMES}.",
            limit=_MAX_GIF_FRAMES,
            found=frames,
            next="Shorten the GIF, or post it as a video.",
        )
    if pixels > _MAX_GIF_PIXELS:
        yield Violation(
            "gif_too_many_pixels",
            f"{_name(file)} has {pixels} pixels in all frames; X accepts 300 million.",
            limit=_MAX_GIF_PIXELS,
            found=pixels,
            next="Scale the GIF down, shorten it, or post it as a video.",
        )


def _validate_video(file: MediaFile, subscription_type: str | None) -> Iterator[Violation]:
    if file.size_bytes > MAX_VIDEO_BYTES:
        yield Violation(
            "video_too_large",
            f"{_name(file)} has {_mb(file.size_bytes)}; X accepts videos up to 512 MB.",
            limit=MAX_VIDEO_BYTES,
            found=file.size_bytes,
            next="Export the video at a lower bit rate.",
        )
    yield from _validate_timing(file, subscription_type)
    yield from _validate_dimensions(file)
    yield from _validate_encoding(file)


def _validate_timing(file: MediaFile, subscription_type: str | None) -> Iterator[Violation]:
    duration = file.duration or timedelta(0)
    maximum = _MAX_PREMIUM_DURATION if subscription_type in _PREMIUM else _MAX_DURATION
    if duration < _MIN_DURATION:
        yield Violation(
            "video_too_short",
            f"{_name(file)} lasts {_seconds(duration)}; X accepts videos from 0.5 s.",
            limit=_MIN_DURATION.total_seconds(),
            found=duration.total_seconds(),
            next="Make the video longer, or post a still image of it.",
        )
    if duration > maximum + _DURATION_TOLERANCE:
        yield Violation(
            "video_too_long",
            f"{_name(file)} lasts {_seconds(duration)}; this account may post {_seconds(maximum)}.",
            limit=maximum.total_seconds(),
            found=duration.total_seconds(),
            next="Shorten the video, or split it into several parts of a thread.",
        )
    # The average frame rate is computed from whole clock ticks and can be slightly too high, so it
    # is rounded.
    if file.frame_rate is not None and round(file.frame_rate, 1) > _MAX_FRAME_RATE:
        yield Violation(
            "video_frame_rate_too_high",
            f"{_name(file)} has {file.frame_rate:.4g} frames per second; X accepts"
            f" {_MAX_FRAME_RATE}.",
            limit=_MAX_FRAME_RATE,
            found=round(file.frame_rate, 3),
            next="Export the video at 60 frames per second or fewer.",
        )


def _validate_dimensions(file: MediaFile) -> Iterator[Violation]:
    short, long = sorted((file.width, file.height))
    if short < _MIN_VIDEO_SIDE:
        yield Violation(
            "video_dimensions_too_small",
            f"{_name(file)} is {_size(file)}; X accepts videos from {_MIN_VIDEO_SIZE}.",
            limit=_MIN_VIDEO_SIZE,
            found=_size(file),
            next="Export the video at a larger size.",
        )
    if long > _MAX_VIDEO_LONG_SIDE or short > _MAX_VIDEO_SHORT_SIDE:
        yield Violation(
            "video_dimensions_too_large",
            f"{_name(file)} is {_size(file)}; X accepts videos up to {_MAX_VIDEO_SIZE}.",
            limit=_MAX_VIDEO_SIZE,
            found=_size(file),
            next="Export the video at 1920×1080, or 1080×1920 for portrait.",
        )
    if long > short * _MAX_VIDEO_ASPECT:
        yield Violation(
            "video_aspect_ratio",
            f"{_name(file)} is {_size(file)}; X accepts aspect ratios from 1:3 to 3:1.",
            limit="1:3 to 3:1",
            found=f"{file.width}:{file.height}",
            next="Crop the video, or add borders.",
        )
    if file.pixel_aspect not in (None, "1:1"):
        yield Violation(
            "video_pixels_not_square",
            f"{_name(file)} has a pixel aspect ratio of {file.pixel_aspect}; X accepts square"
            " pixels.",
            limit="1:1",
            found=file.pixel_aspect,
            next="Export the video at its displayed size, with square pixels (1:1).",
        )


def _validate_encoding(file: MediaFile) -> Iterator[Violation]:
    if file.video_codec != "h264":
        yield Violation(
            "video_codec_unsupported",
            f"{_name(file)} is encoded as {file.video_codec}; X accepts H.264.",
            limit="h264",
            found=file.video_codec,
            next="Export the video as H.264 with AAC audio.",
        )
    elif file.pixel_format not in _PIXEL_FORMATS:
        yield Violation(
            "video_pixel_format_unsupported",
            f"{_name(file)} has the pixel format {file.pixel_format}; X accepts yuv420p.",
            limit="yuv420p",
            found=file.pixel_format,
            next="Export the video with 8-bit 4:2:0 colour.",
        )
    if file.is_interlaced:
        yield Violation(
            "video_interlaced",
            f"{_name(file)} is interlaced; X accepts progressive video.",
            limit="progressive",
            found="interlaced",
            next="Export the video as progressive (deinterlaced) video.",
        )
    if file.has_open_gop:
        yield Violation(
            "video_open_gop",
            f"{_name(file)} has frames that depend on a frame before their key frame (open GOP);"
            " X accepts closed GOPs.",
            limit="closed GOP",
            found="open GOP",
            next="Export the video with closed GOPs (in FFmpeg: `-flags +cgop`).",
        )
    yield from _validate_audio(file)


def _validate_audio(file: MediaFile) -> Iterator[Violation]:
    if file.audio_codec is None:
        return
    audio = " ".join(part for part in (file.audio_codec, file.audio_profile) if part)
    if file.audio_codec != "aac" or file.audio_profile not in ("LC", None):
        yield Violation(
            "audio_codec_unsupported",
            f"{_name(file)} has {audio} audio; X accepts AAC LC.",
            limit="aac LC",
            found=audio,
            next="Export the video with AAC (low complexity) audio.",
        )
    if file.audio_channels is not None and file.audio_channels > 2:
        yield Violation(
            "audio_channels_unsupported",
            f"{_name(file)} has {file.audio_channels} audio channels; X accepts mono or stereo.",
            limit=2,
            found=file.audio_channels,
            next="Export the video with stereo audio.",
        )


def _validate_alt_text(file: MediaFile, alt_text: str | None) -> Iterator[Violation]:
    if alt_text is not None and len(alt_text) > MAX_ALT_TEXT_LENGTH:
        yield Violation(
            "alt_text_too_long",
            f"The alt text of {_name(file)} has {len(alt_text)} characters; X accepts 1,000.",
            limit=MAX_ALT_TEXT_LENGTH,
            found=len(alt_text),
            next="Shorten the alt text.",
        )


def _name(file: MediaFile) -> str:
    return file.path.name


def _size(file: MediaFile) -> str:
    return f"{file.width}×{file.height}"


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 20):.1f} MB"


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():g} s"
