"""`lint_media` warns about files that X accepts; the files are made by Pillow and PyAV."""

from pathlib import Path

import pytest
from PIL import Image

from fix_media import draw_exif, draw_image, save_gif, save_video
from roost.errors import MediaUnreadable
from roost.mediafile import lint_media, prepare_image, probe_media, validate_media


def warning_codes(path: Path) -> list[str]:
    """Return the codes of a valid file's warnings; each has the file's name and a next step."""
    file = probe_media(path)
    assert validate_media([(file, None)]) == []
    findings = lint_media(file)
    assert all(path.name in finding.message and finding.next for finding in findings)
    return [finding.code for finding in findings]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_lint_media_reports_the_location_of_a_photo(tmp_path: Path, name: str) -> None:
    draw_image().save(tmp_path / name, exif=draw_exif())
    assert warning_codes(tmp_path / name) == ["media_location"]
    draw_image().save(tmp_path / f"clean-{name}")
    assert warning_codes(tmp_path / f"clean-{name}") == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_lint_media_reports_the_location_of_a_video(tmp_path: Path, name: str) -> None:
    place = {"location": "+51.4779-000.0015/"}
    assert warning_codes(save_video(tmp_path / name, metadata=place)) == ["media_location"]
    assert warning_codes(save_video(tmp_path / f"clean-{name}", metadata={"title": "A"})) == []


def test_lint_media_reports_the_location_of_a_video__apple_key(tmp_path: Path) -> None:
    path = save_video(
        tmp_path / "a.mov",
        metadata={"com.apple.quicktime.location.ISO6709": "+51.4779-000.0015/"},
        options={"movflags": "use_metadata_tags"},
    )
    assert warning_codes(path) == ["media_location"]


@pytest.mark.parametrize(
    ("loop", "codes", "words"),
    [(None, ["gif_stops"], "once"), (1, ["gif_stops"], "2 times"), (0, [], "")],
)
def test_lint_media_reports_a_gif_that_stops(
    tmp_path: Path, loop: int | None, codes: list[str], words: str
) -> None:
    path = save_gif(tmp_path / "a.gif", loop=loop)
    assert warning_codes(path) == codes
    assert all(words in finding.message for finding in lint_media(probe_media(path)))


def test_lint_media_ignores_a_gif_of_one_frame(tmp_path: Path) -> None:
    assert warning_codes(save_gif(tmp_path / "a.gif", frames=1, loop=None)) == []


def test_lint_media_reports_a_gif_without_trailer(tmp_path: Path) -> None:
    whole = save_gif(tmp_path / "a.gif").read_bytes()
    (tmp_path / "b.gif").write_bytes(whole[:-1])
    assert warning_codes(tmp_path / "b.gif") == ["gif_end_missing"]
    (tmp_path / "c.gif").write_bytes(whole[:-2])
    with pytest.raises(MediaUnreadable):
        probe_media(tmp_path / "c.gif")


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_lint_media_reports_an_animation_that_x_shows_as_still(tmp_path: Path, name: str) -> None:
    pictures = [Image.new("RGB", (64, 48), (shade, 0, 0)) for shade in (0, 100, 200)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=100)
    assert warning_codes(tmp_path / name) == ["animation_still"]


@pytest.mark.parametrize("marker", ["metadata", "older Samsung", "Samsung after another block"])
def test_lint_media_reports_a_motion_photo(tmp_path: Path, marker: str) -> None:
    video = save_video(tmp_path / "video.mp4").read_bytes()
    xmp = b"<x:xmpmeta GCamera:MotionPhoto='1'/>" if marker == "metadata" else b""
    draw_image().save(tmp_path / "a.jpg", **({"xmp": xmp} if xmp else {}))  # type: ignore[arg-type]
    photo = (tmp_path / "a.jpg").read_bytes()
    between = {
        "metadata": b"",
        "older Samsung": b"MotionPhoto_Data",
        "Samsung after another block": b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1511111111111"
        b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data",
    }[marker]
    (tmp_path / "motion.jpg").write_bytes(photo + between + video)
    assert warning_codes(tmp_path / "motion.jpg") == ["motion_photo"]
    prepared = prepare_image(tmp_path / "motion.jpg")
    assert prepared.changes == ("video of the motion photo removed",)
    assert prepared.file.path.read_bytes() == photo


def test_probe_media_refuses_an_unannounced_video_after_a_photo(tmp_path: Path) -> None:
    draw_image().save(tmp_path / "a.jpg")
    video = save_video(tmp_path / "video.mp4").read_bytes()
    path = tmp_path / "b.jpg"
    path.write_bytes((tmp_path / "a.jpg").read_bytes() + b"MotionPhoto_Date" + video)
    with pytest.raises(MediaUnreadable, match="followed by a video"):
        probe_media(path)


def test_prepare_image_scales_an_image_with_a_long_side(tmp_path: Path) -> None:
    draw_image(8200, 40).save(tmp_path / "a.png")
    assert [one.code for one in validate_media([(probe_media(tmp_path / "a.png"), None)])] == [
        "image_dimensions_too_large"
    ]
    file = prepare_image(tmp_path / "a.png").file
    assert (max(file.width, file.height), validate_media([(file, None)])) == (4096, [])
    draw_image(8200, 5).save(tmp_path / "b.png")
    with pytest.raises(MediaUnreadable, match="narrower"):
        prepare_image(tmp_path / "b.png")
