"""Where a file's content ends, and what its container says: read without decoding anything.

A file that is two types at once is refused here, because viewers differ in which one they see.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from roost.mediafile.facts import Refusal, Unreadable
from roost.mediafile.filetype import FOREIGN, IMAGE_TYPES, MARKUP

#: A ZIP archive's last record is found within its comment's greatest length from the end.
_ZIP_END_SPAN: Final = 65_535 + 22
#: No real video has more boxes at its top, nor an index of this many bytes.
_MOST_BOXES: Final = 20_000
_LARGEST_INDEX: Final = 32 << 20
#: What a photo's metadata says where a video follows it, and what older Samsung phones write
#: between the two instead.
_ANNOUNCED_FILM: Final = re.compile(rb"MotionPhoto|MicroVideo")
_SAMSUNG_FILM: Final = re.compile(rb"MotionPhoto_Data.{4}ftyp", re.DOTALL)
#: How far behind a picture something else is looked for.
_TAIL_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Outline:
    """What an image's container tells before anything is decoded."""

    end: int
    """Where the content ends; what follows is not part of it."""
    frames: int = 1
    milliseconds: int | None = None
    """An animation's duration."""
    is_progressive: bool = False
    """A JPEG that has to be held in memory whole."""
    pixels: int | None = None
    """Of a WebP, whose decoder takes its memory when it is opened."""
    plays: int | None = None
    """How often a GIF is shown; 0: without end."""
    lacks_end: bool = False
    """A GIF that ends behind a picture, without its end mark."""


def outline(mime_type: str, data: bytes) -> Outline:
    """Walk an image to its end.

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
        raise Refusal(Unreadable.TRUNCATED, "it ends before its image does") from None


def refuse_second_type(mime_type: str, data: bytes, end: int) -> None:
    """Refuse an image that something else begins in or follows.

    Two habits of cameras stay allowed: further JPEGs after a JPEG, and the video of a motion
    photo, which the photo's own metadata or Samsung's mark before it announces.
    """
    refuse_archive(data[-_ZIP_END_SPAN:], len(data))
    if b"%PDF-" in data[:1024]:
        raise Refusal(Unreadable.AMBIGUOUS, f"it is {mime_type} and a PDF document at once")
    rest = data[end : end + _TAIL_BYTES]
    tail = rest.lstrip(b"\0\r\n\t ")
    if not tail:
        return
    found = None
    if MARKUP.search(tail):
        found = "a web page"
    elif b"ftyp" in rest[4:64]:
        if not find_film(mime_type, data, end):
            found = "a video"
    elif any(pattern.match(tail) for pattern, _ in IMAGE_TYPES):
        if not (mime_type == "image/jpeg" and tail.startswith(b"\xff\xd8\xff")):
            found = "another image"
    else:
        # Two letters are too weak a mark for bytes that nobody promised anything about.
        found = next(
            (name for mark, name, _ in FOREIGN if len(mark) > 2 and tail.startswith(mark)), None
        )
    if found:
        raise Refusal(Unreadable.AMBIGUOUS, f"after its {mime_type} content follows {found}")


def find_film(mime_type: str, data: bytes, end: int) -> bool:
    """Whether the file is a motion photo: a video that was announced follows its picture."""
    rest = data[end : end + _TAIL_BYTES]
    if mime_type != "image/jpeg" or b"ftyp" not in rest:
        return False
    return bool(_SAMSUNG_FILM.search(rest) or _ANNOUNCED_FILM.search(data[:end]))


def refuse_archive(last_bytes: bytes, size: int) -> None:
    """Refuse a file whose end makes it a ZIP archive as well."""
    start = max(size - len(last_bytes), 0)
    at = last_bytes.rfind(b"PK\x05\x06")
    while at >= 0:
        comment = int.from_bytes(last_bytes[at + 20 : at + 22], "little")
        if start + at + 22 + comment == size:
            raise Refusal(Unreadable.AMBIGUOUS, "it is a ZIP archive as well")
        at = last_bytes.rfind(b"PK\x05\x06", 0, at)


def walk_video(file: BinaryIO, size: int) -> None:
    """Check that a video's boxes lie within the file, that it has an index, and no second type.

    Raises: Refusal (truncated, damaged, ambiguous).
    """
    file.seek(max(size - _ZIP_END_SPAN, 0))
    refuse_archive(file.read(_ZIP_END_SPAN), size)
    seen = set()
    for kind, start, length in _boxes(file, size):
        if start + length > size:
            raise Refusal(
                Unreadable.TRUNCATED, f"its `{kind}` goes on for bytes that are not there"
            )
        if kind == "moov" and length > _LARGEST_INDEX:
            raise Refusal(Unreadable.DAMAGED, f"its index claims {length} bytes")
        seen.add(kind)
    if "moov" not in seen:
        raise Refusal(Unreadable.TRUNCATED, "it has no index (`moov`): its recording never ended")


def _boxes(file: BinaryIO, size: int) -> Iterator[tuple[str, int, int]]:
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > size:
            return
        file.seek(at)
        header = file.read(16)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if not re.fullmatch(rb"[A-Za-z0-9 _-]{4}", kind):
            return  # Bytes after the last box: nobody plays them.
        least = 8
        if length == 1:
            length, least = int.from_bytes(header[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if length < least:
            raise Refusal(Unreadable.DAMAGED, "a box of it is smaller than its own header")
        yield kind.decode("ascii"), at, length
        at += length
    if at < size:
        raise Refusal(Unreadable.DAMAGED, f"it has more than {_MOST_BOXES} boxes")


def _walk_jpeg(data: bytes) -> Outline:
    at, progressive, scans = 2, False, 0
    while True:
        if data[at] != 0xFF:
            raise Refusal(Unreadable.DAMAGED, "a JPEG marker is missing")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xD9:
            if not scans:
                raise Refusal(Unreadable.DAMAGED, "it holds no picture")
            return Outline(at + 2, is_progressive=progressive)
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            length = (data[at + 2] << 8) + data[at + 3]
            if length < 2:
                raise Refusal(Unreadable.DAMAGED, "a JPEG segment is smaller than its own length")
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


def _walk_png(data: bytes) -> Outline:
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
            return Outline(at, frames)


def _walk_webp(data: bytes) -> Outline:
    end = 8 + int.from_bytes(_slice(data, 4, 4), "little")
    if end > len(data):
        raise IndexError
    at, frames = 12, 0
    while at + 8 <= end:
        frames += data[at : at + 4] == b"ANMF"
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    return Outline(end, max(frames, 1), pixels=_webp_pixels(data))


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


#: Netscape's extension: how often the animation is repeated, 0 without end.
_GIF_REPEAT: Final = re.compile(
    rb"\x21\xff\x0b(?:NETSCAPE2\.0|ANIMEXTS1\.0)\x03\x01(.{2})\x00", re.DOTALL
)


def _walk_gif(data: bytes) -> Outline:
    at = 13 + _colour_table(data[10])
    frames = hundredths = 0
    plays = 1
    while not (lacks_end := frames > 0 and at == len(data)):
        mark = data[at]
        if mark == 0x3B:
            break
        if mark == 0x21:
            if data[at + 1] == 0xF9 and data[at + 2] == 4:
                hundredths += data[at + 4] + (data[at + 5] << 8)
            elif repeat := _GIF_REPEAT.match(data, at):
                repeats = int.from_bytes(repeat[1], "little")
                plays = repeats + 1 if repeats else 0
            at = _skip_blocks(data, at + 2)
        elif mark == 0x2C:
            frames += 1
            at = _skip_blocks(data, at + 11 + _colour_table(data[at + 9]))
        else:
            raise Refusal(Unreadable.DAMAGED, "a GIF block is of no known kind")
    if not frames:
        raise Refusal(Unreadable.DAMAGED, "it holds no picture")
    end = at if lacks_end else at + 1
    return Outline(end, frames, hundredths * 10, plays=plays, lacks_end=lacks_end)


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
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size
