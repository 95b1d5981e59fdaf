"""Whether X takes these files together on one post: every violation at once, before any upload.

Source: docs.x.com, x-api/media/introduction and x-api/media/quickstart/best-practices, and the
refusals that other programs have recorded.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from roost.mediafile.facts import MediaFile
from roost.models import MediaKind, Violation

MOST_IMAGES: Final = 4
MOST_IMAGE_BYTES: Final = 5 << 20
MOST_GIF_BYTES: Final = 15 << 20
MOST_VIDEO_BYTES: Final = 512 << 20
MOST_ALT_TEXT: Final = 1000
#: X's refusal (code 324): "must be >= 4x4 and <= 8192x8192".
SMALLEST_SIDE, LARGEST_SIDE = 4, 8192
_GIF_WIDTH, _GIF_HEIGHT = 1280, 1080
_GIF_FRAMES: Final = 350
_GIF_PIXELS: Final = 300_000_000
_VIDEO_SIDE: Final = 32
#: X takes 1920×1080, 1080×1920 and, in places, 1920×1200: the sides count, not their order.
_VIDEO_LONG, _VIDEO_SHORT = 1920, 1200
_VIDEO_RATE: Final = 60
_VIDEO_ASPECT: Final = 3
_SHORTEST: Final = timedelta(seconds=0.5)
_LONGEST: Final = timedelta(seconds=140)
_LONGEST_PREMIUM: Final = timedelta(minutes=125)
#: An AAC encoder fills its last frame: the sound of a clip cut at 140 s ends a little later.
_SLACK: Final = timedelta(milliseconds=50)
_PREMIUM: Final = frozenset({"Premium", "PremiumPlus"})
#: Full-range 4:2:0 is the same layout; phones record it.
_PIXEL_FORMATS: Final = frozenset({"yuv420p", "yuvj420p"})


def judge(
    files: Sequence[tuple[MediaFile, str | None]], *, subscription_type: str | None = None
) -> list[Violation]:
    """Every rule of X that these files, each with its alt text, break on one post.

    `subscription_type` is X's word for the account's plan; Premium may post longer video.
    """
    found = list(_judge_together([file for file, _ in files]))
    for file, alt_text in files:
        if file.kind is MediaKind.VIDEO:
            found.extend(_judge_video(file, subscription_type))
        elif file.kind is MediaKind.GIF:
            found.extend(_judge_gif(file))
        else:
            found.extend(_judge_image(file))
        found.extend(_judge_alt_text(file, alt_text))
    return found


def _judge_together(files: list[MediaFile]) -> Iterator[Violation]:
    count = Counter(file.kind for file in files)
    if len(count) > 1:
        yield Violation(
            "mixed_media",
            "Images, a GIF and a video cannot stand on one post together.",
            limit="4 images or 1 GIF or 1 video",
            found=", ".join(f"{number} × {kind.value}" for kind, number in count.items()),
            next="Spread them over the parts of a thread.",
        )
    if count[MediaKind.IMAGE] > MOST_IMAGES:
        yield Violation(
            "too_many_images",
            f"{count[MediaKind.IMAGE]} images; a post takes {MOST_IMAGES}.",
            limit=MOST_IMAGES,
            found=count[MediaKind.IMAGE],
            next="Leave some out, or spread them over the parts of a thread.",
        )
    for kind, code, name in (
        (MediaKind.GIF, "too_many_gifs", "GIFs"),
        (MediaKind.VIDEO, "too_many_videos", "videos"),
    ):
        if count[kind] > 1:
            yield Violation(
                code,
                f"{count[kind]} {name}; a post takes one.",
                limit=1,
                found=count[kind],
                next="Spread them over the parts of a thread.",
            )


def _judge_image(file: MediaFile) -> Iterator[Violation]:
    if file.size_bytes > MOST_IMAGE_BYTES:
        yield Violation(
            "image_too_large",
            f"{_name(file)} has {_mb(file.size_bytes)}; X takes images up to 5 MB.",
            limit=MOST_IMAGE_BYTES,
            found=file.size_bytes,
            next="`roost.mediafile.prepare` makes it fit.",
        )
    if max(file.width, file.height) > LARGEST_SIDE:
        yield Violation(
            "image_dimensions_too_large",
            f"{_name(file)} is {_size(file)}; X takes sides up to {LARGEST_SIDE:,} pixels.",
            limit=f"{LARGEST_SIDE}×{LARGEST_SIDE}",
            found=_size(file),
            next="`roost.mediafile.prepare` makes it fit.",
        )
    yield from _judge_smallest(file, "image")


def _judge_smallest(file: MediaFile, sort: str) -> Iterator[Violation]:
    if min(file.width, file.height) < SMALLEST_SIDE:
        yield Violation(
            f"{sort}_dimensions_too_small",
            f"{_name(file)} is {_size(file)}; X takes sides from {SMALLEST_SIDE} pixels.",
            limit=f"{SMALLEST_SIDE}×{SMALLEST_SIDE}",
            found=_size(file),
            next="Use a larger picture.",
        )


def _judge_gif(file: MediaFile) -> Iterator[Violation]:
    frames = file.frames or 1
    pixels = file.width * file.height * frames
    if file.size_bytes > MOST_GIF_BYTES:
        yield Violation(
            "gif_too_large",
            f"{_name(file)} has {_mb(file.size_bytes)}; X takes GIFs up to 15 MB.",
            limit=MOST_GIF_BYTES,
            found=file.size_bytes,
            next="Shorten it, scale it down, or post it as a video.",
        )
    if file.width > _GIF_WIDTH or file.height > _GIF_HEIGHT:
        yield Violation(
            "gif_dimensions_too_large",
            f"{_name(file)} is {_size(file)}; X takes GIFs up to {_GIF_WIDTH}×{_GIF_HEIGHT}.",
            limit=f"{_GIF_WIDTH}×{_GIF_HEIGHT}",
            found=_size(file),
            next="Scale it down.",
        )
    yield from _judge_smallest(file, "gif")
    if frames > _GIF_FRAMES:
        yield Violation(
            "gif_too_many_frames",
            f"{_name(file)} has {frames} frames; X takes {_GIF_FRAMES}.",
            limit=_GIF_FRAMES,
            found=frames,
            next="Shorten it, or post it as a video.",
        )
    if pixels > _GIF_PIXELS:
        yield Violation(
            "gif_too_many_pixels",
            f"{_name(file)} has {pixels} pixels over all frames; X takes 300 million.",
            limit=_GIF_PIXELS,
            found=pixels,
            next="Scale it down, shorten it, or post it as a video.",
        )


def _judge_video(file: MediaFile, subscription_type: str | None) -> Iterator[Violation]:
    if file.size_bytes > MOST_VIDEO_BYTES:
        yield Violation(
            "video_too_large",
            f"{_name(file)} has {_mb(file.size_bytes)}; X takes videos up to 512 MB.",
            limit=MOST_VIDEO_BYTES,
            found=file.size_bytes,
            next="Export it at a lower bit rate.",
        )
    yield from _judge_time(file, subscription_type)
    yield from _judge_picture(file)
    yield from _judge_coding(file)


def _judge_time(file: MediaFile, subscription_type: str | None) -> Iterator[Violation]:
    duration = file.duration or timedelta(0)
    longest = _LONGEST_PREMIUM if subscription_type in _PREMIUM else _LONGEST
    if duration < _SHORTEST:
        yield Violation(
            "video_too_short",
            f"{_name(file)} lasts {_seconds(duration)}; X takes videos from 0.5 s.",
            limit=_SHORTEST.total_seconds(),
            found=duration.total_seconds(),
            next="Make it last longer, or post a picture of it.",
        )
    if duration > longest + _SLACK:
        yield Violation(
            "video_too_long",
            f"{_name(file)} lasts {_seconds(duration)}; this account may post {_seconds(longest)}.",
            limit=longest.total_seconds(),
            found=duration.total_seconds(),
            next="Cut it, or spread it over the parts of a thread.",
        )
    # An average over whole ticks of a clock can be a hair above what was recorded.
    if file.frame_rate is not None and round(file.frame_rate, 1) > _VIDEO_RATE:
        yield Violation(
            "video_frame_rate_too_high",
            f"{_name(file)} has {file.frame_rate:.4g} frames a second; X takes {_VIDEO_RATE}.",
            limit=_VIDEO_RATE,
            found=round(file.frame_rate, 3),
            next="Export it at 60 frames a second or fewer.",
        )


def _judge_picture(file: MediaFile) -> Iterator[Violation]:
    short, long = sorted((file.width, file.height))
    if short < _VIDEO_SIDE:
        yield Violation(
            "video_dimensions_too_small",
            f"{_name(file)} is {_size(file)}; X takes videos from {_VIDEO_SIDE}×{_VIDEO_SIDE}.",
            limit=f"{_VIDEO_SIDE}×{_VIDEO_SIDE}",
            found=_size(file),
            next="Export it larger.",
        )
    if long > _VIDEO_LONG or short > _VIDEO_SHORT:
        yield Violation(
            "video_dimensions_too_large",
            f"{_name(file)} is {_size(file)}; X takes videos up to {_VIDEO_LONG}×{_VIDEO_SHORT}.",
            limit=f"{_VIDEO_LONG}×{_VIDEO_SHORT}",
            found=_size(file),
            next="Export it at 1920×1080, or 1080×1920 for portrait.",
        )
    if long > short * _VIDEO_ASPECT:
        yield Violation(
            "video_aspect_ratio",
            f"{_name(file)} is {_size(file)}; X takes shapes from 1:3 to 3:1.",
            limit="1:3 to 3:1",
            found=f"{file.width}:{file.height}",
            next="Crop it, or add borders.",
        )
    if file.pixel_aspect not in (None, "1:1"):
        yield Violation(
            "video_pixels_not_square",
            f"A pixel of {_name(file)} is {file.pixel_aspect} wide to high; X takes square ones.",
            limit="1:1",
            found=file.pixel_aspect,
            next="Export it scaled to its shape on the screen, with square pixels (1:1).",
        )


def _judge_coding(file: MediaFile) -> Iterator[Violation]:
    if file.video_codec != "h264":
        yield Violation(
            "video_codec_unsupported",
            f"{_name(file)} is coded as {file.video_codec}; X takes H.264.",
            limit="h264",
            found=file.video_codec,
            next="Export it as H.264 with AAC sound.",
        )
    elif file.pixel_format not in _PIXEL_FORMATS:
        yield Violation(
            "video_pixel_format_unsupported",
            f"{_name(file)} has the pixel format {file.pixel_format}; X takes yuv420p.",
            limit="yuv420p",
            found=file.pixel_format,
            next="Export it with 8-bit 4:2:0 colour.",
        )
    if file.is_interlaced:
        yield Violation(
            "video_interlaced",
            f"{_name(file)} is interlaced; X takes progressive video.",
            limit="progressive",
            found="interlaced",
            next="Export it deinterlaced (progressive).",
        )
    if file.has_open_gop:
        yield Violation(
            "video_open_gop",
            f"{_name(file)} has pictures that need one before their key frame (open GOP); X takes"
            " closed GOPs.",
            limit="closed GOP",
            found="open GOP",
            next="Export it with closed GOPs (in FFmpeg: `-flags +cgop`).",
        )
    yield from _judge_sound(file)


def _judge_sound(file: MediaFile) -> Iterator[Violation]:
    if file.audio_codec is None:
        return
    sound = " ".join(one for one in (file.audio_codec, file.audio_profile) if one)
    if file.audio_codec != "aac" or file.audio_profile not in ("LC", None):
        yield Violation(
            "audio_codec_unsupported",
            f"{_name(file)} has {sound} sound; X takes AAC LC.",
            limit="aac LC",
            found=sound,
            next="Export it with AAC (low complexity) sound.",
        )
    if file.audio_channels is not None and file.audio_channels > 2:
        yield Violation(
            "audio_channels_unsupported",
            f"{_name(file)} has {file.audio_channels} channels of sound; X takes mono or stereo.",
            limit=2,
            found=file.audio_channels,
            next="Export it with stereo sound.",
        )


def _judge_alt_text(file: MediaFile, alt_text: str | None) -> Iterator[Violation]:
    if alt_text is not None and len(alt_text) > MOST_ALT_TEXT:
        yield Violation(
            "alt_text_too_long",
            f"The alt text of {_name(file)} has {len(alt_text)} characters; X takes 1,000.",
            limit=MOST_ALT_TEXT,
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
