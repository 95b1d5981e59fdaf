"""Whether X's transcoder takes a video: its container, its coding and its pictures, decoded.

Source: X's best practices for media, and the refusals that clients have reported.
"""

import re
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.stream import VideoStream

#: X's word for a container or coding that it does not take.
UNSUPPORTED = "file is currently unsupported"
#: A video up to this size is decoded frame by frame; of a larger one only the key frames are,
#: beside reading every packet: a truncated file still fails, and minutes of work are saved.
_EVERY_FRAME_BELOW = 32_000_000
_LONGEST_SECONDS = 4 * 3600.0
_WIDEST, _NARROWEST = 1920, 1200
#: 8 bits, 4:2:0, in either range.
_COLOURS = ("yuv420p", "yuvj420p")
_NAL_TYPES = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_IDR, _SLICE = 5, 1


def judge_video(file: Path, size: int) -> tuple[str, int, int, int]:
    """`ok` or why X refuses it; width, height and milliseconds.

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
        verdict = _judge_coding(container, stream) or _judge_pictures(container, stream, size)
    found = (width, height, round(seconds * 1000))
    if verdict is not None:
        return (verdict, *found)
    if not 0.5 <= seconds <= _LONGEST_SECONDS:
        return ("video too short or too long", *found)
    narrow, wide = sorted((width, height))
    if narrow < 32 or wide > _WIDEST or narrow > _NARROWEST or wide > 3 * narrow:
        return ("video of a size that X does not take", *found)
    return ("ok" if rate <= 60.5 else "more than 60 frames a second", *found)


def _judge_coding(container: InputContainer, stream: VideoStream) -> str | None:
    if stream.codec_context.name != "h264" or stream.codec_context.pix_fmt not in _COLOURS:
        return UNSUPPORTED
    aspect = stream.sample_aspect_ratio
    if aspect and aspect != 1:
        return "pixels that are not square"
    for sound in container.streams.audio[:1]:
        context = sound.codec_context
        is_low_complexity = context.name == "aac" and context.profile in ("LC", None)
        if not is_low_complexity or context.channels > 2:
            return UNSUPPORTED
    return None


def _judge_pictures(container: InputContainer, stream: VideoStream, size: int) -> str | None:
    """What decoding shows: nothing, half-pictures, or a key frame that is no fresh start."""
    if size > _EVERY_FRAME_BELOW:
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
            kinds = {found[1][0] & 31 for found in _NAL_TYPES.finditer(bytes(filtered))}
            keys += is_key
            resets += is_key and _IDR in kinds
    if frames == 0:
        return "no frame in it"
    return "open GOP" if resets < keys < pictures else None
