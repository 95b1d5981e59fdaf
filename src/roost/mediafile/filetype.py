"""Detect the type of a file by its first bytes, and name the types that X does not accept."""

import re
from typing import Final

from roost.mediafile.media_info import Refusal, Unreadable

#: The number of bytes from which the type is detected. Two packets of an MPEG transport stream fit
#: into this number, and both are needed to detect the stream.
HEAD_BYTES: Final = 512
#: Signatures of the image types that X accepts.
IMAGE_TYPES: Final = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
MARKUP: Final = re.compile(rb"(?i)<(?:!doctype|html|script|svg|\?xml|\?php)")
_OTHER: Final = Unreadable.TYPE_UNSUPPORTED
_VIDEO: Final = Unreadable.VIDEO_TYPE_UNSUPPORTED
#: Signatures of types that X does not accept. The first match counts, so a longer signature comes
#: before its own prefix.
UNSUPPORTED: Final = (
    (b"PK\x03\x04", "a ZIP archive", _OTHER),
    (b"PK\x05\x06", "a ZIP archive", _OTHER),
    (b"Rar!\x1a\x07", "a RAR archive", _OTHER),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _OTHER),
    (b"\x1f\x8b\x08", "a gzip archive", _OTHER),
    (b"%PDF-", "a PDF document", _OTHER),
    (b"\x7fELF", "a program", _OTHER),
    (b"BM", "a BMP image", _OTHER),
    (b"II*\x00", "a TIFF image", _OTHER),
    (b"MM\x00*", "a TIFF image", _OTHER),
    (b"\xff\x0a", "a JPEG XL image", _OTHER),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image", _OTHER),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image", _OTHER),
    (b"#EXTM3U", "a playlist", _OTHER),
    (b"ffconcat", "a playlist", _OTHER),
    (b"ID3", "an audio file", _OTHER),
    (b"OggS", "an Ogg file", _VIDEO),
    (b"\x00\x00\x01\xba", "an MPEG video", _VIDEO),
    (b"\x00\x00\x01\xb3", "an MPEG video", _VIDEO),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media (WMV) video", _VIDEO),
    (b"FLV\x01", "a Flash video", _VIDEO),
)
#: Image types that share the box format of MP4, by the brands of their `ftyp` box.
_STILL_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis"), "a HEIC image"),
    **dict.fromkeys((b"hevc", b"hevx", b"hevm", b"hevs"), "a HEIC image sequence"),
    **dict.fromkeys((b"mif1", b"mif2", b"msf1", b"miaf"), "a HEIF image"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF image"),
    b"crx ": "a camera's raw image",
}
#: Brands that occur in the `ftyp` box of a video, but not of an image.
_VIDEO_BRANDS: Final = re.compile(rb"iso[m2-9]|avc1|mp4[12]|qt  |M4V.|3g[p2].|MSNV|dash|cmf.|f4v ")
#: First boxes of old QuickTime files, which have no `ftyp` box.
_OLD_QUICKTIME: Final = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_PACKET: Final = 188


def detect_type(head: bytes) -> str | None:
    """Return the MIME type that the first bytes indicate; None if X does not accept it.

    Raises: Refusal (ambiguous).
    """
    for pattern, mime_type in IMAGE_TYPES:
        if pattern.match(head):
            if head[4:8] == b"ftyp":
                raise Refusal(Unreadable.AMBIGUOUS, f"it is both {mime_type} and a video")
            return mime_type
    if head[4:8] == b"ftyp":
        if _still_image(head):
            return None
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    return "video/quicktime" if head[4:8] in _OLD_QUICKTIME else None


def unsupported_type(head: bytes) -> Refusal:
    """Return the refusal of a file whose type X does not accept; the refusal names the type."""
    if head[4:8] == b"ftyp":
        return Refusal(Unreadable.IMAGE_TYPE_UNSUPPORTED, f"it is {_still_image(head)}")
    for mark, name, reason in UNSUPPORTED:
        if head.startswith(mark):
            return Refusal(reason, f"it is {name}")
    if head.startswith(b"\x1aE\xdf\xa3"):
        name = "a WebM video" if b"webm" in head[:64] else "a Matroska (MKV) video"
        return Refusal(_VIDEO, f"it is {name}")
    if head.startswith(b"RIFF"):
        if head[8:12] == b"AVI ":
            return Refusal(_VIDEO, "it is an AVI video")
        return Refusal(
            _OTHER, "it is an audio file" if head[8:12] == b"WAVE" else "it is a RIFF file"
        )
    # Each packet of a transport stream begins with the letter G; on Blu-ray discs, four bytes
    # precede each packet.
    if head[0::_PACKET][:2] == b"GG" or head[4 :: _PACKET + 4][:2] == b"GG":
        return Refusal(_VIDEO, "it is an MPEG transport stream (TS)")
    if MARKUP.match(head.lstrip(b"\xef\xbb\xbf \t\r\n")):
        return Refusal(_OTHER, "it is a web page or drawing")
    return Refusal(_OTHER, "it is a file of an unknown type")


def _still_image(head: bytes) -> str | None:
    """Return the name of the image type of a file with an `ftyp` box; None for a video.

    The first brand of the box decides. If that brand is unknown, the compatible brands decide.
    """
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
    if brands[0] in _STILL_BRANDS:
        return _STILL_BRANDS[brands[0]]
    if any(_VIDEO_BRANDS.match(brand) for brand in brands):
        return None
    return next((_STILL_BRANDS[brand] for brand in brands if brand in _STILL_BRANDS), None)
