"""`prepare_image`: the copy fits X's limits, looks the same and has no location."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from fix_media import draw_exif, draw_image, save_gif, save_video
from roost.errors import MediaUnreadable
from roost.mediafile import MediaNotPreparable, prepare_image, probe_media

LIMIT = 5 * 1024 * 1024
ORIENTATION, MAKE = 0x0112, 0x010F
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def save_large(path: Path, **options: object) -> Path:
    """Save an inefficiently encoded picture above 5 MB, rotated by its orientation tag."""
    grain = np.random.default_rng(3).integers(0, 40, (1500, 2200, 3), dtype=np.uint8)
    soft = np.asarray(draw_image(2200, 1500, noise=0)) // 2
    picture = Image.fromarray(soft + grain)
    picture.save(path, exif=draw_exif(), icc_profile=PROFILE, **options)  # type: ignore[arg-type]
    assert path.stat().st_size > LIMIT
    return path


def displayed(path: Path) -> np.ndarray:
    """Return the picture as a viewer displays it, reduced for comparison."""
    with Image.open(path) as image:
        turned = ImageOps.exif_transpose(image).convert("RGB")
        return np.asarray(turned.resize((40, 40), Image.Resampling.BOX)).astype(int)


def looks_like(one: Path, other: Path) -> bool:
    return bool(np.abs(displayed(one) - displayed(other)).max() <= 3)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.jpg", {"quality": 100, "subsampling": 0}, ("image/jpeg", "a.prepared.jpg")),
        ("a.png", {"compress_level": 1}, ("image/jpeg", "a.png.prepared.jpg")),
        ("a.webp", {"lossless": True, "method": 0}, ("image/jpeg", "a.webp.prepared.jpg")),
    ],
)
def test_prepare_image_encodes_a_large_image_again(
    tmp_path: Path, name: str, options: dict[str, object], expected: tuple[str, str]
) -> None:
    path = save_large(tmp_path / name, **options)
    before = path.read_bytes()
    prepared = prepare_image(path)
    assert (prepared.file.mime_type, prepared.file.path.name) == expected
    assert prepared.file.size_bytes <= LIMIT
    assert (prepared.file.width, prepared.file.height) == (2200, 1500)
    assert prepared.changes[0].startswith("encoded again at quality")
    assert looks_like(path, prepared.file.path)
    assert path.read_bytes() == before


def test_prepare_image_keeps_only_colour_profile_and_orientation(tmp_path: Path) -> None:
    prepared = prepare_image(save_large(tmp_path / "a.jpg", quality=100, subsampling=0))
    with Image.open(prepared.file.path) as image:
        assert dict(image.getexif()) == {ORIENTATION: 6}
        assert image.info["icc_profile"] == PROFILE
    assert not prepared.file.has_location


def test_prepare_image_keeps_the_location__keep_location(tmp_path: Path) -> None:
    path = save_large(tmp_path / "a.jpg", quality=100, subsampling=0)
    prepared = prepare_image(path, tmp_path / "out.jpg", keep_location=True)
    assert prepared.file.path == tmp_path / "out.jpg"
    assert prepared.file.has_location
    with Image.open(prepared.file.path) as image:
        assert image.getexif()[MAKE] == "Lumiere"


def test_prepare_image_scales_a_long_side_to_4096_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    draw_image(5000, 500, noise=90).save(path, compress_level=0)
    prepared = prepare_image(path)
    assert (prepared.file.width, prepared.file.height) == (4096, 410)
    assert "scaled from 5000×500 to 4096×410" in prepared.changes


def test_prepare_image_scales__no_quality_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise = np.random.default_rng(3).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, compress_level=0)
    prepared = prepare_image(path)
    assert LIMIT // 2 < prepared.file.size_bytes <= LIMIT
    assert prepared.file.width < 4000
    assert prepared.file.width / prepared.file.height == pytest.approx(4 / 3, abs=0.01)


def test_prepare_image_keeps_transparency(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    picture = draw_image(1500, 1500, "RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    picture.save(path, compress_level=0)
    prepared = prepare_image(path)
    assert prepared.file.mime_type == "image/webp"
    with Image.open(prepared.file.path) as image:
        assert image.mode == "RGBA"
        assert image.getpixel((5, 1495))[3] > 240  # type: ignore[index]  # RGBA gives a tuple
        assert image.getpixel((5, 5))[3] < 15  # type: ignore[index]


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_prepare_image_keeps_the_colour_mode(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.jpg"
    draw_image(2600, 2600, mode, noise=200).save(path, quality=100)
    assert path.stat().st_size > LIMIT
    prepared = prepare_image(path)
    assert prepared.file.pixel_format == mode
    assert looks_like(path, prepared.file.path)


def test_prepare_image_converts_16_bit_greyscale_to_8_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    ramp = np.linspace(0, 65535, 2000, dtype=np.uint16)
    Image.fromarray(np.tile(ramp, (2000, 1))).save(path, compress_level=0)
    prepared = prepare_image(path)
    with Image.open(prepared.file.path) as image:
        row = np.asarray(image.convert("L"))[1000].astype(int)
    assert row[0] <= 3
    assert row[-1] >= 252
    assert abs(row[1000] - 128) <= 3


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_prepare_image_removes_the_location_without_changing_pixels(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    xmp = b"<x:xmpmeta>exif:GPSLatitude='51,28N'</x:xmpmeta>"
    options = {} if name == "a.png" else {"xmp": xmp}
    draw_image().save(path, exif=draw_exif(), icc_profile=PROFILE, **options)  # type: ignore[arg-type]
    prepared = prepare_image(path)
    assert prepared.changes == ("metadata removed, including the location",)
    assert not prepared.file.has_location
    data = prepared.file.path.read_bytes()
    assert b"GPS" not in data
    assert b"Lumiere" not in data
    with Image.open(path) as before, Image.open(io.BytesIO(data)) as after:
        assert before.tobytes() == after.tobytes()
        assert dict(after.getexif()) == {ORIENTATION: 6}
        assert after.info["icc_profile"] == PROFILE


def test_prepare_image_changes_nothing__image_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    draw_image().save(path)
    prepared = prepare_image(path)
    assert (prepared.file, prepared.changes) == (probe_media(path), ())
    assert [one.name for one in tmp_path.iterdir()] == ["a.jpg"]


def test_prepare_image_does_not_overwrite_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    draw_image().save(path, exif=draw_exif())
    existing = tmp_path / "a.prepared.jpg"
    existing.write_bytes(b"precious")
    with pytest.raises(MediaNotPreparable):
        prepare_image(path)
    assert existing.read_bytes() == b"precious"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.jpg", "a.prepared.jpg"]


def test_prepare_image_refuses_videos_and_gifs(tmp_path: Path) -> None:
    for path in (save_video(tmp_path / "a.mp4"), save_gif(tmp_path / "a.gif")):
        with pytest.raises(MediaNotPreparable):
            prepare_image(path)


def test_prepare_image_refuses_a_large_animation(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    frames = [draw_image(900, 900, noise=200).rotate(angle) for angle in range(0, 12, 2)]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True, method=0)
    assert path.stat().st_size > LIMIT
    with pytest.raises(MediaUnreadable) as raised:
        prepare_image(path)
    assert raised.value.facts["reason"] == "too_large"
    assert [one.name for one in tmp_path.iterdir()] == ["a.webp"]
