"""What is worth a warning about a file that X takes, read from files that Pillow and PyAV made."""

from pathlib import Path

import pytest
from PIL import Image

from fix_media import draw_exif, draw_image, save_gif, save_video
from roost.errors import MediaUnreadable
from roost.mediafile import judge, lint_media, prepare, probe


def found(path: Path) -> list[str]:
    """The codes of a file's warnings; each names the file and says what to do, none refuses it."""
    file = probe(path)
    assert judge([(file, None)]) == []
    findings = lint_media(file)
    assert all(path.name in finding.message and finding.next for finding in findings)
    return [finding.code for finding in findings]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_photo_that_says_where_it_was_taken(tmp_path: Path, name: str) -> None:
    draw_image().save(tmp_path / name, exif=draw_exif())
    assert found(tmp_path / name) == ["media_location"]
    draw_image().save(tmp_path / f"clean-{name}")
    assert found(tmp_path / f"clean-{name}") == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_video_that_says_where_it_was_taken(tmp_path: Path, name: str) -> None:
    place = {"location": "+51.4779-000.0015/"}
    assert found(save_video(tmp_path / name, metadata=place)) == ["media_location"]
    assert found(save_video(tmp_path / f"clean-{name}", metadata={"title": "A"})) == []


def test_video_with_apples_key_of_the_place(tmp_path: Path) -> None:
    path = save_video(
        tmp_path / "a.mov",
        metadata={"com.apple.quicktime.location.ISO6709": "+51.4779-000.0015/"},
        options={"movflags": "use_metadata_tags"},
    )
    assert found(path) == ["media_location"]


@pytest.mark.parametrize(
    ("loop", "codes", "words"),
    [(None, ["gif_stops"], "once"), (1, ["gif_stops"], "2 times"), (0, [], "")],
)
def test_gif_that_does_not_play_forever(
    tmp_path: Path, loop: int | None, codes: list[str], words: str
) -> None:
    path = save_gif(tmp_path / "a.gif", loop=loop)
    assert found(path) == codes
    assert all(words in finding.message for finding in lint_media(probe(path)))


def test_gif_of_one_picture_does_not_stop(tmp_path: Path) -> None:
    assert found(save_gif(tmp_path / "a.gif", frames=1, loop=None)) == []


def test_gif_without_its_end_mark_is_taken_with_a_warning(tmp_path: Path) -> None:
    whole = save_gif(tmp_path / "a.gif").read_bytes()
    (tmp_path / "b.gif").write_bytes(whole[:-1])
    assert found(tmp_path / "b.gif") == ["gif_end_missing"]
    (tmp_path / "c.gif").write_bytes(whole[:-2])
    with pytest.raises(MediaUnreadable):
        probe(tmp_path / "c.gif")


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_animation_of_which_x_shows_one_picture(tmp_path: Path, name: str) -> None:
    pictures = [Image.new("RGB", (64, 48), (shade, 0, 0)) for shade in (0, 100, 200)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=100)
    assert found(tmp_path / name) == ["animation_still"]


@pytest.mark.parametrize("how", ["metadata", "older Samsung", "Samsung behind another block"])
def test_motion_photo_is_taken_with_a_warning(tmp_path: Path, how: str) -> None:
    film = save_video(tmp_path / "film.mp4").read_bytes()
    xmp = b"<x:xmpmeta GCamera:MotionPhoto='1'/>" if how == "metadata" else b""
    draw_image().save(tmp_path / "a.jpg", **({"xmp": xmp} if xmp else {}))  # type: ignore[arg-type]
    photo = (tmp_path / "a.jpg").read_bytes()
    between = {
        "metadata": b"",
        "older Samsung": b"MotionPhoto_Data",
        "Samsung behind another block": b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1511111111111"
        b"\0\0\x30\x0a\x10\0\0\0MotionPhoto_Data",
    }[how]
    (tmp_path / "motion.jpg").write_bytes(photo + between + film)
    assert found(tmp_path / "motion.jpg") == ["motion_photo"]
    prepared = prepare(tmp_path / "motion.jpg")
    assert prepared.changes == ("film of the motion photo removed",)
    assert prepared.file.path.read_bytes() == photo


def test_film_behind_a_photo_that_nothing_announces_is_refused(tmp_path: Path) -> None:
    draw_image().save(tmp_path / "a.jpg")
    film = save_video(tmp_path / "film.mp4").read_bytes()
    path = tmp_path / "b.jpg"
    path.write_bytes((tmp_path / "a.jpg").read_bytes() + b"MotionPhoto_Date" + film)
    with pytest.raises(MediaUnreadable, match="follows a video"):
        probe(path)


def test_picture_with_a_side_too_long_is_made_to_fit(tmp_path: Path) -> None:
    draw_image(8200, 40).save(tmp_path / "a.png")
    assert [one.code for one in judge([(probe(tmp_path / "a.png"), None)])] == [
        "image_dimensions_too_large"
    ]
    file = prepare(tmp_path / "a.png").file
    assert (max(file.width, file.height), judge([(file, None)])) == (4096, [])
    draw_image(8200, 5).save(tmp_path / "b.png")
    with pytest.raises(MediaUnreadable, match="narrower"):
        prepare(tmp_path / "b.png")
