"""The properties of a media file, and the reasons why a file cannot be used."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from roost.models import MediaKind


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A probed file. Its properties come from decoding its content, not from its name."""

    path: Path
    kind: MediaKind
    mime_type: str
    size_bytes: int
    sha256: str
    """Of the content, in lower-case hexadecimal."""
    width: int
    height: int
    """Pixels as stored: orientation tags and rotations are not applied."""
    frames: int | None = None
    """1 for a still image; None if a video's index does not contain the number."""
    duration: timedelta | None = None
    """None for a still image."""
    frame_rate: float | None = None
    """The average frames per second of a video."""
    video_codec: str | None = None
    audio_codec: str | None = None
    """None if the file has no audio."""
    audio_profile: str | None = None
    """X accepts the AAC profile `LC`."""
    audio_channels: int | None = None
    pixel_format: str | None = None
    """FFmpeg's name for a video (`yuv420p`), Pillow's mode for an image (`RGB`)."""
    has_location: bool = False
    """Whether the metadata contains the location where it was taken."""
    pixel_aspect: str | None = None
    """Width to height of one pixel of a video, such as `4:3`; None if it is not stated."""
    is_interlaced: bool = False
    """A video whose frames are two interlaced fields, as in television."""
    has_open_gop: bool = False
    """A video with frames that depend on a frame before the preceding key frame."""
    play_count: int | None = None
    """How often a GIF plays; 0 means forever, None means that it is not a GIF."""
    has_motion_video: bool = False
    """A motion photo: a video follows the image in the same file."""
    lacks_trailer: bool = False
    """A GIF without its trailer: it may be truncated."""


class Unreadable(StrEnum):
    """Why a file cannot be used: the value of `facts["reason"]` of `MediaUnreadable`."""

    NOT_FOUND = "not_found"
    """The file does not exist."""
    NOT_PERMITTED = "not_permitted"
    """This process may not read it."""
    NAME_UNPRINTABLE = "name_unprintable"
    """Its name contains control characters, which could forge lines in logs and lists."""
    SYMBOLIC_LINK = "symbolic_link"
    """It is a link, whose target may change before the post is published."""
    OUTSIDE = "outside"
    """Its path leads out of the plan's folder."""
    NOT_A_FILE = "not_a_file"
    """A folder, pipe, socket or device."""
    EMPTY = "empty"
    """It has no content."""
    TOO_LARGE = "too_large"
    """It is far larger than X's limits, and was not decoded."""
    TYPE_UNSUPPORTED = "type_unsupported"
    """X does not accept the type of its content."""
    IMAGE_TYPE_UNSUPPORTED = "image_type_unsupported"
    """An image type of phones or cameras that X does not accept: HEIC, HEIF, AVIF or raw."""
    VIDEO_TYPE_UNSUPPORTED = "video_type_unsupported"
    """A video that is neither MP4 nor MOV: AVI, MKV, WebM, TS, WMV and others."""
    AMBIGUOUS = "ambiguous"
    """It is two types at once: X may choose another one than your viewer."""
    TRUNCATED = "truncated"
    """It ends before its content is complete."""
    DAMAGED = "damaged"
    """It cannot be decoded."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """Decoding it would need more memory than Roost allows."""
    DECODER_OUT_OF_MEMORY = "decoder_out_of_memory"
    """The decoder reached its memory limit."""
    DECODER_TOO_SLOW = "decoder_too_slow"
    """The decoder reached its time limit."""
    DECODER_DIED = "decoder_died"
    """The decoder process crashed on it."""
    CHANGED = "changed"
    """It was written to while it was read."""


class Refusal(Exception):
    """Internal: the file cannot be used. `detail` completes `<name> cannot be used: …`."""

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
