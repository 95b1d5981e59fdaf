"""Decode a video with FFmpeg: read its index and decode sample frames.

FFmpeg may use only one container format and a few codecs. Otherwise, a playlist or a URL in a file
could make FFmpeg read other files.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from roost.mediafile import h264
from roost.mediafile.media_info import Refusal, Unreadable
from roost.models import MediaKind

#: The maximum number of pixels of a video that is decoded. A larger video is far above X's limits,
#: and an H.264 decoder keeps up to 17 frames in memory.
_MAX_VIDEO_PIXELS: Final = 4096 * 2304
#: The number of decoded positions, evenly spread from the start to the end of the video.
_POSITIONS: Final = 6
_OPTIONS: Final = {
    "format_whitelist": "mov",
    "protocol_whitelist": "",
    "codec_whitelist": "h264,aac,mpeg4",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
#: The metadata keys in which phones and cameras store locations (QuickTime's `©xyz`, Apple's key).
_LOCATION_KEYS: Final = ("location", "com.apple.quicktime.location")

#: Fields of `MediaFile` by their name, as JSON values.
MediaFields = dict[str, Any]


def read_video(file: BinaryIO) -> MediaFields:
    """Return the fields of `MediaFile` for a video whose boxes have been checked.

    Raises: Refusal; MemoryError; on damaged input, any exception of FFmpeg.
    """
    with av.open(file, mode="r", format="mov", options=_OPTIONS) as container:
        videos = [
            stream
            for stream in container.streams.video
            if not stream.disposition & Disposition.attached_pic
        ]
        if not videos:
            raise Refusal(Unreadable.TYPE_UNSUPPORTED, "it contains no video stream")
        stream = videos[0]
        context = stream.codec_context
        aspect = stream.sample_aspect_ratio
        fields: MediaFields = {
            "kind": MediaKind.VIDEO,
            "width": context.width,
            "height": context.height,
            "video_codec": context.codec.canonical_name,
            "pixel_format": context.pix_fmt,
            "pixel_aspect": f"{aspect.numerator}:{aspect.denominator}" if aspect else None,
            "frame_rate": float(stream.average_rate) if stream.average_rate else None,
            "frames": stream.frames or None,
            "duration_us": container.duration,
            "has_location": _has_location(container, stream),
        }
        if container.streams.audio:
            audio = container.streams.audio[0].codec_context
            fields |= {
                "audio_codec": audio.codec.canonical_name,
                "audio_profile": audio.profile,
                "audio_channels": audio.channels,
            }
        if not context.width or not context.height:
            raise Refusal(Unreadable.DAMAGED, "it does not contain its frame size")
        if not stream.frames:
            fields |= _measure(container, stream)
        if context.name == "h264" and context.width * context.height <= _MAX_VIDEO_PIXELS:
            fields |= _decode_samples(container, stream)
    return fields


def _has_location(container: InputContainer, stream: VideoStream) -> bool:
    names = (*container.metadata, *stream.metadata)
    return any(name.lower().startswith(_LOCATION_KEYS) for name in names)


def _measure(container: InputContainer, stream: VideoStream) -> MediaFields:
    """Return the frame count and duration of a fragmented video, which has no complete index.

    Raises: Refusal (damaged).
    """
    frames, first, last = 0, None, 0
    for packet in container.demux(stream):
        if packet.pts is None or packet.size == 0:
            continue
        frames += 1
        first = packet.pts if first is None else min(first, packet.pts)
        last = max(last, packet.pts + (packet.duration or 0))
    if first is None or stream.time_base is None or last <= first:
        raise Refusal(Unreadable.DAMAGED, "it contains no frames")
    seconds = (last - first) * stream.time_base
    container.seek(0)
    return {
        "frames": frames,
        "duration_us": round(seconds * 1_000_000),
        "frame_rate": float(frames / seconds),
    }


def _decode_samples(container: InputContainer, stream: VideoStream) -> MediaFields:
    """Decode one frame at each of several positions, to find interlacing and open GOPs.

    Raises: Refusal (damaged) if a frame cannot be decoded.
    """
    context = stream.codec_context
    fields = {"is_interlaced": False, "has_open_gop": False}
    for number, position in enumerate(_sample_positions(stream)):
        if number:
            container.seek(position, stream=stream)
        packets: list[Packet[VideoStream]] = []
        frame = _first_frame(container.demux(stream), packets)
        if frame is None:
            raise Refusal(Unreadable.DAMAGED, "a part of it cannot be decoded")
        fields["is_interlaced"] |= frame.interlaced_frame
        fields["has_open_gop"] |= h264.has_open_gop(
            [(packet.is_keyframe, bytes(packet)) for packet in packets[:2]], context.extradata
        )
    return fields


def _sample_positions(stream: VideoStream) -> Iterator[int]:
    """Yield the timestamps to seek to; each seek finds a different key frame to decode."""
    start, duration = stream.start_time or 0, stream.duration or 0
    yield start
    keys = [entry.timestamp for entry in stream.index_entries if entry.is_keyframe]
    # A seek to a timestamp finds the last key frame that is displayed until then. A key frame may
    # be displayed later than its stored timestamp, so each position is the last moment before the
    # stored timestamp of the next key frame.
    ends = [*(key - 1 for key in keys[2:]), start + duration] if len(keys) > 1 else []
    chosen = {(len(ends) - 1) * number // (_POSITIONS - 2) for number in range(_POSITIONS - 1)}
    yield from (ends[number] for number in sorted(chosen) if ends)


def _first_frame(
    packets: Iterator["Packet[VideoStream]"], consumed: list["Packet[VideoStream]"]
) -> VideoFrame | None:
    """Return the first frame that can be decoded; None if there is none.

    The packets that were read are appended to `consumed`; they are two or more, unless the video
    ends before.
    """
    frame: VideoFrame | None = None
    for packet in packets:
        consumed.append(packet)
        if frame is None:
            frame = next(iter(packet.decode()), None)
        if frame is not None and len(consumed) > 1:
            break
    return frame
