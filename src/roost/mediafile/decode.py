"""Decode a media file; this code usually runs in a sandboxed decoder process.

The functions read from an open file and open no path, because the sandbox forbids opening files.
"""

import io
import re
from typing import Any, BinaryIO, Final

from PIL import (
    Image,
    WebPImagePlugin,  # noqa: F401  registers itself; otherwise Pillow would load all its plugins
)

from roost.mediafile.containers import (
    ImageStructure,
    check_video,
    has_motion_video,
    read_structure,
    refuse_ambiguous,
    size_of,
)
from roost.mediafile.filetype import HEAD_BYTES, detect_type, unsupported_type
from roost.mediafile.media_info import Refusal, Unreadable
from roost.mediafile.video import read_video
from roost.models import MediaKind

#: The maximum size of an image file, because the whole file is read into memory. X accepts at most
#: 5 MB, or 15 MB for a GIF.
MAX_READ_BYTES: Final = 64 << 20
#: The maximum number of pixels. Two copies of an image, at four bytes a pixel, must fit into the
#: decoder's memory limit.
_MAX_PIXELS: Final = 50_000_000
#: WebP has a smaller maximum, because libwebp keeps several copies of the image in memory.
_MAX_WEBP_PIXELS: Final = 24_000_000
#: A sequential JPEG may be larger, because it is decoded at an eighth of its size: the decoder
#: reads all bytes, but keeps few pixels.
_MAX_JPEG_PIXELS: Final = 250_000_000
#: X's limits for a GIF. If a GIF exceeds them, only one frame is decoded, because X refuses the GIF
#: anyway.
_MAX_GIF_PIXELS, _MAX_GIF_FRAMES = 300_000_000, 350
_FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_GPS: Final = 0x8825

# Pillow's own limit is switched off, because it is the same for all file types and may only warn.
# `open_image` checks Roost's limits, which depend on the file type.
Image.MAX_IMAGE_PIXELS = None
Image.preinit()

#: Fields of `MediaFile` by their name, as JSON values.
MediaFields = dict[str, Any]


def read_media(file: BinaryIO) -> MediaFields:
    """Return the fields of `MediaFile`, except its path, size and hash.

    Raises: Refusal; MemoryError; on damaged input, any exception of the decoders.
    """
    size = size_of(file)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    mime_type = detect_type(head)
    if mime_type is None:
        raise unsupported_type(head)
    if mime_type.startswith("video/"):
        check_video(file, size)
        return {"mime_type": mime_type} | read_video(file)
    data = read_image_bytes(file, size)
    structure = read_structure(mime_type, data)
    refuse_ambiguous(mime_type, data, structure.end)
    return {
        "mime_type": mime_type,
        "has_motion_video": has_motion_video(mime_type, data, structure.end),
    } | _read_image(mime_type, data, structure)


def read_image_bytes(file: BinaryIO, size: int) -> bytes:
    """Return all bytes of an image file.

    Raises: Refusal (too large).
    """
    if size > MAX_READ_BYTES:
        raise Refusal(Unreadable.TOO_LARGE, f"its {size} bytes exceed X's limits for images")
    file.seek(0)
    return file.read()


def open_image(mime_type: str, data: bytes, structure: ImageStructure) -> Image.Image:
    """Open an image and read its header, without decoding its pixels.

    Raises: Refusal (too many pixels).
    """
    if structure.pixels is not None:
        _check_pixels(structure.pixels, _MAX_WEBP_PIXELS)
    image = Image.open(io.BytesIO(data), formats=[_FORMATS[mime_type]])
    is_sequential = mime_type == "image/jpeg" and not structure.is_progressive
    _check_pixels(image.width * image.height, _MAX_JPEG_PIXELS if is_sequential else _MAX_PIXELS)
    return image


def _check_pixels(pixels: int, maximum: int) -> None:
    if pixels > maximum:
        raise Refusal(
            Unreadable.TOO_MANY_PIXELS,
            f"it has {pixels / 1e6:.0f} million pixels; the limit is {maximum / 1e6:.0f} million",
        )


def has_location(image: Image.Image) -> bool:
    """Return whether the EXIF or XMP metadata contains the place where a picture was taken."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return (
        bool(image.getexif().get_ifd(_GPS)) or re.search(rb"GPSL(?:at|ong)itude", xmp) is not None
    )


def _read_image(mime_type: str, data: bytes, structure: ImageStructure) -> MediaFields:
    image = open_image(mime_type, data, structure)
    width, height = image.size
    fields: MediaFields = {
        "kind": MediaKind.IMAGE,
        "width": width,
        "height": height,
        "frames": structure.frames,
        "pixel_format": image.mode,
        "has_location": has_location(image),
    }
    if mime_type == "image/gif":
        fields |= {
            "kind": MediaKind.GIF,
            "duration_us": (structure.milliseconds or 0) * 1000,
            "play_count": structure.play_count,
            "lacks_trailer": structure.lacks_trailer,
        }
        _decode_gif(image, structure.frames)
    else:
        if mime_type == "image/jpeg":
            image.draft(None, (max(width // 8, 1), max(height // 8, 1)))
        image.load()
    return fields


def _decode_gif(image: Image.Image, frames: int) -> None:
    image.load()
    if frames > _MAX_GIF_FRAMES or image.width * image.height * frames > _MAX_GIF_PIXELS:
        return
    for number in range(1, frames):
        image.seek(number)
        image.load()
