"""Validates videos like X's transcoder: the container, the codecs and the decoded frames.

Sources: X's best practices for media, and refusals by X that clients have reported.
"""

import re
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.stream import VideoStream

#: X's message for a container or codec that X does not accept.
UNSUPPORTED = "file is currently unsupported"
#: The size up to which every frame is decoded. In a larger video, all packets are read but only key
#: frames are decoded. This saves minutes, and still detects a truncated file.
_MAX_FULLY_DECODED_BYTES = 32_000_000
_MAX_SECONDS = 4 * 3600.0
_MAX_LONG_SIDE, _MAX_SHORT_SIDE = 1920, 1200
#: The accepted pixel formats: 8 bits, 4:2:0, in limited or full range.
_PIXEL_FORMATS = ("yuv420p", "yuvj420p")
_NAL_TYPES = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_IDR, _SLICE = 5, 1


def validate_video(file: Path, size: int) -> tuple[str, int, int, int]:
    """Return the verdict (`ok` or the reason for a refusal), width, height and milliseconds.

    Raises: av.error.FFmpegError.
    """
    with av.open(str(file)) as container:
        if "mp4" not in container.format.name.split(","):
            return UNSUPPORTED, 0, 0, 0
        if not container.streams.video:
            return "no video in it", 0, 0, 0
        stream = container.streams.video[0]
        width, height = stream.codec_context.width, stream.codec_context.height
        seconds = float(container.duration or 0) / av.time_base
        rate = float(stream.average_rate or 0)
        problem = _check_codecs(container, stream) or _check_frames(container, stream, size)
    info = (width, height, round(seconds * 1000))
    if problem is not None:
        return (problem, *info)
    if not 0.5 <= seconds <= _MAX_SECONDS:
        return ("video too short or too long", *info)
    short, long = sorted((width, height))
    if short < 32 or long > _MAX_LONG_SIDE or short > _MAX_SHORT_SIDE or long > 3 * short:
        return ("video dimensions not supported", *info)
    return ("ok" if rate <= 60.5 else "more than 60 frames a second", *info)


def _check_codecs(container: InputContainer, stream: VideoStream) -> str | None:
    if stream.codec_context.name != "h264" or stream.codec_context.pix_fmt not in _PIXEL_FORMATS:
        return UNSUPPORTED
    aspect = stream.sample_aspect_ratio
    if aspect and aspect != 1:
        return "pixels that are not square"
    for audio in container.streams.audio[:1]:
        context = audio.codec_context
        is_low_complexity = context.name == "aac" and context.profile in ("LC", None)
        if not is_low_complexity or context.channels > 2:
            return UNSUPPORTED
    return None


def _check_frames(container: InputContainer, stream: VideoStream, size: int) -> str | None:
    """Decode the frames, and return the reason for a refusal, if any.

    A video is refused if frames are missing or interlaced, or if a group of pictures is open.
    """
    if size > _MAX_FULLY_DECODED_BYTES:
        stream.codec_context.skip_frame = "NONKEY"
    frames, pictures, keys, resets = 0, 0, 0, 0
    with_start_codes = BitStreamFilterContext("h264_mp4toannexb", stream)
    for packet in container.demux(stream):
        is_key = packet.is_keyframe
        for frame in packet.decode():
            frames += 1
            if frame.interlaced_frame:
                return "interlaced"
        if not packet.size:
            continue
        for filtered in with_start_codes.filter(packet):
            pictures += 1
            nal_types = {match[1][0] & 31 for match in _NAL_TYPES.finditer(bytes(filtered))}
            keys += is_key
            resets += is_key and _IDR in nal_types
    if frames == 0:
        return "no frame in it"
    return "open GOP" if resets < keys < pictures else None
