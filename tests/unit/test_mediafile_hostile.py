"""Files made to harm whoever opens them: each ends in a clear error, in time."""

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
from roost.mediafile import Unreadable, probe

pytestmark = pytest.mark.timing

SECONDS = 10.0


def refused(path: Path) -> Unreadable:
    """Why a file is refused; it must be, and within the promised time."""
    start = time.monotonic()
    with pytest.raises(MediaUnreadable) as raised:
        probe(path)
    assert time.monotonic() - start < SECONDS
    assert raised.value.message.isprintable()
    assert raised.value.next
    return Unreadable(raised.value.facts["reason"])


def outcome(path: Path) -> str:
    """`read`, or why not; either is right, but in time."""
    start = time.monotonic()
    told = "read"
    try:
        probe(path)
    except MediaUnreadable as error:
        told = error.facts["reason"]
    assert time.monotonic() - start < SECONDS
    return told


def coded(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    draw_image(200, 150).save(file, kind, **options)
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", bytes(1 << 20))
    return file.getvalue()


def film(folder: Path, *, sound: str | None = "aac", flags: str = "") -> bytes:
    options = {"movflags": flags} if flags else {}
    return save_video(folder / "film.mp4", sound=sound, options=options).read_bytes()


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)


def jpeg_of(width: int, height: int) -> bytes:
    """A real JPEG whose header claims another size."""
    data = coded("JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def written(folder: Path, data: bytes, name: str = "hostile") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.999])
def test_truncated_image_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    data = coded(kind)
    path = written(tmp_path, data[: int(len(data) * share)])
    assert refused(path) is Unreadable.TRUNCATED


@pytest.mark.parametrize("flags", ["", "faststart"], ids=["index last", "index first"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_truncated_video_is_refused(tmp_path: Path, flags: str, share: float) -> None:
    data = film(tmp_path, flags=flags)
    path = written(tmp_path, data[: int(len(data) * share)])
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
         "PNG without data", "GIF of nothing", "JPEG of nothing"],
)  # fmt: skip
def test_bomb_is_refused(tmp_path: Path, data: bytes, reason: Unreadable) -> None:
    assert refused(written(tmp_path, data)) is reason


@pytest.mark.parametrize(
    "data",
    [png_of(100, 100, zlib.compress(bytes(50 << 20))), jpeg_of(200, 15_000)],
    ids=["PNG with far too much", "JPEG with far too little"],
)
def test_data_of_another_length_than_promised_ends(tmp_path: Path, data: bytes) -> None:
    assert outcome(written(tmp_path, data)) in {"read", *Unreadable}


def test_text_bomb_in_an_image_is_refused(tmp_path: Path) -> None:
    data = coded("PNG")
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 << 20), 9))
    assert refused(written(tmp_path, data[:33] + bomb + data[33:])) is Unreadable.DAMAGED


@pytest.mark.parametrize(
    "data",
    [
        coded("JPEG") + archive(),
        coded("PNG") + archive(),
        coded("GIF") + archive(),
        coded("WEBP") + archive(),
        coded("PNG") + coded("JPEG"),
        coded("JPEG") + b"\n<html><script>alert(1)</script></html>",
        coded("GIF") + b"<?php system($_GET[0]);",
        coded("JPEG", comment=b"%PDF-1.7 1 0 obj") + b"trailer",
        coded("JPEG") + b"%PDF-1.7",
        coded("JPEG") + box(b"ftyp", b"isom\0\0\0\0"),
        b"\xff\xd8\xff\xe0ftypisom" + bytes(200),
    ],
    ids=["JPEG+ZIP", "PNG+ZIP", "GIF+ZIP", "WebP+ZIP", "PNG+JPEG", "JPEG+HTML", "GIF+PHP",
         "PDF in JPEG", "JPEG+PDF", "JPEG+MP4", "JPEG is MP4"],
)  # fmt: skip
def test_file_of_two_types_is_refused(tmp_path: Path, data: bytes) -> None:
    assert refused(written(tmp_path, data)) is Unreadable.AMBIGUOUS


def test_video_that_is_an_archive_is_refused(tmp_path: Path) -> None:
    assert refused(written(tmp_path, film(tmp_path) + archive())) is Unreadable.AMBIGUOUS


@pytest.mark.parametrize(
    "spoil",
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
def test_endless_index_ends(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = written(tmp_path, spoil(film(tmp_path, sound=None)))
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
    ids=["boxes without end", "box without size", "box of 2^64", "huge index", "no index",
         "tracks without end"],
)  # fmt: skip
def test_odd_boxes_are_refused(tmp_path: Path, data: bytes, reason: Unreadable) -> None:
    assert refused(written(tmp_path, data)) is reason


@pytest.mark.parametrize(
    "name", ["a\nERROR all accounts deleted\x1b[2J.jpg", "gpj.\u202exe.jpg", "b\udcff.jpg"]
)
def test_forging_name_is_refused(tmp_path: Path, name: str) -> None:
    assert refused(written(tmp_path, coded("JPEG"), name)) is Unreadable.NAME_UNPRINTABLE


def test_symbolic_link_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to(written(tmp_path, coded("JPEG")))
    assert refused(link) is Unreadable.SYMBOLIC_LINK
    loop = tmp_path / "loop.jpg"
    loop.symlink_to(loop)
    assert refused(loop) is Unreadable.SYMBOLIC_LINK


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
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


def test_empty_and_endless_files_are_refused(tmp_path: Path) -> None:
    assert refused(written(tmp_path, b"")) is Unreadable.EMPTY
    endless = written(tmp_path, film(tmp_path))
    os.truncate(endless, 1 << 40)
    assert refused(endless) is Unreadable.TOO_LARGE
    picture = written(tmp_path, coded("JPEG"))
    os.truncate(picture, 65 << 20)
    assert refused(picture) is Unreadable.TOO_LARGE


def reaching_out(address: str) -> dict[str, bytes]:
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


def test_address_in_a_file_is_never_followed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for name, data in reaching_out(address).items():
            assert isinstance(refused(written(tmp_path, data, name)), Unreadable), name
        real = film(tmp_path, sound=None)
        at = real.index(b"dref") + 12
        elsewhere = real[:at] + real[at:].replace(b"url \0\0\0\x01", b"url \0\0\0\0", 1)
        probe(written(tmp_path, elsewhere, "real.mp4"))
        with pytest.raises(TimeoutError):
            listener.accept()


def test_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
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
        coded("JPEG", exif=draw_exif()),
        coded("JPEG", progressive=True),
        coded("PNG"),
        coded("WEBP"),
        save_gif(folder / "a.gif").read_bytes(),
        film(folder),
        film(folder, flags="frag_keyframe+empty_moov"),
    ]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The file with a few bytes changed, a stretch doubled, moved or cut out."""
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(spoiled))
        length = chance.randint(1, 64)
        match chance.randrange(4):
            case 0:
                spoiled[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 1:
                spoiled[at : at + length] = chance.choice((b"\xff", b"\0")) * length
            case 2:
                spoiled[at:at] = spoiled[at : at + length]
            case _ if len(spoiled) > 2 * length:
                del spoiled[at : at + length]
    return bytes(spoiled)


def test_mutated_real_files_crash_nothing(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    outcomes = Counter(
        outcome(written(tmp_path, mutated(data, chance), "mutated"))
        for data in seeds_of(tmp_path)
        for _ in range(40)
    )
    assert outcomes.keys() <= {"read", *Unreadable}
    assert outcomes["read"] > 20
    assert outcomes["damaged"] > 20
