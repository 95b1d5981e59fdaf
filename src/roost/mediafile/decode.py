"""Decoding a file, in whatever process this runs: the limited child's, usually.

Nothing here opens a name: bytes come from an open descriptor.
"""

import io
import re
from typing import Any, BinaryIO, Final

from PIL import (
    Image,
    WebPImagePlugin,  # noqa: F401  registers itself; Pillow would load every plugin it has instead
)

from roost.mediafile.containers import (
    Outline,
    find_film,
    outline,
    refuse_second_type,
    size_of,
    walk_video,
)
from roost.mediafile.facts import Refusal, Unreadable
from roost.mediafile.filetype import HEAD_BYTES, find_type, refuse_type
from roost.mediafile.video import read_video
from roost.models import MediaKind

#: An image file is read whole; X takes 5 MB, or 15 of a GIF.
MOST_IMAGE_BYTES: Final = 64 << 20
#: Four bytes each must fit the child's memory twice.
_MOST_PIXELS: Final = 50_000_000
#: libwebp keeps the canvas several times over.
_MOST_WEBP_PIXELS: Final = 24_000_000
#: A sequential JPEG is decoded at an eighth of its size: all bytes are read, few are kept.
_MOST_JPEG_PIXELS: Final = 250_000_000
#: What X takes of a GIF; above, one frame is decoded, because it will be refused anyway.
_MOST_GIF_PIXELS, _MOST_GIF_FRAMES = 300_000_000, 350
_FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_GPS: Final = 0x8825

# Our own limit, by what decoding takes, is asked after each header: Pillow's would only warn.
Image.MAX_IMAGE_PIXELS = None
Image.preinit()

Found = dict[str, Any]


def read_media(file: BinaryIO) -> Found:
    """Everything `MediaFile` tells but its name, size and hash.

    Raises: Refusal; MemoryError; and, for damage, whatever the decoders raise.
    """
    size = size_of(file)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    mime_type = find_type(head)
    if mime_type is None:
        raise refuse_type(head)
    if mime_type.startswith("video/"):
        walk_video(file, size)
        return {"mime_type": mime_type} | read_video(file)
    data = read_image_bytes(file, size)
    shape = outline(mime_type, data)
    refuse_second_type(mime_type, data, shape.end)
    has_film = find_film(mime_type, data, shape.end)
    return {"mime_type": mime_type, "has_film": has_film} | _read_image(mime_type, data, shape)


def read_image_bytes(file: BinaryIO, size: int) -> bytes:
    """All bytes of an image file, unless they are absurdly many."""
    if size > MOST_IMAGE_BYTES:
        raise Refusal(Unreadable.TOO_LARGE, f"an image of {size} bytes")
    file.seek(0)
    return file.read()


def open_image(mime_type: str, data: bytes, shape: Outline) -> Image.Image:
    """The image with its header read and its pixels not yet decoded; refuses one too large."""
    if shape.pixels is not None:
        _refuse_pixels(shape.pixels, _MOST_WEBP_PIXELS)
    image = Image.open(io.BytesIO(data), formats=[_FORMATS[mime_type]])
    sequential = mime_type == "image/jpeg" and not shape.is_progressive
    _refuse_pixels(image.width * image.height, _MOST_JPEG_PIXELS if sequential else _MOST_PIXELS)
    return image


def _refuse_pixels(pixels: int, most: int) -> None:
    if pixels > most:
        raise Refusal(
            Unreadable.TOO_MANY_PIXELS,
            f"it has {pixels / 1e6:.0f} million pixels, above {most / 1e6:.0f} million",
        )


def has_location(image: Image.Image) -> bool:
    """Whether EXIF or XMP tell where a picture was taken."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return (
        bool(image.getexif().get_ifd(_GPS)) or re.search(rb"GPSL(?:at|ong)itude", xmp) is not None
    )


def _read_image(mime_type: str, data: bytes, shape: Outline) -> Found:
    image = open_image(mime_type, data, shape)
    width, height = image.size
    found: Found = {
        "kind": MediaKind.IMAGE,
        "width": width,
        "height": height,
        "frames": shape.frames,
        "pixel_format": image.mode,
        "has_location": has_location(image),
    }
    if mime_type == "image/gif":
        found |= {
            "kind": MediaKind.GIF,
            "duration_us": (shape.milliseconds or 0) * 1000,
            "plays": shape.plays,
            "lacks_end": shape.lacks_end,
        }
        _decode_gif(image, shape.frames)
    else:
        if mime_type == "image/jpeg":
            image.draft(None, (max(width // 8, 1), max(height // 8, 1)))
        image.load()
    return found


def _decode_gif(image: Image.Image, frames: int) -> None:
    image.load()
    if frames > _MOST_GIF_FRAMES or image.width * image.height * frames > _MOST_GIF_PIXELS:
        return
    for number in range(1, frames):
        image.seek(number)
        image.load()
