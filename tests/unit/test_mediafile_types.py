"""`probe_media` names the type of a file that X does not accept, with a next step."""

from pathlib import Path

import pytest

from fix_media import ODD_VIDEOS, box, draw_image, save_video
from roost.errors import MediaTypeUnsupported
from roost.mediafile import Unreadable, probe_media

#: Images in the box format of MP4: the major brand, the compatible brands, and the type's name.
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
        probe_media(path)
    assert raised.value.code == "media_type_unsupported"
    return raised.value


@pytest.mark.parametrize(("major", "compatible", "name"), STILLS)
def test_probe_media_names_image_types_of_phones(
    tmp_path: Path, major: bytes, compatible: bytes, name: str
) -> None:
    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(box(b"ftyp", major + bytes(4) + compatible) + box(b"meta", bytes(40)))
    error = refused(path)
    assert f"it is {name}." in error.message
    assert error.facts["reason"] == Unreadable.IMAGE_TYPE_UNSUPPORTED
    assert "JPEG" in error.next


def test_probe_media_names_avif_of_a_real_encoder(tmp_path: Path) -> None:
    draw_image().save(tmp_path / "a.png", "AVIF")
    assert "an AVIF image" in refused(tmp_path / "a.png").message


def test_probe_media_detects_a_video_with_an_image_brand(tmp_path: Path) -> None:
    data = save_video(tmp_path / "a.mp4").read_bytes()
    brands = data[: int.from_bytes(data[:4], "big")]
    odd = box(b"ftyp", b"oddX" + brands[12:16] + b"heic" + brands[20:])
    assert len(odd) == len(brands)
    (tmp_path / "b.mp4").write_bytes(odd + data[len(brands) :])
    assert probe_media(tmp_path / "b.mp4").mime_type == "video/mp4"


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
def test_probe_media_names_other_video_containers(tmp_path: Path, name: str, words: str) -> None:
    error = refused(save_video(tmp_path / name, **ODD_VIDEOS[name]))
    assert f"it is {words}." in error.message
    assert error.facts["reason"] == Unreadable.VIDEO_TYPE_UNSUPPORTED
    assert "MP4" in error.next


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"RIFF\0\0\0\0WAVEfmt ", "an audio file"),
        (b"RIFF\0\0\0\0ACON", "a RIFF file"),
        (b"II*\0" + bytes(60), "a TIFF image"),
        (b"\xff\x0a" + bytes(60), "a JPEG XL image"),
        (b"G" + bytes(600), "a file of an unknown type"),
        (b"GG", "a file of an unknown type"),
    ],
)
def test_probe_media_names_other_types(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    error = refused(tmp_path / "a.jpg")
    assert f"it is {words}." in error.message
    assert error.facts["reason"] == Unreadable.TYPE_UNSUPPORTED
