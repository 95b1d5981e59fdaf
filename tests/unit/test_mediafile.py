"""`probe_media` reads real files, and `validate_media` applies X's limits."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fix_media import draw_exif, draw_image, save_gif, save_video
from roost.mediafile import MediaFile, probe_media, validate_media
from roost.models import MediaKind

IMAGE = MediaFile(Path("a.jpg"), MediaKind.IMAGE, "image/jpeg", 1000, "0" * 64, 800, 600, frames=1)
GIF = MediaFile(
    Path("a.gif"), MediaKind.GIF, "image/gif", 1000, "0" * 64, 640, 480, 10, timedelta(seconds=1)
)
VIDEO = MediaFile(
    Path("a.mp4"),
    MediaKind.VIDEO,
    "video/mp4",
    1000,
    "0" * 64,
    1280,
    720,
    frames=300,
    duration=timedelta(seconds=10),
    frame_rate=30.0,
    video_codec="h264",
    audio_codec="aac",
    audio_profile="LC",
    audio_channels=2,
    pixel_format="yuv420p",
)


def codes(*files: MediaFile, subscription_type: str | None = None) -> list[str]:
    pairs = [(file, None) for file in files]
    violations = validate_media(pairs, subscription_type=subscription_type)
    return [violation.code for violation in violations]


@pytest.mark.parametrize(
    ("name", "mime_type", "mode"),
    [
        ("a.jpg", "image/jpeg", "RGB"),
        ("a.png", "image/png", "RGB"),
        ("a.webp", "image/webp", "RGB"),
        ("grey.jpg", "image/jpeg", "L"),
        ("clear.png", "image/png", "RGBA"),
        ("cmyk.jpg", "image/jpeg", "CMYK"),
    ],
)
def test_probe_media_reads_every_property_of_an_image(
    tmp_path: Path, name: str, mime_type: str, mode: str
) -> None:
    path = tmp_path / name
    draw_image(321, 123, mode).save(path)
    data = path.read_bytes()
    assert probe_media(path) == MediaFile(
        path=path,
        kind=MediaKind.IMAGE,
        mime_type=mime_type,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        width=321,
        height=123,
        frames=1,
        pixel_format=mode,
    )


def test_probe_media_detects_the_type_by_content(tmp_path: Path) -> None:
    path = tmp_path / "holiday.mp4"
    draw_image().save(path, "PNG")
    assert probe_media(str(path)).mime_type == "image/png"


@pytest.mark.parametrize(
    "name", ["ünï 🎉.jpg", "-rf.jpg", "at 3.04\u202fPM.jpg", "日本.jpg", "👩\u200d🚀.jpg"]
)
def test_probe_media_accepts_any_printable_name(tmp_path: Path, name: str) -> None:
    draw_image().save(tmp_path / name)
    assert probe_media(tmp_path / name).path.name == name


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_probe_media_detects_a_location(tmp_path: Path, name: str) -> None:
    draw_image().save(tmp_path / name, exif=draw_exif())
    draw_image().save(tmp_path / f"clean-{name}")
    assert probe_media(tmp_path / name).has_location
    assert not probe_media(tmp_path / f"clean-{name}").has_location


def test_probe_media_counts_frames_and_duration_of_a_gif(tmp_path: Path) -> None:
    file = probe_media(save_gif(tmp_path / "a.gif", 120, 90, frames=7))
    assert (file.kind, file.mime_type) == (MediaKind.GIF, "image/gif")
    assert (file.width, file.height, file.frames) == (120, 90, 7)
    assert file.duration == timedelta(milliseconds=700)


def test_probe_media_reports_a_still_gif_as_gif(tmp_path: Path) -> None:
    file = probe_media(save_gif(tmp_path / "a.gif", frames=1))
    assert (file.kind, file.frames) == (MediaKind.GIF, 1)


def test_probe_media_counts_frames_above_the_limit(tmp_path: Path) -> None:
    file = probe_media(save_gif(tmp_path / "a.gif", 16, 16, frames=400))
    assert file.frames == 400
    assert codes(file) == ["gif_too_many_frames"]


def test_probe_media_accepts_what_cameras_append(tmp_path: Path) -> None:
    draw_image().save(tmp_path / "a.jpg")
    photo = (tmp_path / "a.jpg").read_bytes()
    video = save_video(tmp_path / "video.mp4").read_bytes()
    (tmp_path / "two.jpg").write_bytes(photo + photo)
    draw_image().save(tmp_path / "b.jpg", xmp=b"<x:xmpmeta GCamera:MotionPhoto='1'/>")
    (tmp_path / "motion.jpg").write_bytes((tmp_path / "b.jpg").read_bytes() + video)
    (tmp_path / "padded.jpg").write_bytes(photo + bytes(500))
    for name in ("two.jpg", "motion.jpg", "padded.jpg"):
        assert probe_media(tmp_path / name).mime_type == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "mime_type", "flags"),
    [
        ("a.mp4", "video/mp4", ""),
        ("a.mov", "video/quicktime", ""),
        ("first.mp4", "video/mp4", "faststart"),
        ("pieces.mp4", "video/mp4", "frag_keyframe+empty_moov"),
    ],
)
def test_probe_media_measures_a_video(
    tmp_path: Path, name: str, mime_type: str, flags: str
) -> None:
    options = {"movflags": flags} if flags else {}
    file = probe_media(
        save_video(tmp_path / name, width=320, height=180, frames=60, options=options)
    )
    assert (file.kind, file.mime_type) == (MediaKind.VIDEO, mime_type)
    assert (file.width, file.height, file.frames) == (320, 180, 60)
    assert (file.video_codec, file.pixel_format) == ("h264", "yuv420p")
    assert (file.audio_codec, file.audio_profile, file.audio_channels) == ("aac", "LC", 2)
    assert file.frame_rate == pytest.approx(30)
    assert file.duration is not None
    assert file.duration.total_seconds() == pytest.approx(2.0, abs=0.05)
    assert codes(file) == []


def test_validate_media_accepts_a_video_without_audio(tmp_path: Path) -> None:
    file = probe_media(save_video(tmp_path / "a.mp4", sound=None))
    assert (file.audio_codec, file.duration) == (None, timedelta(seconds=1))
    assert codes(file) == []


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"codec": "mpeg4"}, "video_codec_unsupported"),
        ({"codec": "libx265"}, "video_codec_unsupported"),
        ({"pixels": "yuv444p"}, "video_pixel_format_unsupported"),
        ({"pixels": "yuv422p"}, "video_pixel_format_unsupported"),
        ({"sound": "libmp3lame"}, "audio_codec_unsupported"),
        ({"layout": "5.1"}, "audio_channels_unsupported"),
        ({"frames": 12}, "video_too_short"),
        ({"rate": 90, "frames": 90}, "video_frame_rate_too_high"),
        ({"width": 30}, "video_dimensions_too_small"),
        ({"width": 1922, "height": 720}, "video_dimensions_too_large"),
        ({"width": 200, "height": 64}, "video_aspect_ratio"),
    ],
)
def test_validate_media_reports_one_violation_for_a_real_video(
    tmp_path: Path, options: dict[str, object], code: str
) -> None:
    if options.get("codec") == "libx265":
        options = options | {"width": 320, "height": 240}
    path = save_video(tmp_path / "a.mp4", **options)  # type: ignore[arg-type]  # varies by case
    assert codes(probe_media(path)) == [code]


@pytest.mark.parametrize(
    "file",
    [
        replace(IMAGE, size_bytes=5 * 1024 * 1024),
        replace(GIF, size_bytes=15 * 1024 * 1024, width=1280, height=1080, frames=216),
        replace(GIF, frames=350),
        replace(VIDEO, size_bytes=512 * 1024 * 1024),
        replace(VIDEO, duration=timedelta(seconds=140)),
        replace(VIDEO, duration=timedelta(seconds=140.03)),
        replace(VIDEO, duration=timedelta(seconds=0.5)),
        replace(VIDEO, width=32, height=32),
        replace(IMAGE, width=4, height=8192),
        replace(IMAGE, width=8192, height=4),
        replace(GIF, width=4, height=4),
        replace(VIDEO, width=1280, height=1024),
        replace(VIDEO, width=1920, height=1080),
        replace(VIDEO, width=1080, height=1920),
        replace(VIDEO, width=1920, height=1200),
        replace(VIDEO, pixel_aspect="1:1"),
        replace(VIDEO, width=720, height=1280),
        replace(VIDEO, width=96, height=32),
        replace(VIDEO, width=400, height=1200),
        replace(VIDEO, frame_rate=60.0),
        replace(VIDEO, frame_rate=59.94),
        replace(VIDEO, pixel_format="yuvj420p"),
    ],
)
def test_validate_media_accepts_values_at_the_limits(file: MediaFile) -> None:
    assert codes(file) == []


@pytest.mark.parametrize(
    ("file", "code", "limit", "found"),
    [
        (replace(IMAGE, size_bytes=5242881), "image_too_large", 5242880, 5242881),
        (replace(GIF, size_bytes=15728641), "gif_too_large", 15728640, 15728641),
        (replace(GIF, width=1281), "gif_dimensions_too_large", "1280×1080", "1281×480"),
        (replace(GIF, height=1081), "gif_dimensions_too_large", "1280×1080", "640×1081"),
        (replace(GIF, frames=351), "gif_too_many_frames", 350, 351),
        (replace(GIF, width=1280, height=1080, frames=218), "gif_too_many_pixels", 300000000,
         301363200),
        (replace(VIDEO, size_bytes=536870913), "video_too_large", 536870912, 536870913),
        (replace(VIDEO, duration=timedelta(seconds=140.5)), "video_too_long", 140.0, 140.5),
        (replace(VIDEO, duration=timedelta(seconds=0.4)), "video_too_short", 0.5, 0.4),
        (replace(VIDEO, frame_rate=61.0), "video_frame_rate_too_high", 60, 61.0),
        (replace(VIDEO, width=31, height=31), "video_dimensions_too_small", "32×32", "31×31"),
        (replace(IMAGE, width=3, height=4), "image_dimensions_too_small", "4×4", "3×4"),
        (replace(IMAGE, width=8193, height=9), "image_dimensions_too_large", "8192×8192",
         "8193×9"),
        (replace(GIF, width=9, height=3), "gif_dimensions_too_small", "4×4", "9×3"),
        (replace(VIDEO, width=1080, height=1921), "video_dimensions_too_large", "1920×1200",
         "1080×1921"),
        (replace(VIDEO, width=1201, height=1300), "video_dimensions_too_large", "1920×1200",
         "1201×1300"),
        (replace(VIDEO, pixel_aspect="4:3"), "video_pixels_not_square", "1:1", "4:3"),
        (replace(VIDEO, is_interlaced=True), "video_interlaced", "progressive", "interlaced"),
        (replace(VIDEO, has_open_gop=True), "video_open_gop", "closed GOP", "open GOP"),
        (replace(VIDEO, width=1201, height=400), "video_aspect_ratio", "1:3 to 3:1", "1201:400"),
        (replace(VIDEO, pixel_format="yuv420p10le"), "video_pixel_format_unsupported", "yuv420p",
         "yuv420p10le"),
        (replace(VIDEO, audio_profile="HE-AAC"), "audio_codec_unsupported", "aac LC", "aac HE-AAC"),
    ],
)  # fmt: skip
def test_validate_media_reports_values_beyond_the_limits(
    file: MediaFile, code: str, limit: object, found: object
) -> None:
    (violation,) = validate_media([(file, None)])
    assert (violation.code, violation.limit, violation.found) == (code, limit, found)
    assert violation.next
    assert file.path.name in violation.message


def test_validate_media_reports_every_violation_at_once() -> None:
    video = replace(VIDEO, size_bytes=1 << 30, duration=timedelta(minutes=3), video_codec="hevc")
    files = [(IMAGE, "x" * 1001), (replace(IMAGE, size_bytes=6 << 20), None), (video, None)]
    assert [violation.code for violation in validate_media(files)] == [
        "mixed_media",
        "alt_text_too_long",
        "image_too_large",
        "video_too_large",
        "video_too_long",
        "video_codec_unsupported",
    ]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([IMAGE] * 4, []),
        ([IMAGE] * 5, ["too_many_images"]),
        ([GIF], []),
        ([GIF, GIF], ["too_many_gifs"]),
        ([VIDEO, VIDEO], ["too_many_videos"]),
        ([IMAGE, VIDEO], ["mixed_media"]),
        ([IMAGE, GIF], ["mixed_media"]),
        ([], []),
    ],
)
def test_validate_media_accepts_four_images_or_one_gif_or_one_video(
    files: list[MediaFile], expected: list[str]
) -> None:
    assert codes(*files) == expected


def test_validate_media_limits_alt_text_to_1000_characters() -> None:
    assert validate_media([(IMAGE, "🎉" * 1000)]) == []
    assert [one.code for one in validate_media([(IMAGE, "🎉" * 1001)])] == ["alt_text_too_long"]


@pytest.mark.parametrize("plan", ["Premium", "PremiumPlus"])
def test_validate_media_accepts_longer_videos__premium(plan: str) -> None:
    hour = replace(VIDEO, duration=timedelta(minutes=60))
    assert codes(hour, subscription_type=plan) == []
    assert codes(hour, subscription_type="Basic") == ["video_too_long"]
    too_long = replace(VIDEO, duration=timedelta(minutes=126))
    assert codes(too_long, subscription_type=plan) == ["video_too_long"]
