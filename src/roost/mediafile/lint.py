"""Warn about files that X accepts, but that reveal a location or look different on X."""

from collections.abc import Iterator

from roost.mediafile.media_info import MediaFile
from roost.models import MediaKind, PostFinding


def lint_media(file: MediaFile) -> list[PostFinding]:
    """Return warnings about a file; none of them prevents a post."""
    return [*_location(file), *_motion(file), *_gif(file)]


def _location(file: MediaFile) -> Iterator[PostFinding]:
    if not file.has_location:
        return
    yield PostFinding(
        "media_location",
        f"The metadata of {file.path.name} contains the location at which it was recorded; Roost"
        " sends the metadata to X.",
        next="Export the file without its location.",
    )


def _motion(file: MediaFile) -> Iterator[PostFinding]:
    if file.kind is MediaKind.IMAGE and (file.frames or 1) > 1:
        name = "APNG" if file.mime_type == "image/png" else "animated WebP"
        yield PostFinding(
            "animation_still",
            f"{file.path.name} is an {name} of {file.frames} frames; X shows only the first frame.",
            next="Export the animation as a GIF or MP4, which X shows completely.",
        )
    if file.has_motion_video:
        yield PostFinding(
            "motion_photo",
            f"{file.path.name} is a motion photo; X shows only the photo, but also receives the"
            " video and its audio.",
            next="Export the photo alone, or the video as MP4.",
        )


def _gif(file: MediaFile) -> Iterator[PostFinding]:
    if file.kind is not MediaKind.GIF:
        return
    if file.play_count and (file.frames or 1) > 1:
        times = "once" if file.play_count == 1 else f"{file.play_count} times"
        yield PostFinding(
            "gif_stops",
            f"{file.path.name} is set to play {times}; the GIF may then stop.",
            next="To keep the GIF playing, export it with endless repetition.",
        )
    if file.lacks_trailer:
        yield PostFinding(
            "gif_end_missing",
            f"{file.path.name} has no trailer: its last frames may be missing.",
            next="Check the last frames of the GIF, or export it again.",
        )
