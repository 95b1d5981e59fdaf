"""Decoding a file with Pillow or PyAV, in whatever process this runs: the limited child's, usually.

Nothing here opens a name: bytes come from an open descriptor, and FFmpeg is told the one format
and the few codecs it may use, so that no playlist and no address in a file is ever followed.
"""

import io
import re
from typing import Any, BinaryIO, Final

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import (
    Image,
    WebPImagePlugin,  # noqa: F401  registers itself; Pillow would load every plugin it has instead
)

from roost.mediafile.containers import (
    HEAD_BYTES,
    Outline,
    find_type,
    name_type,
    outline,
    refuse_second_type,
    size_of,
    walk_video,
)
from roost.mediafile.facts import Refusal, Unreadable
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
#: H.264 keeps up to 17 pictures; a larger one is far above X's limits and is not decoded.
_MOST_VIDEO_PIXELS: Final = 4096 * 2304
#: How many places of a video are decoded, evenly spread, the first and the last included.
_LOOKS: Final = 6
_FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
_VIDEO_OPTIONS: Final = {
    "format_whitelist": "mov",
    "protocol_whitelist": "",
    "codec_whitelist": "h264,aac,mpeg4",
    "enable_drefs": "0",
    "use_absolute_path": "0",
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
        raise Refusal(Unreadable.TYPE_UNSUPPORTED, f"it is {name_type(head)}")
    if mime_type.startswith("video/"):
        walk_video(file, size)
        return {"mime_type": mime_type} | _read_video(file)
    data = read_image_bytes(file, size)
    shape = outline(mime_type, data)
    refuse_second_type(mime_type, data, shape.end)
    return {"mime_type": mime_type} | _read_image(mime_type, data, shape)


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
        found |= {"kind": MediaKind.GIF, "duration_us": (shape.milliseconds or 0) * 1000}
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


def _read_video(file: BinaryIO) -> Found:
    with av.open(file, mode="r", format="mov", options=_VIDEO_OPTIONS) as container:
        videos = [
            one for one in container.streams.video if not one.disposition & Disposition.attached_pic
        ]
        if not videos:
            raise Refusal(Unreadable.TYPE_UNSUPPORTED, "it has no moving picture in it")
        stream = videos[0]
        context = stream.codec_context
        found: Found = {
            "kind": MediaKind.VIDEO,
            "width": context.width,
            "height": context.height,
            "video_codec": context.codec.canonical_name,
            "pixel_format": context.pix_fmt,
            "frame_rate": float(stream.average_rate) if stream.average_rate else None,
            "frames": stream.frames or None,
            "duration_us": container.duration,
        }
        if container.streams.audio:
            audio = container.streams.audio[0].codec_context
            found |= {
                "audio_codec": audio.codec.canonical_name,
                "audio_profile": audio.profile,
                "audio_channels": audio.channels,
            }
        if not context.width or not context.height:
            raise Refusal(Unreadable.DAMAGED, "it does not tell the size of its picture")
        if not stream.frames:
            found |= _measure(container, stream)
        if context.name == "h264" and context.width * context.height <= _MOST_VIDEO_PIXELS:
            _look_into(container, stream)
    return found


def _measure(container: InputContainer, stream: VideoStream) -> Found:
    """Count what a fragmented video's index does not: it has none for the whole."""
    frames, first, last = 0, None, 0
    for packet in container.demux(stream):
        if packet.pts is None or packet.size == 0:
            continue
        frames += 1
        first = packet.pts if first is None else min(first, packet.pts)
        last = max(last, packet.pts + (packet.duration or 0))
    if first is None or stream.time_base is None or last <= first:
        raise Refusal(Unreadable.DAMAGED, "it holds no pictures")
    seconds = (last - first) * stream.time_base
    container.seek(0)
    return {
        "frames": frames,
        "duration_us": round(seconds * 1_000_000),
        "frame_rate": float(frames / seconds),
    }


def _look_into(container: InputContainer, stream: VideoStream) -> None:
    """Decode a picture at places spread over the video."""
    start, duration = stream.start_time or 0, stream.duration or 0
    for look in range(_LOOKS):
        if look:
            container.seek(start + duration * look // _LOOKS, stream=stream)
        if next(container.decode(stream), None) is None:
            raise Refusal(Unreadable.DAMAGED, "a part of it does not decode")
