"""Make an image fit X's limits: first by encoding it again, then by scaling it down.

This code runs in a decoder process. The colour profile and the orientation are kept; other metadata
is kept only on request.
"""

import io
from typing import Any, BinaryIO, Final

from PIL.Image import Image, Resampling

from roost.mediafile.containers import ImageStructure, has_motion_video, read_structure, size_of
from roost.mediafile.decode import has_location, open_image, read_image_bytes
from roost.mediafile.filetype import HEAD_BYTES, detect_type
from roost.mediafile.media_info import Refusal, Unreadable
from roost.mediafile.metadata import ORIENTATION, orientation_exif, strip_metadata

#: The maximum length of a side in pixels. Longer sides do not look better on a screen, and leave
#: fewer bytes for each pixel.
_LONGEST_SIDE: Final = 4096
_QUALITIES: Final = (92, 86, 80)
_MIN_SCALED_SIDE: Final = 64


def reencode_image(
    file: BinaryIO,
    target: BinaryIO,
    *,
    max_bytes: int,
    min_side: int,
    max_side: int,
    keep_location: bool,
) -> dict[str, Any]:
    """Write an image with at most `max_bytes` bytes, and sides from `min_side` to `max_side`.

    Returns the new `mime_type` and the list of `changes`. If no change is necessary, `changes` is
    empty and nothing is written.

    Raises: Refusal; on damaged input, any exception of the decoders.
    """
    file.seek(0)
    mime_type = detect_type(file.read(HEAD_BYTES))
    if mime_type not in ("image/jpeg", "image/png", "image/webp"):
        raise Refusal(Unreadable.TYPE_UNSUPPORTED, "only JPEG, PNG and WebP can be prepared")
    data = read_image_bytes(file, size_of(file))
    structure = read_structure(mime_type, data)
    image = open_image(mime_type, data, structure)
    if len(data) <= max_bytes and max(image.size) <= max_side:
        content, changes = data, []
        if has_motion_video(mime_type, data, structure.end):
            content, changes = data[: structure.end], ["video of the motion photo removed"]
        if has_location(image) and not keep_location:
            content = strip_metadata(mime_type, data, structure.end, _orientation(image))
            changes.append("metadata removed, including the location")
        if changes:
            _write(target, content)
        return {"changes": changes, "mime_type": mime_type}
    if structure.frames > 1:
        raise Refusal(Unreadable.TOO_LARGE, "an animation of this size cannot be prepared")
    if min(image.size) * _LONGEST_SIDE < min_side * max(image.size):
        raise Refusal(Unreadable.TOO_LARGE, "after scaling it would be narrower than X accepts")
    return _shrink(image, mime_type, structure, target, max_bytes, keep_location)


def _shrink(
    image: Image,
    mime_type: str,
    structure: ImageStructure,
    target: BinaryIO,
    max_bytes: int,
    keep_location: bool,
) -> dict[str, Any]:
    original_size = image.size
    kept: dict[str, Any] = {}
    orientation = _orientation(image)
    if keep_location and image.info.get("exif"):
        kept["exif"] = image.info["exif"]
    elif orientation != 1:
        kept["exif"] = b"Exif\0\0" + orientation_exif(orientation)
    if image.info.get("icc_profile"):
        kept["icc_profile"] = image.info["icc_profile"]
    # To save memory, the JPEG is decoded at a fraction of its size.
    if mime_type == "image/jpeg" and not structure.is_progressive:
        image.draft(None, (_LONGEST_SIDE, _LONGEST_SIDE))
    pixels = _to_encodable(image)
    new_type = "image/webp" if pixels.mode == "RGBA" else "image/jpeg"
    scale = min(_LONGEST_SIDE / max(pixels.size), 1.0)
    qualities: tuple[int, ...] = _QUALITIES
    while max(pixels.size) * scale >= _MIN_SCALED_SIDE:
        candidate = _scaled(pixels, scale)
        for quality in qualities:
            encoded = _encode(candidate, new_type, quality, kept)
            if len(encoded) <= max_bytes:
                _write(target, encoded)
                changes = [f"encoded again at quality {quality}"]
                if new_type != mime_type:
                    changes.append(f"converted from {mime_type} to {new_type}")
                if candidate.size != original_size:
                    before, after = (f"{w}×{h}" for w, h in (original_size, candidate.size))
                    changes.append(f"scaled from {before} to {after}")
                if not keep_location:
                    changes.append("metadata removed")
                return {"changes": changes, "mime_type": new_type}
        # The size in bytes is roughly proportional to the area of the image. The sides are made 5 %
        # shorter than computed, so that a further attempt is rarely needed.
        scale *= 0.95 * (max_bytes / len(encoded)) ** 0.5
        qualities = _QUALITIES[-1:]
    raise Refusal(Unreadable.TOO_LARGE, "it cannot be encoded within X's limit")


def _write(target: BinaryIO, data: bytes) -> None:
    """Overwrite the target with `data`; a crashed process may have left bytes in the target."""
    target.seek(0)
    target.truncate()
    target.write(data)


def _scaled(image: Image, scale: float) -> Image:
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    return image if size == image.size else image.resize(size, Resampling.LANCZOS)


def _encode(image: Image, mime_type: str, quality: int, kept: dict[str, Any]) -> bytes:
    encoded = io.BytesIO()
    if mime_type == "image/jpeg":
        image.save(encoded, "JPEG", quality=quality, optimize=True, **kept)
    else:
        image.save(encoded, "WEBP", quality=quality, method=4, **kept)
    return encoded.getvalue()


def _to_encodable(image: Image) -> Image:
    """Return the image in a mode that JPEG supports, or in RGBA if a pixel is transparent."""
    if image.mode in ("L", "RGB", "CMYK") and "transparency" not in image.info:
        image.load()
        return image
    if image.mode.startswith("I"):
        # This is a greyscale image with 16 bits per pixel. The upper eight bits are kept.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("1", "L", "YCbCr", "F") and "transparency" not in image.info:
        return image.convert("L" if image.mode != "YCbCr" else "RGB")
    coloured = image.convert("RGBA")
    opaque = coloured.getchannel("A").histogram()[255]
    return coloured.convert("RGB") if opaque == coloured.width * coloured.height else coloured


def _orientation(image: Image) -> int:
    orientation = image.getexif().get(ORIENTATION, 1)
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
