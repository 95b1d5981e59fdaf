"""Making an image fit X's limit, in the limited child: first by coding, then by scaling.

Colour profile and orientation stay; other metadata goes unless it was asked for.
"""

import io
from typing import Any, BinaryIO, Final

from PIL.Image import Image, Resampling

from roost.mediafile.containers import Outline, find_film, outline, size_of
from roost.mediafile.decode import has_location, open_image, read_image_bytes
from roost.mediafile.facts import Refusal, Unreadable
from roost.mediafile.filetype import HEAD_BYTES, find_type
from roost.mediafile.metadata import ORIENTATION, orientation_exif, strip

#: More pixels on a side gain nothing on a screen, and cost quality within X's bytes.
_LONGEST_SIDE: Final = 4096
_QUALITIES: Final = (92, 86, 80)
_SMALLEST_SIDE: Final = 64


def prepare_image(
    file: BinaryIO,
    target: BinaryIO,
    *,
    most_bytes: int,
    smallest_side: int,
    largest_side: int,
    keep_location: bool,
) -> dict[str, Any]:
    """Write the image so that it has at most `most_bytes`, and sides that X takes; what was done.

    Nothing is written where nothing has to be done (`changes` is empty).
    Raises: Refusal; whatever decoders raise.
    """
    file.seek(0)
    mime_type = find_type(file.read(HEAD_BYTES))
    if mime_type not in ("image/jpeg", "image/png", "image/webp"):
        raise Refusal(Unreadable.TYPE_UNSUPPORTED, "only JPEG, PNG and WebP images are prepared")
    data = read_image_bytes(file, size_of(file))
    shape = outline(mime_type, data)
    image = open_image(mime_type, data, shape)
    if len(data) <= most_bytes and max(image.size) <= largest_side:
        content, changes = data, []
        if find_film(mime_type, data, shape.end):
            content, changes = data[: shape.end], ["film of the motion photo removed"]
        if has_location(image) and not keep_location:
            content = strip(mime_type, data, shape.end, _orientation(image))
            changes.append("metadata removed, with the location")
        if changes:
            _write(target, content)
        return {"changes": changes, "mime_type": mime_type}
    if shape.frames > 1:
        raise Refusal(Unreadable.TOO_LARGE, "an animation of this size cannot be prepared")
    if min(image.size) * _LONGEST_SIDE < smallest_side * max(image.size):
        raise Refusal(Unreadable.TOO_LARGE, "scaled down it would be narrower than X takes")
    return _shrink(image, mime_type, shape, target, most_bytes, keep_location)


def _shrink(
    image: Image,
    mime_type: str,
    shape: Outline,
    target: BinaryIO,
    most_bytes: int,
    keep_location: bool,
) -> dict[str, Any]:
    first_size = image.size
    kept: dict[str, Any] = {}
    orientation = _orientation(image)
    if keep_location and image.info.get("exif"):
        kept["exif"] = image.info["exif"]
    elif orientation != 1:
        kept["exif"] = b"Exif\0\0" + orientation_exif(orientation)
    if image.info.get("icc_profile"):
        kept["icc_profile"] = image.info["icc_profile"]
    # A JPEG can leave the decoder at a fraction of its size: less memory, same picture.
    if mime_type == "image/jpeg" and not shape.is_progressive:
        image.draft(None, (_LONGEST_SIDE, _LONGEST_SIDE))
    pixels = _plain(image)
    new_type = "image/webp" if pixels.mode == "RGBA" else "image/jpeg"
    scale = min(_LONGEST_SIDE / max(pixels.size), 1.0)
    qualities: tuple[int, ...] = _QUALITIES
    while max(pixels.size) * scale >= _SMALLEST_SIDE:
        candidate = _scaled(pixels, scale)
        for quality in qualities:
            coded = _encode(candidate, new_type, quality, kept)
            if len(coded) <= most_bytes:
                _write(target, coded)
                changes = [f"coded again at quality {quality}"]
                if new_type != mime_type:
                    changes.append(f"{mime_type} became {new_type}")
                if candidate.size != first_size:
                    before, after = (f"{one[0]}×{one[1]}" for one in (first_size, candidate.size))
                    changes.append(f"scaled from {before} to {after}")
                if not keep_location:
                    changes.append("metadata removed")
                return {"changes": changes, "mime_type": new_type}
        # Bytes go roughly with the area; a little less, so that the next attempt is the last.
        scale *= 0.95 * (most_bytes / len(coded)) ** 0.5
        qualities = _QUALITIES[-1:]
    raise Refusal(Unreadable.TOO_LARGE, "no smaller coding of it fits X's limit")


def _write(target: BinaryIO, data: bytes) -> None:
    """From the start: a process that died may have begun."""
    target.seek(0)
    target.truncate()
    target.write(data)


def _scaled(image: Image, scale: float) -> Image:
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    return image if size == image.size else image.resize(size, Resampling.LANCZOS)


def _encode(image: Image, mime_type: str, quality: int, kept: dict[str, Any]) -> bytes:
    coded = io.BytesIO()
    if mime_type == "image/jpeg":
        image.save(coded, "JPEG", quality=quality, optimize=True, **kept)
    else:
        image.save(coded, "WEBP", quality=quality, method=4, **kept)
    return coded.getvalue()


def _plain(image: Image) -> Image:
    """The pixels in a mode that JPEG takes, or RGBA where some of them are transparent."""
    if image.mode in ("L", "RGB", "CMYK") and "transparency" not in image.info:
        image.load()
        return image
    if image.mode.startswith("I"):
        # 16 bits of grey: the upper eight.
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("1", "L", "YCbCr", "F") and "transparency" not in image.info:
        return image.convert("L" if image.mode != "YCbCr" else "RGB")
    coloured = image.convert("RGBA")
    opaque = coloured.getchannel("A").histogram()[255]
    return coloured.convert("RGB") if opaque == coloured.width * coloured.height else coloured


def _orientation(image: Image) -> int:
    told = image.getexif().get(ORIENTATION, 1)
    return told if isinstance(told, int) and 1 <= told <= 8 else 1
