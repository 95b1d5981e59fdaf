"""What is known of a media file, and the reasons for which one cannot be read."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from roost.models import MediaKind


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A file as its content tells, whatever its name says; decoded, so it is what it claims."""

    path: Path
    kind: MediaKind
    mime_type: str
    size_bytes: int
    sha256: str
    """Of the bytes, in lower-case hexadecimal."""
    width: int
    height: int
    """Pixels as stored: an orientation tag or a rotation is not applied."""
    frames: int | None = None
    """1 for a still image; None where a video's index does not tell."""
    duration: timedelta | None = None
    """None for a still image."""
    frame_rate: float | None = None
    """Average frames a second of a video."""
    video_codec: str | None = None
    audio_codec: str | None = None
    """None: no sound."""
    audio_profile: str | None = None
    """`LC` is what X takes of AAC."""
    audio_channels: int | None = None
    pixel_format: str | None = None
    """A video's, as FFmpeg calls it (`yuv420p`); an image's, as Pillow does (`RGB`)."""
    has_location: bool = False
    """Whether the metadata says where it was taken."""
    pixel_aspect: str | None = None
    """Width to height of one pixel of a video, such as `4:3`; None where it does not say."""
    is_interlaced: bool = False
    """A video of half-pictures, as television has them."""
    has_open_gop: bool = False
    """A video with pictures that need a picture from before the key frame they follow."""
    plays: int | None = None
    """How often a GIF is shown: 0 means without end; None: not a GIF."""
    has_film: bool = False
    """A motion photo: a video follows the picture in the same file."""
    lacks_end: bool = False
    """A GIF without its end mark: perhaps cut off."""


class Unreadable(StrEnum):
    """Why a file is not media that X takes: `facts["reason"]` of `MediaUnreadable`."""

    NOT_FOUND = "not_found"
    """No file has this name."""
    NOT_PERMITTED = "not_permitted"
    """This process may not read it."""
    NAME_UNPRINTABLE = "name_unprintable"
    """Its name holds control characters, which forge lines in logs and lists."""
    SYMBOLIC_LINK = "symbolic_link"
    """It only points at another file, and may point elsewhere when the post goes out."""
    OUTSIDE = "outside"
    """Its path leads out of the plan's folder."""
    NOT_A_FILE = "not_a_file"
    """A folder, pipe, socket or device."""
    EMPTY = "empty"
    """It has no bytes."""
    TOO_LARGE = "too_large"
    """Far above anything X takes; it was not even opened for decoding."""
    TYPE_UNSUPPORTED = "type_unsupported"
    """Its content is of a type that X does not take."""
    IMAGE_TYPE_UNSUPPORTED = "image_type_unsupported"
    """A picture of a phone or camera that X does not take: HEIC, HEIF, AVIF or raw."""
    VIDEO_TYPE_UNSUPPORTED = "video_type_unsupported"
    """A video that is neither MP4 nor MOV: AVI, MKV, WebM, TS, WMV and others."""
    AMBIGUOUS = "ambiguous"
    """It is two types at once: what X sees in it need not be what you see."""
    TRUNCATED = "truncated"
    """It ends before its content does."""
    DAMAGED = "damaged"
    """It does not decode."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """Decoding it would take more memory than any post is worth."""
    DECODER_OUT_OF_MEMORY = "decoder_out_of_memory"
    """The decoder asked for more memory than it may have."""
    DECODER_TOO_SLOW = "decoder_too_slow"
    """The decoder did not finish in its time."""
    DECODER_DIED = "decoder_died"
    """The decoder's process ended over it."""
    CHANGED = "changed"
    """It was written to while it was read."""


class Refusal(Exception):
    """Inside this package: the file cannot be read; `detail` completes the sentence."""

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
