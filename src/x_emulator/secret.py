"""Where the emulator's secret comes from: a file of this user's alone, or the environment.

Never the command line: every user of a machine reads those of all processes.
"""

import os
import stat
from pathlib import Path
from typing import Final

#: The variable that holds the secret where no file is named.
VARIABLE: Final = "X_EMULATOR_SECRET"


def read_secret(file: Path | None) -> str | None:
    """The secret; None where there is none. Raises: ValueError (without the secret), OSError."""
    if file is None:
        return os.environ.get(VARIABLE) or None
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{file} is not a regular file.")
        if found.st_uid not in (0, os.geteuid()):
            raise ValueError(f"{file} belongs to another user.")
        # ssh's rule: a file of root's that others read was meant for them.
        closed = 0o077 if found.st_uid == os.geteuid() else 0o022
        if found.st_mode & closed:
            raise ValueError(f"{file} can be used by others; chmod 600 {file}")
        content = opened.read()
    try:
        secret = content.decode().strip()
    except UnicodeDecodeError:
        raise ValueError(f"{file} holds no text.") from None
    if not secret:
        raise ValueError(f"{file} is empty.")
    return secret
