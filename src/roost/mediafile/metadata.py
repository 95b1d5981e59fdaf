"""Remove the metadata of an image without changing its pixels.

Only metadata that affects the appearance is kept: the colour profile, and the orientation as the
only EXIF tag.
"""

import struct
from typing import Final

#: The EXIF tag with the rotation that a viewer must apply.
ORIENTATION: Final = 0x0112
_KEPT_JPEG: Final = {
    0xE0: b"JFIF\0",
    0xE2: b"ICC_PROFILE\0",
    0xEE: b"Adobe",  # Adobe's segment states the colour encoding.
}
_DROPPED_PNG: Final = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"})
_WEBP_EXIF, _WEBP_XMP = 0x08, 0x04


def orientation_exif(orientation: int) -> bytes:
    """Return an EXIF block (TIFF, big-endian) that contains only the orientation."""
    entry = struct.pack(">HHIHH", ORIENTATION, 3, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)


def strip_metadata(mime_type: str, data: bytes, end: int, orientation: int) -> bytes:
    """Return the image up to `end` without its metadata.

    The caller must have decoded `data`, because this function does not check its structure.
    """
    exif = orientation_exif(orientation) if orientation != 1 else b""
    strip = {"image/jpeg": _strip_jpeg, "image/png": _strip_png, "image/webp": _strip_webp}
    return strip[mime_type](data[:end], exif)


def _strip_jpeg(data: bytes, exif: bytes) -> bytes:
    kept = [b"\xff\xd8"]
    pending = b""
    if exif:
        payload = b"Exif\0\0" + exif
        pending = b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload
    at = 2
    while True:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            # The first JPEG scan (SOS) starts here. Only picture data follows, and all is kept.
            return b"".join([*kept, pending, data[at:]])
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at : at + 2 + length]
        at += 2 + length
        is_metadata = marker == 0xFE or 0xE0 <= marker <= 0xEF
        if is_metadata and not segment[4:].startswith(_KEPT_JPEG.get(marker, b"\0never\0")):
            continue
        if pending and marker != 0xE0:
            kept.append(pending)  # EXIF must be the first segment, or follow JFIF.
            pending = b""
        kept.append(segment)


def _strip_png(data: bytes, exif: bytes) -> bytes:
    kept = [data[:8]]
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if kind not in _DROPPED_PNG:
            kept.append(data[at : at + 12 + length])
        if kind == b"IHDR" and exif:
            kept.append(_png_chunk(b"eXIf", exif))
        at += 12 + length
    return b"".join(kept)


def _png_chunk(kind: bytes, payload: bytes) -> bytes:
    import zlib

    checked = kind + payload
    return struct.pack(">I", len(payload)) + checked + struct.pack(">I", zlib.crc32(checked))


def _strip_webp(data: bytes, exif: bytes) -> bytes:
    chunks = []
    at = 12
    while at + 8 <= len(data):
        kind = data[at : at + 4]
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        payload = data[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
        if kind == b"VP8X":
            flags = payload[0] & ~(_WEBP_EXIF | _WEBP_XMP) | (_WEBP_EXIF if exif else 0)
            payload = bytes([flags]) + payload[1:]
        elif kind in (b"EXIF", b"XMP "):
            continue
        chunks.append((kind, payload))
    if exif:
        chunks.append((b"EXIF", exif))
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)
        for kind, payload in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
