"""Making an image fit, when somebody asks for it: as a new file, never in the old one's place."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from roost.errors import InvalidInput
from roost.mediafile.children import Request, ask_child
from roost.mediafile.facts import MediaFile
from roost.mediafile.judge import LARGEST_SIDE, MOST_IMAGE_BYTES, SMALLEST_SIDE
from roost.mediafile.probe import opened, printable_name, probe
from roost.models import MediaKind

_WALL_SECONDS: Final = 60
_CPU_SECONDS: Final = 50
_SUFFIXES: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


class MediaNotPreparable(InvalidInput):
    """A file that Roost does not change: a video, a GIF, or one whose place is taken."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of preparing an image."""

    file: MediaFile
    """The new file; the old one where nothing had to be done."""
    changes: tuple[str, ...]
    """What is different, in words; empty: nothing."""


def prepare(
    path: Path | str, into: Path | str | None = None, *, keep_location: bool = False
) -> Prepared:
    """Write a copy of an image that X takes: 5 MB at most, and without where it was taken.

    A larger one is coded again and, where that is not enough, scaled down; colour profile and
    orientation stay. The film of a motion photo is left out. One that only tells its location
    loses its metadata, its pixels stay as they are. `into` defaults to `photo.prepared.jpg` beside
    `photo.jpg`. Blocks; a minute at most.

    Raises: MediaUnreadable, MediaNotPreparable (a GIF, a video, `into` exists),
    DecoderUnavailable.
    """
    path = Path(path)
    before = probe(path)
    if before.kind is not MediaKind.IMAGE:
        raise MediaNotPreparable(
            f"{printable_name(path)} is a {before.kind.value}; Roost prepares images only.",
            next="Export it smaller from where it was made.",
        )
    folder = path.parent if into is None else Path(into).parent
    descriptor, temporary_name = tempfile.mkstemp(prefix=".roost-", dir=folder)
    temporary = Path(temporary_name)
    try:
        arguments = {
            "most_bytes": MOST_IMAGE_BYTES,
            "smallest_side": SMALLEST_SIDE,
            "largest_side": LARGEST_SIDE,
            "keep_location": keep_location,
        }
        request = Request("prepare", _WALL_SECONDS, _CPU_SECONDS, arguments)
        try:
            with opened(path) as source:
                found = ask_child(request, [source, descriptor])
        finally:
            os.close(descriptor)
        changes = tuple(str(change) for change in found["changes"])
        if not changes:
            return Prepared(before, ())
        target = _beside(path, before, found["mime_type"]) if into is None else Path(into)
        temporary.chmod(path.stat().st_mode & 0o666)
        _publish(temporary, target)
        return Prepared(probe(target), changes)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _beside(path: Path, before: MediaFile, mime_type: str) -> Path:
    """Where the copy goes: `a.jpg` → `a.prepared.jpg`, but `b.png` → `b.png.prepared.jpg`.

    A picture of another type keeps its whole name, so that it takes no other picture's place.
    """
    name = path.stem if mime_type == before.mime_type else path.name
    return path.with_name(f"{name}.prepared{_SUFFIXES[mime_type]}")


def _publish(temporary: Path, target: Path) -> None:
    """Give the finished file its name, unless that name is taken."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise MediaNotPreparable(
            f"{printable_name(target)} exists already.",
            next="Remove it, or name another file.",
        ) from None
