"""A part that is not stored yet, from a command, a plan file or a caller's code."""

from dataclasses import dataclass
from pathlib import Path

from roost.mediafile import MediaFile
from roost.models import NO_OPTIONS, MediaAsset, PartOptions


@dataclass(frozen=True, slots=True)
class MediaInput:
    """A file for a part, as a path, or as a file that a stored post already has."""

    source: Path | MediaAsset
    alt_text: str | None = None
    file: MediaFile | None = None
    """The properties of its content; None until it is probed."""

    @property
    def probed(self) -> MediaFile:
        """The properties of its content. It must have been probed."""
        assert self.file is not None, "the file was not probed"
        return self.file

    @property
    def content(self) -> MediaFile | MediaAsset:
        """What the store writes: path, hash, kind, MIME type and size. A path must be probed."""
        if self.file is None and isinstance(self.source, MediaAsset):
            return self.source
        return self.probed


@dataclass(frozen=True, slots=True)
class PartInput:
    """One tweet of a post that is to be validated or stored."""

    text: str
    media: tuple[MediaInput, ...] = ()
    options: PartOptions = NO_OPTIONS
