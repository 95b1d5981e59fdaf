"""Decoding a video with FFmpeg: what its index says, and what its pictures are.

FFmpeg is told the one format and the few codecs it may use, so that no playlist and no address in
a file is ever followed.
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
from roost.mediafile.facts import Refusal, Unreadable
from roost.models import MediaKind

#: H.264 keeps up to 17 pictures; a larger one is far above X's limits and is not decoded.
_MOST_VIDEO_PIXELS: Final = 4096 * 2304
#: How many places of a video are decoded, evenly spread, the first and the last included.
_PLACES: Final = 6
_OPTIONS: Final = {
    "format_whitelist": "mov",
    "protocol_whitelist": "",
    "codec_whitelist": "h264,aac,mpeg4",
    "enable_drefs": "0",
    "use_absolute_path": "0",
}
#: How phones and cameras name the place (QuickTime's `©xyz` and Apple's key).
_LOCATION_KEYS: Final = ("location", "com.apple.quicktime.location")

Found = dict[str, Any]


def read_video(file: BinaryIO) -> Found:
    """What `MediaFile` says of a video; its boxes have been walked.

    Raises: Refusal; MemoryError; and, for damage, whatever FFmpeg raises.
    """
    with av.open(file, mode="r", format="mov", options=_OPTIONS) as container:
        videos = [
            one for one in container.streams.video if not one.disposition & Disposition.attached_pic
        ]
        if not videos:
            raise Refusal(Unreadable.TYPE_UNSUPPORTED, "it has no moving picture in it")
        stream = videos[0]
        context = stream.codec_context
        aspect = stream.sample_aspect_ratio
        found: Found = {
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
            found |= _decode_places(container, stream)
    return found


def _has_location(container: InputContainer, stream: VideoStream) -> bool:
    names = (*container.metadata, *stream.metadata)
    return any(name.lower().startswith(_LOCATION_KEYS) for name in names)


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


def _decode_places(container: InputContainer, stream: VideoStream) -> Found:
    """Decode a picture at places spread over the video; how it was made, and its key frames.

    Raises: Refusal (a place does not decode).
    """
    context = stream.codec_context
    found = {"is_interlaced": False, "has_open_gop": False}
    for number, place in enumerate(_places(stream)):
        if number:
            container.seek(place, stream=stream)
        packets: list[Packet[VideoStream]] = []
        frame = _first_frame(container.demux(stream), packets)
        if frame is None:
            raise Refusal(Unreadable.DAMAGED, "a part of it does not decode")
        found["is_interlaced"] |= frame.interlaced_frame
        found["has_open_gop"] |= h264.is_open(
            [(packet.is_keyframe, bytes(packet)) for packet in packets[:2]], context.extradata
        )
    return found


def _places(stream: VideoStream) -> Iterator[int]:
    """The beginning, and time stamps that a seek leads from to other key frames."""
    start, duration = stream.start_time or 0, stream.duration or 0
    yield start
    keys = [entry.timestamp for entry in stream.index_entries if entry.is_keyframe]
    # A seek finds the last key frame that is shown by then, and one is shown later than it is
    # stored: the latest moment before the next one leads to it.
    ends = [*(key - 1 for key in keys[2:]), start + duration] if len(keys) > 1 else []
    wanted = {(len(ends) - 1) * number // (_PLACES - 2) for number in range(_PLACES - 1)}
    yield from (ends[number] for number in sorted(wanted) if ends)


def _first_frame(
    packets: Iterator["Packet[VideoStream]"], taken: list["Packet[VideoStream]"]
) -> VideoFrame | None:
    """The first picture that decodes; `taken` are the packets until then, two at least."""
    frame: VideoFrame | None = None
    for packet in packets:
        taken.append(packet)
        if frame is None:
            frame = next(iter(packet.decode()), None)
        if frame is not None and len(taken) > 1:
            break
    return frame
