"""Hostile files: `probe_media` refuses each with a clear error, within its time limit."""

import io
import os
import random
import socket
import struct
import threading
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fix_media import (
    LARGEST_U32,
    box,
    draw_exif,
    draw_image,
    patch,
    png_chunk,
    png_of,
    save_gif,
    save_video,
)
from roost.errors import MediaUnreadable
from roost.mediafile import Unreadable, probe_media

pytestmark = pytest.mark.timing

SECONDS = 10.0


def refused(path: Path) -> Unreadable:
    """Return the reason why a file is refused; fail if the refusal exceeds the time limit."""
    start = time.monotonic()
    with pytest.raises(MediaUnreadable) as raised:
        probe_media(path)
    assert time.monotonic() - start < SECONDS
    assert raised.value.message.isprintable()
    assert raised.value.next
    return Unreadable(raised.value.facts["reason"])


def outcome(path: Path) -> str:
    """Return `read`, or the reason for the refusal; fail only if the time limit is exceeded."""
    start = time.monotonic()
    result = "read"
    try:
        probe_media(path)
    except MediaUnreadable as error:
        result = error.facts["reason"]
    assert time.monotonic() - start < SECONDS
    return result


def encoded(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    draw_image(200, 150).save(file, kind, **options)
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("zeros", bytes(1 << 20))
    return file.getvalue()


def video(folder: Path, *, sound: str | None = "aac", flags: str = "") -> bytes:
    options = {"movflags": flags} if flags else {}
    return save_video(folder / "video.mp4", sound=sound, options=options).read_bytes()


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)


def jpeg_of(width: int, height: int) -> bytes:
    """Return a real JPEG whose header claims another size."""
    data = encoded("JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def write(folder: Path, data: bytes, name: str = "hostile") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.999])
def test_probe_media_refuses_a_truncated_image(tmp_path: Path, kind: str, share: float) -> None:
    data = encoded(kind)
    path = write(tmp_path, data[: int(len(data) * share)])
    assert refused(path) is Unreadable.TRUNCATED


@pytest.mark.parametrize("flags", ["", "faststart"], ids=["index last", "index first"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_probe_media_refuses_a_truncated_video(tmp_path: Path, flags: str, share: float) -> None:
    data = video(tmp_path, flags=flags)
    path = write(tmp_path, data[: int(len(data) * share)])
    assert refused(path) is Unreadable.TRUNCATED


HUGE_GIF = gif_header(65535, 65535) + (
    b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00"
) * 1000 + b"\x3b"  # fmt: skip


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (archive(), Unreadable.TYPE_UNSUPPORTED),
        (png_of(100_000, 100_000, zlib.compress(b"")), Unreadable.TOO_MANY_PIXELS),
        (png_of(20_000, 20_000, zlib.compress(bytes(2501 * 20_000))), Unreadable.TOO_MANY_PIXELS),
        (jpeg_of(65_500, 65_500), Unreadable.TOO_MANY_PIXELS),
        (HUGE_GIF, Unreadable.TOO_MANY_PIXELS),
        (b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6 + b"VP8 \0\0\0\0",
         Unreadable.TOO_MANY_PIXELS),
        (png_of(100, 100, b"not deflated"), Unreadable.DAMAGED),
        (gif_header(0, 0) + b"\x3b", Unreadable.DAMAGED),
        (b"\xff\xd8\xff\xd9", Unreadable.DAMAGED),
    ],
    ids=["zip bomb", "PNG header", "PNG bomb", "JPEG header", "GIF bomb", "WebP header",
         "PNG without data", "GIF without frames", "JPEG without image"],
)  # fmt: skip
def test_probe_media_refuses_a_decompression_bomb(
    tmp_path: Path, data: bytes, reason: Unreadable
) -> None:
    assert refused(write(tmp_path, data)) is reason


@pytest.mark.parametrize(
    "data",
    [png_of(100, 100, zlib.compress(bytes(50 << 20))), jpeg_of(200, 15_000)],
    ids=["PNG with too much data", "JPEG with too little data"],
)
def test_probe_media_terminates__pixel_data_of_wrong_length(tmp_path: Path, data: bytes) -> None:
    assert outcome(write(tmp_path, data)) in {"read", *Unreadable}


def test_probe_media_refuses_a_text_bomb_in_an_image(tmp_path: Path) -> None:
    data = encoded("PNG")
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 << 20), 9))
    assert refused(write(tmp_path, data[:33] + bomb + data[33:])) is Unreadable.DAMAGED


@pytest.mark.parametrize(
    "data",
    [
        encoded("JPEG") + archive(),
        encoded("PNG") + archive(),
        encoded("GIF") + archive(),
        encoded("WEBP") + archive(),
        encoded("PNG") + encoded("JPEG"),
        encoded("JPEG") + b"\n<html><script>alert(1)</script></html>",
        encoded("GIF") + b"<?php system($_GET[0]);",
        encoded("JPEG", comment=b"%PDF-1.7 1 0 obj") + b"trailer",
        encoded("JPEG") + b"%PDF-1.7",
        encoded("JPEG") + box(b"ftyp", b"isom\0\0\0\0"),
        b"\xff\xd8\xff\xe0ftypisom" + bytes(200),
    ],
    ids=["JPEG+ZIP", "PNG+ZIP", "GIF+ZIP", "WebP+ZIP", "PNG+JPEG", "JPEG+HTML", "GIF+PHP",
         "PDF in JPEG", "JPEG+PDF", "JPEG+MP4", "JPEG is MP4"],
)  # fmt: skip
def test_probe_media_refuses_a_file_of_two_types(tmp_path: Path, data: bytes) -> None:
    assert refused(write(tmp_path, data)) is Unreadable.AMBIGUOUS


def test_probe_media_refuses_a_video_that_is_an_archive(tmp_path: Path) -> None:
    assert refused(write(tmp_path, video(tmp_path) + archive())) is Unreadable.AMBIGUOUS


@pytest.mark.parametrize(
    "corrupt",
    [
        lambda data: patch(data, b"stsz", 4, b"\0\0\0\x01" + LARGEST_U32),
        lambda data: patch(data, b"stsz", 8, LARGEST_U32),
        lambda data: patch(data, b"stts", 4, b"\0\0\0\x01" + LARGEST_U32),
        lambda data: patch(
            patch(data, b"stsz", 4, b"\0\0\0\x01\x7f\xff\xff\xf0"), b"stts", 8, b"\x7f\xff\xff\xf0"
        ),
        lambda data: patch(data, b"stco", 4, LARGEST_U32),
        lambda data: patch(data, b"stsc", 4, LARGEST_U32),
        lambda data: patch(data, b"mvhd", 12, b"\0\0\0\x01" + LARGEST_U32),
    ],
    ids=["sizes, constant", "sizes", "times", "2^31 samples", "offsets", "chunks", "duration"],
)
def test_probe_media_terminates__huge_index(
    tmp_path: Path, corrupt: Callable[[bytes], bytes]
) -> None:
    path = write(tmp_path, corrupt(video(tmp_path, sound=None)))
    assert outcome(path) in {"read", *Unreadable}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (box(b"ftyp", b"isom") + box(b"free") * 30_000, Unreadable.DAMAGED),
        (box(b"ftyp", b"isom") + struct.pack(">I", 4) + b"free" + bytes(8), Unreadable.DAMAGED),
        (box(b"ftyp", b"isom") + b"\0\0\0\x01moov" + b"\xff" * 8, Unreadable.TRUNCATED),
        (box(b"ftyp", b"isom") + box(b"moov", bytes(33 << 20)), Unreadable.DAMAGED),
        (box(b"ftyp", b"isom") + box(b"mdat", bytes(64)), Unreadable.TRUNCATED),
        (box(b"ftyp", b"isom") + box(b"moov", box(b"trak") * 50_000), Unreadable.DAMAGED),
    ],
    ids=["too many boxes", "box without size", "box of 2^64", "huge index", "no index",
         "too many tracks"],
)  # fmt: skip
def test_probe_media_refuses_invalid_boxes(tmp_path: Path, data: bytes, reason: Unreadable) -> None:
    assert refused(write(tmp_path, data)) is reason


@pytest.mark.parametrize(
    "name", ["a\nERROR all accounts deleted\x1b[2J.jpg", "gpj.\u202exe.jpg", "b\udcff.jpg"]
)
def test_probe_media_refuses_a_name_with_control_characters(tmp_path: Path, name: str) -> None:
    assert refused(write(tmp_path, encoded("JPEG"), name)) is Unreadable.NAME_UNPRINTABLE


def test_probe_media_refuses_a_symbolic_link(tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to(write(tmp_path, encoded("JPEG")))
    assert refused(link) is Unreadable.SYMBOLIC_LINK
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    assert refused(loop) is Unreadable.SYMBOLIC_LINK


def test_probe_media_refuses_what_is_not_a_regular_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refused(pipe) is Unreadable.NOT_A_FILE
    assert refused(Path("/dev/zero")) is Unreadable.NOT_A_FILE
    assert refused(tmp_path) is Unreadable.NOT_A_FILE
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(tmp_path / "socket"))
        assert refused(tmp_path / "socket") is Unreadable.NOT_A_FILE
    assert refused(tmp_path / "nowhere.jpg") is Unreadable.NOT_FOUND
    assert refused(tmp_path / "no" / "where.jpg") is Unreadable.NOT_FOUND
    assert refused(tmp_path / ("n" * 300)) is Unreadable.NOT_A_FILE


def test_probe_media_refuses_empty_and_huge_files(tmp_path: Path) -> None:
    assert refused(write(tmp_path, b"")) is Unreadable.EMPTY
    endless = write(tmp_path, video(tmp_path))
    os.truncate(endless, 1 << 40)
    assert refused(endless) is Unreadable.TOO_LARGE
    picture = write(tmp_path, encoded("JPEG"))
    os.truncate(picture, 65 << 20)
    assert refused(picture) is Unreadable.TOO_LARGE


def files_with_url(address: str) -> dict[str, bytes]:
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}/a.ts\n#EXT-X-ENDLIST\n"
    dash = f"<?xml version='1.0'?><MPD><BaseURL>{address}</BaseURL></MPD>"
    url = box(b"url ", b"\0\0\0\0" + f"{address}/b.mp4".encode() + b"\0")
    reference = box(b"dref", b"\0\0\0\0\0\0\0\x01" + url)
    return {
        "list.m3u8": playlist.encode(),
        "list.mp4": playlist.encode(),
        "concat.mp4": f"ffconcat version 1.0\nfile {address}/c.mp4\n".encode(),
        "dash.mp4": dash.encode(),
        "drawing.png": f"<svg xmlns:x='y'><image x:href='{address}/d.png'/></svg>".encode(),
        "playlist-in-mp4.mp4": box(b"ftyp", b"isom") + playlist.encode(),
        "movie-elsewhere.mov": box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", url)))),
        "media-elsewhere.mp4": box(b"ftyp", b"isom") + box(
            b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"dinf", reference))))
        ),
    }  # fmt: skip


def test_probe_media_never_follows_a_url_in_a_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name, data in files_with_url(address).items():
            assert isinstance(refused(write(tmp_path, data, name)), Unreadable), name
        real = video(tmp_path, sound=None)
        at = real.index(b"dref") + 12
        elsewhere = real[:at] + real[at:].replace(b"url \0\0\0\x01", b"url \0\0\0\0", 1)
        probe_media(write(tmp_path, elsewhere, "real.mp4"))
        with pytest.raises(TimeoutError):
            listener.accept()


def test_probe_media_refuses_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    path = save_gif(tmp_path / "long.gif", 900, 700, frames=60)
    stop = threading.Event()

    def keep_touching() -> None:
        while not stop.is_set():
            os.utime(path)

    touching = threading.Thread(target=keep_touching)
    touching.start()
    try:
        assert refused(path) is Unreadable.CHANGED
    finally:
        stop.set()
        touching.join()


def seeds_of(folder: Path) -> list[bytes]:
    return [
        encoded("JPEG", exif=draw_exif()),
        encoded("JPEG", progressive=True),
        encoded("PNG"),
        encoded("WEBP"),
        save_gif(folder / "a.gif").read_bytes(),
        video(folder),
        video(folder, flags="frag_keyframe+empty_moov"),
    ]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the file with random changes: bytes replaced, or slices duplicated or removed."""
    mutated_data = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(mutated_data))
        length = chance.randint(1, 64)
        match chance.randrange(4):
            case 0:
                mutated_data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 1:
                mutated_data[at : at + length] = chance.choice((b"\xff", b"\0")) * length
            case 2:
                mutated_data[at:at] = mutated_data[at : at + length]
            case _ if len(mutated_data) > 2 * length:
                del mutated_data[at : at + length]
    return bytes(mutated_data)


def test_probe_media_survives_mutated_files(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    outcomes = Counter(
        outcome(write(tmp_path, mutated(data, chance), "mutated"))
        for data in seeds_of(tmp_path)
        for _ in range(40)
    )
    assert outcomes.keys() <= {"read", *Unreadable}
    assert outcomes["read"] > 20
    assert outcomes["damaged"] > 20
