"""A part that is not stored yet, with text, files and options from a user or a program."""

from dataclasses import dataclass
from pathlib import Path

from roost.mediafile import MediaFile
from roost.models import NO_OPTIONS, MediaAsset, PartOptions


@dataclass(frozen=True, slots=True)
class MediaInput:
    """A file for a part: a path, or a file that a stored post already has."""

    source: Path | MediaAsset
    alt_text: str | None = None
    file: MediaFile | None = None
    """The properties of the file's content; None until the file is probed."""

    @property
    def probed(self) -> MediaFile:
        """The properties of the file's content. The file must have been probed."""
        assert self.file is not None, "the file was not probed"
        return self.file

    @property
    def content(self) -> MediaFile | MediaAsset:
        """The file's hash, kind, MIME type and size. A file given by path must have been probed."""
        if self.file is None and isinstance(self.source, MediaAsset):
            return self.source
        return self.probed


@dataclass(frozen=True, slots=True)
class PartInput:
    """One part of a post that is to be validated or stored."""

    text: str
    media: tuple[MediaInput, ...] = ()
    options: PartOptions = NO_OPTIONS
