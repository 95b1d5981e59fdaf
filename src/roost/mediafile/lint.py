"""What is worth a warning about a file that X takes: what viewers will not see, or should not."""

from collections.abc import Iterator

from roost.mediafile.facts import MediaFile
from roost.models import MediaKind, PostFinding


def lint_media(file: MediaFile) -> list[PostFinding]:
    """Find what is probably not meant; nothing here keeps a file from being posted."""
    return [*_location(file), *_motion(file), *_gif(file)]


def _location(file: MediaFile) -> Iterator[PostFinding]:
    if not file.has_location:
        return
    next_step = "Export it without its location."
    if file.kind is MediaKind.IMAGE:
        next_step = "`roost.mediafile.prepare` writes a copy without it."
    yield PostFinding(
        "media_location",
        f"The metadata of {file.path.name} says where it was taken, and X is sent it.",
        next=next_step,
    )


def _motion(file: MediaFile) -> Iterator[PostFinding]:
    if file.kind is MediaKind.IMAGE and (file.frames or 1) > 1:
        name = "APNG" if file.mime_type == "image/png" else "animated WebP"
        yield PostFinding(
            "animation_still",
            f"{file.path.name} is an {name} of {file.frames} pictures; X shows the first one only.",
            next="Export it as a GIF or MP4 if it is to move.",
        )
    if file.has_film:
        yield PostFinding(
            "motion_photo",
            f"{file.path.name} is a motion photo; X shows its picture, and is sent its film and"
            " sound besides.",
            next="Export the picture alone, or the film as MP4 if it is to move.",
        )


def _gif(file: MediaFile) -> Iterator[PostFinding]:
    if file.kind is not MediaKind.GIF:
        return
    if file.plays and (file.frames or 1) > 1:
        times = "once" if file.plays == 1 else f"{file.plays} times"
        yield PostFinding(
            "gif_stops",
            f"{file.path.name} is set to play {times}; it may stop there.",
            next="Set it to loop forever if it is to go on.",
        )
    if file.lacks_end:
        yield PostFinding(
            "gif_end_missing",
            f"{file.path.name} has no end mark: pictures may be missing at its end.",
            next="Look at its end, or export it again.",
        )
