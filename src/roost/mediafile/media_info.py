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
    """The hash of the content, in lower-case hexadecimal."""
    width: int
    height: int
    """Height in pixels as stored; orientation tags and rotations are not applied."""
    frames: int | None = None
    """Number of frames: 1 for a still image; None if a video's index does not state it."""
    duration: timedelta | None = None
    """None for a still image."""
    frame_rate: float | None = None
    """The average frames per second of a video."""
    video_codec: str | None = None
    audio_codec: str | None = None
    """None if the file has no audio."""
    audio_profile: str | None = None
    """The profile of the audio codec; X accepts the AAC profile `LC`."""
    audio_channels: int | None = None
    pixel_format: str | None = None
    """FFmpeg's name for a video (`yuv420p`), Pillow's mode for an image (`RGB`)."""
    has_location: bool = False
    """Whether the metadata contains the place where the picture was taken."""
    pixel_aspect: str | None = None
    """The ratio of width to height of a video's pixels, such as `4:3`; None if the file does not
    state the ratio."""
    is_interlaced: bool = False
    """True for a video whose frames are two interlaced fields, as in television."""
    has_open_gop: bool = False
    """True for a video with frames that depend on frames before the preceding key frame."""
    play_count: int | None = None
    """How often a GIF plays; 0 means forever, None means that the file is not a GIF."""
    has_motion_video: bool = False
    """True for a motion photo: a video follows the image in the same file."""
    lacks_trailer: bool = False
    """True for a GIF without its trailer, which may be truncated."""


class Unreadable(StrEnum):
    """Why a file cannot be used: the values of `facts["reason"]` of `MediaUnreadable`."""

    NOT_FOUND = "not_found"
    """The file does not exist."""
    NOT_PERMITTED = "not_permitted"
    """This process may not read the file."""
    NAME_UNPRINTABLE = "name_unprintable"
    """The file's name contains control characters, which could forge lines in logs and lists."""
    SYMBOLIC_LINK = "symbolic_link"
    """The path is a symbolic link, whose target may change before the post is published."""
    OUTSIDE = "outside"
    """The path leads out of the plan's folder."""
    NOT_A_FILE = "not_a_file"
    """The path leads to a folder, pipe, socket or device."""
    EMPTY = "empty"
    """The file has no content."""
    TOO_LARGE = "too_large"
    """The file is far larger than X's limits, so Roost did not decode it."""
    TYPE_UNSUPPORTED = "type_unsupported"
    """X does not accept the type of the file's content."""
    IMAGE_TYPE_UNSUPPORTED = "image_type_unsupported"
    """The file is a HEIC, HEIF, AVIF or raw image of a phone or camera, which X refuses."""
    VIDEO_TYPE_UNSUPPORTED = "video_type_unsupported"
    """The file is a video other than MP4 and MOV, such as AVI, MKV, WebM, TS or WMV."""
    AMBIGUOUS = "ambiguous"
    """The file is valid as two types: X may show one type, and the user's viewer the other."""
    TRUNCATED = "truncated"
    """The file ends before its content is complete."""
    DAMAGED = "damaged"
    """The file's content cannot be decoded."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """Decoding the image would need more memory than Roost allows."""
    DECODER_OUT_OF_MEMORY = "decoder_out_of_memory"
    """The decoder reached its memory limit."""
    DECODER_TOO_SLOW = "decoder_too_slow"
    """The decoder reached its time limit."""
    DECODER_DIED = "decoder_died"
    """The decoder process crashed while it decoded the file."""
    CHANGED = "changed"
    """Another program wrote to the file while Roost read it."""


class Refusal(Exception):
    """Raised inside this package if a file cannot be used.

    `detail` becomes the end of the message of the error that users see.
    """

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
