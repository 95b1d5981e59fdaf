"""Read a small file whose path a user gave: only a regular file, up to a maximum size."""

import os
import stat
from pathlib import Path

from roost.errors import InvalidInput


def read_input(path: Path, *, max_bytes: int, error: type[InvalidInput]) -> bytes:
    """Return the content of a regular file of at most `max_bytes` bytes.

    Opening never blocks, even if the path is a pipe without a writer. At most `max_bytes + 1` bytes
    are read, even if the file grows meanwhile.

    Raises: `error` if the file is missing, unreadable, not regular or too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise error(f"There is no file {path}.", next="Check the path.") from None
    except OSError as cause:
        raise error(f"{path} cannot be read: {cause.strerror}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise error(
            f"{path} is not a regular file.",
            next="Save the content to a file and give its path.",
        )
    with os.fdopen(descriptor, "rb") as file:
        try:
            content = file.read(max_bytes + 1)
        except OSError as cause:
            raise error(f"{path} cannot be read: {cause.strerror}.") from None
    if len(content) > max_bytes:
        raise error(
            f"{path.name} is larger than {max_bytes // 1024} KiB, the limit for this kind of file.",
            next="Shorten the file, or split it into several files.",
        )
    return content
