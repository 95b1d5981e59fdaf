"""What a file is: opened with care here, decoded in a limited process."""

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from roost.errors import MediaTypeUnsupported, MediaUnreadable
from roost.mediafile.children import Request, ask_child
from roost.mediafile.facts import MediaFile, Refusal, Unreadable
from roost.models import MediaKind

#: What X takes at most; a larger file is not read at all.
_MOST_BYTES: Final = 512 << 20
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
#: Controls, line and paragraph separators, bidirectional overrides and undecodable bytes: what
#: makes a name look like another, or like another line. (Screenshots have odd spaces: fine.)
_FORGING: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NEXT: Final = {
    Unreadable.NOT_FOUND: "Check the path.",
    Unreadable.NOT_PERMITTED: "Give this user the right to read it.",
    Unreadable.NAME_UNPRINTABLE: "Rename the file.",
    Unreadable.SYMBOLIC_LINK: "Name the file that the link points at.",
    Unreadable.OUTSIDE: "Put the file into the plan's folder.",
    Unreadable.CHANGED: "Wait until it is written, then try again.",
    Unreadable.TYPE_UNSUPPORTED: "X takes JPEG, PNG, WebP, GIF, MP4 and MOV: export it as one.",
    Unreadable.IMAGE_TYPE_UNSUPPORTED: "Export it as JPEG; an iPhone takes JPEGs with Settings,"
    " Camera, Formats, Most Compatible.",
    Unreadable.VIDEO_TYPE_UNSUPPORTED: "Export it as MP4, with H.264 video and AAC sound.",
    Unreadable.TOO_MANY_PIXELS: "Scale the picture down.",
}


def probe(path: Path | str, *, within: Path | None = None) -> MediaFile:
    """Read a file by its content: type, size, pixels, time, codecs, hash. Blocks; 7 s at most
    for decoding, besides hashing. `within` is a folder out of which the path may not lead.

    Raises: MediaUnreadable (MediaTypeUnsupported among it), with an `Unreadable` as
    `facts["reason"]`; DecoderUnavailable.
    """
    path = Path(path)
    with opened(path, within=within) as descriptor, unchanged(descriptor) as size:
        found = _ask(descriptor)
        return _media_file(path, size, hash_bytes(descriptor, size), found)


def probe_copy(descriptor: int, sha256: str, path: Path | str) -> MediaFile:
    """The same of a copy that is open already, whose hash is known; `path` names its origin.

    Raises: MediaUnreadable, DecoderUnavailable.
    """
    path = Path(path)
    with named(path):
        return _media_file(path, os.fstat(descriptor).st_size, sha256, _ask(descriptor))


def _ask(descriptor: int) -> dict[str, Any]:
    return ask_child(Request("probe", _WALL_SECONDS, _CPU_SECONDS, {}), [descriptor])


@contextlib.contextmanager
def opened(path: Path, *, within: Path | None = None) -> Iterator[int]:
    """A descriptor of a regular file that may be read; refusals inside become errors that name it.

    `within` is a folder in which the opened file lies, whatever links its path went through.

    Raises: MediaUnreadable.
    """
    with named(path):
        descriptor = _open(path)
        try:
            if within is not None:
                _require_within(descriptor, within)
            yield descriptor
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def unchanged(descriptor: int) -> Iterator[int]:
    """The size of an open file, which nobody may write to before the block ends.

    Raises: Refusal.
    """
    before = os.fstat(descriptor)
    yield before.st_size
    after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Refusal(Unreadable.CHANGED, "it was written to while it was read")


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Refusals inside become errors that name the file. Raises: MediaUnreadable."""
    try:
        yield
    except Refusal as refusal:
        error = MediaTypeUnsupported if refusal.reason in _UNSUPPORTED else MediaUnreadable
        raise error(
            f"{printable_name(path)} cannot be used: {refusal.detail}.",
            next=_NEXT.get(refusal.reason, "Export the file again from where it was made."),
            path=printable_name(path),
            reason=refusal.reason.value,
        ) from None


def printable_name(path: Path) -> str:
    """The file's name, on one line and in reading order whatever it holds."""
    return _FORGING.sub(lambda found: ascii(found[0])[1:-1], path.name)


def _open(path: Path) -> int:
    if _FORGING.search(path.name):
        raise Refusal(Unreadable.NAME_UNPRINTABLE, "its name holds control characters")
    try:
        _refuse_odd(path.lstat())  # Before opening: to open a device can already do something.
        # And again on what was opened. Without O_NONBLOCK a pipe would be waited for, for ever.
        descriptor = os.open(
            path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        )
    except (FileNotFoundError, NotADirectoryError):
        raise Refusal(Unreadable.NOT_FOUND, "there is no such file") from None
    except PermissionError:
        raise Refusal(Unreadable.NOT_PERMITTED, "reading it is not permitted") from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        raise Refusal(Unreadable.NOT_A_FILE, f"it does not open ({why})") from None
    try:
        _refuse_odd(os.fstat(descriptor))
    except Refusal:
        os.close(descriptor)
        raise
    return descriptor


def _require_within(descriptor: int, folder: Path) -> None:
    """Asked of what is open: a folder on the path may have become a link since it was looked at."""
    try:
        if sys.platform == "linux":
            real = Path(f"/proc/self/fd/{descriptor}").readlink()
        else:
            raw = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
            real = Path(os.fsdecode(raw.rstrip(b"\0")))
    except OSError:
        raise Refusal(Unreadable.OUTSIDE, "the system does not tell where it is") from None
    if not real.is_relative_to(folder.resolve()):
        raise Refusal(Unreadable.OUTSIDE, "its path leads out of the plan's folder")


def _refuse_odd(status: os.stat_result) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise Refusal(Unreadable.SYMBOLIC_LINK, "it is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise Refusal(Unreadable.NOT_A_FILE, "it is not a regular file")
    if status.st_size == 0:
        raise Refusal(Unreadable.EMPTY, "it is empty")
    if status.st_size > _MOST_BYTES:
        raise Refusal(Unreadable.TOO_LARGE, f"{status.st_size} bytes are beyond anything X takes")


def hash_bytes(descriptor: int, size: int, on_bytes: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of so many bytes, however many more the file may get meanwhile.

    By reads at explicit places: the decoder shares this descriptor's own position. `on_bytes` is
    told how many have been read. Raises: Refusal where there are fewer.
    """
    sha256, at = hashlib.sha256(), 0
    while at < size:
        read = os.pread(descriptor, min(_HASH_BYTES, size - at), at)
        if not read:
            raise Refusal(Unreadable.CHANGED, "it became shorter while it was read")
        sha256.update(read)
        at += len(read)
        on_bytes(at)
    return sha256.hexdigest()


def _media_file(path: Path, size: int, sha256: str, found: dict[str, Any]) -> MediaFile:
    """The child's answer as a value; an answer of another shape is not believed."""
    try:
        microseconds = found.get("duration_us")
        return MediaFile(
            path=path,
            kind=MediaKind(found["kind"]),
            mime_type=_text(found["mime_type"]),
            size_bytes=size,
            sha256=sha256,
            width=int(found["width"]),
            height=int(found["height"]),
            frames=None if found.get("frames") is None else int(found["frames"]),
            duration=None if microseconds is None else timedelta(microseconds=int(microseconds)),
            frame_rate=None if found.get("frame_rate") is None else float(found["frame_rate"]),
            video_codec=_maybe_text(found.get("video_codec")),
            audio_codec=_maybe_text(found.get("audio_codec")),
            audio_profile=_maybe_text(found.get("audio_profile")),
            audio_channels=(
                None if found.get("audio_channels") is None else int(found["audio_channels"])
            ),
            pixel_format=_maybe_text(found.get("pixel_format")),
            has_location=found.get("has_location") is True,
            pixel_aspect=_maybe_text(found.get("pixel_aspect")),
            is_interlaced=found.get("is_interlaced") is True,
            has_open_gop=found.get("has_open_gop") is True,
            plays=None if found.get("plays") is None else int(found["plays"]),
            has_film=found.get("has_film") is True,
            lacks_end=found.get("lacks_end") is True,
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Refusal(Unreadable.DECODER_DIED, "the decoder's process answered nonsense") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _maybe_text(value: object) -> str | None:
    return None if value is None else _text(value)
