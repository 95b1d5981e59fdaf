"""Probe a media file: this process opens it safely, and a decoder process decodes it."""

import contextlib
import fcntl
import hashlib
import math
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from roost.errors import MediaTypeUnsupported, MediaUnreadable
from roost.mediafile.decoder_pool import Request, run_decoder
from roost.mediafile.media_info import MediaFile, Refusal, Unreadable
from roost.models import MediaKind

#: The size of the largest file that X accepts; a larger file is refused without being read.
_MAX_BYTES: Final = 512 << 20
_WALL_SECONDS: Final = 7
_CPU_SECONDS: Final = 6
_HASH_BYTES: Final = 1 << 20
_UNSUPPORTED: Final = frozenset(
    {
        Unreadable.TYPE_UNSUPPORTED,
        Unreadable.IMAGE_TYPE_UNSUPPORTED,
        Unreadable.VIDEO_TYPE_UNSUPPORTED,
    }
)
#: Control characters, line and paragraph separators, bidirectional overrides and undecodable bytes.
#: They can make a file name look like another name, or like a line of output. Unusual spaces are
#: allowed, because the names of screenshots contain them.
_MISLEADING_CHARACTERS: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NEXT: Final = {
    Unreadable.NOT_FOUND: "Check the path.",
    Unreadable.NOT_PERMITTED: "Give the user that runs Roost the right to read the file.",
    Unreadable.NAME_UNPRINTABLE: "Rename the file.",
    Unreadable.SYMBOLIC_LINK: "Use the path of the file that the link points to.",
    Unreadable.OUTSIDE: "Put the file into the plan's folder.",
    Unreadable.NOT_A_FILE: "Give the path of an image or a video.",
    Unreadable.TOO_LARGE: "Export the file again at a smaller size.",
    Unreadable.CHANGED: "Wait until the file is complete, then try again.",
    Unreadable.TYPE_UNSUPPORTED: "Export the file as JPEG, PNG, WebP, GIF, MP4 or MOV.",
    Unreadable.IMAGE_TYPE_UNSUPPORTED: "Export the image as JPEG; on an iPhone, choose Settings,"
    " Camera, Formats, Most Compatible.",
    Unreadable.VIDEO_TYPE_UNSUPPORTED: "Export the video as MP4, with H.264 video and AAC audio.",
    Unreadable.TOO_MANY_PIXELS: "Scale the picture down.",
}


def probe_media(path: Path | str, *, within: Path | None = None) -> MediaFile:
    """Return the properties of a file: type, size, pixels, duration, codecs, hash.

    `within` is a folder that must contain the file, after links are resolved. The call blocks for
    up to 7 s of decoding, plus the time for hashing.

    Raises: MediaUnreadable (or its subclass MediaTypeUnsupported), with an `Unreadable` as
    `facts["reason"]`; DecoderUnavailable.
    """
    path = Path(path)
    with open_media(path, within=within) as descriptor, require_unchanged(descriptor) as size:
        fields = _decode(descriptor)
        return _media_file(path, size, hash_bytes(descriptor, size), fields)


def probe_copy(descriptor: int, sha256: str, path: Path | str) -> MediaFile:
    """Return the properties of an open copy with a known hash; `path` is the original file.

    Raises: MediaUnreadable, DecoderUnavailable.
    """
    path = Path(path)
    with convert_refusals(path):
        return _media_file(path, os.fstat(descriptor).st_size, sha256, _decode(descriptor))


def _decode(descriptor: int) -> dict[str, Any]:
    return run_decoder(Request("probe", _WALL_SECONDS, _CPU_SECONDS, {}), [descriptor])


@contextlib.contextmanager
def open_media(path: Path, *, within: Path | None = None) -> Iterator[int]:
    """Open a regular file for reading; convert a `Refusal` of the block to MediaUnreadable.

    `within` is a folder that must contain the opened file, after links are resolved.

    Raises: MediaUnreadable.
    """
    with convert_refusals(path):
        descriptor = _open(path)
        try:
            if within is not None:
                _require_within(descriptor, within)
            yield descriptor
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def require_unchanged(descriptor: int) -> Iterator[int]:
    """Yield the size of an open file, and check that it does not change during the block.

    Raises: Refusal (changed).
    """
    before = os.fstat(descriptor)
    yield before.st_size
    after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Refusal(Unreadable.CHANGED, "it was written to while it was read")


@contextlib.contextmanager
def convert_refusals(path: Path) -> Iterator[None]:
    """Convert a `Refusal` that the block raises to an error with the name of the file.

    Raises: MediaUnreadable.
    """
    try:
        yield
    except Refusal as refusal:
        error = MediaTypeUnsupported if refusal.reason in _UNSUPPORTED else MediaUnreadable
        raise error(
            f"{printable_name(path)} cannot be used: {refusal.detail}.",
            next=_NEXT.get(refusal.reason, "Export the file again from its original program."),
            path=printable_name(path),
            reason=refusal.reason.value,
        ) from None


def printable_name(path: Path) -> str:
    """Return the file's name with misleading characters escaped, so that it stays on one line."""
    return _MISLEADING_CHARACTERS.sub(lambda found: ascii(found[0])[1:-1], path.name)


def _open(path: Path) -> int:
    if _MISLEADING_CHARACTERS.search(path.name):
        raise Refusal(Unreadable.NAME_UNPRINTABLE, "its name contains control characters")
    try:
        # Opening a device can have effects, so the file is checked before it is opened, and again
        # afterwards.
        _require_regular(path.lstat())
        # Without O_NONBLOCK, opening a pipe could block forever.
        descriptor = os.open(
            path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        )
    except (FileNotFoundError, NotADirectoryError):
        raise Refusal(Unreadable.NOT_FOUND, "the file does not exist") from None
    except PermissionError:
        raise Refusal(Unreadable.NOT_PERMITTED, "permission to read it is denied") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise Refusal(Unreadable.NOT_A_FILE, f"it cannot be opened ({reason})") from None
    try:
        _require_regular(os.fstat(descriptor))
    except Refusal:
        os.close(descriptor)
        raise
    return descriptor


def _require_within(descriptor: int, folder: Path) -> None:
    """Check that an open file is in `folder`; its path may have led through a link.

    Raises: Refusal (outside).
    """
    try:
        if sys.platform == "linux":
            real = Path(f"/proc/self/fd/{descriptor}").readlink()
        else:
            raw = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
            real = Path(os.fsdecode(raw.rstrip(b"\0")))
    except OSError:
        raise Refusal(Unreadable.OUTSIDE, "the system does not report its path") from None
    if not real.is_relative_to(folder.resolve()):
        raise Refusal(Unreadable.OUTSIDE, "its path leads out of the plan's folder")


def _require_regular(status: os.stat_result) -> None:
    """Check that a file is regular, not empty and not too large.

    Raises: Refusal.
    """
    if stat.S_ISLNK(status.st_mode):
        raise Refusal(Unreadable.SYMBOLIC_LINK, "it is a symbolic link")
    if stat.S_ISDIR(status.st_mode):
        raise Refusal(Unreadable.NOT_A_FILE, "it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise Refusal(Unreadable.NOT_A_FILE, "it is not a regular file")
    if status.st_size == 0:
        raise Refusal(Unreadable.EMPTY, "it is empty")
    if status.st_size > _MAX_BYTES:
        raise Refusal(
            Unreadable.TOO_LARGE,
            f"it has {math.ceil(status.st_size / 2**20):,} MiB,"
            f" and X accepts at most {_MAX_BYTES >> 20} MiB",
        )


def hash_bytes(descriptor: int, size: int, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of the first `size` bytes, even if the file becomes longer.

    The file is read at explicit offsets, because the decoder process shares the position of the
    descriptor. `on_bytes` is called with the number of bytes read so far.

    Raises: Refusal (changed) if the file is shorter.
    """
    sha256, at = hashlib.sha256(), 0
    while at < size:
        read = os.pread(descriptor, min(_HASH_BYTES, size - at), at)
        if not read:
            raise Refusal(Unreadable.CHANGED, "it was truncated while it was read")
        sha256.update(read)
        at += len(read)
        on_bytes(at)
    return sha256.hexdigest()


def _media_file(path: Path, size: int, sha256: str, fields: dict[str, Any]) -> MediaFile:
    """Convert the result of the decoder process to a `MediaFile`.

    The result is checked, because an exploited decoder process may return anything.
    Raises: Refusal if the result is invalid.
    """
    try:
        microseconds = fields.get("duration_us")
        return MediaFile(
            path=path,
            kind=MediaKind(fields["kind"]),
            mime_type=_text(fields["mime_type"]),
            size_bytes=size,
            sha256=sha256,
            width=int(fields["width"]),
            height=int(fields["height"]),
            frames=None if fields.get("frames") is None else int(fields["frames"]),
            duration=None if microseconds is None else timedelta(microseconds=int(microseconds)),
            frame_rate=None if fields.get("frame_rate") is None else float(fields["frame_rate"]),
            video_codec=_optional_text(fields.get("video_codec")),
            audio_codec=_optional_text(fields.get("audio_codec")),
            audio_profile=_optional_text(fields.get("audio_profile")),
            audio_channels=(
                None if fields.get("audio_channels") is None else int(fields["audio_channels"])
            ),
            pixel_format=_optional_text(fields.get("pixel_format")),
            has_location=fields.get("has_location") is True,
            pixel_aspect=_optional_text(fields.get("pixel_aspect")),
            is_interlaced=fields.get("is_interlaced") is True,
            has_open_gop=fields.get("has_open_gop") is True,
            play_count=None if fields.get("play_count") is None else int(fields["play_count"]),
            has_motion_video=fields.get("has_motion_video") is True,
            lacks_trailer=fields.get("lacks_trailer") is True,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Refusal(
            Unreadable.DECODER_DIED, "the response of the decoder process is invalid"
        ) from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)
