"""Files of types that X does not take are refused by name, each with what to do about it."""

from pathlib import Path

import pytest

from fix_media import ODD_VIDEOS, box, draw_image, save_video
from roost.errors import MediaTypeUnsupported
from roost.mediafile import Unreadable, probe

#: The first brand of a picture that shares the boxes of MP4, and those it is compatible with.
STILLS = [
    (b"heic", b"mif1MiHBMiHEheic", "a HEIC image"),
    (b"heix", b"mif1heix", "a HEIC image"),
    (b"hevc", b"msf1hevciso8", "a HEIC image sequence"),
    (b"mif1", b"mif1heicjpeg", "a HEIF image"),
    (b"msf1", b"msf1iso8", "a HEIF image"),
    (b"MiPr", b"miafheic", "a HEIF image"),
    (b"1pic", b"heicmif1", "a HEIC image"),
    (b"avif", b"mif1miafMA1B", "an AVIF image"),
    (b"avis", b"msf1iso8avis", "an AVIF image"),
    (b"crx ", b"isom", "a camera's raw image"),
]


def refused(path: Path) -> MediaTypeUnsupported:
    with pytest.raises(MediaTypeUnsupported) as raised:
        probe(path)
    assert raised.value.code == "media_type_unsupported"
    return raised.value


@pytest.mark.parametrize(("major", "compatible", "name"), STILLS)
def test_pictures_of_phones_are_named(
    tmp_path: Path, major: bytes, compatible: bytes, name: str
) -> None:
    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(box(b"ftyp", major + bytes(4) + compatible) + box(b"meta", bytes(40)))
    error = refused(path)
    assert f"it is {name}." in error.message
    assert error.facts["reason"] == Unreadable.IMAGE_TYPE_UNSUPPORTED
    assert "JPEG" in error.next


def test_avif_of_a_real_encoder_is_named(tmp_path: Path) -> None:
    draw_image().save(tmp_path / "a.png", "AVIF")
    assert "an AVIF image" in refused(tmp_path / "a.png").message


def test_film_whose_brands_name_a_picture_too_stays_a_film(tmp_path: Path) -> None:
    data = save_video(tmp_path / "a.mp4").read_bytes()
    brands = data[: int.from_bytes(data[:4], "big")]
    odd = box(b"ftyp", b"oddX" + brands[12:16] + b"heic" + brands[20:])
    assert len(odd) == len(brands)
    (tmp_path / "b.mp4").write_bytes(odd + data[len(brands) :])
    assert probe(tmp_path / "b.mp4").mime_type == "video/mp4"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.avi", "an AVI video"),
        ("a.mkv", "a Matroska (MKV) video"),
        ("a.webm", "a WebM video"),
        ("a.ts", "an MPEG transport stream (TS)"),
        ("a.m2ts", "an MPEG transport stream (TS)"),
        ("a.flv", "a Flash video"),
        ("a.mpg", "an MPEG video"),
        ("a.wmv", "a Windows Media (WMV) video"),
    ],
)
def test_videos_in_other_containers_are_named(tmp_path: Path, name: str, words: str) -> None:
    error = refused(save_video(tmp_path / name, **ODD_VIDEOS[name]))
    assert f"it is {words}." in error.message
    assert error.facts["reason"] == Unreadable.VIDEO_TYPE_UNSUPPORTED
    assert "MP4" in error.next


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound file"),
        (b"RIFF\0\0\0\0ACON", "a RIFF file"),
        (b"II*\0" + bytes(60), "a TIFF image"),
        (b"\xff\x0a" + bytes(60), "a JPEG XL image"),
        (b"G" + bytes(600), "a file of no known type"),
        (b"GG", "a file of no known type"),
    ],
)
def test_other_files_are_named(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    error = refused(tmp_path / "a.jpg")
    assert f"it is {words}." in error.message
    assert error.facts["reason"] == Unreadable.TYPE_UNSUPPORTED
