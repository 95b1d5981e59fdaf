"""The environment variables that Roost passes to the processes that it starts.

Only a few variables are passed, because the environment contains secrets of Roost and of other
programs.
"""

import contextlib
import os
from collections.abc import Collection, Iterator
from typing import Final

#: Variables that every child gets: those that a Python interpreter needs to start, and those for
#: the language, the time zone and the paths of libraries.
_ORDINARY: Final = frozenset(
    {
        "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONPATH",
        "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    }
)  # fmt: skip


def child_environment(*prefixes: str) -> dict[str, str]:
    """Return the variables that every child gets, and those whose name starts with a prefix."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _ORDINARY or name.startswith(prefixes)
    }


@contextlib.contextmanager
def hidden(names: Collection[str]) -> Iterator[None]:
    """Remove variables from the environment during the block; the case of names is ignored."""
    wanted = {name.lower() for name in names}
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in wanted}
    try:
        yield
    finally:
        os.environ.update(taken)
