"""Read the structure of image and video containers, without decoding.

A file that is valid as two types is refused here, because X may show one type, and the user's
viewer the other.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from roost.mediafile.filetype import IMAGE_TYPES, MARKUP, UNSUPPORTED
from roost.mediafile.media_info import Refusal, Unreadable

#: The last record of a ZIP archive begins at most this far from the end of the file: the size of
#: the record plus its longest comment.
_ZIP_END_SPAN: Final = 65_535 + 22
#: The maximum number of a video's top-level boxes, and the maximum size of its index. No real video
#: exceeds these limits, so a file that claims to exceed one is refused.
_MAX_BOXES: Final = 20_000
_MAX_INDEX_BYTES: Final = 32 << 20
#: Markers of a motion photo. Most phones write the first into the photo's metadata; older Samsung
#: phones write the second between the photo and its video.
_MOTION_PHOTO: Final = re.compile(rb"MotionPhoto|MicroVideo")
_SAMSUNG_MOTION_PHOTO: Final = re.compile(rb"MotionPhoto_Data.{4}ftyp", re.DOTALL)
#: The number of bytes after an image that are searched for other content.
_TAIL_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ImageStructure:
    """The properties of an image that its container states, which are known without decoding."""

    end: int
    """The offset at which the image ends; later bytes are not part of the image."""
    frames: int = 1
    milliseconds: int | None = None
    """The duration of an animation."""
    is_progressive: bool = False
    """True for a JPEG whose decoder holds the whole image in memory."""
    pixels: int | None = None
    """The number of pixels of a WebP, to be checked before the file is opened, because opening the
    file allocates the decoder's memory."""
    play_count: int | None = None
    """How often a GIF plays; 0 means forever."""
    lacks_trailer: bool = False
    """True for a GIF that ends after a frame, without its trailer."""


def read_structure(mime_type: str, data: bytes) -> ImageStructure:
    """Read the container of an image up to the end of the image.

    Raises: Refusal (truncated, damaged).
    """
    walk = {
        "image/jpeg": _walk_jpeg,
        "image/png": _walk_png,
        "image/gif": _walk_gif,
        "image/webp": _walk_webp,
    }[mime_type]
    try:
        return walk(data)
    except IndexError:
        raise Refusal(Unreadable.TRUNCATED, "it ends before its image is complete") from None


def refuse_ambiguous(mime_type: str, data: bytes, end: int) -> None:
    """Refuse an image that contains or precedes content of another type.

    Two kinds of files that cameras write are allowed: a JPEG that is followed by more JPEGs, and a
    motion photo whose video is announced by the photo's metadata or by Samsung's marker.

    Raises: Refusal (ambiguous).
    """
    refuse_archive(data[-_ZIP_END_SPAN:], len(data))
    if b"%PDF-" in data[:1024]:
        raise Refusal(Unreadable.AMBIGUOUS, f"it is both {mime_type} and a PDF document")
    rest = data[end : end + _TAIL_BYTES]
    tail = rest.lstrip(b"\0\r\n\t ")
    if not tail:
        return
    second_type = None
    if MARKUP.search(tail):
        second_type = "a web page"
    elif b"ftyp" in rest[4:64]:
        if not has_motion_video(mime_type, data, end):
            second_type = "a video"
    elif any(pattern.match(tail) for pattern, _ in IMAGE_TYPES):
        if not (mime_type == "image/jpeg" and tail.startswith(b"\xff\xd8\xff")):
            second_type = "another image"
    else:
        # Signatures of two bytes are ignored, because arbitrary bytes often match them by chance.
        second_type = next(
            (name for mark, name, _ in UNSUPPORTED if len(mark) > 2 and tail.startswith(mark)),
            None,
        )
    if second_type:
        raise Refusal(Unreadable.AMBIGUOUS, f"its {mime_type} content is followed by {second_type}")


def has_motion_video(mime_type: str, data: bytes, end: int) -> bool:
    """Return whether the file is a motion photo: an image followed by an announced video."""
    rest = data[end : end + _TAIL_BYTES]
    if mime_type != "image/jpeg" or b"ftyp" not in rest:
        return False
    return bool(_SAMSUNG_MOTION_PHOTO.search(rest) or _MOTION_PHOTO.search(data[:end]))


def refuse_archive(last_bytes: bytes, size: int) -> None:
    """Refuse a file that ends like a ZIP archive, because the file is valid as two types.

    Raises: Refusal (ambiguous).
    """
    start = max(size - len(last_bytes), 0)
    at = last_bytes.rfind(b"PK\x05\x06")
    while at >= 0:
        comment = int.from_bytes(last_bytes[at + 20 : at + 22], "little")
        if start + at + 22 + comment == size:
            raise Refusal(Unreadable.AMBIGUOUS, "it is also a ZIP archive")
        at = last_bytes.rfind(b"PK\x05\x06", 0, at)


def check_video(file: BinaryIO, size: int) -> None:
    """Check that a video has complete boxes and an index, and is not also a ZIP archive.

    Raises: Refusal (truncated, damaged, ambiguous).
    """
    file.seek(max(size - _ZIP_END_SPAN, 0))
    refuse_archive(file.read(_ZIP_END_SPAN), size)
    kinds = set()
    for kind, start, length in _boxes(file, size):
        if start + length > size:
            raise Refusal(Unreadable.TRUNCATED, f"the file ends inside its `{kind}` box")
        if kind == "moov" and length > _MAX_INDEX_BYTES:
            raise Refusal(Unreadable.DAMAGED, f"its index claims {length} bytes")
        kinds.add(kind)
    if "moov" not in kinds:
        raise Refusal(
            Unreadable.TRUNCATED, "it has no index (`moov`), because its recording was not finished"
        )


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[str, int, int]]:
    at = 0
    """Yield kind, offset and length of each top-level box."""
    for _ in range(_MAX_BOXES):
        if at + 8 > size:
            return
        file.seek(at)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if not re.fullmatch(rb"[A-Za-z0-9 _-]{4}", kind):
            return  # Players ignore bytes after the last box.
        header_length = 8
        if length == 1:
            length, header_length = int.from_bytes(header[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if length < header_length:
            raise Refusal(Unreadable.DAMAGED, "one of its boxes is smaller than the box's header")
        yield kind.decode("ascii"), at, length
        at += length
    if at < size:
        raise Refusal(Unreadable.DAMAGED, f"it has more than {_MAX_BOXES} boxes")


def _walk_jpeg(data: bytes) -> ImageStructure:
    at, progressive, scans = 2, False, 0
    while True:
        if data[at] != 0xFF:
            raise Refusal(Unreadable.DAMAGED, "a JPEG marker is missing")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xD9:
            if not scans:
                raise Refusal(Unreadable.DAMAGED, "it contains no picture")
            return ImageStructure(at + 2, is_progressive=progressive)
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            length = (data[at + 2] << 8) + data[at + 3]
            if length < 2:
                raise Refusal(Unreadable.DAMAGED, "a JPEG segment is shorter than its own header")
            progressive |= marker in (0xC2, 0xC6, 0xCA, 0xCE)
            at += 2 + length
            if marker == 0xDA:
                scans += 1
                at = _end_of_scan(data, at)


_MARKER_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _end_of_scan(data: bytes, at: int) -> int:
    found = _MARKER_IN_SCAN.search(data, at)
    if found is None:
        raise IndexError
    return found.start()


def _walk_png(data: bytes) -> ImageStructure:
    at, frames = 8, 1
    while True:
        length = int.from_bytes(_slice(data, at, 4), "big")
        kind = _slice(data, at + 4, 4)
        if kind == b"acTL":
            frames = max(int.from_bytes(_slice(data, at + 8, 4), "big"), 1)
        at += 12 + length
        if at > len(data):
            raise IndexError
        if kind == b"IEND":
            return ImageStructure(at, frames)


def _walk_webp(data: bytes) -> ImageStructure:
    end = 8 + int.from_bytes(_slice(data, 4, 4), "little")
    if end > len(data):
        raise IndexError
    at, frames = 12, 0
    while at + 8 <= end:
        frames += data[at : at + 4] == b"ANMF"
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    return ImageStructure(end, max(frames, 1), pixels=_webp_pixels(data))


def _webp_pixels(data: bytes) -> int:
    kind, header = _slice(data, 12, 4), _slice(data, 20, 10)
    if kind == b"VP8X":
        sides = int.from_bytes(header[4:7], "little"), int.from_bytes(header[7:10], "little")
        return (sides[0] + 1) * (sides[1] + 1)
    if kind == b"VP8L":
        packed = int.from_bytes(header[1:5], "little")
        return ((packed & 0x3FFF) + 1) * ((packed >> 14 & 0x3FFF) + 1)
    width, height = int.from_bytes(header[6:8], "little"), int.from_bytes(header[8:10], "little")
    return (width & 0x3FFF) * (height & 0x3FFF)


#: Netscape's extension with the number of repetitions; 0 means forever.
_GIF_REPEAT: Final = re.compile(
    rb"\x21\xff\x0b(?:NETSCAPE2\.0|ANIMEXTS1\.0)\x03\x01(.{2})\x00", re.DOTALL
)


def _walk_gif(data: bytes) -> ImageStructure:
    at = 13 + _colour_table(data[10])
    frames = hundredths = 0
    play_count = 1
    while not (lacks_trailer := frames > 0 and at == len(data)):
        mark = data[at]
        if mark == 0x3B:
            break
        if mark == 0x21:
            if data[at + 1] == 0xF9 and data[at + 2] == 4:
                hundredths += data[at + 4] + (data[at + 5] << 8)
            elif repeat := _GIF_REPEAT.match(data, at):
                repeats = int.from_bytes(repeat[1], "little")
                play_count = repeats + 1 if repeats else 0
            at = _skip_blocks(data, at + 2)
        elif mark == 0x2C:
            frames += 1
            at = _skip_blocks(data, at + 11 + _colour_table(data[at + 9]))
        else:
            raise Refusal(Unreadable.DAMAGED, "one of its GIF blocks has an unknown kind")
    if not frames:
        raise Refusal(Unreadable.DAMAGED, "it contains no picture")
    end = at if lacks_trailer else at + 1
    return ImageStructure(
        end, frames, hundredths * 10, play_count=play_count, lacks_trailer=lacks_trailer
    )


def _skip_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += length + 1
    return at + 1


def _colour_table(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _slice(data: bytes, at: int, length: int) -> bytes:
    if at + length > len(data):
        raise IndexError
    return data[at : at + length]


def size_of(file: BinaryIO) -> int:
    """Return the size of an open file in bytes."""
    return os.fstat(file.fileno()).st_size
