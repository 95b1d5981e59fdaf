"""How far the copy of a large file is, on standard error: a line for each quarter."""

from pathlib import Path
from typing import Final

from roost.cli.output import tell
from roost.mediafile.probe import printable_name

#: A smaller file is copied before anybody could read that it is.
_LARGE_BYTES: Final = 64 << 20
_MIB: Final = 1 << 20


class CopyNotes:
    """Called with a file, the bytes that have been copied, and all bytes; remembers the quarter."""

    def __init__(self) -> None:
        self._told = (Path(), 0)

    def __call__(self, path: Path, done: int, size: int) -> None:
        """Say it where another quarter is there."""
        quarter = 4 * done // size
        if size < _LARGE_BYTES or self._told == (path, quarter) or not quarter:
            return
        self._told = (path, quarter)
        tell(f"{printable_name(path)}: {done // _MIB} of {size // _MIB} MB copied")
