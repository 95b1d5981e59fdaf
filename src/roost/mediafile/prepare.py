"""Write a copy of an image that fits X's limits; the original is never replaced."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost.errors import InvalidInput
from roost.mediafile.decoder_pool import Request, run_decoder
from roost.mediafile.media_info import MediaFile
from roost.mediafile.probe import open_media, printable_name, probe_media
from roost.mediafile.validation import MAX_IMAGE_BYTES, MAX_SIDE, MIN_SIDE
from roost.models import MediaKind

_WALL_SECONDS: Final = 60
_CPU_SECONDS: Final = 50
_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


class MediaNotPreparable(InvalidInput):
    """Roost cannot prepare the file: it is a video or a GIF, or the target exists already."""


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """The result of `prepare_image`: the image to use, and how it differs from the original."""

    file: MediaFile
    """The new file, or the original if no change was necessary."""
    changes: tuple[str, ...]
    """A description of each change; empty if no change was necessary."""


def prepare_image(
    path: Path | str, into: Path | str | None = None, *, keep_location: bool = False
) -> PreparedImage:
    """Write a copy of an image, changed so that X accepts the copy, and without its location.

    An image of more than 5 MB or with a side of more than 8192 pixels is encoded again and, if
    necessary, scaled down; the colour profile and the orientation are kept. The video of a motion
    photo is removed. If only the location has to be removed, all metadata is removed and the pixels
    stay unchanged. If no change is necessary, no copy is written. By default, the copy of
    `photo.jpg` is `photo.prepared.jpg` in the same folder. The call blocks for up to a minute.

    Raises: MediaUnreadable; MediaNotPreparable if the file is a GIF or a video, or if `into`
    exists; DecoderUnavailable.
    """
    path = Path(path)
    before = probe_media(path)
    if before.kind is not MediaKind.IMAGE:
        raise MediaNotPreparable(
            f"{printable_name(path)} is a {before.kind.value}; Roost can reduce the size of images"
            " only.",
            next="Export the file again at a smaller size.",
        )
    folder = path.parent if into is None else Path(into).parent
    descriptor, temporary_name = tempfile.mkstemp(prefix=".roost-", dir=folder)
    temporary = Path(temporary_name)
    try:
        arguments = {
            "max_bytes": MAX_IMAGE_BYTES,
            "min_side": MIN_SIDE,
            "max_side": MAX_SIDE,
            "keep_location": keep_location,
        }
        request = Request("prepare", _WALL_SECONDS, _CPU_SECONDS, arguments)
        try:
            with open_media(path) as source:
                result = run_decoder(request, [source, descriptor])
        finally:
            os.close(descriptor)
        changes = tuple(str(change) for change in result["changes"])
        if not changes:
            return PreparedImage(before, ())
        target = _default_target(path, before, result["mime_type"]) if into is None else Path(into)
        temporary.chmod(path.stat().st_mode & 0o666)
        _link(temporary, target)
        return PreparedImage(probe_media(target), changes)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _default_target(path: Path, before: MediaFile, mime_type: str) -> Path:
    """Return the path of the copy: `a.jpg` → `a.prepared.jpg`, `b.png` → `b.png.prepared.jpg`.

    If the type changes, the copy's name contains the original's suffix, so that the copies of
    `a.jpg` and `a.png` have different names.
    """
    name = path.stem if mime_type == before.mime_type else path.name
    return path.with_name(f"{name}.prepared{_SUFFIXES[mime_type]}")


def _link(temporary: Path, target: Path) -> None:
    """Rename the finished file to `target`, without replacing an existing file.

    Raises: MediaNotPreparable (a file `target` exists).
    """
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise MediaNotPreparable(
            f"{printable_name(target)} already exists.",
            next="Remove the existing file, or choose another file name.",
        ) from None
