"""Creates media files: valid ones by Pillow and PyAV, hostile ones byte by byte."""

import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from PIL import Image

_GPS, _MAKE, _ORIENTATION = 0x8825, 0x010F, 0x0112
LARGEST_U32: Final = b"\xff\xff\xff\xff"


def draw_image(width: int = 64, height: int = 48, mode: str = "RGB", noise: int = 6) -> Image.Image:
    """Draw a gradient with some noise, which compresses like a photograph."""
    rows, columns = np.mgrid[0:height, 0:width]
    soft = np.stack([columns * 200 / width, rows * 200 / height, (rows + columns) % 200], axis=-1)
    grain = np.random.default_rng(7).integers(0, noise + 1, (height, width, 3))
    return Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).convert(mode)


def draw_exif(orientation: int = 6) -> Image.Exif:
    """Return EXIF metadata like those of a camera with GPS, including a location."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    exif[_MAKE] = "Lumiere"
    exif.get_ifd(_GPS).update({1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0)})
    return exif


def save_gif(
    path: Path, width: int = 64, height: int = 48, frames: int = 5, loop: int | None = 0
) -> Path:
    """Save an animation of different frames, each shown for 100 ms.

    The animation is repeated `loop` times: 0 means forever, None means that it is shown once.
    """
    drawn = [Image.new("P", (width, height), number % 256) for number in range(frames)]
    for image in drawn:
        image.putpalette([(7 * one) % 256 for one in range(768)])
    repetition: dict[str, Any] = {} if loop is None else {"loop": loop}
    drawn[0].save(
        path, save_all=True, append_images=drawn[1:], duration=100, optimize=False, **repetition
    )
    return path


def save_video(
    path: Path,
    *,
    width: int = 64,
    height: int = 48,
    frames: int = 30,
    rate: int = 30,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    sound: str | None = "aac",
    layout: str = "stereo",
    options: dict[str, str] | None = None,
    coding: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Save a short video of moving bars, with a silent audio track if `sound` names its codec.

    `coding` are options of the encoder, `aspect` is the aspect ratio of a pixel.
    """
    with av.open(str(path), "w", options=options or {}) as film:
        film.metadata.update(metadata or {})
        picture: Any = film.add_stream(codec, rate=rate, options={"g": "15"} | (coding or {}))
        if aspect is not None:
            picture.codec_context.sample_aspect_ratio = aspect
        picture.width, picture.height, picture.pix_fmt = width, height, pixels
        track: Any = film.add_stream(sound, rate=48_000, layout=layout) if sound else None
        for number in range(frames):
            drawn = np.zeros((height, width, 3), np.uint8)
            drawn[:, number % width :: 8] = (255, number % 256, 128)
            frame = av.VideoFrame.from_ndarray(drawn, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            film.mux(picture.encode(frame))
        film.mux(picture.encode())
        if track is not None:
            channels = track.codec_context.channels
            for start in range(0, 48_000 * frames // rate, 1024):
                silence = np.zeros((channels, 1024), np.float32)
                heard = av.AudioFrame.from_ndarray(silence, "fltp", layout)
                heard.rate, heard.pts, heard.time_base = 48_000, start, Fraction(1, 48_000)
                film.mux(track.encode(heard))
            film.mux(track.encode())
    return path


#: Videos that X refuses for their codec or container: file name, and arguments of `save_video`.
ODD_VIDEOS: Final[dict[str, dict[str, Any]]] = {
    "hevc.mp4": {"codec": "libx265", "width": 320, "height": 240},
    "444.mp4": {"pixels": "yuv444p"},
    "422.mp4": {"pixels": "yuv422p"},
    "10bit.mp4": {"pixels": "yuv420p10le"},
    "mpeg4.mp4": {"codec": "mpeg4"},
    "surround.mp4": {"layout": "5.1"},
    "mp3.mp4": {"sound": "libmp3lame"},
    "anamorphic.mp4": {"aspect": Fraction(4, 3)},
    "interlaced.mp4": {"coding": {"x264-params": "interlaced=1"}},
    "open.mp4": {"coding": {"x264-params": "open-gop=1:keyint=10:scenecut=0:bframes=3"}},
    "open.mov": {"coding": {"x264-params": "open-gop=1:keyint=25:scenecut=0"}, "frames": 60},
    "open-pieces.mp4": {
        "coding": {"x264-params": "open-gop=1:keyint=10:scenecut=0"},
        "options": {"movflags": "frag_keyframe+empty_moov"},
    },
    "large.mp4": {"width": 1920, "height": 1202},
    "wide.mp4": {"width": 1922, "height": 1080},
    "a.avi": {"sound": None},
    "a.mkv": {},
    "a.ts": {},
    "a.m2ts": {},
    "a.webm": {"codec": "libvpx", "sound": None},
    "a.flv": {"sound": None},
    "a.mpg": {"codec": "mpeg2video", "sound": None},
    "a.wmv": {"codec": "wmv2", "sound": None},
}
#: Videos that X accepts.
GOOD_VIDEOS: Final[dict[str, dict[str, Any]]] = {
    "a.mp4": {},
    "a.mov": {},
    "square.mp4": {"aspect": Fraction(1, 1)},
    "mono.mp4": {"layout": "mono"},
    "mute.mp4": {"sound": None},
    "full-range.mp4": {"pixels": "yuvj420p"},
    "1080.mp4": {"width": 1920, "height": 1080, "frames": 15},
    "portrait.mp4": {"width": 1080, "height": 1920, "frames": 15},
    "1200.mp4": {"width": 1920, "height": 1200, "frames": 15},
    "reordered.mp4": {"coding": {"x264-params": "keyint=10:scenecut=0:bframes=5:b-pyramid=2"}},
    "all-key.mp4": {"coding": {"g": "1"}},
    "refresh.mp4": {"coding": {"x264-params": "intra-refresh=1:keyint=10"}},
    "pieces.mp4": {"options": {"movflags": "frag_keyframe+empty_moov"}},
}


def save_every_kind(folder: Path) -> list[Path]:
    """Save a file of each type and colour mode, with metadata, to load all decoders."""
    exif, saved = draw_exif(), []
    for mode in ("RGB", "L", "CMYK"):
        saved.append(folder / f"{mode}.jpg")
        draw_image(mode=mode).save(saved[-1], exif=exif, progressive=True, dpi=(72, 72))
    for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"):
        saved.append(folder / f"{mode.replace(';', '')}.png")
        image = draw_image(mode="L" if mode == "I;16" else mode)
        (image.convert("I;16") if mode == "I;16" else image).save(saved[-1], exif=exif)
    for lossless in (False, True):
        saved.append(folder / f"lossless-{lossless}.webp")
        draw_image().save(saved[-1], exif=exif, lossless=lossless)
    frames = [draw_image(noise=noise) for noise in (6, 9)]
    saved.append(folder / "animated.webp")
    frames[0].save(saved[-1], save_all=True, append_images=frames[1:])
    pieces = {"movflags": "frag_keyframe+empty_moov"}
    return [
        *saved,
        save_gif(folder / "a.gif"),
        save_video(folder / "a.mp4"),
        save_video(folder / "a.mov", sound=None),
        save_video(folder / "pieces.mp4", options=pieces),
        save_video(folder / "mpeg4.mp4", codec="mpeg4"),
    ]


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """Return one PNG chunk with its checksum."""
    return (
        struct.pack(">I", len(payload))
        + kind
        + payload
        + struct.pack(">I", zlib.crc32(kind + payload))
    )


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """Return a PNG in 1-bit greyscale with these compressed rows."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )


def box(kind: bytes, payload: bytes = b"") -> bytes:
    """Return one box of an MP4."""
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def patch(data: bytes, kind: bytes, offset: int, new: bytes) -> bytes:
    """Replace bytes of an MP4; `offset` counts from the end of the first box name `kind`."""
    at = data.index(kind) + 4 + offset
    return data[:at] + new + data[at + len(new) :]
